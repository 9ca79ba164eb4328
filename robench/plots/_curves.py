"""A measure over the strength of a corruption, a line a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from robench.plots import _chart
from robench.plots._axis import Axis
from robench.plots._look import (
    FAINT,
    MOST_LINES,
    PAPER,
    Figure,
    Style,
    foremost,
    legend_below,
    line_look,
    panels,
    plain,
    settings,
)
from robench.tables import CLEAN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MplFigure

BOUNDS = ("ci_low", "ci_high")


@dataclass(frozen=True)
class Measure:
    """What stands on the y axis. column: of the table of cells, a fraction; bounded: whether it has an interval there.

    turned: 1 - the column is shown.
    """

    name: str
    label: str
    column: str
    bounded: bool = True
    turned: bool = False

    def of(self, chance: float) -> float:
        """The value of guessing, whose accuracy is `chance`."""
        return 1 - chance if self.turned else chance


MEASURES = {
    "accuracy": Measure("top1", "top-1 accuracy, %", "top1"),
    "error": Measure("error", "top-1 error, %", "top1", turned=True),
    "ece": Measure("ece15", "calibration error (ECE), %", "ece15", bounded=False),
}


def curve_rows(cells: pd.DataFrame, corruption: str, axis: Axis, measure: str = "accuracy") -> pd.DataFrame:
    """A measure over strength, a row per model and strength, the clean point first; seeds are averaged."""
    what = MEASURES[measure]
    done = cells[(cells["status"] == "ok") & cells["corruption"].isin([corruption, CLEAN])]
    rows = []
    for label in dict.fromkeys(done["model"]):
        for strength, place in sorted(axis.places.items(), key=lambda item: item[1]):
            some = done[(done["model"] == label) & (done["strength"] == strength)]
            if len(some):
                counts = (int(some["n"].iloc[0]), len(some))
                rows.append((label, corruption, strength, place, *_values(some, what), *counts))
    columns = ("model", "corruption", "strength", "x", what.name, *BOUNDS, "n", "seeds")
    return pd.DataFrame(rows, columns=list(columns))


def _values(cells: pd.DataFrame, measure: Measure) -> Sequence[float | None]:
    """Value and interval, means over the seeds."""
    value = float(cells[measure.column].mean())
    if not measure.bounded:
        return value, None, None
    low, high = (float(cells[f"{measure.column}_{end}"].mean()) for end in BOUNDS)
    return (1 - value, 1 - high, 1 - low) if measure.turned else (value, low, high)


@dataclass(frozen=True)
class Curves(Figure):
    """One panel a corruption, with 95 % bands, the clean point and the chance line. axes: by corruption, in order.

    rows: as of `curve_rows`, of every corruption. Beyond six models the six with the best mean have colours.
    """

    axes: Mapping[str, Axis]
    chance: float
    measure: str = "accuracy"

    def drawn(self, style: Style) -> MplFigure:
        """Side by side."""
        what = MEASURES[self.measure]
        figure, grid = panels(len(self.axes), style, what.label)
        for axes, corruption in zip(grid, self.axes, strict=True):
            self._panel(axes, corruption, style)
        _from_zero(grid, what)
        legend_below(figure, grid, style)
        return figure

    def plot_on(self, axes: Axes, style: Style = PAPER) -> MplFigure:
        """Draw the panel of one corruption, with its legend; ConfigError where there are several."""
        if len(self.axes) > 1:
            return super().plot_on(axes, style)
        with settings(style):
            self._panel(axes, next(iter(self.axes)), style)
            axes.set_ylabel(MEASURES[self.measure].label)
            axes.legend()
        return axes.get_figure(root=True)  # type: ignore[return-value]

    def _panel(self, axes: Axes, corruption: str, style: Style) -> None:
        what = MEASURES[self.measure]
        chosen = foremost(self.rows, what.name, least=what.name != "top1")
        frame = self.rows[self.rows["corruption"] == corruption]
        others = frame[~frame["model"].isin(chosen)]
        for number, (_, some) in enumerate(others.groupby("model", sort=False)):
            name = f"{others['model'].nunique()} others" if number == 0 else None
            axes.plot(some["x"], 100 * some[what.name], color=FAINT, lw=0.6 * style.line, label=name)
        for number, label in enumerate(chosen):
            _line(axes, frame[frame["model"] == label], what, number, label)
        _frame(axes, self.axes[corruption], what, self.chance, style)
        axes.set_title(plain(corruption))

    def vega_spec(self, models: Sequence[str]) -> _chart.Spec | None:
        """One corruption's panel."""
        if len(self.axes) > 1:
            return None
        [(corruption, axis)] = self.axes.items()
        return _panel_chart(self.rows, corruption, axis, MEASURES[self.measure], self.chance, models)


@dataclass(frozen=True)
class Multiples(Figure):
    """One corruption, a panel a model; the other models are in gray behind it."""

    axis: Axis
    chance: float
    measure: str = "accuracy"

    def drawn(self, style: Style) -> MplFigure:
        """In the order of the rows."""
        models = list(dict.fromkeys(self.rows["model"]))
        what = MEASURES[self.measure]
        figure, grid = panels(len(models), style, what.label)
        for axes, label in zip(grid, models, strict=True):
            for _, some in self.rows[self.rows["model"] != label].groupby("model", sort=False):
                axes.plot(some["x"], 100 * some[what.name], color=FAINT, lw=0.5 * style.line, zorder=1)
            _line(axes, self.rows[self.rows["model"] == label], what, 0, None)
            _frame(axes, self.axis, what, self.chance, style)
            axes.set_title(label, fontsize=0.8 * style.font, wrap=True)
        _from_zero(grid, what)
        legend_below(figure, grid, style)
        return figure

    def vega_spec(self, models: Sequence[str]) -> _chart.Spec:
        """All models in one panel, for a page can hide some."""
        corruption = str(self.rows["corruption"].iloc[0])
        return _panel_chart(self.rows, corruption, self.axis, MEASURES[self.measure], self.chance, models)


def curve(rows: pd.DataFrame, corruption: str, axis: Axis, chance: float, measure: str = "accuracy") -> Figure:
    """One corruption: all models in a panel, or beyond six a panel each."""
    if rows["model"].nunique() > MOST_LINES:
        return Multiples(rows, axis, chance, measure)
    return Curves(rows, {corruption: axis}, chance, measure)


def _line(axes: Axes, rows: pd.DataFrame, what: Measure, number: int, label: str | None) -> None:
    look = line_look(number)
    if what.bounded:
        low, high = (100 * rows[end] for end in BOUNDS)
        axes.fill_between(rows["x"], low, high, color=look["color"], alpha=0.18, lw=0)
    axes.plot(rows["x"], 100 * rows[what.name], label=label, **look)


def _frame(axes: Axes, axis: Axis, what: Measure, chance: float, style: Style) -> None:
    """The chance line, limits, ticks."""
    if what.bounded:
        axes.axhline(100 * what.of(chance), color="0.45", lw=0.7 * style.line, ls=(0, (2, 2)), label="chance")
        axes.set_ylim(-2, 103)
        axes.set_yticks(range(0, 101, 20))
    axes.grid(axis="y", color="0.9", lw=0.5 * style.line)
    axis.dress(axes)


def _from_zero(grid: Sequence[Axes], what: Measure) -> None:
    """The lower end of a measure without bounds, once all panels are drawn: it ends the search for a common top."""
    if not what.bounded:
        grid[0].set_ylim(bottom=0)


def _panel_chart(
    rows: pd.DataFrame, corruption: str, axis: Axis, what: Measure, chance: float, models: Sequence[str]
) -> _chart.Spec:
    percent = {"y": 100 * rows[what.name], **{end: 100 * rows[end].astype(float) for end in BOUNDS}}
    data = rows[["model", "strength", "n"]].assign(x=rows["x"], **percent)
    title = f"{what.label} over strength of {plain(corruption)}"
    spec = _chart.base(data, models, title, height=210)
    limits = {"scale": {"domain": [0, 100]}} if what.bounded else {}
    spec["encoding"] |= {"x": _x(axis), "y": _chart.number("y", what.label, **limits)}
    tooltip = _chart.tooltip(model="model", strength="strength", y=what.label, ci_low="from", ci_high="to", n="images")
    line = {"mark": {"type": "line"}, "encoding": {"strokeDash": _chart.strokes(models)}}
    marks = {
        "params": [_chart.near()],
        "mark": {"type": "point", "filled": True, "opacity": 1},
        "encoding": {"shape": _chart.shapes(models), "size": _chart.swell(35, 130), "tooltip": tooltip},
    }
    spec["layer"] = [line, marks]
    if what.bounded:
        band = {
            "mark": {"type": "area", "opacity": 0.18},
            "encoding": {"y": {"field": "ci_low"}, "y2": {"field": "ci_high"}},
        }
        guess = {
            "data": {"values": [{"chance": 100 * what.of(chance)}]},
            "mark": {"type": "rule", "strokeDash": [2, 2]},
        }
        guess["encoding"] = {"y": {"field": "chance", "type": "quantitative"}, "x": None, "color": {"value": "gray"}}
        spec["layer"] = [band, guess, line, marks]
    return spec


def _x(axis: Axis) -> _chart.Spec:
    """The x channel, with the strengths as ticks."""
    shown = sorted(axis.places.items(), key=lambda item: item[1])
    texts = " : ".join(f"datum.value == {place} ? '{axis.text(key)}'" for key, place in shown)
    ticks = {"values": [place for _, place in shown], "labelExpr": f"{texts} : ''", "grid": False, "labelOverlap": True}
    return _chart.number("x", axis.label, axis=ticks, scale={"zero": False, "nice": False, "reverse": axis.falls})
