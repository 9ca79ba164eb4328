"""Loops that two or more corruptions share. Float32 in a fixed order: the same bits on every machine.

A border is a list of places, so every size from 1x1 up works: `edge` repeats the last pixel (a a | a b c), `mirror`
reflects about it (c b | a b c), `reflect` about its outer side (b a | a b c).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from corruptions._jit import jit

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Reals = TypeVar("Reals", NDArray[np.float32], NDArray[np.float64])

GRID = 2.0**20


def on_grid(weights: NDArray[np.float64], centre: int) -> Floats:
    """Weights scaled to sum 1, as multiples of 2^-20; the centre takes what rounding leaves over.

    Float32 holds each exactly, and the last bit of the machine's exp or sin cannot show.
    """
    rounded = np.rint(weights / weights.sum() * GRID)
    rounded[centre] += GRID - rounded.sum()
    return np.asarray(rounded / GRID, np.float32)


@lru_cache(maxsize=64)
def gaussian_taps(sigma: float, radius: int) -> Floats:
    """The 2 radius + 1 weights of a sampled Gaussian; sigma 0 is the identity."""
    spread = 2 * sigma**2
    if spread == 0:
        return np.asarray(np.arange(-radius, radius + 1) == 0, np.float32)
    weights = [math.exp(-(offset**2) / spread) for offset in range(-radius, radius + 1)]
    return on_grid(np.array(weights), radius)


@lru_cache(maxsize=64)
def line_taps(length: float, slope: tuple[float, float]) -> tuple[Ints, Floats]:
    """A line of `length` pixels through the centre along `slope` (dy, dx), spread on the pixel grid bilinearly.

    Returns offsets (K, 2) as (dy, dx) and K weights. Length 1 is the identity.
    """
    reach = length - 1
    steps = max(1, math.ceil(16 * reach))
    spread: dict[tuple[int, int], float] = {(0, 0): 0.0}
    for step in range(steps):
        along = ((step + 0.5) / steps - 0.5) * reach
        y, x = along * slope[0], along * slope[1]
        for row, column in _corners(y, x):
            share = (1 - abs(y - row)) * (1 - abs(x - column))
            spread[row, column] = spread.get((row, column), 0.0) + share
    offsets = sorted(spread)
    weights = on_grid(np.array([spread[offset] for offset in offsets]), offsets.index((0, 0)))
    kept = np.flatnonzero(weights)
    return np.array(offsets, np.int64)[kept], weights[kept]


def _corners(y: float, x: float) -> Iterable[tuple[int, int]]:
    top, left = math.floor(y), math.floor(x)
    return ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1))


@lru_cache(maxsize=256)
def border(size: int, reach: int, mode: str) -> Ints:
    """For the places -reach … size - 1 + reach of an axis, the place 0..size-1 that stands there."""
    places = np.arange(-reach, size + reach)
    if mode == "edge" or size == 1:
        return np.asarray(np.clip(places, 0, size - 1))
    if mode == "mirror":
        folded = np.abs(places) % (2 * size - 2)
        return np.asarray(np.minimum(folded, 2 * size - 2 - folded))
    folded = places % (2 * size)
    return np.asarray(np.minimum(folded, 2 * size - 1 - folded))


@jit
def pad_row(row: Any, channels: Any, columns: Any, out: Any) -> None:
    """out = the pixels of a row (W C) at `columns`, which go on for as many places on either side of 0..W-1."""
    reach = (columns.size * channels - row.size) // 2
    inner = out[reach : reach + row.size]
    for at in range(row.size):
        inner[at] = row[at]
    for side in range(2):
        first = side * (reach + row.size) // channels
        for place in range(first, first + reach // channels):
            for channel in range(channels):
                out[place * channels + channel] = row[columns[place] * channels + channel]


@jit
def repeat_row(row: Any, channels: Any, out: Any) -> None:
    """out[x C + c] = row[x]: a layer's row for every channel."""
    if channels == 1:
        for x in range(row.size):
            out[x] = row[x]
        return
    for x in range(row.size):
        value = row[x]
        out[3 * x], out[3 * x + 1], out[3 * x + 2] = value, value, value


@jit
def weighted_sum(weights: Any, source: Any, starts: Any, out: Any) -> None:
    """out[at] = the sum of weights[k] source[starts[k] + at], added up in the order of k, four at a time."""
    size = out.size
    for at in range(size):
        out[at] = 0
    k = 0
    while k + 4 <= weights.size:
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        s0, s1 = source[starts[k] : starts[k] + size], source[starts[k + 1] : starts[k + 1] + size]
        s2, s3 = source[starts[k + 2] : starts[k + 2] + size], source[starts[k + 3] : starts[k + 3] + size]
        for at in range(size):
            out[at] = (((out[at] + w0 * s0[at]) + w1 * s1[at]) + w2 * s2[at]) + w3 * s3[at]
        k += 4
    while k < weights.size:
        weight, shifted = weights[k], source[starts[k] : starts[k] + size]
        for at in range(size):
            out[at] += weight * shifted[at]
        k += 1


@jit
def _separable(images: Any, taps: Any, above: Any, beside: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    size = width * channels
    buffer = np.empty(beside.size * channels, np.float32)
    rows = np.empty(height * size, np.float32)
    steps, starts = np.arange(taps.size) * channels, np.empty(taps.size, np.int64)
    for n in range(count):
        source, target = images[n].reshape(height * size), out[n].reshape(height * size)
        for y in range(height):
            pad_row(source[y * size : (y + 1) * size], channels, beside, buffer)
            weighted_sum(taps, buffer, steps, rows[y * size : (y + 1) * size])
        for y in range(height):
            for k in range(taps.size):
                starts[k] = above[y + k] * size
            weighted_sum(taps, rows, starts, target[y * size : (y + 1) * size])


def separable(images: Floats, taps: Floats, mode: str = "edge") -> Floats:
    """Correlate (N, H, W, C) with `taps` along rows, then along columns."""
    out = np.empty_like(images)
    height, width = images.shape[1:3]
    reach = len(taps) // 2
    _separable(images, taps, border(height, reach, mode), border(width, reach, mode), out)
    return out


@jit
def _correlate(images: Any, offsets: Any, weights: Any, above: Any, beside: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    reach = (above.size - height) // 2
    size, wide = width * channels, beside.size * channels
    padded = np.empty(height * wide, images.dtype)
    starts = np.empty(weights.size, np.int64)
    for n in range(count):
        source, target = images[n].reshape(height * size), out[n].reshape(height * size)
        taps = offsets[n % offsets.shape[0]]
        for y in range(height):
            pad_row(source[y * size : (y + 1) * size], channels, beside, padded[y * wide : (y + 1) * wide])
        for y in range(height):
            for k in range(weights.size):
                starts[k] = above[y + reach + taps[k, 0]] * wide + (reach + taps[k, 1]) * channels
            weighted_sum(weights, padded, starts, target[y * size : (y + 1) * size])


def correlate(images: Reals, offsets: Ints, weights: Reals, mode: str = "edge") -> Reals:
    """The weighted sum of (N, H, W, C) shifted by offsets (dy, dx): (K, 2) for all images, or (N, K, 2).

    Images and weights have one precision, which is that of the sums.
    """
    out = np.empty_like(images)
    height, width = images.shape[1:3]
    reach = int(np.abs(offsets).max())
    taps = offsets if offsets.ndim == 3 else offsets[None]
    _correlate(images, taps, weights, border(height, reach, mode), border(width, reach, mode), out)
    return out


@lru_cache(maxsize=64)
def half_gaussian_taps(radius: float, sigma: float) -> Floats:
    """Weights of steps 0, 1, … along a line, exp(-i² / 2 sigma²), up to 2 ceil(radius); those below 2^-20 left out."""
    weights = np.array([math.exp(-(step**2) / (2 * sigma**2)) for step in range(2 * math.ceil(radius) + 1)])
    taps = on_grid(weights, 0)
    return taps[: int(np.flatnonzero(taps)[-1]) + 1]


@jit
def _in_quanta(flat: Any, out: Any) -> None:
    for at in range(flat.size):
        out[at] = np.rint(np.float64(flat[at]) * 65_535) / 65_535


def in_quanta(values: Floats) -> Doubles:
    """Values in [0, 1] to the nearest of ImageMagick's 16-bit quanta, of which 257 make a level of 8 bits."""
    out = np.empty(values.shape)
    _in_quanta(values.reshape(-1), out.reshape(-1))
    return out


def line_offsets(degrees: NDArray[np.float64], steps: int) -> Ints:
    """Offsets (N, steps, 2) as (dy, dx) of steps along a line per image: ceil(i sin - 1/2), ceil(i cos - 1/2)."""
    along = np.arange(steps)
    angle = np.deg2rad(degrees)[:, None]
    down, right = np.ceil(along * np.sin(angle) - 0.5), np.ceil(along * np.cos(angle) - 0.5)
    return np.stack([down, right], axis=-1).astype(np.int64)


FINE = 16


@lru_cache(maxsize=64)
def disc_taps(radius: float) -> tuple[Ints, Floats]:
    """Offsets (K, 2) and weights of a disc: of each pixel the share of 16 x 16 points that lie within `radius`."""
    reach = max(1, math.ceil(radius))
    fine = (np.arange(FINE) + 0.5) / FINE - 0.5
    points = np.arange(-reach, reach + 1)[:, None] + fine
    inside = (points.ravel() ** 2)[:, None] + points.ravel() ** 2 <= max(radius, 0.05) ** 2
    side = 2 * reach + 1
    shares = inside.reshape(side, FINE, side, FINE).sum(axis=(1, 3)).astype(np.float64)
    weights = on_grid(shares.ravel(), side * side // 2)
    kept = np.flatnonzero(weights)
    return np.stack([kept // side - reach, kept % side - reach], axis=-1), weights[kept]


def walk_kernels(turns: NDArray[np.float64], size: float) -> Floats:
    """Kernels (N, S, S) of walks of `size` unit steps in directions `turns` (N, ceil(size)), about their centres."""
    count, steps = turns.shape
    lengths = np.minimum(1.0, size - np.arange(steps))
    moves = np.stack([np.sin(turns), np.cos(turns)], axis=-1) * lengths[:, None]
    ends = np.cumsum(moves, axis=1)
    shares = (np.arange(FINE) + 0.5) / FINE
    points = ((ends - moves)[:, :, None] + moves[:, :, None] * shares[:, None]).reshape(count, -1, 2)
    weight = np.repeat(lengths, FINE) / FINE / size
    points = points - (points * weight[:, None]).sum(axis=1, keepdims=True)
    reach = math.ceil(size / 2) + 1
    low = np.floor(points).astype(np.int64)
    over = points - low
    kernels = np.zeros((count, 2 * reach + 1, 2 * reach + 1))
    image = np.arange(count)[:, None]
    for dy in range(2):
        for dx in range(2):
            share = np.abs(1 - dy - over[..., 0]) * np.abs(1 - dx - over[..., 1]) * weight
            np.add.at(kernels, (image, low[..., 0] + dy + reach, low[..., 1] + dx + reach), share)
    rounded = np.rint(kernels * GRID)
    rounded[:, reach, reach] += GRID - rounded.sum(axis=(1, 2))
    return np.asarray(rounded / GRID, np.float32)
