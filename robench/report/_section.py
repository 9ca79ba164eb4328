"""What a report shows of one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from robench import plots, tables
from robench.datasets import published_note
from robench.metrics import Baseline
from robench.tables import CellScores, Scored

PARTS = ("overview", "order", "curves", "errors", "calibration", "cells")
"""The parts of the page that figures belong to."""


@dataclass(frozen=True)
class PlacedFigure:
    """A figure that was written: the part of the page it belongs to, its title, what it shows in words, and its files.

    files: svg, png, csv, and pdf where asked for. examples: a strip of images by strength.
    """

    part: str
    title: str
    text: str
    drawing: plots.Figure
    files: tuple[Path, ...]
    examples: tuple[tuple[str, Path], ...] = ()


@dataclass
class Section:
    """All that was measured on one data set: its rows, its manifests' facts, and the figures made of them.

    `scored` are the cells of all runs; one that two runs or two suites share is there once for each suite.
    `published` says of each run which files of a downloaded set are the published ones, `run_notes` what its manifest
    records that must be said. `baseline` is what corruption
    errors are divided by, none where nobody asked for them. `mark` ends the title.
    """

    dataset: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    corruptions: dict[str, Any] = field(default_factory=dict)
    runs: list[Path] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)
    run_notes: list[str] = field(default_factory=list)
    scored: list[Scored] = field(default_factory=list)
    figures: list[PlacedFigure] = field(default_factory=list)
    baseline: Baseline | None = None
    mark: str = ""
    _compared: dict[str, pd.DataFrame] = field(default_factory=dict, init=False)

    @property
    def title(self) -> str:
        """The data set's name and split, and what tells it from another section of these."""
        return f"{self.dataset['name']} {self.dataset['split']}".strip() + self.mark

    def add(self, found: list[Scored]) -> None:
        """Take in a run's cells; of one that is there already the finished one stays."""
        place = {(one.cell.suite, one.cell.key): number for number, one in enumerate(self.scored)}
        for one in found:
            number = place.get((one.cell.suite, one.cell.key))
            if number is None:
                self.scored.append(one)
            elif self.scored[number].correct is None:
                self.scored[number] = one

    @cached_property
    def measured(self) -> CellScores:
        """All cells, with their accuracies in every resample of the images."""
        return CellScores(tables.with_suites(self.scored), self.corruptions)

    @cached_property
    def _tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return tables.derive(self.measured, self.baseline)

    @property
    def rows(self) -> pd.DataFrame:
        """The table of cells, a row for each suite that a cell belongs to."""
        return self._tables[0]

    @property
    def metrics(self) -> pd.DataFrame:
        """The table of aggregates over all runs."""
        return self._tables[1]

    @property
    def clean_note(self) -> str:
        """That the set has no clean images, if it has none."""
        return tables.clean_note(self.cells["corruption"])

    @property
    def notes(self) -> list[str]:
        """What must be said of the images, the models and the runs beside the numbers."""
        of_images = [note for note in (published_note(self.published), self.clean_note) if note]
        at_chance = tables.chance_notes(self.cells, len(self.dataset["classes"]))
        return [*of_images, *dict.fromkeys(self.run_notes), *at_chance]

    @property
    def superseded_note(self) -> str:
        """Which corruptions have an installed version that is newer than the measured one; empty for none."""
        return tables.superseded_note({one.cell.corruption: one.cell.corruption_version for one in self.scored})

    @property
    def suites(self) -> list[str]:
        """The suites that were measured, in the order of the runs; one without a name is empty."""
        return [str(suite) for suite in self.metrics["suite"].unique()]

    @property
    def several_suites(self) -> bool:
        """Whether rows have to say of which suite they are."""
        return len(self.suites) > 1

    def compared(self, name: str) -> pd.DataFrame:
        """One of the tables that compare models, by its name in `tables.COMPARISONS`; made once."""
        if name not in self._compared:
            self._compared[name] = tables.COMPARISONS[name](self.measured)
        return self._compared[name]

    @property
    def ranks(self) -> pd.DataFrame:
        """The models of every suite in order."""
        return self.compared("ranks.csv")

    @property
    def pairs(self) -> pd.DataFrame:
        """Every two models, cell by cell."""
        return self.compared("pairs.csv")

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """Accuracy by confidence."""
        return tables.reliability(self.measured)

    @property
    def chance(self) -> float:
        """The accuracy of guessing."""
        return 1 / len(self.dataset["classes"])

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The table of cells, each once."""
        return self.rows.drop_duplicates(["model", "corruption", "strength", "seed"])


def name_apart(sections: Sequence[Section]) -> None:
    """Give sections of one title the first mark that tells all of them apart: view, number of images, or digest."""
    by_title: dict[str, list[Section]] = {}
    for section in sections:
        by_title.setdefault(section.title, []).append(section)
    for alike in by_title.values():
        facts = [section.dataset for section in alike]
        marks = (
            [""] * len(alike),
            [f", {one['view']}" for one in facts],
            [f", {one['n']} images" for one in facts],
            [f", digest {one['digest'][:12]}" for one in facts],
        )
        chosen = next((some for some in marks if len(set(some)) == len(alike)), marks[-1])
        for section, mark in zip(alike, chosen, strict=True):
            section.mark = mark
