"""A network that takes part in a paper's table or figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from robench import models


@dataclass(frozen=True)
class Net:
    """A network that was trained here: MODEL as `evaluate` takes it, and what its checkpoint says of its training."""

    spec: str
    path: Path
    told: Mapping[str, str]

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
        """What a row says of its training."""
        names = {"train_n": "train_n", "epochs": "epochs_run", "paper_epochs": "recipe_epochs", "dataset": "dataset"}
        facts: dict[str, object] = {name: self.told[key] for name, key in names.items()}
        return facts | {"model": self.label}

    @property
    def history(self) -> pd.DataFrame:
        """Its training log, a row an epoch."""
        return pd.read_csv(self.path.with_suffix(".log.csv"))

    def behind(self, restorer: Net) -> Net:
        """The same network with a restorer in front."""
        return replace(self, spec=f"{restorer.spec}+{self.spec}")
