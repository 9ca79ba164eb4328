"""Corruption x strength in colours: one model, and the difference of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from robench.metrics import CONFIDENCE
from robench.plots._look import DPI, Figure, Style, plain
from robench.tables import CLEAN, MEAN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MplFigure

ROW = 2.9  # of the size of its letters
CELL = 6.6
NAMES = 15.0


def heatmap_rows(cells: pd.DataFrame, model: str) -> pd.DataFrame:
    """Accuracy of one model, a row per corruption and strength, with the strength's place in its list."""
    some = cells[(cells["model"] == model) & (cells["corruption"] != CLEAN) & (cells["status"] == "ok")]
    rows = some.groupby(["corruption", "strength"], sort=False)["top1"].mean().reset_index()
    return _placed(rows)


def difference_rows(pairs: pd.DataFrame, model_a: str, model_b: str) -> pd.DataFrame:
    """The rows of `tables.pairs` that tell two models apart, cell by cell; of seeds the mean and the largest p.

    significant: whether the adjusted p is below 5 %.
    """
    turned = (pairs["model_a"] == model_b) & (pairs["model_b"] == model_a)
    some = pairs[turned | (pairs["model_a"] == model_a) & (pairs["model_b"] == model_b)]
    some = some.assign(diff=some["diff"].where(~turned, -some["diff"]))
    some = some[~some["corruption"].isin([CLEAN, MEAN])].dropna(subset=["diff"])
    rows = some.groupby(["corruption", "strength"], sort=False).agg({"diff": "mean", "p_holm": "max"}).reset_index()
    return _placed(rows).assign(significant=rows["p_holm"] < 1 - CONFIDENCE)


def _placed(rows: pd.DataFrame) -> pd.DataFrame:
    rows.insert(2, "place", rows.groupby("corruption", sort=False).cumcount() + 1)
    return rows


@dataclass(frozen=True)
class Heatmap(Figure):
    """Accuracy in percent, corruptions down, strengths across; a cell says its level where it is not a severity."""

    model: str

    def drawn(self, style: Style) -> MplFigure:
        """Dark is bad."""
        return _grid(
            self.rows.assign(value=100 * self.rows["top1"]),
            style,
            title=self.model,
            text=lambda row: f"{row.value:.1f}",
            colours={"vmin": 0, "vmax": 100, "cmap": "viridis"},
            label="top-1 accuracy, %",
        )


@dataclass(frozen=True)
class Difference(Figure):
    """What one model has more than another, in points; where the difference is not significant the cell is hatched."""

    model_a: str
    model_b: str

    def drawn(self, style: Style) -> MplFigure:
        """Blue where model_a is better, red where model_b is."""
        most = max(1.0, 100 * float(self.rows["diff"].abs().max()))
        figure = _grid(
            self.rows.assign(value=100 * self.rows["diff"]),
            style,
            title=f"{self.model_a}\nless {self.model_b}",
            text=lambda row: f"{row.value:+z.1f}",
            colours={"vmin": -most, "vmax": most, "cmap": "RdBu"},
            label="difference, points",
        )
        _hatch(figure.axes[0], self.rows)
        return figure


def _hatch(axes: Axes, rows: pd.DataFrame) -> None:
    from matplotlib.patches import Rectangle

    down = {name: number for number, name in enumerate(dict.fromkeys(rows["corruption"]))}
    for row in rows[~rows["significant"]].itertuples():
        corner = (int(str(row.place)) - 1, down[str(row.corruption)])
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="////", edgecolor="0.55", lw=0))


def _grid(
    rows: pd.DataFrame, style: Style, *, title: str, text: Callable[[Any], str], colours: dict[str, Any], label: str
) -> MplFigure:
    import seaborn as sns
    from matplotlib.figure import Figure as MplFigure

    written = [text(row) + _level(row) for row in rows.itertuples()]
    table, texts = (
        rows.assign(shown=shown).pivot_table(
            index="corruption", columns="place", values="shown", aggfunc="first", sort=False
        )
        for shown in (rows["value"], written)
    )
    letters = style.font / 72
    size = (letters * (NAMES + CELL * table.shape[1]), letters * (7 + ROW * len(table)))
    figure = MplFigure(figsize=size, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    sns.heatmap(
        table,
        ax=axes,
        annot=texts.fillna(""),
        fmt="",
        annot_kws={"fontsize": 0.8 * style.font},
        linewidths=0.5,
        cbar_kws={"label": label, "shrink": 0.8},
        **colours,
    )
    axes.set(title=title, xlabel="strength, weak to strong", ylabel="")
    axes.set_yticks([place + 0.5 for place in range(len(table))], [plain(str(name)) for name in table.index])
    axes.tick_params(axis="y", rotation=0, length=0)
    axes.tick_params(axis="x", length=0)
    return figure


def _level(row: Any) -> str:
    level = row.strength.partition("=")[2]
    return f"\n{level}" if level else ""
