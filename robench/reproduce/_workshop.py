"""Where networks are trained and evaluated once, and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from robench import models, train
from robench.errors import TrainError, UsageError
from robench.evaluate import Request, run
from robench.reproduce._table import Entry

SMOKE_DATA = "digits"


@dataclass(frozen=True)
class Budget:
    """How much is trained and evaluated; None is all there is, or what the paper did."""

    name: str
    train_n: int | None = None
    epochs: int | None = None
    limit: int | None = None


BUDGETS = {
    "smoke": Budget("smoke", train_n=40, epochs=1, limit=20),
    "small": Budget("small"),
    "paper": Budget("paper"),
}


@dataclass(frozen=True)
class Net:
    """A network that was trained here: MODEL as `evaluate` takes it, and what its checkpoint says of its training."""

    spec: str
    path: Path
    told: Mapping[str, str]


@dataclass(frozen=True)
class Cells:
    """What was measured of some networks: their cells, and their checkpoints' facts by label."""

    frame: pd.DataFrame
    told: Mapping[str, Mapping[str, str]]
    budget: str

    def accuracy(self, label: str, corruption: str = "clean", strength: str = "clean", *, error: bool = False) -> Entry:
        """Top-1 accuracy in percent, or the error rate, of one cell with its Wilson interval."""
        some = self.frame[(self.frame["model"] == label) & (self.frame["corruption"] == corruption)]
        row = some[some["strength"] == strength].iloc[0]
        if row["status"] != "ok":
            return Entry(None, note=str(row["error"] or row["status"]))
        top1, low, high = (100 * float(row[name]) for name in ("top1", "top1_ci_low", "top1_ci_high"))
        facts = self._facts(label, row)
        return Entry(100 - top1, 100 - high, 100 - low, facts) if error else Entry(top1, low, high, facts)

    def _facts(self, label: str, row: Any) -> dict[str, object]:
        told = self.told.get(label, {})
        names = {"train_n": "train_n", "epochs": "epochs_run", "paper_epochs": "recipe_epochs", "seed": "seed"}
        facts = {name: told.get(key, "") for name, key in names.items()} | {"recipe": told.get("recipe", "")}
        kept = ("n", "dataset", "data_digest", "model", "weights_sha256")
        return facts | {name: row[name] for name in kept} | {"budget": self.budget}


@dataclass
class Workshop:
    """Networks in `out`/networks, runs in `work`, and the data sets by the names that papers give them."""

    out: Path
    work: Path
    budget: Budget
    data: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"
    precision: str = "fp32"
    progress: bool = False

    def dataset(self, name: str) -> str:
        """The DATASET that stands for a paper's; the embedded digits for a smoke test."""
        if self.budget.name == "smoke":
            return SMOKE_DATA
        if name not in self.data:
            raise UsageError(f"expected --data {name}=DATASET, got {', '.join(self.data) or 'none'}")
        return self.data[name]

    def trained(self, name: str, recipe: str, model: str, data: str, *, small: int, **options: Any) -> Net:
        """The network `name`, trained where it is not there. small: epochs of the small budget.

        options: as for `robench.train.train`. Raises TrainError where the file is another training's.
        """
        path = self.out / "networks" / f"{name}.safetensors"
        epochs = {"smoke": self.budget.epochs, "small": small}.get(self.budget.name)
        if not path.exists():
            train.train(
                recipe,
                self.dataset(data),
                model,
                path,
                epochs=epochs,
                train_n=self.budget.train_n,
                device=self.device,
                precision=self.precision,
                progress=self.progress,
                **options,
            )
        told = models.metadata(path)
        expected = {"recipe": recipe, "epochs": str(epochs or train.get(recipe).epochs)}
        for key, value in expected.items():
            if told.get(key) != value:
                raise TrainError(f"{path}: expected {key} {value}, got {told.get(key)}; remove it to train it again")
        return Net(f"{model}={path}", path, told)

    def evaluated(self, name: str, nets: Sequence[Net], data: str, chosen: Sequence[str]) -> Cells:
        """The cells of these networks on a data set's test images, and on them by these corruptions."""
        outcome = run(
            Request(
                tuple(net.spec for net in nets),
                self.dataset(data),
                self.work / name,
                chosen=tuple(chosen),
                limit=self.budget.limit,
                device=self.device,
            ),
            progress=self.progress,
        )
        labels = {label_of(net): net.told for net in nets}
        return Cells(outcome.cells, labels, self.budget.name)


def label_of(net: Net) -> str:
    """What a run calls the network."""
    return f"{net.spec.partition('=')[0]}={net.path.stem}"
