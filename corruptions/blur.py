"""Blur: every pixel becomes a mean over its surroundings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corruptions._contract import corruption
from corruptions._core import quantise, to_unit
from corruptions._disc import disc_blur_as_published
from corruptions._gaussian import smooth_exactly
from corruptions._jit import jit
from corruptions._kernels import (
    Bytes,
    Doubles,
    Floats,
    border,
    correlate,
    disc_taps,
    gaussian_taps,
    half_gaussian_taps,
    in_quanta,
    line_offsets,
    line_taps,
    separable,
    walk_kernels,
)
from corruptions._resample import add_zooms
from corruptions._sources import CUT, FIDELITY, HENDRYCKS, ZHOU
from corruptions._streams import Draws
from corruptions._strength import Level

DIAGONAL = (-math.sqrt(0.5), math.sqrt(0.5))


@corruption(
    "blur",
    level=Level("sigma", "pixels", 0.0, 1000.0, (1.0, 2.0, 3.0, 4.0, 5.0), identity=0.0),
    source=f"{FIDELITY}, appendix A.1; kernel size after Pei et al. 2019 and Flusser et al. 2015",
)
def gaussian_blur_13x13(images: Floats, sigma: float) -> Floats:
    """Gaussian blur with a kernel of 13 x 13 pixels, whatever sigma; large sigmas approach a 13 x 13 box.

    sigma is the standard deviation in pixels. The edge pixel is repeated outside the image.
    """
    return separable(images, gaussian_taps(sigma, 6))


@corruption(
    "blur",
    level=Level("length", "pixels along the line", 1.0, 1000.0, (3.0, 5.0, 7.0, 9.0, 13.0), identity=1.0),
    source=f"{FIDELITY}, appendix A.1; 45 degrees after Sun et al. 2015",
)
def motion_blur_45(images: Floats, length: float) -> Floats:
    """Motion blur: the mean along a line of `length` pixels at 45 degrees, rising to the right, centred on the pixel.

    The line is spread on the pixel grid bilinearly. The edge pixel is repeated outside the image.
    """
    return correlate(images, *line_taps(length, DIAGONAL))


@corruption(
    "blur",
    version=2,
    takes="double",
    rounding="down",
    near_identity=CUT,
    level=Level("sigma", "pixels", 0.0, 1000.0, (0.5, 1.0, 2.0, 3.0, 4.0), identity=0.0),
    severities={32: (0.4, 0.6, 0.7, 0.8, 1.0), 64: (0.5, 0.75, 1.0, 1.25, 1.5), 224: (1.0, 2.0, 3.0, 4.0, 6.0)},
    source=HENDRYCKS,
)
def gaussian_blur(images: Doubles, sigma: float) -> Doubles:
    """Gaussian blur of each channel, cut off at 4 sigma; the edge pixel is repeated outside the image.

    As published: values are cut to 8 bits. The pixels are those of the published file, bit for bit.
    """
    smooth_exactly(images, sigma)
    return images


@corruption(
    "blur",
    version=2,
    rounding="down",
    takes="uint8",
    severities={
        32: ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1)),
        64: ((0.5, 0.6), (1.0, 0.1), (1.5, 0.1), (2.5, 0.01), (3.0, 0.1)),
        224: ((3.0, 0.1), (4.0, 0.5), (6.0, 0.5), (8.0, 0.5), (10.0, 0.5)),
    },
    source=HENDRYCKS,
)
def defocus_blur(images: Bytes, row: tuple[float, float]) -> Doubles:
    """Out of focus: the mean over a disc of whole pixels, itself smoothed by a 3 x 3 Gaussian (5 x 5 above radius 8).

    A row is (radius, sigma of the smoothing) in pixels; the image is mirrored at its edges.
    As published: at radius 8 and 10 the kernel touches its array's edge and brightens by 1 %, and values are cut to
    8 bits. At 32 pixels the pixels are those of the published file, bit for bit.
    """
    return disc_blur_as_published(images, to_unit(images, np.float64), *row)


@jit
def _scatter(images: Any, words: Any, reach: Any) -> None:
    count, height, width, channels = images.shape
    for n in range(count):
        for y in range(height - reach, reach, -1):
            for x in range(width - reach, reach, -1):
                from_x = x + np.int64(np.uint64(words[n, y, x, 0]) * np.uint64(2 * reach) >> np.uint64(32)) - reach
                from_y = y + np.int64(np.uint64(words[n, y, x, 1]) * np.uint64(2 * reach) >> np.uint64(32)) - reach
                for channel in range(channels):
                    images[n, y, x, channel] = images[n, from_y, from_x, channel]


@corruption(
    "blur",
    version=2,
    takes="double",
    rounding="down",
    severities={
        32: ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        64: ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
        224: ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    },
    not_monotone="the published rows trade the number of passes against the smoothing",
    source=HENDRYCKS,
)
def glass_blur(images: Doubles, row: tuple[float, int, int], draws: Draws) -> Doubles:
    """Frosted glass: smoothed, then each pixel copied from a drawn neighbour, in scan order, and smoothed again.

    A row is (sigma in pixels, reach, passes); offsets are drawn from -reach … reach - 1. As published: a copy, not a
    swap, from the lower right to the upper left, where a pixel may be copied on; the first reach + 1 and the last
    reach - 1 rows and columns are not written, and values are cut to 8 bits before the passes and at the end.
    Height and width each have their own bounds, where the published code knows squares alone.
    """
    sigma, reach, passes = row
    height, width = images.shape[1:3]
    smooth_exactly(images, sigma)
    scattered = quantise(images, "down")
    for step in range(int(passes)):
        _scatter(scattered, draws.words("offsets", height, width, 2, step=step), int(reach))
    to_unit(scattered, np.float64, images)
    smooth_exactly(images, sigma)
    return images


@corruption(
    "blur",
    version=2,
    rounding="down",
    severities={
        32: ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        64: ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
        224: ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    },
    source=HENDRYCKS,
)
def motion_blur(images: Floats, row: tuple[float, float], draws: Draws) -> Doubles:
    """Motion blur along a line within 45 degrees of the horizontal, drawn per image, as ImageMagick makes it.

    A row is (radius, sigma) in pixels: the weights fall off as half a Gaussian from the pixel on, so the picture also
    shifts, as published. Offsets are whole pixels, and the edge pixel is repeated outside the image.
    As ImageMagick 6.9 with 16-bit quanta stores it: values are rounded to a 257th of a level, then cut to 8 bits.
    """
    taps = half_gaussian_taps(*row)
    return in_quanta(correlate(images, line_offsets(draws.uniform("angle", -45, 45), len(taps)), taps))


@corruption(
    "blur",
    version=2,
    rounding="down",
    severities={
        32: ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        64: ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        224: ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
    },
    source=HENDRYCKS,
)
def zoom_blur(images: Floats, row: tuple[float, float]) -> Floats:
    """Zoom blur: the mean of the image and of its zooms to the middle by 1.00, 1.01, …, so the image counts twice.

    A row is (end, step) of the range of factors. As published: the floating-point range has 7, 12, 16, 21 and 26
    factors at 32 pixels and 12, 16, 11, 13 and 11 at 224, a zoom by less than a pixel is anchored at the top left, and
    values are cut to 8 bits. The pixels are those of the published file, bit for bit.
    """
    factors = zoom_factors(*row)
    total = np.zeros_like(images)
    add_zooms(images, factors, total)
    return np.asarray((images + total) / np.float32(len(factors) + 1))


def zoom_factors(end: float, step: float) -> tuple[float, ...]:
    """`numpy.arange(1, end, step)`: its count and its last places are those of floating-point arithmetic.

    >>> zoom_factors(1.03, 0.01)
    (1.0, 1.01, 1.02, 1.03)
    """
    return tuple(np.arange(1, end, step).tolist())


@corruption(
    "blur",
    level=Level("radius", "pixels", 0.0, 100.0, (1.0, 2.0, 3.0, 4.0), identity=0.0, stepwise=True),
    source=f"{ZHOU}, section 3",
)
def disc_blur(images: Floats, radius: float) -> Floats:
    """Out of focus: the mean over an anti-aliased disc; a pixel that the disc covers in part counts in part.

    radius is in pixels; up to half a pixel the disc lies within its pixel and changes nothing. The edge pixel is
    repeated outside the image.
    """
    return correlate(images, *disc_taps(radius))


@jit
def _walked(images: Any, kernels: Any, above: Any, beside: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    side = kernels.shape[1]
    for n in range(count):
        out[n] = np.float32(0)
        for dy in range(side):
            for dx in range(side):
                weight = kernels[n, dy, dx]
                if weight == 0:
                    continue
                for y in range(height):
                    row = above[y + dy]
                    for x in range(width):
                        for channel in range(channels):
                            out[n, y, x, channel] += weight * images[n, row, beside[x + dx], channel]


@corruption(
    "blur",
    level=Level("size", "steps of one pixel", 0.0, 50.0, (1.0, 2.0, 3.0, 4.0), identity=0.0),
    source=f"{ZHOU}, section 3, the kernel by random walk",
)
def random_walk_blur(images: Floats, size: float, draws: Draws) -> Floats:
    """Camera shake: the mean along a walk of `size` steps, each of one pixel in a drawn direction, about its centre.

    The last step is shorter where size is no whole number. The walk is spread on the pixel grid bilinearly; an image
    takes the same turns at every size. The edge pixel is repeated outside the image.
    """
    if size == 0:
        return images
    turns = draws.uniforms("turns", 1, math.ceil(size))[:, 0, :, 0].astype(np.float64) * (2 * math.pi)
    kernels = walk_kernels(turns, size)
    reach = kernels.shape[1] // 2
    height, width = images.shape[1:3]
    out = np.empty_like(images)
    _walked(images, kernels, border(height, reach, "edge"), border(width, reach, "edge"), out)
    return out
