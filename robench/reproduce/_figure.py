"""A paper's figure of lines: one panel per distortion, one line per training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from robench import plots
from robench.reproduce._table import Entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("panel", "line", "x", "y", "low", "high", "n", "model", "weights_sha256", "train_n", "epochs", "budget")


def point(panel: str, line: str, x: float, entry: Entry) -> dict[str, Any]:
    """One measured number as a row of a figure."""
    place = {"panel": panel, "line": line, "x": x, "y": entry.value, "low": entry.low, "high": entry.high}
    return place | {name: value for name, value in entry.facts.items() if name in COLUMNS}


@dataclass(frozen=True)
class Lines:
    """Points as `point` makes them; x_label by panel, in order; dashed: lines that are drawn so."""

    points: Sequence[Mapping[str, Any]]
    x_labels: dict[str, str]
    y_label: str
    dashed: Sequence[str] = ()

    @cached_property
    def rows(self) -> pd.DataFrame:
        """A row a point, with the columns of `COLUMNS`."""
        numbers = dict.fromkeys(("x", "y", "low", "high"), "float64")
        return pd.DataFrame(self.points, columns=list(COLUMNS)).astype(numbers)

    def write(self, stem: Path) -> list[Path]:
        """STEM.svg, STEM.png and STEM.csv."""
        with plots.settings():
            return plots.save(self._drawn(), self.rows, stem)

    def _drawn(self) -> Figure:
        from matplotlib.figure import Figure

        across = min(2, len(self.x_labels))
        down = -(-len(self.x_labels) // across)
        figure = Figure(figsize=(0.6 + 3.4 * across, 0.7 + 2.6 * down), dpi=plots.DPI, layout="constrained")
        grid = figure.subplots(down, across, squeeze=False).ravel()
        for axes in grid[len(self.x_labels) :]:
            axes.set_axis_off()
        for axes, (panel, label) in zip(grid, self.x_labels.items(), strict=False):
            self._panel(axes, self.rows[self.rows["panel"] == panel])
            axes.set(title=panel, xlabel=label, ylabel=self.y_label)
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return figure

    def _panel(self, axes: Axes, rows: pd.DataFrame) -> None:
        import seaborn as sns

        colours = sns.color_palette("colorblind")
        for number, (name, some) in enumerate(rows.groupby("line", sort=False)):
            ordered, colour = some.sort_values("x"), colours[number % len(colours)]
            dash = "--" if name in self.dashed else "-"
            marker = plots.MARKERS[number % len(plots.MARKERS)]
            axes.fill_between(ordered["x"], ordered["low"], ordered["high"], color=colour, alpha=0.15, lw=0)
            axes.plot(ordered["x"], ordered["y"], color=colour, ls=dash, marker=marker, ms=4, lw=1.4, label=str(name))
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", color="0.9", lw=0.6)
