"""How figures look and where they go: sizes, colours, marks, legends, files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from robench.errors import ConfigError
from robench.files import whole_file, write_text
from robench.tables import to_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MplFigure

DPI = 150
MOST_TICKS = 8
MOST_LINES = 6
"""So many lines of a panel can be told apart; of more models each gets a panel of its own."""

MARKERS = "osD^vP"
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
FAINT = "0.78"
LEGEND_ROW = 2.2  # of the size of its letters


@dataclass(frozen=True)
class Style:
    """Sizes for one use. column, page: widths in inches of one panel alone and of panels side by side; font: points."""

    name: str
    column: float
    page: float
    font: float
    line: float

    @property
    def settings(self) -> dict[str, Any]:
        """Matplotlib's settings."""
        small = 0.875 * self.font
        return {
            "svg.hashsalt": "robench",
            "svg.fonttype": "path",
            "pdf.fonttype": 42,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "font.size": self.font,
            "axes.titlesize": self.font,
            "axes.labelsize": self.font,
            "axes.linewidth": 0.5 * self.line,
            "xtick.labelsize": small,
            "ytick.labelsize": small,
            "legend.fontsize": small,
            "legend.frameon": False,
            "lines.linewidth": self.line,
            "lines.markersize": 0.45 * self.font,
            "hatch.linewidth": 0.4 * self.line,
        }


PAPER = Style("paper", column=3.35, page=6.9, font=8, line=1.2)
TALK = Style("talk", column=8.0, page=13.3, font=18, line=2.6)
STYLES = {style.name: style for style in (PAPER, TALK)}


def style_named(name: str) -> Style:
    """The style of this name; ConfigError for another."""
    if name not in STYLES:
        raise ConfigError(f"expected a style, one of {', '.join(STYLES)}, got '{name}'")
    return STYLES[name]


@contextmanager
def settings(style: Style = PAPER) -> Iterator[None]:
    """The look of all figures, for the length of a `with` block; matplotlib's own settings come back."""
    import matplotlib as mpl

    with mpl.rc_context(style.settings):  # type: ignore[arg-type]
        yield


@dataclass(frozen=True)
class Figure(ABC):
    """Rows of numbers, and the figure they make.

    wide: whether a page gives its chart the room of two, as names of models stand beside the marks.
    """

    wide: ClassVar[bool] = False

    rows: pd.DataFrame

    @abstractmethod
    def drawn(self, style: Style) -> MplFigure:
        """The figure, under the settings of the style."""

    def vega_spec(self, models: Sequence[str]) -> dict[str, Any] | None:
        """The figure as a Vega-Lite specification with one look a model, None where it has no such form."""
        return None

    def plot(self, style: Style = PAPER) -> MplFigure:
        """Draw the figure for a notebook or a program."""
        with settings(style):
            return self.drawn(style)

    def plot_on(self, axes: Axes, style: Style = PAPER) -> MplFigure:
        """Draw into axes, whose figure is returned; ConfigError for a figure of several panels."""
        raise ConfigError(f"expected a figure of one panel to draw into axes, got {type(self).__name__}")

    def save(self, stem: Path, style: Style = PAPER, *, pdf: bool = False) -> list[Path]:
        """STEM.svg, STEM.png, the rows as STEM.csv, and STEM.pdf where asked for; the same bytes each time."""
        with settings(style):
            return save(self.drawn(style), self.rows, stem, pdf=pdf)


def save(figure: MplFigure, rows: pd.DataFrame, stem: Path, *, pdf: bool = False) -> list[Path]:
    """STEM.svg, STEM.png, the rows as STEM.csv, and STEM.pdf where asked for; the same bytes each time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # the layout is found once, for all files
    undated = {".svg": {"Date": None}, ".png": {"Software": None}}
    for suffix, metadata in (undated | ({".pdf": {"CreationDate": None}} if pdf else {})).items():
        with whole_file(stem.with_name(stem.name + suffix)) as partial:
            figure.savefig(partial, format=suffix[1:], metadata=metadata)
    write_text(stem.with_name(f"{stem.name}.csv"), to_csv(rows))
    return [stem.with_name(stem.name + suffix) for suffix in (*undated, ".csv", *([".pdf"] if pdf else []))]


def panels(number: int, style: Style, y_label: str, height: float = 0.78) -> tuple[MplFigure, list[Axes]]:
    """A figure of so many panels, at most three in a row, the first of a row with the label; height: in widths."""
    from matplotlib.figure import Figure as MplFigure

    across = min(2 if number == 4 else 3, number)
    down = -(-number // across)
    width = style.column if number == 1 else style.page
    figure = MplFigure(figsize=(width, down * width / across * height), dpi=DPI, layout="constrained")
    grid = list(figure.subplots(down, across, squeeze=False, sharey=True).ravel())
    for axes in grid[number:]:
        axes.set_axis_off()
    for axes in grid[:number:across]:
        axes.set_ylabel(y_label)
    return figure, grid[:number]


def foremost(rows: pd.DataFrame, column: str, *, least: bool) -> list[str]:
    """The models that are drawn in colour: all in their order, or the six with the best mean of the column."""
    means = rows.groupby("model", sort=False)[column].mean()
    if len(means) > MOST_LINES:
        means = means.sort_values(ascending=least, kind="stable")[:MOST_LINES]
    return [str(label) for label in means.index]


def colour(number: int) -> Any:
    """Of the palette that colour-blind readers can tell apart; beyond its length it begins again."""
    import seaborn as sns

    colours = sns.color_palette("colorblind")
    return colours[number % len(colours)]


def line_look(number: int) -> dict[str, Any]:
    """Colour, dash and mark of a line, so that it is known in gray too."""
    return {"color": colour(number), "ls": DASHES[number % len(DASHES)], "marker": MARKERS[number % len(MARKERS)]}


def legend_columns(labels: Sequence[str], width: float, font: float = 8) -> int:
    """In how many columns a legend fits below a figure that is so many inches wide."""
    return max(1, int(125 / font * width / (max(map(len, labels)) + 8)))


def legend_below(figure: MplFigure, grid: Sequence[Axes], style: Style = PAPER) -> None:
    """One legend for all panels, in as many columns as there is room for; the figure grows by its rows."""
    shown = {label: handle for axes in grid for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if not shown:
        return
    width, height = figure.get_size_inches()
    columns = min(legend_columns(list(shown), width, style.font), len(shown))
    letters = style.font / 72
    figure.set_size_inches(width, height + letters * (1 + LEGEND_ROW * -(-len(shown) // columns)))
    figure.legend([*shown.values()], [*shown], loc="outside lower center", ncols=columns)


def plain(name: str) -> str:
    """A corruption's name as a title."""
    return name.replace("_", " ")
