"""Figures from the tables of runs. Each comes with the rows it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from corruptions import number_text
from robench.files import whole_file, write_text
from robench.tables import CLEAN, to_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
SINGLE_PANEL = (4.8, 3.4)
MOST_TICKS = 8
MARKERS = "osD^vP"
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "robench",
    "svg.fonttype": "path",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
}
CURVE_COLUMNS = ("model", "corruption", "strength", "x", "top1", "ci_low", "ci_high", "n", "seeds")


@dataclass(frozen=True)
class Axis:
    """The x axis of a curve: what it is called, and the place of each strength on it.

    `ticks` are the strengths' texts where the axis has no numbers of its own. `falls` says that smaller is stronger;
    such an axis is drawn with the strong end to the right.
    """

    label: str
    places: Mapping[str, float]
    ticks: bool = False
    falls: bool = False


def axis_of(cells: pd.DataFrame, facts: Mapping[str, Any]) -> Axis:
    """The axis of one corruption's rows; `facts` are the corruption's, from the run's manifest."""
    rows = cells.drop_duplicates("strength")
    keys = [str(key) for key in rows["strength"]]
    level = facts.get("level")
    if rows["severity"].notna().all():
        return Axis("severity", {CLEAN: 0.0} | dict(zip(keys, rows["severity"].astype(float).tolist(), strict=True)))
    if level and rows["level"].notna().all() and level["identity"] is not None:
        places = {CLEAN: float(level["identity"])} | dict(zip(keys, rows["level"].tolist(), strict=True))
        return Axis(f"{_symbol(level['name'])} ({level['unit']})", places, falls=not level["more_is_stronger"])
    return Axis("strength", {key: float(place) for place, key in enumerate([CLEAN, *keys])}, ticks=True)


def _symbol(name: str) -> str:
    return {"sigma": "σ", "delta": "Δ"}.get(name, name)


def curve_rows(cells: pd.DataFrame, corruption: str, axis: Axis) -> pd.DataFrame:
    """Accuracy over strength, a row per model and strength, the clean point first; seeds are averaged."""
    done = cells[(cells["status"] == "ok") & cells["corruption"].isin([corruption, CLEAN])]
    rows = []
    for label in dict.fromkeys(done["model"]):
        for strength, place in sorted(axis.places.items(), key=lambda item: item[1]):
            some = done[(done["model"] == label) & (done["strength"] == strength)]
            if len(some):
                means = [float(some[name].mean()) for name in ("top1", "top1_ci_low", "top1_ci_high")]
                rows.append((label, corruption, strength, place, *means, int(some["n"].iloc[0]), len(some)))
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))


def curves(rows: Mapping[str, tuple[pd.DataFrame, Axis]], chance: float) -> Figure:
    """Accuracy over strength, one panel per corruption, with 95 % bands, the clean point and the chance line."""
    from matplotlib.figure import Figure

    columns = min(4 if len(rows) % 3 == 1 else 3, len(rows))
    lines = -(-len(rows) // columns)
    size = (0.6 + 3.1 * columns, 0.5 + 2.5 * lines) if len(rows) > 1 else SINGLE_PANEL
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    for axes in grid[len(rows) :]:
        axes.set_axis_off()
    for place, (axes, (corruption, (frame, axis))) in enumerate(zip(grid, rows.items(), strict=False)):
        _curve(axes, frame, axis, chance)
        axes.set_title(corruption)
        if place % columns == 0:
            axes.set_ylabel("top-1 accuracy, %")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns(labels, size[0]))
    return figure


def legend_columns(labels: Iterable[str], width: float) -> int:
    """In how many columns a legend fits below a figure that is so many inches wide."""
    return max(1, int(11 * width / (max(map(len, labels)) + 8)))


def _curve(axes: Axes, frame: pd.DataFrame, axis: Axis, chance: float) -> None:
    import seaborn as sns

    colours = sns.color_palette("colorblind")
    for number, (label, some) in enumerate(frame.groupby("model", sort=False)):
        colour = colours[number % len(colours)]
        dash, marker = DASHES[number % len(DASHES)], MARKERS[number % len(MARKERS)]
        axes.fill_between(some["x"], 100 * some["ci_low"], 100 * some["ci_high"], color=colour, alpha=0.18, lw=0)
        axes.plot(some["x"], 100 * some["top1"], color=colour, ls=dash, marker=marker, ms=4, lw=1.5, label=str(label))
    axes.axhline(100 * chance, color="0.45", lw=0.9, ls=(0, (2, 2)), label="chance")
    axes.set_ylim(-2, 103)
    axes.set_yticks(range(0, 101, 20))
    axes.set_xlabel(axis.label)
    axes.grid(axis="y", color="0.9", lw=0.6)
    if axis.ticks or len(axis.places) <= MOST_TICKS:
        axes.set_xticks(list(axis.places.values()), [_tick(key, axis) for key in axis.places])
    if axis.falls:
        axes.invert_xaxis()


def _tick(key: str, axis: Axis) -> str:
    if key == CLEAN and not axis.ticks and axis.label != "severity":
        return number_text(axis.places[CLEAN])
    return key.partition("=")[2] or key


def heatmap_rows(cells: pd.DataFrame, model: str) -> pd.DataFrame:
    """Accuracy of one model, a row per corruption and strength, with the strength's place in its list."""
    some = cells[(cells["model"] == model) & (cells["corruption"] != CLEAN) & (cells["status"] == "ok")]
    rows = some.groupby(["corruption", "strength"], sort=False)["top1"].mean().reset_index()
    rows.insert(2, "place", rows.groupby("corruption").cumcount() + 1)
    return rows


def heatmap(rows: pd.DataFrame, model: str) -> Figure:
    """Accuracy in percent, corruptions down, strengths across; a cell says its level where it is not a severity."""
    import seaborn as sns
    from matplotlib.figure import Figure

    table = 100 * rows.pivot_table(index="corruption", columns="place", values="top1", sort=False)
    texts = rows.assign(text=[_cell_text(row) for row in rows.itertuples()])
    texts = texts.pivot_table(index="corruption", columns="place", values="text", aggfunc="first", sort=False).fillna(
        ""
    )
    size = (2.6 + 0.95 * table.shape[1], 0.9 + 0.42 * len(table))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    bar = {"label": "top-1 accuracy, %", "shrink": 0.8}
    options = {"annot": texts.fillna(""), "fmt": "", "annot_kws": {"fontsize": 7}, "linewidths": 0.5, "cbar_kws": bar}
    sns.heatmap(table, ax=axes, vmin=0, vmax=100, cmap="viridis", **options)
    axes.set(title=model, xlabel="strength, weak to strong", ylabel="")
    axes.tick_params(axis="y", rotation=0, length=0)
    axes.tick_params(axis="x", length=0)
    return figure


def _cell_text(row: Any) -> str:
    level = row.strength.partition("=")[2]
    return f"{100 * row.top1:.1f}" + (f"\n{level}" if level else "")


@contextmanager
def settings() -> Iterator[None]:
    """The look of all figures, for the length of a `with` block; matplotlib's own settings come back."""
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):  # type: ignore[arg-type]
        yield


def save(figure: Figure, rows: pd.DataFrame, stem: Path) -> list[Path]:
    """STEM.svg, STEM.png and the rows as STEM.csv; the same bytes each time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    for suffix, metadata in ((".svg", {"Date": None}), (".png", {"Software": None})):
        with whole_file(stem.with_name(stem.name + suffix)) as partial:
            figure.savefig(partial, format=suffix[1:], metadata=metadata)
    write_text(stem.with_name(f"{stem.name}.csv"), to_csv(rows))
    return [stem.with_name(stem.name + suffix) for suffix in (".svg", ".png", ".csv")]
