"""Loops that two or more corruptions share. Float32 in a fixed order: the same bits on every machine.

A border is a list of places, so every size from 1x1 up works: `edge` repeats the last pixel (a a | a b c), `mirror`
reflects about it (c b | a b c), `reflect` about its outer side (b a | a b c).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._jit import jit

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]

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
    if sigma == 0:
        return np.asarray(np.arange(-radius, radius + 1) == 0, np.float32)
    weights = [math.exp(-(offset**2) / (2 * sigma**2)) for offset in range(-radius, radius + 1)]
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
def _pad_row(image: Any, row: Any, columns: Any, buffer: Any) -> None:
    channels = image.shape[2]
    for at in range(columns.size):
        for channel in range(channels):
            buffer[at * channels + channel] = image[row, columns[at], channel]


@jit
def _separable(images: Any, taps: Any, above: Any, beside: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    buffer = np.empty(beside.size * channels, np.float32)
    rows = np.empty((height, width * channels), np.float32)
    line = np.empty(width * channels, np.float32)
    for n in range(count):
        for y in range(height):
            _pad_row(images[n], y, beside, buffer)
            rows[y] = np.float32(0)
            for k in range(taps.size):
                for at in range(width * channels):
                    rows[y, at] += taps[k] * buffer[at + k * channels]
        for y in range(height):
            line[:] = np.float32(0)
            for k in range(taps.size):
                source = rows[above[y + k]]
                for at in range(width * channels):
                    line[at] += taps[k] * source[at]
            out[n, y] = line.reshape(width, channels)


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
    padded = np.empty((height, beside.size * channels), np.float32)
    line = np.empty(width * channels, np.float32)
    for n in range(count):
        taps = offsets[n % offsets.shape[0]]
        for y in range(height):
            _pad_row(images[n], y, beside, padded[y])
        for y in range(height):
            line[:] = np.float32(0)
            for k in range(weights.size):
                source = padded[above[y + reach + taps[k, 0]]]
                start = (reach + taps[k, 1]) * channels
                for at in range(width * channels):
                    line[at] += weights[k] * source[start + at]
            out[n, y] = line.reshape(width, channels)


def correlate(images: Floats, offsets: Ints, weights: Floats, mode: str = "edge") -> Floats:
    """The weighted sum of (N, H, W, C) shifted by offsets (dy, dx): (K, 2) for all images, or (N, K, 2)."""
    out = np.empty_like(images)
    height, width = images.shape[1:3]
    reach = int(np.abs(offsets).max())
    taps = offsets if offsets.ndim == 3 else offsets[None]
    _correlate(images, taps, weights, border(height, reach, mode), border(width, reach, mode), out)
    return out


@jit
def _runs(images: Any, reaches: Any, above: Any, beside: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    reach = reaches.size // 2
    sums = np.empty((height, (beside.size + 1) * channels), np.int32)
    line = np.empty(width * channels, np.int32)
    area = np.float32(np.sum(2 * reaches + 1)) * np.float32(255)
    for n in range(count):
        for y in range(height):
            sums[y, :channels] = 0
            for at in range(beside.size):
                for channel in range(channels):
                    before = sums[y, at * channels + channel]
                    sums[y, (at + 1) * channels + channel] = before + images[n, y, beside[at], channel]
        for y in range(height):
            line[:] = 0
            for k in range(reaches.size):
                source = sums[above[y + k]]
                low = (reach - reaches[k]) * channels
                high = (reach + reaches[k] + 1) * channels
                for at in range(width * channels):
                    line[at] += source[high + at] - source[low + at]
            for x in range(width):
                for channel in range(channels):
                    out[n, y, x, channel] = np.float32(line[x * channels + channel]) / area


def disc_mean(images: Bytes, radius: float, mode: str = "mirror") -> Floats:
    """The mean of uint8 images over the pixels (dx, dy) with dx² + dy² <= radius², in [0, 1]; sums are exact."""
    reach = int(radius)
    reaches = np.array([math.isqrt(math.floor(radius**2) - dy**2) for dy in range(-reach, reach + 1)], np.int64)
    height, width = images.shape[1:3]
    out = np.empty(images.shape, np.float32)
    _runs(images, reaches, border(height, reach, mode), border(width, reach, mode), out)
    return out


@lru_cache(maxsize=64)
def half_gaussian_taps(radius: float, sigma: float) -> Floats:
    """Weights of steps 0, 1, … along a line, exp(-i² / 2 sigma²), up to 2 ceil(radius); those below 2^-20 left out."""
    weights = np.array([math.exp(-(step**2) / (2 * sigma**2)) for step in range(2 * math.ceil(radius) + 1)])
    taps = on_grid(weights, 0)
    return taps[: int(np.flatnonzero(taps)[-1]) + 1]


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
