"""Shifts, crops and mirrors of training images, by numbers that are drawn elsewhere.

A crop is a row (top, left, height, width), a box marks an object of an image as a row (x0, y0, x1, y1), half-open.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Ints = NDArray[np.int64]
WIDEST = 4 / 3  # width over height of a crop; the narrowest is its inverse
TRIES = 10
DRAWS = 2 * TRIES + 2
"""How many numbers a crop takes."""


def shifted(images: Images, offsets: Ints, margin: int) -> Images:
    """Cut each image (n, H, W, C) out of itself with `margin` zeros around, at its (row, column) offset 0..2*margin."""
    count, height, width, _ = images.shape
    framed = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    rows = offsets[:, :1] + np.arange(height)
    columns = offsets[:, 1:] + np.arange(width)
    cut: Images = framed[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return cut


def mirrored(images: Images, chosen: NDArray[np.bool_]) -> Images:
    """The images (n, H, W, C), those chosen with left and right exchanged."""
    out = images.copy()
    out[chosen] = images[chosen, :, ::-1]
    return out


def crops(drawn: NDArray[np.uint64], shape: tuple[int, int], area: tuple[float, float]) -> Ints:
    """Rectangles (n, 4) in images of that (H, W), each by its own row of `drawn`, (n, DRAWS).

    The area is uniform between two fractions of the image's, width over height log-uniform in 3/4..4/3. As in
    torchvision's RandomResizedCrop the first of ten tries that fits into the image counts, at any place in it; where
    none fits, it is the largest rectangle of such a shape, in the middle.
    """
    (height, width), (low, high) = shape, area
    unit = (drawn >> np.uint64(11)) * 2.0**-53
    areas = (low + (high - low) * unit[:, :TRIES]) * (height * width)
    ratios = WIDEST ** (2 * unit[:, TRIES : 2 * TRIES] - 1)
    tries = np.rint(np.sqrt(np.stack([areas / ratios, areas * ratios], axis=-1))).astype(np.int64)
    fits = ((tries > 0) & (tries <= shape)).all(axis=-1)
    none = ~fits.any(axis=1)
    sizes = tries[np.arange(len(drawn)), fits.argmax(axis=1)]
    sizes[none] = min(height, round(width * WIDEST)), min(width, round(height * WIDEST))
    room = np.array(shape) - sizes
    corners = (drawn[:, 2 * TRIES :] % (room + 1).astype(np.uint64)).astype(np.int64)
    corners[none] = room[none] // 2
    return np.concatenate([corners, sizes], axis=1)


def enlarged(images: Images, cuts: Ints) -> Images:
    """Each image's rectangle, bilinear, at the size of the images; OpenCV's variant that is the same on any machine.

    No rectangle is larger than its image, so that nothing is made smaller and nothing needs averaging.
    """
    out = np.empty_like(images)
    size = images.shape[2], images.shape[1]
    for image, (top, left, height, width), place in zip(images, cuts.tolist(), out, strict=True):
        part = np.ascontiguousarray(image[top : top + height, left : left + width])
        place[:] = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR_EXACT).reshape(place.shape)
    return out


def moved_boxes(boxes: Ints, cuts: Ints, chosen: NDArray[np.bool_], shape: tuple[int, int]) -> Ints:
    """Where boxes (n, 4) are in images that were cut, enlarged to (H, W) and, where chosen, mirrored.

    Whole pixels, of what lies in the crop; a box outside of it is empty.
    """
    corners, sides = cuts[:, [1, 0, 1, 0]], cuts[:, [3, 2, 3, 2]]
    height, width = shape
    moved = np.rint(((boxes - corners) / sides).clip(0, 1) * (width, height, width, height)).astype(np.int64)
    moved[chosen, 0::2] = width - moved[chosen, 2::-2]
    return moved
