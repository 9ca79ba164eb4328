"""A contact sheet: how corruptions look at their strengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import corruptions
from corruptions import Strength
from robench import datasets
from robench.errors import ConfigError
from robench.files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Images = NDArray[np.uint8]
Cells = Mapping[str, Sequence[Strength]]
Row = tuple[str, list[tuple[str, Images]]]
BUILT_IN_VIEW = "side128"
CELL, LABEL, GAP = 1.28, 0.17, 0.04  # inches
FONT = 7
SUFFIXES = (".png", ".svg", ".pdf", ".jpg")


def contact_sheet(
    cells: Cells,
    path: Path,
    *,
    image: Path | None = None,
    view: str | None = None,
    seed: int = 0,
    severity_table: int | None = None,
    frost_dir: Path | None = None,
) -> Path:
    """Write a picture with a row per corruption and a column per strength, the clean image first.

    Without `cells` every corruption is shown; without `image` scikit-image's photograph of an astronaut at 128 pixels.
    `view` is applied before the corruption, `frost_dir` holds pictures for frost. An image that cannot be read raises
    DatasetError.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if path.suffix not in SUFFIXES:
        raise ConfigError(f"output must be a file that ends in {', '.join(SUFFIXES)}, got '{path}'")
    picture = _picture(image, view)
    textures = None if frost_dir is None else datasets.textures(frost_dir)
    rows = list(_rows(picture, cells or _all(), {"seed": seed, "severity_table": severity_table, "textures": textures}))
    figure = _sheet(rows)
    FigureCanvasAgg(figure)
    with whole_file(path) as partial:
        figure.savefig(partial, format=path.suffix[1:], metadata=_no_dates(path))
    return path


def _sheet(rows: Sequence[Row]) -> Figure:
    """The rows below one another, on one pair of axes in inches: a pair for each image would take a minute to draw."""
    from matplotlib.figure import Figure

    tall, wide = rows[0][1][0][1].shape[:2]
    across, high = CELL * min(1.0, wide / tall), CELL * min(1.0, tall / wide)
    step = LABEL + high + GAP
    width = (CELL + GAP) * max(len(shown) for _, shown in rows) + GAP
    figure = Figure(figsize=(width, step * len(rows)), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for row, (name, shown) in enumerate(rows):
        top = LABEL + step * row
        axes.text(GAP, top - GAP, name, fontsize=FONT, fontweight="bold")
        for column, (key, made) in enumerate(shown):
            left = GAP + (CELL + GAP) * column
            place = (left, left + across, top + high, top)
            axes.imshow(made.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest", extent=place)
            axes.text(left + across / 2, top - GAP, key, fontsize=FONT, horizontalalignment="center")
    axes.set(xlim=(0, width), ylim=(step * len(rows), 0), aspect="auto")
    return figure


def _no_dates(path: Path) -> dict[str, None] | None:
    keys = {".svg": "Date", ".pdf": "CreationDate"}
    return {keys[path.suffix]: None} if path.suffix in keys else None


def _all() -> Cells:
    return {name: corruptions.get(name).default_strengths() for name in corruptions.names()}


def _picture(image: Path | None, view: str | None) -> Images:
    from skimage import data

    if image is not None:
        return datasets.picture(image, view or "native")
    astronaut: Images = data.astronaut()  # type: ignore[no-untyped-call]
    return datasets.viewed(astronaut, view or BUILT_IN_VIEW)


def _rows(picture: Images, cells: Cells, options: dict[str, Any]) -> Iterator[Row]:
    """Each corruption with its images; the clean one heads the row."""
    for name, strengths in cells.items():
        chosen = corruptions.get(name)
        shown = [("", picture)]
        for strength in strengths:
            made = corruptions.apply_strength(picture, chosen, strength, ids=[0], **options)
            shown.append((str(strength), made))
        yield name, shown
