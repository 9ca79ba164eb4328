"""A network that takes part in a paper's table or figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from robench import models, training

TOLD = {
    **{"recipe": "recipe", "trained_on": "dataset", "train_n": "train_n"},
    **{"epochs": "epochs_run", "paper_epochs": "recipe_epochs", "seed": "seed"},
}
"""What a row calls the facts that a checkpoint tells."""


BESIDE = ("epochs", "perturbations", "crop_area")
"""Settings that stand elsewhere in a row, or follow from another."""


def changed(metadata: Mapping[str, str]) -> str:
    """In what a training was another than its recipe, which has the paper's budget: each setting, and the recipe's.

    told: a checkpoint's metadata; empty for weights as published. The epochs and the number of images are told apart
    from this, and a warm-up that is shorter in the proportion of the epochs is no change.
    """
    if not metadata.get("recipe"):
        return ""
    recipe = training.get(metadata["recipe"]).with_changes(epochs=int(metadata["epochs"]))
    settings = {name: value for name, value in recipe.settings().items() if name not in BESIDE}
    if metadata.get("schedule", recipe.schedule) != recipe.schedule:
        del settings["milestones"]
    others = [
        f"{name} {_short(metadata[name])} ({_short(value)})"
        for name, value in settings.items()
        if metadata.get(name, value) != value
    ]
    return ", ".join([*others, f"in {metadata.get('precision', 'fp32')}"])


def _short(text: str) -> str:
    """A setting as text; numbers without digits that say nothing."""
    try:
        return ", ".join(f"{float(part):.4g}" for part in text.split(", "))
    except ValueError:
        return text or "none"


@dataclass(frozen=True)
class TrainedNetwork:
    """A network: MODEL as `evaluate` takes it, what its checkpoint says of its training, if any, and the budget."""

    spec: str
    path: Path
    metadata: Mapping[str, str]
    budget: str

    @property
    def label(self) -> str:
        """What a run calls it."""
        parsed = models.parse(self.spec)
        own = models.get(parsed.name).name + (f"@{parsed.activation}" if parsed.activation else "")
        front = parsed.restorer
        before = "" if front is None else f"{front.name}={Path(str(front.checkpoint)).stem}+"
        return f"{before}{own}={self.path.stem}"

    @property
    def details(self) -> dict[str, object]:
        """What a row says of it."""
        return self.training | {"model": self.label}

    @property
    def training(self) -> dict[str, object]:
        """What a row says of its training; empty for weights as published."""
        training: dict[str, object] = {name: self.metadata.get(key, "") for name, key in TOLD.items()}
        return training | {"changed": changed(self.metadata), "budget": self.budget}

    @property
    def history(self) -> pd.DataFrame:
        """Its training log, a row an epoch."""
        return pd.read_csv(self.path.with_suffix(".log.csv"))

    def behind(self, restorer: TrainedNetwork) -> TrainedNetwork:
        """The same network with a restorer in front."""
        return replace(self, spec=f"{restorer.spec}+{self.spec}")
