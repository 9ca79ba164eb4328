"""Figures from the tables of runs: for each the rows that it shows, and what draws them.

>>> from robench import plots
>>> rows = plots.ranked_rows(ranks, "cifar10-c/1")  # doctest: +SKIP
>>> plots.Ranking(rows).save(folder / "ranking", plots.PAPER)  # doctest: +SKIP
"""

from robench.plots._axis import Axis, axis_of
from robench.plots._calibration import Reliability
from robench.plots._chart import page_looks
from robench.plots._curves import MEASURES, Curves, Multiples, curve, curve_rows
from robench.plots._heatmaps import Difference, Heatmap, difference_rows, heatmap_rows
from robench.plots._look import (
    DPI,
    MARKERS,
    MOST_LINES,
    MOST_TICKS,
    PAPER,
    STYLES,
    TALK,
    Figure,
    Style,
    colour,
    legend_below,
    plain,
    save,
    settings,
    style_named,
)
from robench.plots._order import (
    CleanVsRobust,
    CorruptionErrors,
    Ranking,
    corruption_error_rows,
    rank_text,
    ranked_rows,
    ties,
    told_apart,
    trade_off_rows,
)
from robench.plots._pictures import WithExamples

__all__ = [
    "DPI",
    "MARKERS",
    "MEASURES",
    "MOST_LINES",
    "MOST_TICKS",
    "PAPER",
    "STYLES",
    "TALK",
    "Axis",
    "CleanVsRobust",
    "CorruptionErrors",
    "Curves",
    "Difference",
    "Figure",
    "Heatmap",
    "Multiples",
    "Ranking",
    "Reliability",
    "Style",
    "WithExamples",
    "axis_of",
    "colour",
    "corruption_error_rows",
    "curve",
    "curve_rows",
    "difference_rows",
    "heatmap_rows",
    "legend_below",
    "page_looks",
    "plain",
    "rank_text",
    "ranked_rows",
    "save",
    "settings",
    "style_named",
    "ties",
    "told_apart",
    "trade_off_rows",
]
