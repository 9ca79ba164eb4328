"""Value and saturation changed by way of HSV, in float64 as scikit-image converts, then cut to 8 bits.

The round trip leaves noise of 1e-16 on every value, which decides only where a value falls next to a whole level. So
all pixels are computed in float32, and those with such a value once more, step by step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._jit import jit

Bytes = NDArray[np.uint8]

AT_ONCE = 4096
NEAR = np.float32(1e-3)


@jit
def _clipped(value: Any) -> Any:
    return min(max(value, 0.0), 1.0)


@jit
def _level(value: Any) -> Any:
    return np.int32(_clipped(value) * 255)


@jit
def _exactly(red: Any, green: Any, blue: Any, change: Any, levels: Any) -> None:
    """Pixels in float64 through RGB, HSV and RGB: levels (3, N).

    Of several largest channels the last one gives the hue; a gray pixel has hue 0.
    """
    stretch, offset, lift = change
    out_red, out_green, out_blue = levels[0], levels[1], levels[2]
    for at in range(red.size):
        r, g, b = red[at], green[at], blue[at]
        value = max(r, g, b)
        depth = value - min(r, g, b)
        gray = depth == 0
        across = r - g if b == value else (b - r if g == value else g - b)
        start = 4.0 if b == value else (2.0 if g == value else 0.0)
        hue = (start + across / (1.0 if gray else depth)) / 6.0
        hue = 0.0 if gray else (hue + 1.0 if hue < 0 else hue)
        sector = np.floor(hue * 6)
        past = hue * 6 - sector
        saturation = _clipped(depth / (1.0 if gray else value) * stretch + offset)
        bright = _clipped(value + lift)
        share = past if (sector == 1) | (sector == 3) | (sector == 5) else 1 - past
        most, middle, least = (
            _level(bright),
            _level(bright * (1 - share * saturation)),
            _level(bright * (1 - saturation)),
        )
        first, second = (sector == 0) | (sector >= 5), (sector == 1) | (sector == 4)
        out_red[at] = most if first else (middle if second else least)
        first, second = (sector == 1) | (sector == 2), (sector == 0) | (sector == 3)
        out_green[at] = most if first else (middle if second else least)
        first, second = (sector == 3) | (sector == 4), (sector == 2) | (sector == 5)
        out_blue[at] = most if first else (middle if second else least)


@jit
def _cut(value: Any) -> Any:
    return np.int32(min(max(value, np.float32(0)), np.float32(255)))


@jit
def _roughly(pixels: Any, stretch: Any, offset: Any, lift: Any, out: Any, unsure: Any) -> None:
    """Levels by way of float32; unsure[at] where one lies within `NEAR` of a whole level."""
    zero, one, full = np.float32(0), np.float32(1), np.float32(255)
    tinted = offset > 0
    for at in range(unsure.size):
        red, green, blue = np.float32(pixels[3 * at]), np.float32(pixels[3 * at + 1]), np.float32(pixels[3 * at + 2])
        value = max(red, green, blue)
        depth = value - min(red, green, blue)
        saturation = min(max(depth / max(value, one) * stretch + offset, zero), one)
        bright = min(max(value + lift, zero), full)
        ratio = bright * saturation / max(depth, one)
        new_red, new_green = bright - (value - red) * ratio, bright - (value - green) * ratio
        new_blue = bright - (value - blue) * ratio
        low_red, low_green, low_blue = _cut(new_red - NEAR), _cut(new_green - NEAR), _cut(new_blue - NEAR)
        top_red, top_green, top_blue = _cut(new_red + NEAR), _cut(new_green + NEAR), _cut(new_blue + NEAR)
        near = (low_red != top_red) & (red != value)
        near |= (low_green != top_green) & (green != value)
        near |= (low_blue != top_blue) & (blue != value)
        unsure[at] = near | (tinted & (depth == 0))
        out[3 * at], out[3 * at + 1], out[3 * at + 2] = np.uint8(top_red), np.uint8(top_green), np.uint8(top_blue)


@jit
def _settle(pixels: Any, change: Any, units: Any, unsure: Any, work: Any, out: Any) -> None:
    """The unsure pixels exactly, side by side."""
    places, colours, levels = work
    count = 0
    eights = unsure.view(np.uint64)
    for group in range(eights.size):
        if eights[group]:
            for at in range(8 * group, 8 * group + 8):
                places[count] = 3 * at
                count += unsure[at]
    for k in range(count):
        at = places[k]
        for channel in range(3):
            colours[channel, k] = units[pixels[at + channel]]
    _exactly(colours[0, :count], colours[1, :count], colours[2, :count], change, levels)
    for k in range(count):
        at = places[k]
        for channel in range(3):
            out[at + channel] = np.uint8(levels[channel, k])


@jit
def _set_largest(pixels: Any, levels: Any, out: Any) -> None:
    """The largest channels of each pixel by their table."""
    for at in range(pixels.size // 3):
        red, green, blue = pixels[3 * at], pixels[3 * at + 1], pixels[3 * at + 2]
        old_red, old_green, old_blue = out[3 * at], out[3 * at + 1], out[3 * at + 2]
        value = max(red, green, blue)
        level = levels[value]
        out[3 * at] = level if red == value else old_red
        out[3 * at + 1] = level if green == value else old_green
        out[3 * at + 2] = level if blue == value else old_blue


@jit
def _through_hsv(pixels: Any, change: Any, units: Any, largest: Any, out: Any) -> None:
    stretch, offset, lift = np.float32(change[0]), np.float32(change[1]), np.float32(255 * change[2])
    whole = abs(255 * change[2] - np.rint(255 * change[2])) < NEAR and change[2] != 0
    unsure = np.empty(AT_ONCE, np.uint8)
    work = np.empty(AT_ONCE + 1, np.int64), np.empty((3, AT_ONCE)), np.empty((3, AT_ONCE), np.int32)
    for start in range(0, pixels.size, 3 * AT_ONCE):
        part, target = pixels[start : start + 3 * AT_ONCE], out[start : start + 3 * AT_ONCE]
        unsure[part.size // 3 :] = 0
        _roughly(part, stretch, offset, lift, target, unsure[: part.size // 3])
        if whole:
            _set_largest(part, largest, target)
        _settle(part, change, units, unsure, work, target)


def through_hsv(images: Bytes, units: NDArray[np.float64], stretch: float, offset: float, lift: float) -> Bytes:
    """uint8 (…, 3) with saturation S stretch + offset and value V + lift, both clipped to [0, 1], cut to 8 bits.

    `units` holds the 256 levels divided by 255. As published, a gray pixel has hue 0, and is red where S grows.
    """
    out = np.empty_like(images)
    largest = (np.clip(units + lift, 0, 1) * 255).astype(np.uint8)
    flat = np.ascontiguousarray(images).reshape(-1)
    _through_hsv(flat, (stretch, offset, lift), units, largest, out.reshape(-1))
    return out
