"""Moving pixels by drawn displacements."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._errors import CorruptionError
from corruptions._jit import jit
from corruptions._kernels import Floats, Ints, border, on_grid

MOST_SMOOTHED = 8192
"""Pixels of an axis; its matrix takes 12 bytes for each pair of them while it is made, and is kept."""


@lru_cache(maxsize=64)
def smoothing(size: int, sigma: float, truncate: float) -> tuple[Floats, Ints]:
    """A Gaussian filter of an axis as a matrix (size, size), the axis reflected at its ends, and where its rows lie."""
    if size > MOST_SMOOTHED:
        raise CorruptionError(f"an elastic field has sides of at most {MOST_SMOOTHED} pixels, got {size}")
    reach = int(truncate * sigma + 0.5)
    taps = np.array([math.exp(-(offset**2) / (2 * sigma**2)) for offset in range(-reach, reach + 1)])
    taps = on_grid(taps, reach).astype(np.float64)
    places = border(size, reach, "reflect")
    matrix = np.zeros((size, size))
    for place in range(size):
        np.add.at(matrix[place], places[place : place + 2 * reach + 1], taps)
    return matrix.astype(np.float32), filled_ends(matrix)


def filled_ends(matrix: NDArray[np.floating[Any]]) -> Ints:
    """Of each row the first entry that is not zero, and the one after the last (size, 2)."""
    filled = matrix > 0
    ends = [filled.argmax(axis=1), matrix.shape[1] - filled[:, ::-1].argmax(axis=1)]
    return np.stack(ends, axis=-1).astype(np.int64)


@jit
def _add_rows(weights: Any, rows: Any, first: Any, last: Any, out: Any) -> None:
    """out += weights[k] rows[k] for k from first to last - 1, in that order, four at a time."""
    k = first
    while k + 4 <= last:
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        r0, r1, r2, r3 = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        for x in range(out.size):
            out[x] = (((out[x] + w0 * r0[x]) + w1 * r1[x]) + w2 * r2[x]) + w3 * r3[x]
        k += 4
    while k < last:
        weight, row = weights[k], rows[k]
        for x in range(out.size):
            out[x] += weight * row[x]
        k += 1


@jit
def _smooth_across(rows: Any, weights: Any, ends: Any, out: Any) -> None:
    """out[x, y] = the sum of weights[y, k] rows[k, x]: rows (H, W) smoothed along H and transposed, out (W, H)."""
    line = np.empty(rows.shape[1], np.float32)
    for y in range(rows.shape[0]):
        line[:] = np.float32(0)
        _add_rows(weights[y], rows, ends[y, 0], ends[y, 1], line)
        for x in range(line.size):
            out[x, y] = line[x]


@jit
def _smooth(fields: Any, down: Any, down_ends: Any, across: Any, across_ends: Any) -> None:
    turned = np.empty((fields.shape[2], fields.shape[1]), np.float32)
    for n in range(fields.shape[0]):
        _smooth_across(fields[n], down, down_ends, turned)
        _smooth_across(turned, across, across_ends, fields[n])


def smooth(fields: Floats, sigma: float, truncate: float = 3.0) -> None:
    """A Gaussian filter of fields (N, H, W) in place, cut off at `truncate` sigma, reflected at the borders."""
    height, width = fields.shape[1:]
    _smooth(fields, *smoothing(height, sigma, truncate), *smoothing(width, sigma, truncate))


def affine_maps(centre: tuple[float, float], arm: float, moves: NDArray[np.float64]) -> NDArray[np.float64]:
    """From output to input (x, y, 1): maps (N, 2, 3) that undo the motion of three points around `centre`.

    The points (x, y) are the centre plus (arm, arm), (arm, -arm) and (-arm, -arm); moves (N, 3, 2) are added to them.
    Points that a motion lays on one line, or an arm of 0 on one place, have no map; such an image stays as it is.
    """
    x, y = centre
    points = np.array([(x + arm, y + arm), (x + arm, y - arm), (x - arm, y - arm)], np.float64)
    moved = points + moves
    first, second = moved[:, 1] - moved[:, 0], moved[:, 2] - moved[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    flat = (area == 0) | (arm == 0)
    area = np.where(flat, 1.0, area)
    maps = np.empty((len(moves), 2, 3))
    for axis in range(2):
        one, two = points[1, axis] - points[0, axis], points[2, axis] - points[0, axis]
        maps[:, axis, 0] = (one * second[:, 1] - two * first[:, 1]) / area
        maps[:, axis, 1] = (two * first[:, 0] - one * second[:, 0]) / area
        maps[:, axis, 2] = points[0, axis] - maps[:, axis, 0] * moved[:, 0, 0] - maps[:, axis, 1] * moved[:, 0, 1]
    maps[flat] = np.eye(2, 3)
    return maps


@jit
def _mirror(place: Any, size: Any) -> Any:
    """The place 0..size-1 for any whole number, mirrored about the first and the last place."""
    if 0 <= place < size:
        return place
    if size == 1:
        return 0
    folded = abs(place) % (2 * size - 2)
    return min(folded, 2 * size - 2 - folded)


@jit
def _reflect(place: Any, size: Any) -> Any:
    """The place 0..size-1 for any whole number, reflected about the outer sides."""
    if 0 <= place < size:
        return place
    folded = place % (2 * size)
    return min(folded, 2 * size - 1 - folded)


@jit
def _affine(images: Any, maps: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    size = width * channels
    for n in range(count):
        flat, target = images[n].reshape(height * size), out[n].reshape(height * size)
        for y in range(height):
            for x in range(width):
                from_x = maps[n, 0, 0] * x + maps[n, 0, 1] * y + maps[n, 0, 2]
                from_y = maps[n, 1, 0] * x + maps[n, 1, 1] * y + maps[n, 1, 2]
                low_x, low_y = np.floor(from_x), np.floor(from_y)
                share_x, share_y = np.float32(from_x - low_x), np.float32(from_y - low_y)
                left, right = _mirror(np.int64(low_x), width), _mirror(np.int64(low_x) + 1, width)
                top, bottom = _mirror(np.int64(low_y), height), _mirror(np.int64(low_y) + 1, height)
                first, second = np.uint64(top * size + left * channels), np.uint64(top * size + right * channels)
                third, fourth = np.uint64(bottom * size + left * channels), np.uint64(bottom * size + right * channels)
                at = np.uint64(y * size + x * channels)
                for channel in range(np.uint64(channels)):
                    a, b = flat[first + channel], flat[second + channel]
                    c, d = flat[third + channel], flat[fourth + channel]
                    upper, lower = a + share_x * (b - a), c + share_x * (d - c)
                    target[at + channel] = upper + share_y * (lower - upper)


def affine(images: Floats, maps: NDArray[np.float64]) -> Floats:
    """Each image (N, H, W, C) sampled bilinearly where its map (2, 3) sends the pixel, mirrored outside."""
    out = np.empty_like(images)
    _affine(images, maps, out)
    return out


@jit
def _displace(images: Any, right_by: Any, down_by: Any, out: Any) -> None:
    count, height, width, channels = images.shape
    size = width * channels
    for n in range(count):
        flat, target = images[n].reshape(height * size), out[n].reshape(height * size)
        for y in range(height):
            for x in range(width):
                move_x, move_y = right_by[n, y, x], down_by[n, y, x]
                low_x, low_y = np.floor(move_x), np.floor(move_y)
                share_x, share_y = move_x - low_x, move_y - low_y
                left = _reflect(x + np.int64(low_x), width)
                right = _reflect(x + np.int64(low_x) + 1, width)
                top = _reflect(y + np.int64(low_y), height)
                bottom = _reflect(y + np.int64(low_y) + 1, height)
                first, second = np.uint64(top * size + left * channels), np.uint64(top * size + right * channels)
                third, fourth = np.uint64(bottom * size + left * channels), np.uint64(bottom * size + right * channels)
                at = np.uint64(y * size + x * channels)
                for channel in range(np.uint64(channels)):
                    a, b = flat[first + channel], flat[second + channel]
                    c, d = flat[third + channel], flat[fourth + channel]
                    upper, lower = a + share_x * (b - a), c + share_x * (d - c)
                    target[at + channel] = upper + share_y * (lower - upper)


def displace(images: Floats, right_by: Floats, down_by: Floats) -> Floats:
    """Each pixel of (N, H, W, C) sampled bilinearly at (x + right_by, y + down_by), (N, H, W), reflected outside."""
    out = np.empty_like(images)
    _displace(images, right_by, down_by, out)
    return out
