"""Resampling: the same pixels at other places. Separable, float32 in a fixed order, or Pillow's fixed point."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._jit import jit
from corruptions._kernels import Bytes, Doubles, Floats, Ints


@jit
def _mix(images: Any, rows: Any, row_weights: Any, columns: Any, column_weights: Any, out: Any) -> None:
    count, height, width, channels = out.shape
    half = np.empty((images.shape[1], width, channels), np.float32)
    for n in range(count):
        for y in range(images.shape[1]):
            for x in range(width):
                for channel in range(channels):
                    total = np.float32(0)
                    for k in range(columns.shape[2]):
                        total += column_weights[n, x, k] * images[n, y, columns[n, x, k], channel]
                    half[y, x, channel] = total
        for y in range(height):
            for x in range(width):
                for channel in range(channels):
                    total = np.float32(0)
                    for k in range(rows.shape[2]):
                        total += row_weights[n, y, k] * half[rows[n, y, k], x, channel]
                    out[n, y, x, channel] = total


def mix(images: Floats, rows: tuple[Ints, Floats], columns: tuple[Ints, Floats]) -> Floats:
    """Separable resampling with the places and weights of each image's rows (N, H, K) and columns (N, W, K)."""
    out = np.empty((len(images), rows[0].shape[1], columns[0].shape[1], images.shape[3]), np.float32)
    _mix(images, *rows, *columns, out)
    return out


def bilinear_places(size: int, start: Ints, stretch: Ints, step: float | None = None) -> tuple[Ints, Floats]:
    """Resample `stretch` pixels from `start` to `size` pixels, centres at halves: places and weights (N, size, 2).

    `step` is the distance of two new pixels in old ones, stretch / size unless told.
    """
    first, last = start[:, None].astype(np.float64), (start + stretch - 1)[:, None]
    steps = stretch[:, None] / size if step is None else step
    centres = np.clip((np.arange(size) + 0.5) * steps - 0.5 + first, first, last)
    low = np.floor(centres).astype(np.int64)
    share = (centres - low).astype(np.float32)
    places = np.stack([low, np.minimum(low + 1, last)], axis=-1)
    return places, np.stack([np.float32(1) - share, share], axis=-1)


def bicubic_places(size: int, factor: int, a: float = -0.75) -> tuple[Ints, Floats]:
    """Up-sample ceil(size / factor) pixels by `factor` with the cubic kernel of slope `a`: (1, size, 4) each."""
    small = -(-size // factor)
    centres = (np.arange(size) + 0.5) / factor - 0.5
    low = np.floor(centres)
    away = np.abs(centres[:, None] - (low[:, None] + np.arange(-1, 3)))
    near = ((a + 2) * away - (a + 3)) * away**2 + 1
    far = ((a * away - 5 * a) * away + 8 * a) * away - 4 * a
    weights = np.where(away <= 1, near, far).astype(np.float32)
    places = np.clip(low[:, None] + np.arange(-1, 3), 0, small - 1).astype(np.int64)
    return places[None], weights[None]


def repeat_places(places: tuple[Ints, Floats], count: int) -> tuple[Ints, Floats]:
    """The same places and weights for `count` images, as views."""
    where, weights = places
    shape = (count, *where.shape[1:])
    return np.broadcast_to(where, shape), np.broadcast_to(weights, shape)


@lru_cache(maxsize=64)
def box_places(old: int, new: int) -> tuple[Ints, Ints, Ints]:
    """Pillow's BOX filter from `old` to `new` pixels: first pixel, number of pixels, weight of each in 2^-22."""
    scale = old / new
    support = 0.5 * max(scale, 1.0)
    first, number, weight = [], [], []
    for at in range(new):
        centre = (at + 0.5) * scale
        low = max(int(centre - support + 0.5), 0)
        high = min(int(centre + support + 0.5), old)
        inside = [k for k in range(low, high) if -0.5 < (k - centre + 0.5) / max(scale, 1.0) <= 0.5]
        first.append(inside[0])
        number.append(len(inside))
        weight.append(int(0.5 + 2**22 / len(inside)))
    return np.array(first, np.int64), np.array(number, np.int64), np.array(weight, np.int64)


@jit
def _box_mean(sums: Any, number: Any, weight: Any) -> Any:
    """Pillow's mean of `number` values: one stays as it is, more are weighed and rounded in 22-bit fixed point."""
    return sums if number == 1 else min((np.int32(1 << 21) + weight * sums) >> np.int32(22), np.int32(255))


@jit
def _box_columns(row: Any, channels: Any, columns: Any, out: Any) -> None:
    first, number, weight = columns
    if channels == 3:
        for x in range(number.size):
            at, end = 3 * first[x], 3 * (first[x] + number[x])
            red, green, blue = np.int32(row[at]), np.int32(row[at + 1]), np.int32(row[at + 2])
            for k in range(at + 3, end, 3):
                red, green, blue = red + row[k], green + row[k + 1], blue + row[k + 2]
            out[3 * x] = _box_mean(red, number[x], weight[x])
            out[3 * x + 1] = _box_mean(green, number[x], weight[x])
            out[3 * x + 2] = _box_mean(blue, number[x], weight[x])
        return
    for x in range(number.size):
        for channel in range(channels):
            at = first[x] * channels + channel
            total = np.int32(row[at])
            for k in range(1, number[x]):
                total += row[at + k * channels]
            out[x * channels + channel] = _box_mean(total, number[x], weight[x])


@jit
def _repeat_columns(row: Any, channels: Any, first: Any, out: Any) -> None:
    if channels == 3:
        for x in range(first.size):
            at = 3 * first[x]
            out[3 * x], out[3 * x + 1], out[3 * x + 2] = row[at], row[at + 1], row[at + 2]
        return
    for x in range(first.size):
        for channel in range(channels):
            out[x * channels + channel] = row[first[x] * channels + channel]


@jit
def _box_row(rows: Any, number: Any, weight: Any, line: Any, out: Any) -> None:
    size = out.size
    if number == 1:
        for at in range(size):
            out[at] = rows[at]
        return
    line[:] = 0
    for k in range(number):
        row = rows[k * size : (k + 1) * size]
        for at in range(size):
            line[at] += row[at]
    for at in range(size):
        out[at] = _box_mean(line[at], number, weight)


@jit
def _box(images: Any, rows: Any, columns: Any, out: Any) -> None:
    count, old_height, old_width, channels = images.shape
    height, wide, size = out.shape[1], old_width * channels, out.shape[2] * channels
    first, number, weight = rows
    half, line = np.empty(old_height * size, np.uint8), np.empty(size, np.int32)
    repeated = columns[1].max() == 1
    for n in range(count):
        source, target = images[n].reshape(old_height * wide), out[n].reshape(height * size)
        for y in range(old_height):
            row, into = source[y * wide : (y + 1) * wide], half[y * size : (y + 1) * size]
            if repeated:
                _repeat_columns(row, channels, columns[0], into)
            else:
                _box_columns(row, channels, columns, into)
        for y in range(height):
            into = target[y * size : (y + 1) * size]
            _box_row(half[first[y] * size :], number[y], np.int32(weight[y]), line, into)


def box_resize(images: Bytes, height: int, width: int) -> Bytes:
    """Pillow's BOX resize of uint8 (N, H, W, C), its two 8-bit passes in 22-bit fixed point included."""
    count, old_height, old_width, channels = images.shape
    out = np.empty((count, height, width, channels), np.uint8)
    _box(images, box_places(old_height, height), box_places(old_width, width), out)
    return out


@lru_cache(maxsize=256)
def zoom_places(size: int, factor: float) -> tuple[int, Ints, Doubles]:
    """One axis of a zoom to the middle, as scipy.ndimage.zoom of order 1 and a trim to the middle do it.

    The middle ceil(size / factor) pixels, which start at the first number returned, become round(ceil(size / factor)
    factor) pixels with corners aligned, of which the middle `size` are kept: places within the part, and the share of
    the next place. All of it is in float64, as in SciPy.
    """
    part = math.ceil(size / factor)
    large = round(part * factor)
    kept = np.arange(size) + (large - size) // 2
    centres = kept * ((part - 1) / (large - 1) if large > 1 else 1.0)
    low = np.minimum(np.floor(centres).astype(np.int64), max(part - 2, 0))
    return (size - part) // 2, low, centres - low


@jit
def _add_zooms(images: Any, rows: Any, columns: Any, out: Any) -> None:
    tops, downs = rows
    lefts, keeps, takes = columns
    count, height, width, channels = images.shape
    wide, size = width * channels, out.shape[2] * channels
    line, total = np.zeros(wide + channels), np.empty(size, out.dtype)
    low, high = line[:wide], line[channels:]
    for n in range(count):
        flat, target = images[n].reshape(height * wide), out[n].reshape(out.shape[1] * size)
        for y in range(out.shape[1]):
            into = target[y * size : (y + 1) * size]
            for at in range(size):
                total[at] = into[at]
            for zoom in range(tops.shape[0]):
                top, down = tops[zoom, y], downs[zoom, y]
                bottom, up = min(top + 1, height - 1), 1 - down
                above, below = flat[top * wide : (top + 1) * wide], flat[bottom * wide : (bottom + 1) * wide]
                for at in range(wide):
                    low[at] = above[at] * up + below[at] * down
                left, keep, take = lefts[zoom], keeps[zoom], takes[zoom]
                for at in range(size):
                    total[at] += out.dtype.type(low[left[at]] * keep[at] + high[left[at]] * take[at])
            for at in range(size):
                into[at] = total[at]


@lru_cache(maxsize=64)
def _zoom_tables(
    shape: tuple[int, int, int], factors: tuple[float, ...], from_corner: bool
) -> tuple[tuple[Ints, Doubles], tuple[NDArray[np.uint32], Doubles, Doubles]]:
    """For each factor the upper rows and shares of the lower (Z, H); first values, their shares and the next's."""
    height, width, channels = shape
    rows = [zoom_places(height, factor) for factor in factors]
    columns = [zoom_places(width, factor) for factor in factors]
    tops = np.array([(0 if from_corner else first) + places for first, places, _ in rows])
    starts = np.array([(0 if from_corner else first) + places for first, places, _ in columns])
    lefts = (starts[..., None] * channels + np.arange(channels)).reshape(len(factors), -1)
    take = np.repeat(np.array([share for *_, share in columns]), channels, axis=1)
    return (tops, np.array([share for *_, share in rows])), (lefts.astype(np.uint32), 1 - take, take)


def add_zooms(
    images: NDArray[np.floating[Any]],
    factors: tuple[float, ...],
    out: NDArray[np.floating[Any]],
    *,
    from_corner: bool = False,
) -> None:
    """Add to `out` (N, H, W, C) the images zoomed to the middle by each of `factors`, in their order.

    Values are computed in float64 and added in the precision of `out`. With `from_corner` the images hold only the
    part that is enlarged, of one factor.
    """
    _add_zooms(images, *_zoom_tables(out.shape[1:], factors, from_corner), out)
