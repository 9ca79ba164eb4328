"""A paper's figures of lines and of bars, each with the rows it shows."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from robench import plots
from robench.reproduce._measurement import Measurement
from robench.reproduce._page import Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = (
    *("panel", "line", "x", "y", "low", "high", "n", "model", "weights_sha256"),
    *("train_n", "epochs", "paper_epochs", "changed", "budget"),
)
NUMBERS = ("y", "low", "high")
WIDEST = 8.0  # inches, of a panel of bars
GROUP = 0.8  # of the distance between groups of bars, what the bars take


@dataclass(frozen=True)
class Point:
    """One measured number and its place in a figure."""

    panel: str
    line: str
    x: float | str
    measurement: Measurement

    def row(self) -> dict[str, Any]:
        """With the columns of `COLUMNS`."""
        one = self.measurement
        place = {"panel": self.panel, "line": self.line, "x": self.x, "y": one.value, "low": one.low, "high": one.high}
        return place | {name: value for name, value in one.details.items() if name in COLUMNS}


@dataclass(frozen=True)
class PaperFigure(ABC):
    """Points, and what draws them."""

    points: Sequence[Point]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """A row a point."""
        rows = [one.row() for one in self.points]
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(NUMBERS, "float64"))

    def write(self, stem: Path, page: Page) -> list[Path]:
        """STEM.svg, STEM.png, STEM.csv, and its page as STEM.md."""
        with plots.settings():
            written = plots.save(self.drawn(), self.rows, stem)
        measurements = {(one.line, one.panel): one.measurement for one in self.points}
        picture = f"![{page.title}]({stem.name}.png)"
        return [*written, *page.write(stem, "\n\n".join((picture, *self.beside())), measurements)]

    def beside(self) -> list[str]:
        """What stands on the page below the picture, each in Markdown."""
        return []

    @abstractmethod
    def drawn(self) -> Figure:
        """The figure, under the settings of `plots`."""


@dataclass(frozen=True)
class Lines(PaperFigure):
    """Panels of lines with bands. x_labels: by panel, in order; y_label: of all, or by panel.

    dashed: by line that is drawn so, the line whose colour it shares. marked: a mark at every point.
    one_scale: the panels share their y axis.
    """

    x_labels: Mapping[str, str]
    y_label: str | Mapping[str, str]
    dashed: Mapping[str, str] = field(default_factory=dict)
    marked: bool = True
    one_scale: bool = False

    def drawn(self) -> Figure:
        """Up to three panels in a row, or two and two."""
        from matplotlib.figure import Figure

        across = 3 if len(self.x_labels) in (3, 5, 6) else min(2, len(self.x_labels))
        down = -(-len(self.x_labels) // across)
        figure = Figure(figsize=(0.6 + 3.4 * across, 0.3 + 2.6 * down), dpi=plots.DPI, layout="constrained")
        grid = figure.subplots(down, across, squeeze=False, sharey=self.one_scale).ravel()
        for axes in grid[len(self.x_labels) :]:
            axes.set_axis_off()
        for number, (panel, label) in enumerate(self.x_labels.items()):
            self._panel(grid[number], self.rows[self.rows["panel"] == panel])
            y_label = self.y_label if isinstance(self.y_label, str) else self.y_label[panel]
            metadata = number % across == 0 or not self.one_scale
            grid[number].set(title=panel, xlabel=label, ylabel=y_label if metadata else "")
        for axes in grid[: len(self.x_labels)]:
            axes.set_ylim(bottom=0)  # after all: it ends the search for a common top
        plots.legend_below(figure, list(grid))
        return figure

    def _panel(self, axes: Axes, rows: pd.DataFrame) -> None:
        places = sorted(rows["x"].astype(float).unique())
        for name, some in rows.groupby("line", sort=False):
            ordered = some.assign(x=some["x"].astype(float)).sort_values("x")
            number = self._names.index(self.dashed.get(str(name), str(name)))
            marker = plots.MARKERS[number % len(plots.MARKERS)] if self.marked else None
            colour, dash = plots.colour(number), "--" if name in self.dashed else "-"
            axes.fill_between(ordered["x"], ordered["low"], ordered["high"], color=colour, alpha=0.15, lw=0)
            axes.plot(ordered["x"], ordered["y"], color=colour, ls=dash, marker=marker, ms=4, lw=1.4, label=str(name))
        if len(places) <= plots.MOST_TICKS:
            axes.set_xticks(places)
        elif all(place.is_integer() for place in places):
            axes.locator_params(axis="x", integer=True)
        axes.grid(axis="y", color="0.9", lw=0.6)

    @cached_property
    def _names(self) -> list[str]:
        """The lines that have a colour of their own."""
        names = [str(name) for name in dict.fromkeys(self.rows["line"])]
        return [name for name in names if self.dashed.get(name, name) == name]


@dataclass(frozen=True)
class Bars(PaperFigure):
    """Groups of bars with intervals: the x of a point is the name of its group, its line that of the bar in it."""

    y_label: str

    def drawn(self) -> Figure:
        """Panels below each other with as many groups as there is room for."""
        from matplotlib.figure import Figure

        down = math.ceil(self._width(len(self._groups)) / WIDEST)
        across = math.ceil(len(self._groups) / down)
        size = max(4.0, self._width(across)), 3.0 * down
        figure = Figure(figsize=size, dpi=plots.DPI, layout="constrained")
        grid = figure.subplots(down, squeeze=False, sharey=True).ravel()
        for number, axes in enumerate(grid):
            self._panel(axes, self._groups[number * across : (number + 1) * across])
            if down > 1:
                axes.set_xlim(-0.6, across - 0.4)
        plots.legend_below(figure, list(grid))
        return figure

    def beside(self) -> list[str]:
        """The numbers as a table."""
        lines = [f"| | {' | '.join(self._names)} |", "|---" * (len(self._names) + 1) + "|"]
        places = self.rows.set_index(["x", "line"])[list(NUMBERS)].to_dict("index")
        for group in self._groups:
            fields = (_interval(places.get((group, name))) for name in self._names)
            lines.append(f"| {plots.plain(group)} | {' | '.join(fields)} |")
        return ["\n".join(lines)]

    @cached_property
    def _groups(self) -> list[str]:
        return [str(group) for group in dict.fromkeys(self.rows["x"])]

    @cached_property
    def _names(self) -> list[str]:
        return [str(name) for name in dict.fromkeys(self.rows["line"])]

    def _width(self, groups: int) -> float:
        """In inches, of a panel with so many groups."""
        return 1.0 + 0.16 * groups * (len(self._names) + 1)

    def _panel(self, axes: Axes, groups: list[str]) -> None:
        bar = GROUP / len(self._names)
        for number, name in enumerate(self._names):
            some = self.rows[self.rows["line"] == name].set_index("x").reindex(groups)
            places = np.arange(len(groups)) + bar * (number - (len(self._names) - 1) / 2)
            ends = np.stack([some["y"] - some["low"], some["high"] - some["y"]]).clip(min=0)
            errors = {"ecolor": "0.25", "elinewidth": 0.8, "capsize": 1.5}
            axes.bar(places, some["y"], bar, yerr=ends, color=plots.colour(number), label=name, error_kw=errors)
        axes.set_xticks(range(len(groups)), [group.replace("_", "\n") for group in groups])
        if len(groups) > plots.MOST_TICKS:
            axes.set_xticks(range(len(groups)), [plots.plain(group) for group in groups])
            axes.tick_params(axis="x", rotation=45)
            for label in axes.get_xticklabels():
                label.set(horizontalalignment="right", rotation_mode="anchor")
        axes.set_ylabel(self.y_label)
        axes.set_axisbelow(True)
        axes.grid(axis="y", color="0.9", lw=0.6)


def _interval(numbers: Mapping[Any, float] | None) -> str:
    """`value [low, high]` with one decimal, of a row's numbers."""
    if numbers is None or pd.isna(numbers["y"]):
        return "–"
    ends = "" if pd.isna(numbers["low"]) else f" [{numbers['low']:z.1f}, {numbers['high']:z.1f}]"
    return f"{numbers['y']:z.1f}{ends}"
