"""A curve above the images that it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from robench.plots._axis import Axis
from robench.plots._curves import Curves
from robench.plots._look import PAPER, Figure, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MplFigure

MOST_IMAGES = 3


@dataclass(frozen=True)
class WithExamples(Figure):
    """One corruption's curve above the first images of every strength. examples: a strip of images by strength."""

    curves: Curves
    axis: Axis
    examples: Mapping[str, Path]

    def drawn(self, style: Style) -> MplFigure:
        """The images are in the order of the axis, as far apart as there is room for."""
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        figure = self.curves.drawn(style)
        strips = self._strips()
        down = min(MOST_IMAGES, *(len(strip) for strip in strips.values()))
        width, height = figure.get_size_inches()
        side = width / (len(strips) + 1.5)
        figure.set_size_inches(width, height + side * (down + 0.6))
        engine = figure.get_layout_engine()
        assert isinstance(engine, ConstrainedLayoutEngine)
        engine.set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
        upper, lower = figure.axes[0], None
        gridded = figure.add_gridspec(2, 1, height_ratios=(height, side * (down + 0.4)))
        upper.set_subplotspec(gridded[0])
        below = gridded[1].subgridspec(down, len(strips))
        for across, (strength, strip) in enumerate(strips.items()):
            for place in range(down):
                lower = figure.add_subplot(below[place, across])
                lower.imshow(strip[place].squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
                lower.set(xticks=[], yticks=[])
                lower.spines[:].set_visible(False)
                if place == 0:
                    lower.set_title(self.axis.text(strength), fontsize=0.8 * style.font)
        return figure

    def plot_on(self, axes: Axes, style: Style = PAPER) -> MplFigure:
        """Draw the curve alone."""
        return self.curves.plot_on(axes, style)

    def vega_spec(self, models: Sequence[str]) -> dict[str, Any] | None:
        """The curve alone."""
        return self.curves.vega_spec(models)

    def _strips(self) -> dict[str, list[np.ndarray[Any, np.dtype[np.uint8]]]]:
        """Images by strength, weak to strong."""
        from PIL import Image

        found = {}
        for strength, _ in sorted(self.axis.places.items(), key=lambda item: item[1], reverse=self.axis.falls):
            if strength in self.examples:
                with Image.open(self.examples[strength]) as picture:
                    strip = np.asarray(picture)
                found[strength] = np.array_split(strip, max(1, strip.shape[1] // strip.shape[0]), axis=1)
        return found
