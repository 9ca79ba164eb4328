"""Drops on a lens: edges, distances to them, an equalised relief, in the arithmetic of OpenCV's functions on x86.

Distances are float32 there, by Intel's library; OpenCV without that library counts them in 16-bit fixed point.

A plane has a frame, one or two pixels wide, in which its neighbours outside the image stand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import int32
from numpy.typing import NDArray

from corruptions._jit import jit
from corruptions._kernels import Bytes, Ints, border

LOW, HIGH = 50, 150
FARTHEST = np.float32(20)
UNKNOWN = np.float32(1e9)
STRAIGHT, DIAGONAL, KNIGHT = np.float32(1), np.float32(1.4), np.float32(2.1969)
"""Chamfer steps (Borgefors 1986)."""


@jit
def _fill_frame(plane: Any, above: Any, beside: Any) -> None:
    """The frame of a plane (H + 2, W + 2): places 0 and H + 1 show the row above[0] and above[H + 1], and so on."""
    height, width = plane.shape[0] - 2, plane.shape[1] - 2
    for y in range(1, height + 1):
        plane[y, 0], plane[y, width + 1] = plane[y, 1 + beside[0]], plane[y, 1 + beside[width + 1]]
    for x in range(width + 2):
        plane[0, x], plane[height + 1, x] = plane[1 + above[0], x], plane[1 + above[height + 1], x]


@jit
def _gradient(plane: Any, right: Any, down: Any, size: Any) -> None:
    """Sobel derivatives of a framed plane, and the sum of their absolute values, framed by zeros."""
    height, width = right.shape
    size[0], size[height + 1] = int32(0), int32(0)
    for y in range(height):
        p, q, r = plane[y], plane[y + 1], plane[y + 2]
        across, along, total = right[y], down[y], size[y + 1]
        total[0] = total[width + 1] = int32(0)
        for x in range(width):
            across[x] = (p[x + 2] + 2 * q[x + 2] + r[x + 2]) - (p[x] + 2 * q[x] + r[x])
            along[x] = (r[x] + 2 * r[x + 1] + r[x + 2]) - (p[x] + 2 * p[x + 1] + p[x + 2])
            total[x + 1] = abs(across[x]) + abs(along[x])


@jit
def _crests(size: Any, right: Any, down: Any, edge: Any) -> None:
    """Where the gradient is largest across its edge, which has one of four directions: 1, 2 above HIGH, 0 elsewhere."""
    height, width = edge.shape
    for y in range(height):
        up, here, below = size[y], size[y + 1], size[y + 2]
        across_row, along_row, found = right[y], down[y], edge[y]
        for x in range(width):
            value, across, along = here[x + 1], across_row[x], along_row[x]
            steep, flat = int32(abs(along) << 15), int32(abs(across) * 13573)
            falls = (across ^ along) < 0
            first, second = up[x + 2] if falls else up[x], below[x] if falls else below[x + 2]
            beside = (value > here[x]) & (value >= here[x + 2])
            upright = (value > up[x + 1]) & (value >= below[x + 1])
            slanted = (value > first) & (value > second)
            largest = beside if steep < flat else (upright if steep > flat + (abs(across) << 16) else slanted)
            found[x] = (largest & (value > LOW)) * (1 + (value > HIGH))


@jit
def _edges(plane: Any, right: Any, down: Any, size: Any, stack: Any, edge: Any) -> None:
    """Canny's edges: 2 an edge; crests above LOW count where they hang together with one above HIGH."""
    height, width = edge.shape
    _gradient(plane, right, down, size)
    _crests(size, right, down, edge)
    waiting = 0
    for y in range(height):
        found = edge[y]
        for x in range(width):
            if found[x] == 2:
                stack[waiting] = y * width + x
                waiting += 1
    while waiting:
        waiting -= 1
        y, x = stack[waiting] // width, stack[waiting] % width
        for near_y in range(max(y - 1, 0), min(y + 2, height)):
            for near_x in range(max(x - 1, 0), min(x + 2, width)):
                if edge[near_y, near_x] == 1:
                    edge[near_y, near_x] = 2
                    stack[waiting] = near_y * width + near_x
                    waiting += 1


@jit
def _nearest(two: Any, one: Any, near: Any) -> None:
    """near[x] = min(near[x], the least over the two rows before, each with its step)."""
    for x in range(near.size):
        knight = min(two[x + 1], two[x + 3], one[x], one[x + 4]) + KNIGHT
        diagonal = min(one[x + 1], one[x + 3]) + DIAGONAL
        near[x] = min(near[x], knight, diagonal, one[x + 2] + STRAIGHT)


@jit
def _distances(edge: Any, far: Any) -> None:
    """Distance to the nearest edge in pixels by a chamfer of 5 x 5, in `far`, which has a frame of two."""
    height, width = edge.shape
    far[:] = UNKNOWN
    for y in range(height):
        row, found = far[y + 2], edge[y]
        near = row[2 : width + 2]
        for x in range(width):
            near[x] = np.float32(0) if found[x] == 2 else near[x]
        _nearest(far[y], far[y + 1], near)
        for x in range(2, width + 2):
            row[x] = min(row[x], row[x - 1] + STRAIGHT)
    for y in range(height - 1, -1, -1):
        row = far[y + 2]
        _nearest(far[y + 4], far[y + 3], row[2 : width + 2])
        for x in range(width + 1, 1, -1):
            row[x] = min(row[x], row[x + 1] + STRAIGHT)


@jit
def _equalise(plane: Any) -> None:
    """Histogram equalisation in place, within the frame, the lowest value to 0; a plane of one value stays as it is."""
    height, width = plane.shape[0] - 2, plane.shape[1] - 2
    counts = np.zeros(256, np.int64)
    for y in range(height):
        row = plane[y + 1]
        for x in range(1, width + 1):
            counts[row[x]] += 1
    first = 0
    while counts[first] == 0:
        first += 1
    if counts[first] == height * width:
        return
    scale = np.float32(255) / np.float32(height * width - counts[first])
    table = np.zeros(256, np.int32)
    total = 0
    for value in range(first + 1, 256):
        total += counts[value]
        table[value] = min(int(np.rint(np.float32(total) * scale)), 255)
    for y in range(height):
        row = plane[y + 1]
        for x in range(1, width + 1):
            row[x] = table[row[x]]


@jit
def _windows(plane: Any, y: Any, columns: Any, out: Any) -> None:
    """Sums of 3 x 3 pixels along row y of a framed plane, by way of the sums of its columns."""
    p, q, r = plane[y], plane[y + 1], plane[y + 2]
    for x in range(columns.size):
        columns[x] = columns.dtype.type(p[x]) + q[x] + r[x]
    for x in range(out.size):
        out[x] = columns[x] + columns[x + 1] + columns[x + 2]


@jit
def _relief(far: Any, above: Any, beside: Any, cut: Any, plane: Any, lit: Any, out: Any) -> None:
    """Distances up to FARTHEST as a relief lit from the upper left, from 0 to 255, smoothed."""
    height, width = out.shape
    columns, sums = np.empty(width + 2, np.int32), np.empty(width, np.int32)
    far_columns, far_sums = np.empty(width + 2), np.empty(width)
    for y in range(height):
        row, into = far[y + 2], cut[y + 1]
        for x in range(width):
            into[x + 1] = min(row[x + 2], FARTHEST)
    _fill_frame(cut, above, beside)
    for y in range(height):
        _windows(cut, y, far_columns, far_sums)
        into = plane[y + 1]
        for x in range(width):
            into[x + 1] = int32(np.float32(far_sums[x] * (1.0 / 9)))
    _equalise(plane)
    _fill_frame(plane, above, beside)
    for y in range(height):
        p, q, r, into = plane[y], plane[y + 1], plane[y + 2], lit[y + 1]
        for x in range(width):
            value = int32(q[x + 1] + q[x + 2] + r[x + 1] + 2 * r[x + 2] - 2 * p[x] - p[x + 1] - q[x])
            into[x + 1] = min(max(value, int32(0)), int32(255))
    _fill_frame(lit, above, beside)
    for y in range(height):
        _windows(lit, y, columns, sums)
        shown = out[y]
        for x in range(width):
            shown[x] = np.rint(np.float32(sums[x]) / np.float32(9))


@jit
def _shine(layer: Any, shown: Any, out: Any) -> None:
    """out (H, W) = layer times shown, the largest product 1."""
    height, width = layer.shape
    largest = int32(1)
    for y in range(height):
        liquid, light = layer[y], shown[y]
        for x in range(width):
            largest = max(largest, int32(int32(liquid[x]) * light[x]))
    for y in range(height):
        liquid, light, into = layer[y], shown[y], out[y]
        for x in range(width):
            into[x] = np.float32(int32(int32(liquid[x]) * light[x])) / np.float32(largest)


@jit
def _water(layers: Any, clamped: Any, mirrored: Any, out: Any) -> None:
    count, height, width = layers.shape
    framed = (height + 2, width + 2)
    plane, size, lit = np.empty(framed, np.int32), np.empty(framed, np.int32), np.empty(framed, np.int32)
    cut, far = np.empty(framed, np.float32), np.empty((height + 4, width + 4), np.float32)
    right, down = np.empty((height, width), np.int32), np.empty((height, width), np.int32)
    edge, shown = np.empty((height, width), np.int32), np.empty((height, width), np.int32)
    stack = np.empty(height * width, np.int64)
    for n in range(count):
        for y in range(height):
            liquid, into = layers[n, y], plane[y + 1]
            for x in range(width):
                into[x + 1] = liquid[x]
        _fill_frame(plane, clamped[0], clamped[1])
        _edges(plane, right, down, size, stack, edge)
        _distances(edge, far)
        _relief(far, mirrored[0], mirrored[1], cut, plane, lit, shown)
        _shine(layers[n], shown, out[n])


def water(layers: Bytes) -> NDArray[np.float32]:
    """How much light drops throw, 0 to 1, from layers of liquid, uint8 (N, H, W); none where a layer has no liquid."""
    out = np.empty(layers.shape, np.float32)
    _water(layers, _frame_places(layers, "edge"), _frame_places(layers, "mirror"), out)
    return out


def _frame_places(layers: Bytes, mode: str) -> tuple[Ints, Ints]:
    height, width = layers.shape[1:]
    return border(height, 1, mode), border(width, 1, mode)
