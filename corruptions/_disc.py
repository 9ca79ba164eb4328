"""The mean over a smoothed disc of whole pixels, as the published generator's kernel weighs it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._jit import jit
from corruptions._kernels import Bytes, Doubles, Floats, Ints, border, correlate, pad_row

FEW = 32


def smoothing(alias: float, reach: int) -> Floats:
    """The 2 reach + 1 weights that smooth the disc, float32."""
    weights = np.array([math.exp(-(step**2) / (2 * alias**2)) for step in range(-reach, reach + 1)])
    return np.asarray(weights / weights.sum(), np.float32)


def smoothed(kernel: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """A kernel filtered along both axes in its own precision, mirrored at its edges."""
    reach = len(weights) // 2
    for _ in range(2):
        size = kernel.shape[0]
        padded = np.pad(kernel, ((reach, reach), (0, 0)), mode="reflect")
        total = padded[reach : reach + size] * weights[reach]
        for step in range(1, reach + 1):
            pair = padded[reach - step : reach - step + size] + padded[reach + step : reach + step + size]
            total = total + pair * weights[reach + step]
        kernel = total.T
    return kernel


def inside(radius: float, reach: int) -> NDArray[np.bool_]:
    """The pixels of a square of 2 reach + 1 that lie within the radius of its centre."""
    axis = np.arange(-reach, reach + 1)
    return np.asarray(axis[:, None] ** 2 + axis**2 <= radius**2)


def alias_reach(radius: float) -> int:
    """The smoothing reaches one pixel, above radius 8 two."""
    return 2 if radius > 8 else 1


@lru_cache(maxsize=64)
def published_kernel(radius: float, alias: float) -> Floats:
    """The kernel on its published array of 17 x 17, above radius 8 of 2 radius + 1, in float32.

    At radius 8 and 10 the disc touches the array's edge, about which the smoothing mirrors: its sum is 1.013 and 1.011.
    """
    disc = inside(radius, 8 if radius <= 8 else int(radius)).astype(np.float32)
    return smoothed(disc / np.float32(disc.sum()), smoothing(alias, alias_reach(radius)))


def taps(kernel: NDArray[Any], least: float) -> tuple[Ints, Doubles]:
    """Offsets (K, 2) and weights of a kernel's pixels that weigh more than `least`."""
    rows, columns = np.nonzero(np.abs(kernel) > least)
    offsets = np.stack([rows, columns], axis=-1) - kernel.shape[0] // 2
    return offsets.astype(np.int64), kernel[rows, columns].astype(np.float64)


@lru_cache(maxsize=64)
def _difference(radius: float, alias: float) -> tuple[Ints, Doubles, float]:
    """What the published kernel has beside the smoothed disc, as taps, and the factor that gives the rest its sum."""
    reach, whole = alias_reach(radius), int(radius) + 2
    disc = inside(radius, whole).astype(np.float64)
    free = smoothed(disc / disc.sum(), smoothing(alias, reach).astype(np.float64))
    published = published_kernel(radius, alias).astype(np.float64)
    total, cut = published.sum(), (len(published) - len(free)) // 2
    if cut > 0:
        published = published[cut:-cut, cut:-cut]
    elif cut < 0:
        published = np.pad(published, -cut)
    offsets, weights = taps(published - free, 1e-6)
    return offsets, weights, float((total - weights.sum()) / free.sum())


@jit
def _add_differences(sums: Any, lows: Any, highs: Any, line: Any) -> None:
    """line[at] = the sum of sums[highs[k] + at] - sums[lows[k] + at], three k at a time."""
    size = line.size
    line[:] = 0
    k = 0
    while k + 3 <= lows.size:
        l0, h0 = sums[lows[k] : lows[k] + size], sums[highs[k] : highs[k] + size]
        l1, h1 = sums[lows[k + 1] : lows[k + 1] + size], sums[highs[k + 1] : highs[k + 1] + size]
        l2, h2 = sums[lows[k + 2] : lows[k + 2] + size], sums[highs[k + 2] : highs[k + 2] + size]
        for at in range(size):
            line[at] += (h0[at] - l0[at]) + (h1[at] - l1[at]) + (h2[at] - l2[at])
        k += 3
    while k < lows.size:
        low, high = sums[lows[k] : lows[k] + size], sums[highs[k] : highs[k] + size]
        for at in range(size):
            line[at] += high[at] - low[at]
        k += 1


@jit
def _runs(images: Any, reaches: Any, above: Any, beside: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    reach, size, wide = reaches.size // 2, width * channels, (beside.size + 1) * channels
    padded, sums = np.empty(beside.size * channels, np.uint8), np.zeros(height * wide, np.int32)
    line = np.empty(size, np.int32)
    lows, highs = np.empty(reaches.size, np.int64), np.empty(reaches.size, np.int64)
    area = np.sum(2 * reaches + 1) * 255.0
    for n in range(count):
        source, target = images[n].reshape(height * size), out[n].reshape(height * size)
        for y in range(height):
            pad_row(source[y * size : (y + 1) * size], channels, beside, padded)
            so_far = sums[y * wide : (y + 1) * wide]
            for at in range(padded.size):
                so_far[at + channels] = so_far[at] + padded[at]
        for y in range(height):
            for k in range(reaches.size):
                lows[k] = above[y + k] * wide + (reach - reaches[k]) * channels
                highs[k] = lows[k] + (2 * reaches[k] + 1) * channels
            _add_differences(sums, lows, highs, line)
            into = target[y * size : (y + 1) * size]
            for at in range(size):
                into[at] = line[at] / area


def disc_mean(images: Bytes, radius: float, mode: str = "mirror") -> Doubles:
    """The mean of uint8 images over the pixels (dx, dy) with dx² + dy² <= radius², in [0, 1]; sums are exact."""
    reach = int(radius)
    reaches = np.array([math.isqrt(math.floor(radius**2) - dy**2) for dy in range(-reach, reach + 1)], np.int64)
    height, width = images.shape[1:3]
    out = np.empty(images.shape)
    _runs(images, reaches, border(height, reach, mode), border(width, reach, mode), out)
    return out


def disc_blur_as_published(images: Bytes, units: Doubles, radius: float, alias: float) -> Doubles:
    """Images filtered with the published kernel, mirrored at their edges, in [0, 1].

    A kernel of few pixels is applied as it is. A large one is an exact mean over the disc, then smoothed, then mended
    where the published kernel differs from that.
    """
    offsets, weights = taps(published_kernel(radius, alias), 1e-12)
    if len(weights) <= FEW:
        return correlate(units, offsets, weights, "mirror")
    offsets, weights, scale = _difference(radius, alias)
    along = smoothing(alias, alias_reach(radius)).astype(np.float64)
    steps = np.arange(len(along), dtype=np.int64) - len(along) // 2
    still = np.zeros_like(steps)
    result = disc_mean(images, radius)
    for shifts in (np.stack([still, steps], axis=-1), np.stack([steps, still], axis=-1)):
        result = correlate(result, shifts, along, "mirror")
    result *= scale
    return result + correlate(units, offsets, weights, "mirror") if len(weights) else result
