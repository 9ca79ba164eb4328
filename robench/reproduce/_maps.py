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
from robench.reproduce._entry import Entry
from robench.reproduce._page import Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 1.5  # inches
COLUMNS = ("image", "name", "network", "row", "column", "value")


@dataclass(frozen=True)
class Maps:
    """A row an image (N, H, W, C), a column a network: maps (h, w) of what speaks for and against something.

    about: what the numbers are. Zero is white, and one column has one scale.
    """

    images: NDArray[np.uint8]
    names: Sequence[str]
    columns: Mapping[str, Sequence[NDArray[np.float32]]]
    about: str

    def write(self, stem: Path, page: Page, entries: Mapping[tuple[str, str], Entry]) -> list[Path]:
        """STEM.svg, STEM.png, STEM.csv with a row a place of a map, and its page as STEM.md."""
        with plots.settings():
            written = plots.save(self._drawn(), self._rows(), stem)
        return [*written, *page.write(stem, f"![{page.title}]({stem.name}.png)", entries)]

    def _rows(self) -> pd.DataFrame:
        rows = [
            (number, self.names[number], network, y, x, value)
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
        for axes, image, name in zip(grid[:, 0], self.images, self.names, strict=True):
            axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
            axes.set_ylabel(name)
        for places, (network, maps) in zip(grid[:, 1:].T, self.columns.items(), strict=True):
            most = max(float(np.abs(each).max()) for each in maps)
            for axes, each in zip(places, maps, strict=True):
                drawn = axes.imshow(each, cmap="RdBu_r", vmin=-most, vmax=most)
            places[0].set_title(network)
            figure.colorbar(drawn, ax=list(places), location="bottom", shrink=0.9, label=self.about)
        return figure
