"""Where networks are trained and evaluated once, and found again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filelock import FileLock

from robench import datasets, models, training
from robench.datasets import Dataset
from robench.errors import ConfigError, TrainError
from robench.files import write_text
from robench.models import Classifier
from robench.reproduce._cells import Cells
from robench.reproduce._trained_network import TrainedNetwork
from robench.store import Run
from robench.sweep import SweepConfig, run
from robench.tables import to_csv
from robench.training import Recipe

SMOKE_DATA = "digits"
ONLY_CLEAN = ("awgn@clean",)
ALWAYS_TOLD = ("recipe", "epochs")


@dataclass(frozen=True)
class Budget:
    """How much is trained and evaluated; None is all there is, or what the paper did."""

    name: str
    train_n: int | None = None
    epochs: int | None = None
    limit: int | None = None


BUDGETS = {
    "smoke": Budget("smoke", train_n=16, epochs=1, limit=6),
    "small": Budget("small"),
    "paper": Budget("paper"),
}


@dataclass
class ExperimentRunner:
    """Networks in `out`/networks, runs in `work` and their cells in `out`/cells; data sets by the papers' names."""

    out: Path
    work: Path
    budget: Budget
    data: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"
    precision: str = "fp32"
    compiled: bool = False
    progress: bool = False
    _sets: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict, init=False, repr=False)

    @property
    def in_full(self) -> bool:
        """Whether the paper's own protocol is asked for."""
        return self.budget.name == "paper"

    def dataset(self, name: str) -> str:
        """The DATASET that stands for a paper's; the embedded digits for a smoke test."""
        if self.budget.name == "smoke":
            return SMOKE_DATA
        if name not in self.data:
            raise ConfigError(f"expected --data {name}=DATASET, got {', '.join(self.data) or 'none'}")
        return self.data[name]

    def trained(
        self,
        name: str,
        recipe: str,
        model: str,
        data: str,
        *,
        small: Mapping[str, Any],
        paper: Mapping[str, Any] = MappingProxyType({}),
        front: str = "",
        **options: Any,
    ) -> TrainedNetwork:
        """The network `name`, trained where it is not there; a process that trains it already is waited for.

        small, paper: fields of the recipe that a budget changes, epochs among them, and train_n, the number of training
        images. front: `RESTORER=CHECKPOINT+`, what stands before it in training. options: as for `train`. Raises
        TrainError where the file is another training's.
        """
        path = self.out / "networks" / f"{name}.safetensors"
        changes = dict({"small": small, "paper": paper}.get(self.budget.name, {}))
        train_n = changes.pop("train_n", None)
        length = {
            "epochs": changes.pop("epochs", self.budget.epochs),
            "warmup_epochs": changes.pop("warmup_epochs", None),
        }
        given = {name: options.pop(name, None) for name in ("corruption", "strength", "lr", "batch_size")}
        asked = replace(training.get(recipe), **changes).with_changes(**given)
        with self._alone(name):
            if not path.exists():
                training.train(
                    asked,
                    self._pair(data),
                    front + model,
                    path,
                    train_n=train_n,
                    device=self.device,
                    precision=self.precision,
                    compiled=self.compiled,
                    progress=self.progress,
                    **length,
                    **options,
                )
        metadata = models.metadata(path)
        began = {name: options.get(name) for name in ("init", "parts", "estimator")}
        settings = {"recipe": asked.name} | asked.with_changes(**length).settings()
        images = self._images(data, asked, train_n)
        _check_trained(path, metadata, settings | images | training.began_from(front + model, **began))
        return TrainedNetwork(f"{model}={path}", path, metadata, self.budget.name)

    def published(self, model: str, weights: str) -> TrainedNetwork:
        """A network with weights that are published under a name of its card."""
        return TrainedNetwork(f"{model}={weights}", Path(weights), {}, self.budget.name)

    def loaded(self, trained: TrainedNetwork, dataset: Dataset) -> Classifier:
        """The network for the images of a data set."""
        return models.load(trained.spec, classes=len(dataset.classes), input_size=dataset.shape[:2], device=self.device)

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        locks = self.work / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / name):
            yield

    def _images(self, data: str, recipe: Recipe, train_n: int | None) -> dict[str, str]:
        """What a checkpoint says of its training images: their data set, and how many."""
        if (data, recipe.chosen_on) not in self._sets:
            pair = self._pair(data)
            train_set, _ = datasets.for_training(pair, chosen_on=recipe.chosen_on) if isinstance(pair, str) else pair
            self._sets[data, recipe.chosen_on] = train_set.name, len(train_set)
        name, n = self._sets[data, recipe.chosen_on]
        return {"dataset": name, "train_n": str(n if train_n is None else min(n, train_n))}

    def _pair(self, data: str) -> str | tuple[Dataset, Dataset]:
        """Training and validation images, few of them for a smoke test."""
        if self.budget.train_n is None:
            return self.dataset(data)
        n, (train_set, val_set) = self.budget.train_n, datasets.for_training(self.dataset(data))
        return train_set.limited(n), val_set.limited(n // 2)

    def evaluated(
        self,
        name: str,
        trained_networks: Sequence[TrainedNetwork],
        data: str,
        chosen: Sequence[str] = (),
        *,
        suite: str | None = None,
    ) -> Cells:
        """The cells of networks on a data set's test images, and on them by these corruptions or that suite, if any."""
        outcome = run(
            SweepConfig(
                tuple(trained.spec for trained in trained_networks),
                self.dataset(data),
                self.work / name,
                suites=(suite,) if suite else (),
                corruptions=tuple(chosen) or (() if suite else ONLY_CLEAN),
                limit=self.budget.limit,
                device=self.device,
                compile=self.compiled,
            ),
            progress=self.progress,
        )
        write_text(self.out / "cells" / f"{name}.csv", to_csv(outcome.cells))
        return Cells(
            Run(self.work / name),
            outcome.cells,
            outcome.metrics,
            {trained.label: trained for trained in trained_networks},
        )


def _check_trained(path: Path, metadata: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """That the file holds what would be trained now; a field that is younger than the file is taken as right."""
    for key, value in expected.items():
        got = metadata.get(key, None if key in ALWAYS_TOLD else value)
        if got != value:
            raise TrainError(f"{path}: expected {key} {value}, got {got}; remove it to train it again")
