"""Images beside maps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robench import plots
from robench.reproduce._measurement import Measurement
from robench.reproduce._page import Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 1.5  # inches
COLUMNS = ("image", "name", "network", "row", "column", "y", "x", "value")
FAINT = 0.35
Places = tuple[NDArray[np.float64], NDArray[np.float64]]
"""The middles of a map's rows (h,) and columns (w,), in pixels of the image; that of the first pixel is 0."""


@dataclass(frozen=True)
class Maps:
    """A row an image (N, H, W, C), a column a network: maps (h, w) of what speaks for and against something.

    places: of each network where the places of its maps lie; two at least, a fixed number of pixels apart. A map is
    drawn there, over its image. about: what the numbers are. Zero is white, and all maps have one scale.
    """

    images: NDArray[np.uint8]
    names: Sequence[str]
    columns: Mapping[str, Sequence[NDArray[np.float32]]]
    places: Mapping[str, Places]
    about: str

    def write(self, stem: Path, page: Page, measurements: Mapping[tuple[str, str], Measurement]) -> list[Path]:
        """STEM.svg, STEM.png, STEM.csv with a row a place of a map, and its page as STEM.md."""
        with plots.settings():
            written = plots.save(self._drawn(), self._rows(), stem)
        return [*written, *page.write(stem, f"![{page.title}]({stem.name}.png)", measurements)]

    def _rows(self) -> pd.DataFrame:
        rows = [
            (number, self.names[number], network, y, x, self.places[network][0][y], self.places[network][1][x], value)
            for network, maps in self.columns.items()
            for number, each in enumerate(maps)
            for (y, x), value in np.ndenumerate(each)
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def _drawn(self) -> Figure:
        from matplotlib.figure import Figure

        down, across = len(self.images), 1 + len(self.columns)
        figure = Figure(figsize=(0.3 + SIDE * across, 0.5 + SIDE * down), dpi=plots.DPI, layout="constrained")
        grid = figure.subplots(down, across, squeeze=False)
        for axes in grid.ravel():
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for row, image, name in zip(grid, self.images, self.names, strict=True):
            for place, axes in enumerate(row):
                axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255, alpha=FAINT if place else 1)
            row[0].set_ylabel(name)
        most = max(float(np.abs(each).max()) for maps in self.columns.values() for each in maps)
        for column, (network, maps) in zip(grid[:, 1:].T, self.columns.items(), strict=True):
            extent = _extent(self.places[network])
            for axes, each in zip(column, maps, strict=True):
                limits = axes.get_xlim(), axes.get_ylim()
                drawn = axes.imshow(each, cmap="RdBu_r", vmin=-most, vmax=most, extent=extent)
                axes.set(xlim=limits[0], ylim=limits[1])
            column[0].set_title(network)
        figure.colorbar(drawn, ax=list(grid[:, 1:].ravel()), location="bottom", shrink=0.6, aspect=40, label=self.about)
        return figure


def _extent(places: Places) -> tuple[float, float, float, float]:
    """The edges of a map whose places have these middles: left, right, lower, upper."""
    (top, bottom), (left, right) = (_edges(middles) for middles in places)
    return left, right, bottom, top


def _edges(middles: NDArray[np.float64]) -> tuple[float, float]:
    half = float(middles[1] - middles[0]) / 2
    return float(middles[0]) - half, float(middles[-1]) + half
