"""Digital: what processing and storing does to a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from corruptions import _ijg, _jpeg
from corruptions._contract import corruption
from corruptions._core import UNITS
from corruptions._hsv import through_hsv
from corruptions._jit import jit
from corruptions._kernels import Bytes, Floats
from corruptions._resample import box_resize
from corruptions._sources import CUT, HENDRYCKS, THREED
from corruptions._streams import Draws
from corruptions._strength import Level
from corruptions._warp import affine, affine_maps, displace, smooth

QUALITY = Level("quality", "JPEG quality", 1, 100, (80, 65, 50, 25, 10), None, False, integer=True)


@corruption(
    "digital",
    version=2,
    takes="uint8",
    rounding="down",
    near_identity=CUT,
    level=Level("factor", "share of the contrast kept", 0.0, 1.0, (0.75, 0.5, 0.4, 0.3, 0.15), 1.0, False),
    severities={
        32: (0.75, 0.5, 0.4, 0.3, 0.15),
        64: (0.4, 0.3, 0.2, 0.1, 0.05),
        224: (0.4, 0.3, 0.2, 0.1, 0.05),
    },
    source=HENDRYCKS,
)
def contrast(images: Bytes, factor: float) -> Bytes:
    """Lower contrast: (x - m) factor + m with the mean m of each channel over the image.

    As published: in float64, and cut to 8 bits. The pixels are those of the published file, bit for bit.
    """
    out = np.empty_like(images)
    _contrast(images, UNITS, float(factor), out)
    return out


@jit
def _exact_contrast(images: Any, units: Any, factor: Any, out: Any) -> None:
    """One image, flat (H W, C): values are added up in their order, as numpy's mean does, and scaled in float64."""
    pixels, channels = images.shape
    table = np.empty(256, np.uint8)
    for channel in range(channels):
        total = 0.0
        for at in range(pixels):
            total += units[images[at, channel]]
        middle = total / pixels
        for level in range(256):
            value = (units[level] - middle) * factor + middle
            table[level] = np.uint8(np.int32(min(max(value, 0.0), 1.0) * 255))
        for at in range(pixels):
            out[at, channel] = table[images[at, channel]]


@jit
def _is_near_a_level(mean: Any, factor: Any) -> Any:
    """Whether a value of an image with this mean, in levels, comes out next to a whole level."""
    near = 0
    for level in range(256):
        value = (level - mean) * factor + mean
        near |= abs(value - np.rint(value)) < 1e-3
    return near


@jit
def _contrast(images: Any, units: Any, factor: Any, out: Any) -> None:
    """In float32 where no value comes out next to a whole level; there the last bit of float64 decides."""
    count, height, width, channels = images.shape
    size, scale = width * channels, np.float32(factor)
    total, mean = np.empty(size, np.int64), np.empty(size, np.float32)
    for n in range(count):
        source, target = images[n].reshape(height * size), out[n].reshape(height * size)
        total[:] = 0
        for y in range(height):
            row = source[y * size : (y + 1) * size]
            for at in range(size):
                total[at] += row[at]
        near = False
        for channel in range(channels):
            middle = total[channel::channels].sum() / (height * width)
            mean[channel::channels] = np.float32(middle)
            near |= _is_near_a_level(middle, factor)
        if near:
            flat = height * width
            _exact_contrast(source.reshape(flat, channels), units, factor, target.reshape(flat, channels))
            continue
        for y in range(height):
            row, into = source[y * size : (y + 1) * size], target[y * size : (y + 1) * size]
            for at in range(size):
                level = (np.float32(row[at]) - mean[at]) * scale + mean[at]
                into[at] = np.uint8(np.int32(min(max(level, np.float32(0)), np.float32(255))))


@corruption(
    "digital",
    rounding="down",
    takes="uint8",
    level=Level(
        "ratio",
        "side after / side before",
        0.001,
        1.0,
        (0.9, 0.7, 0.5, 0.35, 0.25),
        1.0,
        False,
        stepwise=True,
    ),
    severities={
        32: (0.95, 0.9, 0.85, 0.75, 0.65),
        64: (0.9, 0.8, 0.7, 0.6, 0.5),
        224: (0.6, 0.5, 0.4, 0.3, 0.25),
    },
    not_monotone="whole pixels are averaged, so ratios close to 1 differ more by where they fall than by their size",
    source=HENDRYCKS,
)
def pixelate(images: Bytes, ratio: float) -> Bytes:
    """Pixelated: resized to int(side · ratio), at least 1, and back, with Pillow's BOX filter both times.

    As published: 8-bit rounding after each of the four passes, sizes truncated.
    """
    height, width = images.shape[1:3]
    small = box_resize(images, max(1, int(height * ratio)), max(1, int(width * ratio)))
    return box_resize(small, height, width)


@corruption(
    "digital",
    version=2,
    takes="uint8",
    rounding="down",
    level=QUALITY,
    severities={32: (80, 65, 58, 50, 40), 64: (65, 58, 50, 40, 25), 224: (25, 18, 15, 10, 7)},
    gray="stored as a JPEG of one channel",
    source=HENDRYCKS,
)
def jpeg_compression(images: Bytes, quality: float) -> Bytes:
    """Stored as JPEG of this quality by IJG libjpeg 7 to 9, chroma at half resolution (4:2:0), and read again.

    The integer arithmetic of IJG libjpeg without the file. The pixels are those of the published file, bit for bit;
    `jpeg_turbo` has those of today's Pillow.
    """
    return _ijg.round_trip(images, int(quality))


@corruption(
    "digital",
    takes="uint8",
    level=QUALITY,
    gray="stored as a JPEG of one channel",
    source="libjpeg-turbo, the JPEG library of Pillow, OpenCV and torchvision",
)
def jpeg_turbo(images: Bytes, quality: float) -> Bytes:
    """Stored as JPEG of this quality by libjpeg-turbo, chroma at half resolution (4:2:0), and read again.

    The integer arithmetic of libjpeg-turbo without the file: equal to what Pillow writes and reads, bit for bit.
    """
    return _jpeg.round_trip(images, int(quality))


@corruption(
    "digital",
    version=2,
    takes="uint8",
    rounding="down",
    severities={
        32: ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
        64: ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)),
        224: ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
    },
    not_monotone="severities 1 and 2 take colour away, 3 to 5 add it",
    gray="stays as it is: one channel has no saturation",
    source=HENDRYCKS,
)
def saturate(images: Bytes, row: tuple[float, float]) -> Bytes:
    """Colour taken away or added: S of HSV becomes S · factor + offset, clipped to [0, 1]; hue and V kept.

    A row is (factor, offset). As published, a gray pixel of a colour image has hue 0 and turns reddish where the offset
    is positive, and values are cut to 8 bits. The pixels are those of the published file, bit for bit.
    """
    if images.shape[-1] == 1:
        return images
    return through_hsv(images, UNITS, float(row[0]), float(row[1]), 0.0)


@corruption(
    "digital",
    version=3,
    rounding="down",
    severities={
        32: ((0, 0, 2.56), (1.6, 6.4, 2.24), (2.56, 1.92, 1.92), (3.2, 1.28, 1.6), (3.2, 0.96, 0.96)),
        64: ((0, 0, 5.12), (3.2, 19.2, 3.84), (6.4, 5.12, 3.84), (6.4, 1.92, 1.92), (10.24, 1.92, 1.28)),
        224: ((488, 170.8, 24.4), (488, 19.52, 48.8), (12.2, 2.44, 4.88), (17.08, 2.44, 4.88), (29.28, 2.44, 4.88)),
    },
    not_monotone="the published rows trade the affine motion against the local one",
    source=HENDRYCKS,
)
def elastic_transform(images: Floats, row: tuple[float, float, float], draws: Draws) -> Floats:
    """Elastic: an affine motion of three drawn points, then each pixel moved by a smoothed random field.

    A row is (factor, sigma of the smoothing, most motion of a point), in pixels. The published rows for 224 count on a
    side of 244; they are kept. The affine part is mirrored outside the image, the local one reflected.
    As published, values are float32 and cut to 8 bits.
    """
    factor, sigma, most = row
    height, width = images.shape[1:3]
    moves = draws.uniforms("points", 3, 2)[..., 0].astype(np.float64) * (2 * most) - most
    moved = affine(images, affine_maps((width // 2, height // 2), min(height, width) // 3, moves))
    if not sigma:
        return moved
    fields = draws.uniforms("fields", height, width, 2) * np.float32(2) - np.float32(1)
    right_by, down_by = (np.ascontiguousarray(fields[..., axis]) for axis in range(2))
    for field in (right_by, down_by):
        smooth(field, sigma)
        field *= np.float32(factor)
    return displace(moved, right_by, down_by)


@corruption(
    "digital",
    takes="uint8",
    level=Level("bits", "a channel", 1, 8, (5, 4, 3, 2, 1), 8.0, False, integer=True),
    severities={224: (5, 4, 3, 2, 1)},
    source=THREED,
)
def color_quant(images: Bytes, bits: float) -> Bytes:
    """Few colours: each channel keeps its highest `bits` bits, the others become zero, as Pillow's posterize does."""
    return images & np.uint8(256 - (1 << (8 - int(bits))))
