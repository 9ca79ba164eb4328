"""Digital: what processing and storing does to a picture."""

from __future__ import annotations

import cv2
import numpy as np

from corruptions._core import corruption
from corruptions._kernels import Bytes, Floats
from corruptions._resample import box_resize
from corruptions._sources import HENDRYCKS
from corruptions._strength import Level


@corruption(
    "digital",
    takes="uint8",
    level=Level("factor", "share of the contrast kept", 0.0, 1.0, (0.75, 0.5, 0.4, 0.3, 0.15), 1.0, False),
    severities={
        32: (0.75, 0.5, 0.4, 0.3, 0.15),
        64: (0.4, 0.3, 0.2, 0.1, 0.05),
        224: (0.4, 0.3, 0.2, 0.1, 0.05),
    },
    source=HENDRYCKS,
)
def contrast(images: Bytes, factor: float) -> Floats:
    """Lower contrast: (x - m) factor + m with the mean m of each channel over the image.

    Mended: rounded, not truncated, so a constant image stays as it is.
    """
    pixels = images.shape[1] * images.shape[2]
    mean = (images.sum(axis=(1, 2), keepdims=True, dtype=np.int64) / pixels).astype(np.float32)
    return np.asarray(((images - mean) * np.float32(factor) + mean) / np.float32(255), np.float32)


@corruption(
    "digital",
    level=Level("delta", "added to V, of the range [0, 1]", -1.0, 1.0, (0.1, 0.2, 0.3, 0.4, 0.5), identity=0.0),
    severities={
        32: (0.05, 0.1, 0.15, 0.2, 0.3),
        64: (0.1, 0.2, 0.3, 0.4, 0.5),
        224: (0.1, 0.2, 0.3, 0.4, 0.5),
    },
    gray="x + delta",
    source=HENDRYCKS,
)
def brightness(images: Floats, delta: float) -> Floats:
    """Brighter: V of HSV plus delta, clipped to [0, 1], hue and saturation kept.

    In closed form, x V' / V with V the largest channel; a black pixel, which has no hue, becomes gray of value V'.
    Mended: the published round trip through HSV truncates, which alone changes a fifth of all bytes.
    """
    value = images.max(axis=-1, keepdims=True)
    brighter = np.clip(value + np.float32(delta), np.float32(0), np.float32(1))
    black = value == 0
    scaled = images * (brighter / np.where(black, np.float32(1), value))
    return np.asarray(np.where(black, brighter, scaled), np.float32)


@corruption(
    "digital",
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
    takes="uint8",
    level=Level("quality", "JPEG quality", 1, 100, (80, 65, 50, 25, 10), None, False, integer=True),
    severities={32: (80, 65, 58, 50, 40), 64: (65, 58, 50, 40, 25), 224: (25, 18, 15, 10, 7)},
    not_bit_exact="libjpeg-turbo's transforms differ between versions",
    gray="stored as a JPEG of one channel",
    source=HENDRYCKS,
)
def jpeg_compression(images: Bytes, quality: float) -> Bytes:
    """Stored as JPEG of this quality, chroma at half resolution (4:2:0), and read again."""
    settings = (
        *(cv2.IMWRITE_JPEG_QUALITY, int(quality)),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420),
    )
    out = np.empty_like(images)
    for image, stored in zip(images[..., ::-1], out, strict=True):
        _, data = cv2.imencode(".jpg", np.ascontiguousarray(image), settings)
        flag = cv2.IMREAD_GRAYSCALE if image.shape[-1] == 1 else cv2.IMREAD_COLOR
        stored[...] = np.asarray(cv2.imdecode(data, flag)).reshape(image.shape)[..., ::-1]
    return out
