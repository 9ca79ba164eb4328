"""What a report shows of one data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Figure:
    """A figure that was written: its title, what it shows in words, and the files svg, png and csv."""

    title: str
    text: str
    files: tuple[Path, ...]
    examples: tuple[tuple[str, Path], ...] = ()


@dataclass
class Section:
    """All that was measured on one data set: its rows, its manifests' facts, and the figures made of them."""

    dataset: dict[str, Any]
    cells: pd.DataFrame
    metrics: pd.DataFrame
    models: dict[str, dict[str, Any]]
    corruptions: dict[str, Any]
    environment: dict[str, str]
    runs: list[Path]
    figures: list[Figure] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The data set's name and split."""
        return f"{self.dataset['name']} {self.dataset['split']}".strip()
