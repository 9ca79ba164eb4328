"""Resolution: fewer pixels, in the whole image, in a part of it, or of a smaller window."""

from __future__ import annotations

import numpy as np

from corruptions._contract import corruption
from corruptions._kernels import Bytes, Floats, Ints
from corruptions._resample import bicubic_places, bilinear_places, mix, repeat_places
from corruptions._sources import FIDELITY, PIVOT
from corruptions._streams import Draws
from corruptions._strength import Level

FACTOR = Level("factor", "pixels a side that become one", 1, 65_535, (2, 4), identity=1.0, integer=True)
CENTRE = 0.5


def repeat_pixels(images: Bytes, factor: int) -> Bytes:
    """Every factor-th pixel, from the first, repeated over its factor x factor square."""
    height, width = images.shape[1:3]
    rows = np.arange(height) // factor * factor
    columns = np.arange(width) // factor * factor
    return images[:, rows[:, None], columns]


@corruption("resolution", takes="uint8", level=FACTOR, source=f"{PIVOT}, section 3.1.2")
def low_resolution_nearest(images: Bytes, factor: float) -> Bytes:
    """Low resolution: every factor-th row and column from the first, then up again by nearest neighbour.

    It moves the picture by (factor - 1) / 2 pixels to the right and down: each square shows its first pixel, not its
    middle.
    """
    return repeat_pixels(images, int(factor))


@corruption("resolution", level=FACTOR, source=f"{PIVOT}, section 3.1.2")
def low_resolution_bicubic(images: Floats, factor: float) -> Floats:
    """Low resolution: every factor-th row and column from the first, then up again by bicubic interpolation.

    The cubic kernel has slope -0.75, and pixel centres lie at halves, as in OpenCV and PyTorch; edge pixels repeat. It
    moves the picture by (factor - 1) / 2 pixels to the right and down: the pixels that are kept are the first of their
    squares, and come back in the squares' middles.
    """
    step = int(factor)
    count, height, width, _ = images.shape
    small = np.ascontiguousarray(images[:, ::step, ::step])
    rows, columns = (repeat_places(bicubic_places(size, step), count) for size in (height, width))
    return mix(small, rows, columns)


@corruption("resolution", takes="uint8", level=FACTOR, source=f"{PIVOT}, section 3.2.1")
def mixed_resolution(images: Bytes, factor: float, boxes: Ints | None) -> Bytes:
    """Mixed resolution: the background as low_resolution_nearest, the image's box at full resolution.

    The background is moved by (factor - 1) / 2 pixels, the box is not. boxes are (x0, y0, x1, y1), half-open. Without
    boxes the region is the centre, half the width and half the height.
    """
    count, height, width, _ = images.shape
    if boxes is None:
        sides = np.rint(np.array([width, height]) * CENTRE).astype(np.int64)
        first = (np.array([width, height]) - sides) // 2
        boxes = np.tile(np.concatenate([first, first + sides]), (count, 1))
    x0, y0, x1, y1 = boxes.T[:, :, None]
    columns, rows = np.arange(width), np.arange(height)
    inside = ((rows >= y0) & (rows < y1))[:, :, None] & ((columns >= x0) & (columns < x1))[:, None, :]
    return np.where(inside[..., None], images, repeat_pixels(images, int(factor)))


@corruption(
    "resolution",
    level=Level("ratio", "side of the window / shorter side", 0.001, 1.0, (0.9, 0.7, 0.5, 0.3, 0.1), None, False),
    source=f"{FIDELITY}, appendix A.1 (rectangle crop)",
)
def crop(images: Floats, ratio: float, draws: Draws) -> Floats:
    """A square window of side ratio · min(H, W), at least 1 pixel, at a drawn place, resized to the image's size.

    The resize is bilinear with pixel centres at halves. The window of a smaller ratio lies inside that of a larger one,
    to a pixel. A square image at ratio 1 stays as it is.
    """
    height, width = images.shape[1:3]
    side = max(1, int(np.rint(ratio * min(height, width))))
    stretch = np.full(len(images), side, np.int64)
    top = draws.integers("row", 0, height - side + 1)
    left = draws.integers("column", 0, width - side + 1)
    return mix(images, bilinear_places(height, top, stretch), bilinear_places(width, left, stretch))
