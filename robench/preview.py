"""A contact sheet: how corruptions look at their strengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corruptions
from corruptions import Strength
from robench import datasets
from robench.errors import UsageError
from robench.files import whole_file

Images = NDArray[np.uint8]
Cells = Mapping[str, Sequence[Strength]]
BUILT_IN_VIEW = "side128"
MOST_INCHES = 1.3
SUFFIXES = (".png", ".svg", ".pdf", ".jpg")


def contact_sheet(
    cells: Cells,
    path: Path,
    *,
    image: Path | None = None,
    view: str | None = None,
    seed: int = 0,
    native: int | None = None,
    frost_dir: Path | None = None,
) -> Path:
    """Write a picture with a row per corruption and a column per strength, the clean image first.

    Without `cells` every corruption is shown; without `image` scikit-image's photograph of an astronaut at 128 pixels.
    `view` is applied before the corruption, `frost_dir` holds pictures for frost. An image that cannot be read raises
    DatasetError.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if path.suffix not in SUFFIXES:
        raise UsageError(f"output must be a file that ends in {', '.join(SUFFIXES)}, got '{path}'")
    picture = _picture(image, view)
    textures = None if frost_dir is None else datasets.textures(frost_dir)
    rows = list(_rows(picture, cells or _all(), {"seed": seed, "native": native, "textures": textures}))
    columns = max(len(shown) for _, shown in rows)
    side = max(0.9, MOST_INCHES * min(1.0, picture.shape[0] / picture.shape[1]))
    size = (MOST_INCHES * columns + 0.2, (side + 0.2) * len(rows) + 0.1)
    figure = Figure(figsize=size, dpi=150)
    figure.set_layout_engine("constrained", h_pad=0.02, w_pad=0.02, hspace=0, wspace=0)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes_row, (name, shown) in zip(grid, rows, strict=True):
        for axes in axes_row:
            axes.set_axis_off()
        for axes, (key, made) in zip(axes_row, shown, strict=False):
            axes.imshow(made.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_title(key, fontsize=7, pad=2)
        axes_row[0].set_title(name, fontsize=7, pad=2, loc="left", fontweight="bold")
    FigureCanvasAgg(figure)
    with whole_file(path) as partial:
        figure.savefig(partial, format=path.suffix[1:], metadata=_no_dates(path))
    return path


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


def _rows(picture: Images, cells: Cells, options: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, Images]]]]:
    """Each corruption with its images; the clean one heads the row."""
    for name, strengths in cells.items():
        chosen = corruptions.get(name)
        shown = [("", picture)]
        for strength in strengths:
            made = corruptions.apply_strength(picture, chosen, strength, ids=[0], **options)
            shown.append((str(strength), made))
        yield name, shown
