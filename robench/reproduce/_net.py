"""A network that takes part in a paper's table or figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from robench import models

TOLD = {
    **{"recipe": "recipe", "trained_on": "dataset", "train_n": "train_n"},
    **{"epochs": "epochs_run", "paper_epochs": "recipe_epochs", "seed": "seed"},
}
"""What a row calls the facts that a checkpoint tells."""


@dataclass(frozen=True)
class Net:
    """A network: MODEL as `evaluate` takes it, what its checkpoint says of its training, if any, and the budget."""

    spec: str
    path: Path
    told: Mapping[str, str]
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
    def facts(self) -> dict[str, object]:
        """What a row says of it."""
        return self.training | {"model": self.label}

    @property
    def training(self) -> dict[str, object]:
        """What a row says of its training; empty for weights as published."""
        training: dict[str, object] = {name: self.told.get(key, "") for name, key in TOLD.items()}
        return training | {"budget": self.budget}

    @property
    def history(self) -> pd.DataFrame:
        """Its training log, a row an epoch."""
        return pd.read_csv(self.path.with_suffix(".log.csv"))

    def behind(self, restorer: Net) -> Net:
        """The same network with a restorer in front."""
        return replace(self, spec=f"{restorer.spec}+{self.spec}")
