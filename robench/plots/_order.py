"""Models in order: ranks with ties, robust against clean accuracy, errors against a baseline's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from robench.plots import _chart
from robench.plots._look import DPI, MOST_LINES, Figure, Style, foremost, legend_below, line_look, plain
from robench.tables import MEAN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MplFigure

ROW = 2.0  # of the size of its letters
LABEL = "mean corruption accuracy, %"
SHORT = "mean accuracy, %"  # beside long names little room is left
CLEAN_LABEL = "clean accuracy, %"
NAMES_OF_WIDTH = "containerSize()[0] * 0.45"  # the most that names take of a chart
DROPS = range(0, 100, 10)
KEYED = 0.62  # of the width, the height of a figure with a key at the side
KEY_ROW = 1.45  # of the size of its letters


def ranked_rows(ranks: pd.DataFrame, suite: str) -> pd.DataFrame:
    """The rows of `tables.ranks` that have a rank in a suite, best first."""
    some = ranks[(ranks["suite"] == suite) & ranks["rank"].notna()]
    return some.sort_values(["rank", "model"], kind="stable").reset_index(drop=True)


Couples = frozenset[frozenset[str]]


def told_apart(pairs: pd.DataFrame, suite: str) -> Couples:
    """Every two models of a suite whose mean corruption accuracies differ for sure; pairs: of `tables.pairs`."""
    some = pairs[(pairs["suite"] == suite) & (pairs["corruption"] == MEAN)]
    sure = some[(some["ci_low"] > 0) | (some["ci_high"] < 0)]
    return frozenset(map(frozenset, zip(sure["model_a"], sure["model_b"], strict=True)))


def ties(models: Sequence[str], apart: Couples) -> list[tuple[int, int]]:
    """The longest runs of models in order, of which no two are told apart, as first and last place."""
    found: list[tuple[int, int]] = []
    for first in range(len(models)):
        last = first
        while last + 1 < len(models) and not any(
            frozenset((one, models[last + 1])) in apart for one in models[first : last + 1]
        ):
            last += 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


@dataclass(frozen=True)
class Ranking(Figure):
    """Mean corruption accuracy with its interval, best on top; a bar at the side joins what is not told apart.

    apart: of `told_apart`.
    """

    wide: ClassVar[bool] = True

    apart: Couples = frozenset()

    def drawn(self, style: Style) -> MplFigure:
        """A line a model."""
        figure, axes = _lines(len(self.rows), style)
        places = np.arange(len(self.rows))
        _dots(axes, 100 * self.rows[MEAN], places, 100 * self.rows["ci_low"], 100 * self.rows["ci_high"])
        names = [f"{row.model}  {rank_text(row.rank_low, row.rank_high)}" for row in self.rows.itertuples()]
        axes.set_yticks(places, names)
        axes.set(xlabel=LABEL, ylim=(len(self.rows) - 0.4, -0.6))
        for number, (first, last) in enumerate(ties(list(self.rows["model"]), self.apart)):
            x = 1.02 + 0.025 * (number % 3)
            axes.plot(
                [x, x], [first - 0.2, last + 0.2], transform=axes.get_yaxis_transform(), color="0.3", clip_on=False
            )
        axes.grid(axis="x", color="0.9", lw=0.5 * style.line)
        return figure

    def vega_spec(self, models: Sequence[str]) -> _chart.Spec:
        """Without the bars at the side; the open ranks are under the pointer."""
        percent = {name: 100 * self.rows[name] for name in (MEAN, "ci_low", "ci_high")}
        data = self.rows[["model"]].assign(
            ranks=[rank_text(row.rank_low, row.rank_high) for row in self.rows.itertuples()], **percent
        )
        spec = _chart.base(data.rename(columns={MEAN: "mean"}), models, "Models in order", height=24 * len(data) + 60)
        order = {
            "field": "model",
            "type": "nominal",
            "title": None,
            "sort": list(data["model"]),
            "axis": {"labelLimit": {"expr": NAMES_OF_WIDTH}},
        }
        tooltip = _chart.tooltip(model="model", ranks="rank", mean=LABEL, ci_low="from", ci_high="to")
        spec["encoding"] |= {"y": order, "tooltip": tooltip}
        spec["layer"] = [
            {
                "mark": "rule",
                "encoding": {"x": _chart.number("ci_low", SHORT, scale={"zero": False}), "x2": {"field": "ci_high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 70},
                "encoding": {"x": _chart.number("mean", SHORT), "shape": _chart.shapes(models)},
            },
        ]
        return spec


def rank_text(low: Any, high: Any) -> str:
    """The ranks that the data leave open, as text."""
    return f"{low}" if low == high else f"{low} to {high}"


def _lines(number: int, style: Style) -> tuple[MplFigure, Axes]:
    from matplotlib.figure import Figure as MplFigure

    letters = style.font / 72
    width = 0.5 * (style.column + style.page)
    figure = MplFigure(figsize=(width, letters * (5 + ROW * number)), dpi=DPI, layout="constrained")
    return figure, figure.subplots()


def _dots(axes: Axes, values: Any, places: Any, low: Any, high: Any, **look: Any) -> None:
    ends = np.clip(np.stack([values - low, high - values]).astype(np.float64), 0, None)
    whole: dict[str, Any] = {"fmt": "o", "color": "0.15", "capsize": 2.0} | look
    axes.errorbar(values.astype(float), places, xerr=ends, **whole)


def trade_off_rows(metrics: pd.DataFrame, suite: str) -> pd.DataFrame:
    """Clean and mean corruption accuracy of each model of a suite that has both, with their intervals."""
    some = metrics[(metrics["suite"] == suite) & metrics["value"].notna()]
    wanted = {"clean_accuracy": "clean", MEAN: "robust"}
    rows: dict[str, dict[str, Any]] = {}
    for row in some[some["metric"].isin(wanted)].itertuples():
        name = wanted[str(row.metric)]
        found = {name: row.value, f"{name}_ci_low": row.ci_low, f"{name}_ci_high": row.ci_high}
        rows.setdefault(str(row.model), {"model": row.model}).update(found)
    columns = ["model", *(f"{name}{end}" for name in wanted.values() for end in ("", "_ci_low", "_ci_high"))]
    return pd.DataFrame(list(rows.values()), columns=columns).dropna(subset=["clean", "robust"]).reset_index(drop=True)


@dataclass(frozen=True)
class CleanVsRobust(Figure):
    """Mean corruption accuracy over clean accuracy; each oblique line is an equal drop from clean, in points."""

    def drawn(self, style: Style) -> MplFigure:
        """Intervals as crosses; beyond six models a number in place of a mark, 1 the best, and a key at the side."""
        from matplotlib.figure import Figure as MplFigure
        from matplotlib.lines import Line2D

        few = len(self.rows) <= MOST_LINES
        size = (style.column, style.column) if few else (style.page, max(KEYED * style.page, _key(self.rows, style)))
        figure = MplFigure(figsize=size, dpi=DPI, layout="constrained")
        axes = figure.subplots()
        rows = self.rows if few else self.rows.sort_values("robust", ascending=False, kind="stable")
        for number, row in enumerate(rows.itertuples()):
            place = 100 * float(str(row.clean)), 100 * float(str(row.robust))
            ends: dict[str, Any] = {
                "xerr": _spread(row, "clean"),
                "yerr": _spread(row, "robust"),
                "elinewidth": 0.6 * style.line,
            }
            if few:
                axes.errorbar(place[0], place[1], label=row.model, **ends, **line_look(number) | {"ls": "none"})
            else:
                axes.errorbar(place[0], place[1], ls="none", color="0.7", **ends)
                _number(axes, number + 1, place, style)
        _drops(axes, style)
        axes.set(xlabel=CLEAN_LABEL, ylabel=LABEL)
        axes.set_aspect("equal", adjustable="box")
        if few:
            legend_below(figure, [axes], style)
        else:
            key = [Line2D([], [], ls="none", label=f"{number}  {name}") for number, name in enumerate(rows["model"], 1)]
            figure.legend(handles=key, loc="outside right upper", handlelength=0, handletextpad=0)
        return figure

    def vega_spec(self, models: Sequence[str]) -> _chart.Spec:
        """The drop from clean is under the pointer."""
        data = self.rows.assign(drop=self.rows["clean"] - self.rows["robust"])
        data = data.assign(**{name: 100 * data[name] for name in data.columns if name != "model"})
        spec = _chart.base(data, models, "Mean corruption accuracy over clean accuracy", height=300)
        tooltip = _chart.tooltip(model="model", clean="clean, %", robust="robust, %", drop="drop, points")
        x, y = (
            _chart.number(name, title, scale={"zero": False})
            for name, title in (("clean", CLEAN_LABEL), ("robust", LABEL))
        )
        spec["encoding"] |= {"x": x, "y": y}
        ends = {name: {"field": f"{name}_ci_low"} for name in ("clean", "robust")}
        others = {name: {"field": f"{name}_ci_high"} for name in ("clean", "robust")}
        marks = {"shape": _chart.shapes(models), "size": _chart.swell(80, 220), "tooltip": tooltip}
        spec["layer"] = [
            {"mark": "rule", "encoding": {"x": x | ends["clean"], "x2": others["clean"]}},
            {"mark": "rule", "encoding": {"y": y | ends["robust"], "y2": others["robust"]}},
            {"params": [_chart.near()], "mark": {"type": "point", "filled": True, "opacity": 1}, "encoding": marks},
        ]
        return spec


def _spread(row: Any, name: str) -> Any:
    """How far the ends of an interval are from the value, in points."""
    return 100 * np.abs([[getattr(row, name) - getattr(row, f"{name}_ci_{end}")] for end in ("low", "high")])


def _key(rows: pd.DataFrame, style: Style) -> float:
    """The height in inches that a key of the models takes."""
    return (3 + KEY_ROW * len(rows)) * style.font / 72


def _number(axes: Axes, number: int, place: tuple[float, float], style: Style) -> None:
    from matplotlib.patheffects import withStroke

    edge = [withStroke(linewidth=1.5 * style.line, foreground="white")]
    look: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "fontsize": 0.85 * style.font,
        "fontweight": "bold",
        "zorder": 3,
    }
    axes.annotate(str(number), place, path_effects=edge, **look)


def _drops(axes: Axes, style: Style) -> None:
    """The lines clean - robust = 0, 10, ... inside the limits that the points have set."""
    limits = _equally_wide(*axes.get_xlim(), *axes.get_ylim())
    (left, right), (bottom, top) = limits
    for drop in DROPS:
        if left - top <= drop <= right - bottom:
            axes.axline((left, left - drop), slope=1, color="0.85", lw=0.6 * style.line, zorder=0)
            x = min(right, top + drop)
            axes.annotate(
                f"-{drop}" if drop else "0", (x, x - drop), color="0.5", fontsize=0.75 * style.font, ha="right"
            )
    axes.set(xlim=limits[0], ylim=limits[1])


def _equally_wide(left: float, right: float, bottom: float, top: float) -> tuple[tuple[float, float], ...]:
    """Both ranges as long as the longer one, around their middles, and none above 101 %."""
    half = max(right - left, top - bottom) / 2
    middles = (min((low + high) / 2, 101 - half) for low, high in ((left, right), (bottom, top)))
    return tuple((middle - half, middle + half) for middle in middles)


def corruption_error_rows(metrics: pd.DataFrame, suite: str) -> pd.DataFrame:
    """CE of each model and corruption of a suite, then mCE; percent of the baseline's errors."""
    some = metrics[(metrics["suite"] == suite) & metrics["value"].notna()]
    rows = some[some["metric"].str.startswith("ce[") | (some["metric"] == "mce")]
    names = rows["metric"].str.removeprefix("ce[").str.removesuffix("]")
    return rows.assign(corruption=names)[["model", "corruption", "value", "ci_low", "ci_high", "baseline"]].reset_index(
        drop=True
    )


@dataclass(frozen=True)
class CorruptionErrors(Figure):
    """CE by corruption; left of the line at 100 is better than the baseline. Of more than six models the six best."""

    def drawn(self, style: Style) -> MplFigure:
        """A line a corruption, a mark a model."""
        names = list(dict.fromkeys(self.rows["corruption"]))
        models = foremost(self.rows, "value", least=True)
        figure, axes = _lines(len(names), style)
        axes.axvline(100, color="0.45", lw=0.7 * style.line, ls=(0, (2, 2)), label=str(self.rows["baseline"].iloc[0]))
        for number, model in enumerate(models):
            some = self.rows[self.rows["model"] == model].set_index("corruption").reindex(names)
            look = line_look(number)
            places = np.arange(len(names)) + 0.6 * ((number + 0.5) / len(models) - 0.5)
            marks = {"fmt": look["marker"], "color": look["color"], "label": str(model), "capsize": 0}
            _dots(axes, some["value"], places, some["ci_low"], some["ci_high"], **marks)
        axes.set_yticks(range(len(names)), [plain(str(name)) for name in names])
        axes.set(xlabel="corruption error, % of the baseline's", ylim=(len(names) - 0.4, -0.6))
        axes.grid(axis="x", color="0.9", lw=0.5 * style.line)
        legend_below(figure, [axes], style)
        return figure
