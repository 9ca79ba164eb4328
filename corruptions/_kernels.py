"""Loops that two or more corruptions share. Float32 in a fixed order: the same bits on every machine.

Borders repeat the edge pixel, so every size from 1x1 up works.
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


@jit
def _pad_row(image: Any, row: Any, reach: Any, buffer: Any) -> None:
    width, channels = image.shape[1:]
    for at in range(width + 2 * reach):
        column = min(max(at - reach, 0), width - 1)
        for channel in range(channels):
            buffer[at * channels + channel] = image[row, column, channel]


@jit
def _separable(images: Any, taps: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    reach = taps.size // 2
    buffer = np.empty((width + 2 * reach) * channels, np.float32)
    rows = np.empty((height, width * channels), np.float32)
    line = np.empty(width * channels, np.float32)
    for n in range(count):
        for y in range(height):
            _pad_row(images[n], y, reach, buffer)
            rows[y] = np.float32(0)
            for k in range(taps.size):
                for at in range(width * channels):
                    rows[y, at] += taps[k] * buffer[at + k * channels]
        for y in range(height):
            line[:] = np.float32(0)
            for k in range(taps.size):
                source = rows[min(max(y + k - reach, 0), height - 1)]
                for at in range(width * channels):
                    line[at] += taps[k] * source[at]
            out[n, y] = line.reshape(width, channels)


def separable(images: Floats, taps: Floats) -> Floats:
    """Correlate (N, H, W, C) with `taps` along rows, then along columns."""
    out = np.empty_like(images)
    _separable(images, taps, out)
    return out


@jit
def _correlate(images: Any, offsets: Any, weights: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    reach = np.abs(offsets).max()
    padded = np.empty((height, (width + 2 * reach) * channels), np.float32)
    line = np.empty(width * channels, np.float32)
    for n in range(count):
        for y in range(height):
            _pad_row(images[n], y, reach, padded[y])
        for y in range(height):
            line[:] = np.float32(0)
            for k in range(weights.size):
                source = padded[min(max(y + offsets[k, 0], 0), height - 1)]
                start = (reach + offsets[k, 1]) * channels
                for at in range(width * channels):
                    line[at] += weights[k] * source[start + at]
            out[n, y] = line.reshape(width, channels)


def correlate(images: Floats, offsets: Ints, weights: Floats) -> Floats:
    """The weighted sum of (N, H, W, C) shifted by `offsets` (K, 2), each (dy, dx)."""
    out = np.empty_like(images)
    _correlate(images, offsets, weights, out)
    return out
