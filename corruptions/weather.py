"""Weather: fog, snow, frost on the pane, drops on the lens, and the light of the day."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corruptions._contract import Textures, corruption
from corruptions._core import UNITS, quantise, to_unit
from corruptions._drops import water
from corruptions._gaussian import smooth_exactly
from corruptions._hsv import through_hsv
from corruptions._jit import jit
from corruptions._kernels import (
    Bytes,
    Doubles,
    Floats,
    correlate,
    half_gaussian_taps,
    in_quanta,
    line_offsets,
    repeat_row,
)
from corruptions._panes import FROST_SCALES, given_panes, own_panes
from corruptions._plasma import plasma
from corruptions._resample import add_zooms
from corruptions._sources import CUT, HENDRYCKS
from corruptions._streams import Draws
from corruptions._strength import Level


@corruption(
    "weather",
    version=2,
    takes="uint8",
    rounding="down",
    near_identity=CUT,
    not_identity="the round trip through HSV is cut to 8 bits as published",
    level=Level("delta", "added to V, of the range [0, 1]", -1.0, 1.0, (0.1, 0.2, 0.3, 0.4, 0.5), identity=0.0),
    severities={
        32: (0.05, 0.1, 0.15, 0.2, 0.3),
        64: (0.1, 0.2, 0.3, 0.4, 0.5),
        224: (0.1, 0.2, 0.3, 0.4, 0.5),
    },
    gray="x + delta",
    source=HENDRYCKS,
)
def brightness(images: Bytes, delta: float) -> Bytes:
    """Brighter: V of HSV plus delta, clipped to [0, 1], hue and saturation kept.

    As published: the round trip through HSV is cut to 8 bits, which alone takes a level off a fifth of all values. The
    pixels are those of the published file, bit for bit.
    """
    if images.shape[-1] == 1:
        return quantise(UNITS + float(delta), "down")[images]
    return through_hsv(images, UNITS, 1.0, 0.0, float(delta))


@corruption(
    "weather",
    version=2,
    takes="double",
    rounding="down",
    severities={
        32: ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        64: ((0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)),
        224: ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    },
    source=HENDRYCKS,
)
def fog(images: Doubles, row: tuple[float, float], draws: Draws) -> Doubles:
    """Fog: (x + c M) max / (max + c), M a drawn cloud map from 0 to 1, max the image's largest value.

    A row is (c, decay); a smaller decay makes finer clouds. M is the top left part of a map whose sides are the next
    powers of two, 32 at 32 pixels and 256 at 224, as published. As published, values are cut to 8 bits.
    """
    amount, decay = row
    height, width = images.shape[1:3]
    clouds = plasma(draws, height, width, decay)
    _fog_over(images, clouds, float(amount), images.max(axis=(1, 2, 3)))
    return images


@jit
def _fog_over(images: Any, clouds: Any, amount: Any, largest: Any) -> None:
    count, height, width, channels = images.shape
    size = width * channels
    cloud = np.empty(size, np.float32)
    for n in range(count):
        values = images[n].reshape(height * size)
        most, whole = largest[n], largest[n] + amount
        for y in range(height):
            repeat_row(clouds[n, y][:width], channels, cloud)
            row = values[y * size : (y + 1) * size]
            for at in range(size):
                row[at] = (row[at] + amount * np.float64(cloud[at])) * most / whole


@corruption(
    "weather",
    version=2,
    rounding="down",
    severities={
        32: (
            *((0.1, 0.2, 1, 0.6, 8, 3, 0.95), (0.1, 0.2, 1, 0.5, 10, 4, 0.9)),
            *((0.15, 0.3, 1.75, 0.55, 10, 4, 0.9), (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85)),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
        64: (
            *((0.1, 0.2, 1, 0.6, 8, 3, 0.8), (0.1, 0.2, 1, 0.5, 10, 4, 0.8)),
            *((0.15, 0.3, 1.75, 0.55, 10, 4, 0.7), (0.25, 0.3, 2.25, 0.6, 12, 6, 0.65)),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
        ),
        224: (
            *((0.1, 0.3, 3, 0.5, 10, 4, 0.8), (0.2, 0.3, 2, 0.5, 12, 4, 0.7)),
            *((0.55, 0.3, 4, 0.9, 12, 8, 0.7), (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65)),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
    },
    not_monotone="the published rows trade the number of flakes against their size and streaks",
    source=HENDRYCKS,
)
def snow(images: Floats, row: tuple[float, ...], draws: Draws) -> Doubles:
    """Snow: flakes of thresholded noise, enlarged, streaked at 45 to 135 degrees, over a whitened picture.

    A row is (mean and sigma of the noise, zoom, threshold, radius and sigma of the streak, share of the picture that is
    not whitened). As published: the layer is added twice, once turned by 180 degrees, and cut to 8 bits before it is
    streaked, after it, as ImageMagick does, and at the end.
    """
    mean, sigma, zoom, threshold, radius, spread, mix = row
    height, width = images.shape[1:3]
    noise = mean + sigma * draws.normals("flakes", math.ceil(height / zoom), math.ceil(width / zoom)).astype(np.float64)
    flakes = np.zeros((len(images), height, width, 1))
    add_zooms(noise, (float(zoom),), flakes, from_corner=True)
    flakes[flakes < threshold] = 0
    taps = half_gaussian_taps(radius, spread)
    offsets = line_offsets(draws.uniform("angle", -135, -45), len(taps))
    layer = quantise(in_quanta(correlate(to_unit(quantise(flakes, "down")), offsets, taps)), "down")
    out = np.empty(images.shape)
    _snow_over(images, layer[..., 0], np.float32(mix), np.float32(1 - mix), out)
    return out


@jit
def _whitened(row: Any, channels: Any, out: Any) -> None:
    """1.5 gray + 0.5 of each pixel of a row, for every channel."""
    if channels == 1:
        for x in range(row.size):
            out[x] = np.float32(1.5) * row[x] + np.float32(0.5)
        return
    for x in range(row.size // 3):
        red, green, blue = row[3 * x], row[3 * x + 1], row[3 * x + 2]
        gray = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
        white = np.float32(1.5) * gray + np.float32(0.5)
        out[3 * x], out[3 * x + 1], out[3 * x + 2] = white, white, white


@jit
def _snow_over(images: Any, layer: Any, mix: Any, rest: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    size = width * channels
    white, first, second = np.empty(size, np.float32), np.empty(size), np.empty(size)
    unit, turned_unit = np.empty(width), np.empty(width)
    for n in range(count):
        source, target = images[n].reshape(height * size), out[n].reshape(height * size)
        for y in range(height):
            flakes, turned = layer[n, y], layer[n, height - 1 - y]
            for x in range(width):
                unit[x], turned_unit[x] = flakes[x] / 255.0, turned[width - 1 - x] / 255.0
            repeat_row(unit, channels, first)
            repeat_row(turned_unit, channels, second)
            row, into = source[y * size : (y + 1) * size], target[y * size : (y + 1) * size]
            _whitened(row, channels, white)
            for at in range(size):
                into[at] = np.float64(mix * row[at] + rest * max(row[at], white[at])) + first[at] + second[at]


@corruption(
    "weather",
    version=3,
    takes="uint8",
    rounding="down",
    severities={
        32: ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
        64: ((1, 0.3), (0.9, 0.4), (0.8, 0.45), (0.75, 0.5), (0.7, 0.55)),
        224: ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
    },
    not_monotone="the published rows dim the picture as they add frost, which brings their sum back towards it",
    gray="with the luminance of the texture",
    source=HENDRYCKS,
)
def frost(
    images: Bytes, row: tuple[float, float], draws: Draws, severity_table: int, textures: Textures | None = None
) -> Bytes:
    """Frost on the pane: share · x + share · texture, of a drawn texture the part at a drawn place.

    A row is (share of the picture, share of the texture). Textures are scaled by 0.2 at 32 pixels, 0.3 at 64 and 1 at
    224, bilinearly and without antialiasing, as published. They are this package's own five; `textures` takes others,
    uint8 (h, w, 3), such as the six photographs of the published generator.
    The first five textures can be drawn, and every place but the last row and the last column, as published. Where
    there is one place, it is drawn. The sum is clipped and cut to whole levels, as published.
    """
    height, width, channels = images.shape[1:]
    scale = FROST_SCALES.get(severity_table, 1.0)
    panes = given_panes(textures, scale, height, width) if textures else own_panes(scale, height, width)
    chosen = draws.integers("texture", 0, len(panes))
    room = np.array([pane.shape[:2] for pane in panes])[chosen]
    none = np.zeros(len(images), np.int64)
    top = draws.integers("row", none, np.maximum(room[:, 0] - height, 1))
    left = draws.integers("column", none, np.maximum(room[:, 1] - width, 1))
    out = np.empty_like(images)
    for number, pane in enumerate(panes):
        rows = np.flatnonzero(chosen == number)
        layer = (
            pane if channels == 3 else ((pane @ np.array([299, 587, 114]) + 500) // 1000)[..., None].astype(np.uint8)
        )
        _frost_over(images, layer, rows, top, left, np.array(row, np.float64), out)
    return out


@jit
def _frost_over(images: Any, pane: Any, rows: Any, top: Any, left: Any, shares: Any, out: Any) -> None:
    height, width, channels = images.shape[1:]
    size, wide = width * channels, pane.shape[1] * channels
    picture, ice = shares
    texture = pane.reshape(pane.size)
    for n in rows:
        source, target = images[n].reshape(height * size), out[n].reshape(height * size)
        for y in range(height):
            start = (top[n] + y) * wide + left[n] * channels
            row, into, cold = source[y * size : (y + 1) * size], target[y * size : (y + 1) * size], texture[start:]
            for at in range(size):
                into[at] = np.uint8(np.int32(min(picture * row[at] + ice * cold[at], 255.0)))


WATER = np.array((175, 238, 238), np.float32) / np.float32(255)
MUD = np.array((63, 42, 20), np.float32) / np.float32(255)
LUMINANCE = np.array((0.299, 0.587, 0.114), np.float32)


@corruption(
    "weather",
    version=2,
    rounding="down",
    severities={
        32: (
            *((0.62, 0.1, 0.7, 0.7, 0.5, 0), (0.65, 0.1, 0.8, 0.7, 0.5, 0), (0.65, 0.3, 1, 0.69, 0.5, 0)),
            *((0.65, 0.1, 0.7, 0.69, 0.6, 1), (0.65, 0.1, 0.5, 0.68, 0.6, 1)),
        ),
        64: (
            *((0.62, 0.1, 0.7, 0.7, 0.6, 0), (0.65, 0.1, 0.8, 0.7, 0.6, 0), (0.65, 0.3, 1, 0.69, 0.6, 0)),
            *((0.65, 0.1, 0.7, 0.68, 0.6, 1), (0.65, 0.1, 0.5, 0.67, 0.6, 1)),
        ),
        224: (
            *((0.65, 0.3, 4, 0.69, 0.6, 0), (0.65, 0.3, 3, 0.68, 0.6, 0), (0.65, 0.3, 2, 0.68, 0.5, 0)),
            *((0.65, 0.3, 1, 0.65, 1.5, 1), (0.67, 0.4, 1, 0.65, 1.5, 1)),
        ),
    },
    not_monotone="severities 1 to 3 are water, 4 and 5 are mud",
    gray="with the luminance of water or mud",
    source=HENDRYCKS,
)
def spatter(images: Floats, row: tuple[float, ...], draws: Draws) -> Floats:
    """Spatter on the lens: bright water drops at severity 1 to 3, opaque brown mud at 4 and 5.

    A row is (mean, sigma and smoothing of the drawn layer, threshold, light of the water or smoothing of the mud, 0 for
    water and 1 for mud). As published: water is lit by the distance to the drops' edges, cut to whole pixels, the layer
    and the result are cut to 8 bits, and a layer of more than 255 levels wraps around.
    Where no drop lies the picture stays as it is; the published code divides zero by zero there.
    """
    mean, sigma, smoothing, threshold, amount, mud = row
    height, width = images.shape[1:3]
    layer = mean + sigma * draws.normals("liquid", height, width).astype(np.float64)
    smooth_exactly(layer, smoothing)
    layer[layer < threshold] = 0
    if mud:
        whole = (layer > threshold).astype(np.float64)
        smooth_exactly(whole, amount)
        cover = whole.astype(np.float32)
        cover[cover < np.float32(0.8)] = 0
        return _splashed(images, 1 - cover, cover, MUD)
    liquid = ((layer[..., 0] * 255).astype(np.int64) & 255).astype(np.uint8)
    light = water(liquid)[..., None] * np.float32(amount)
    return _splashed(images, np.ones_like(light), light, WATER)


def _splashed(images: Floats, kept: Floats, added: Floats, colour: Floats) -> Floats:
    """images · kept + added · colour, of layers (N, H, W, 1)."""
    out = np.empty_like(images)
    tones = np.tile(_tone(colour, images.shape[3]), images.shape[2])
    _splash(images, kept[..., 0], added[..., 0], tones, out)
    return out


@jit
def _splash(images: Any, kept: Any, added: Any, tones: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    size = width * channels
    keep, add = np.empty(size, np.float32), np.empty(size, np.float32)
    for n in range(count):
        source, target = images[n].reshape(height * size), out[n].reshape(height * size)
        for y in range(height):
            repeat_row(kept[n, y], channels, keep)
            repeat_row(added[n, y], channels, add)
            row, into = source[y * size : (y + 1) * size], target[y * size : (y + 1) * size]
            for at in range(size):
                into[at] = row[at] * keep[at] + add[at] * tones[at]


def _tone(colour: Floats, channels: int) -> Floats:
    """A colour, or its luminance for gray images."""
    return colour if channels == 3 else np.sum(colour * LUMINANCE, keepdims=True, dtype=np.float32)
