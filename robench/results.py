"""The results of one evaluation or of several, as tables, figures and reports."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import corruptions
from corruptions import unknown
from robench import report, tables
from robench.errors import ConfigError
from robench.files import at_home
from robench.store import Predictions, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Results:
    """Predictions of models under corruptions, with tables, intervals and figures.

    `robench.evaluate` and `robench.load_results` return it. Everything is read from the run folders on demand.

    Attributes:
        folders: The run folders.
        computed: Number of cells that the call computed; 0 for loaded results.
        found: Number of cells that the call found finished.
        failed: One line per cell that failed.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        baseline: str = "",
        computed: int = 0,
        found: int = 0,
        in_memory: bool = False,
    ) -> None:
        self.folders = tuple(folders)
        self.baseline, self.computed, self.found = baseline, computed, found
        self._in_memory = in_memory
        if in_memory:
            weakref.finalize(self, shutil.rmtree, folders[0].parent, ignore_errors=True)

    def __repr__(self) -> str:
        models, n = self.cells["model"].nunique(), len(self.cells)
        place = "in memory" if self._in_memory else ", ".join(map(str, self.folders))
        return f"Results({models} models, {n} cells, {place})"

    @cached_property
    def _sections(self) -> list[report.Section]:
        return report.sections(self.folders, self.baseline)

    def read(self) -> Results:
        """Read the runs now and not on demand, so that what is wrong with them is raised here; the results."""
        assert self._sections
        return self

    @property
    def cells(self) -> pd.DataFrame:
        """One row per model, corruption, strength and seed: accuracy and its 95 % interval, NLL, Brier score, ECE."""
        return pd.concat([section.rows for section in self._sections], ignore_index=True)

    @property
    def metrics(self) -> pd.DataFrame:
        """One row per model, suite and aggregate: means over corruptions, corruption errors, areas, with intervals."""
        return pd.concat([section.metrics for section in self._sections], ignore_index=True)

    @property
    def failed(self) -> list[str]:
        """One line per cell that failed."""
        rows = self.cells[self.cells["status"] == "error"].drop_duplicates(["model", "corruption", "strength", "seed"])
        return [f"{row.model}, {row.corruption} {row.strength}: {row.error}" for row in rows.itertuples()]

    def pairs(self) -> pd.DataFrame:
        """Differences in accuracy of every two models, with intervals and McNemar tests; empty for one model."""
        return self._compared("pairs.csv")

    def ranks(self) -> pd.DataFrame:
        """Rank ranges of the models; a range such as 2-4 means that the differences are not significant."""
        return self._compared("ranks.csv")

    def summary(self) -> str:
        """Accuracies in percent as text: a row per corruption, a column per model, means with 95 % intervals."""
        parts = []
        for section in self._sections:
            title = [section.title] if len(self._sections) > 1 else []
            text = [tables.summary(section.rows, section.metrics), tables.gaps(section.rows), *section.notes]
            parts += [*title, *filter(None, text)]
        return "\n\n".join(parts)

    def plot(self, kind: str = "curves", ax: Axes | None = None) -> Figure:
        """Draw one of the figures of a report.

        Args:
            kind: `curves`, `ranking`, `clean-and-robust`, `difference`, `corruption-errors`, `reliability`,
                `calibration-error`, `heatmap-LABEL`, or the name of a corruption.
            ax: Axes to draw a corruption's curves into, instead of a new figure.

        Returns:
            A Matplotlib figure; its `savefig` writes it.

        Raises:
            ConfigError: There is no such figure for these results, or it does not fit into one pair of axes.
        """
        figures = {one.name: one.drawing for section in self._sections for one in report.drawings(section)}
        if kind not in figures:
            raise ConfigError(unknown("figure", kind, figures))
        return figures[kind].plot() if ax is None else figures[kind].plot_on(ax)

    def report(self, out: str | Path, **options: Any) -> list[Path]:
        """Write a report: index.html, report.md, accuracy.tex, tables and figures.

        Args:
            out: Folder to write.
            options: `style` ("paper" or "talk"), `measure` ("accuracy" or "error") and `pdf`.

        Returns:
            The files.
        """
        return report.build(self.folders, at_home(Path(out)), self.baseline, **options)

    def save(self, out: str | Path) -> Path:
        """Copy the run of an evaluation in memory to a folder, which `load_results` and the commands read.

        Raises:
            ConfigError: The folder exists, or the results are of several runs.
        """
        place = at_home(Path(out))
        if len(self.folders) > 1:
            raise ConfigError(f"save: expected results of one run, got {len(self.folders)}")
        if place.exists():
            raise ConfigError(f"{place}: expected no such folder yet; choose another")
        shutil.copytree(self.folders[0], place)
        return place

    def predictions(self, model: str, corruption: str = "clean", strength: float | str | None = None) -> Predictions:
        """The predictions of a model under a corruption, with lowest seed.

        Args:
            model: Name of the model.
            corruption: Name of the corruption, or `clean`.
            strength: Severity, level, or text such as `sigma=0.1`; None where there is one alone.

        Raises:
            ConfigError: The model, corruption or strength was not evaluated.
        """
        cells = [(run, cell) for run in map(Run, self.folders) for cell in run.cells()]
        for what, wanted in (("model", model), ("corruption", corruption)):
            there = list(dict.fromkeys(str(getattr(cell, what)) for _, cell in cells))
            if wanted not in there:
                raise ConfigError(unknown(what, wanted, there))
            cells = [(run, cell) for run, cell in cells if getattr(cell, what) == wanted]
        keys = list(dict.fromkeys(cell.strength for _, cell in cells))
        key = _key(corruption, strength, keys)
        for run, cell in sorted((pair for pair in cells if pair[1].strength == key), key=lambda pair: pair[1].seed):
            if isinstance(held := run.read(cell), Predictions):
                return held
        raise ConfigError(f"{model}, {corruption} {key}: expected a finished cell, got a failed or missing one")

    def _compared(self, name: str) -> pd.DataFrame:
        frames = [section.compared(name) for section in self._sections if len(section.models) > 1]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _key(corruption: str, strength: float | str | None, keys: Sequence[str]) -> str:
    """The strength as cells have it."""
    if strength is None and len(keys) == 1:
        return keys[0]
    key = str(strength) if strength in keys else str(corruptions.get(corruption).parse(str(strength)))
    if key not in keys:
        raise ConfigError(f"{corruption}: expected a strength, one of {', '.join(keys)}, got {strength!r}")
    return key
