"""Whether a model knows when it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robench.plots._look import MARKERS, Figure, Style, legend_below, panels
from robench.tables import CLEAN

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MplFigure

LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Reliability(Figure):
    """Accuracy over confidence, a panel a model, a line a severity; below the diagonal a model trusts itself too much.

    rows: of `tables.reliability`, of one suite. A bin with less than 1 % of a severity's images is not drawn.
    """

    def drawn(self, style: Style) -> MplFigure:
        """Clean in black, severities from dark to light."""
        import seaborn as sns

        severities = [str(one) for one in dict.fromkeys(self.rows["severity"])]
        corrupted = [one for one in severities if one != CLEAN]
        colours = dict(zip(corrupted, sns.color_palette("viridis", len(corrupted)), strict=True)) | {CLEAN: "black"}
        looks = {one: {"color": colours[one], "marker": MARKERS[n % len(MARKERS)]} for n, one in enumerate(severities)}
        models = list(dict.fromkeys(self.rows["model"]))
        figure, grid = panels(len(models), style, "accuracy, %", height=1.0)
        for axes, model in zip(grid, models, strict=True):
            axes.plot([0, 100], [0, 100], color="0.6", lw=0.6 * style.line, ls=(0, (2, 2)))
            for severity, some in self.rows[self.rows["model"] == model].groupby("severity", sort=False):
                full = some[some["n"] >= LEAST_SHARE * some["n"].sum()]
                shown = {"label": _name(str(severity))} | looks[str(severity)]
                axes.plot(100 * full["confidence"], 100 * full["accuracy"], **shown)
            axes.set(xlim=(0, 101), ylim=(0, 101), xlabel="confidence, %")
            axes.set_title(str(model), fontsize=0.8 * style.font, wrap=True)
        legend_below(figure, grid, style)
        return figure


def _name(severity: str) -> str:
    return f"severity {severity}" if severity.isdigit() else severity
