"""Drops on a lens: edges, distances to them, an equalised relief, in the integer arithmetic of OpenCV's functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._jit import jit
from corruptions._kernels import Bytes, border

LOW, HIGH = 50, 150
FARTHEST = 20
STRAIGHT, DIAGONAL, KNIGHT = 65_536, 91_750, 143_976
"""Chamfer steps 1, 1.4 and 2.1969 in 16-bit fixed point (Borgefors 1986)."""


@jit
def _gradient(layer: Any, right: Any, down: Any, size: Any) -> None:
    """Sobel derivatives, the edge pixel repeated, and the sum of their absolute values, framed by zeros."""
    height, width = layer.shape
    size[:] = 0
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, next_x = max(x - 1, 0), min(x + 1, width - 1)
            a, b, c = np.int64(layer[above, left]), np.int64(layer[above, x]), np.int64(layer[above, next_x])
            d, f = np.int64(layer[y, left]), np.int64(layer[y, next_x])
            g, h, i = np.int64(layer[below, left]), np.int64(layer[below, x]), np.int64(layer[below, next_x])
            right[y, x] = (c + 2 * f + i) - (a + 2 * d + g)
            down[y, x] = (g + 2 * h + i) - (a + 2 * b + c)
            size[y + 1, x + 1] = abs(right[y, x]) + abs(down[y, x])


@jit
def _is_crest(size: Any, y: Any, x: Any, across: Any, along: Any) -> Any:
    """Whether the gradient at (y, x), framed, is largest across its edge, which has one of four directions."""
    here = size[y, x]
    steep, flat = abs(along) << 15, abs(across) * 13573
    if steep < flat:
        return here > size[y, x - 1] and here >= size[y, x + 1]
    if steep > flat + (abs(across) << 16):
        return here > size[y - 1, x] and here >= size[y + 1, x]
    side = -1 if (across ^ along) < 0 else 1
    return here > size[y - 1, x - side] and here > size[y + 1, x + side]


@jit
def _edges(layer: Any, right: Any, down: Any, size: Any, stack: Any, edge: Any) -> None:
    """Canny's edges: 0 none, 2 an edge; crests above LOW count where they hang together with one above HIGH."""
    height, width = layer.shape
    _gradient(layer, right, down, size)
    edge[:] = 0
    waiting = 0
    for y in range(height):
        for x in range(width):
            if size[y + 1, x + 1] > LOW and _is_crest(size, y + 1, x + 1, right[y, x], down[y, x]):
                edge[y, x] = 1
                if size[y + 1, x + 1] > HIGH:
                    edge[y, x] = 2
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
def _distances(edge: Any, far: Any) -> None:
    """Distance to the nearest edge in 2^-16 pixels by a chamfer of 5 x 5, in `far`, which has a frame of two."""
    height, width = edge.shape
    far[:] = 1 << 29
    for y in range(2, height + 2):
        for x in range(2, width + 2):
            if edge[y - 2, x - 2] == 2:
                far[y, x] = 0
                continue
            near = min(far[y - 2, x - 1], far[y - 2, x + 1], far[y - 1, x - 2], far[y - 1, x + 2]) + KNIGHT
            near = min(near, min(far[y - 1, x - 1], far[y - 1, x + 1]) + DIAGONAL)
            far[y, x] = min(near, min(far[y - 1, x], far[y, x - 1]) + STRAIGHT)
    for y in range(height + 1, 1, -1):
        for x in range(width + 1, 1, -1):
            near = min(far[y + 2, x - 1], far[y + 2, x + 1], far[y + 1, x - 2], far[y + 1, x + 2]) + KNIGHT
            near = min(near, min(far[y + 1, x - 1], far[y + 1, x + 1]) + DIAGONAL)
            near = min(near, min(far[y + 1, x], far[y, x + 1]) + STRAIGHT)
            far[y, x] = min(far[y, x], near)


@jit
def _window(source: Any, y: Any, x: Any, above: Any, beside: Any) -> Any:
    """The sum of the 3 x 3 pixels around (y, x)."""
    total = 0
    for dy in range(3):
        for dx in range(3):
            total += source[above[y + dy], beside[x + dx]]
    return total


@jit
def _equalise(plane: Any) -> None:
    """Histogram equalisation in place, the lowest value to 0; a plane of one value stays as it is."""
    counts = np.zeros(256, np.int64)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            counts[plane[y, x]] += 1
    first = 0
    while counts[first] == 0:
        first += 1
    if counts[first] == plane.size:
        return
    scale = np.float32(255) / np.float32(plane.size - counts[first])
    table = np.zeros(256, np.int64)
    total = 0
    for value in range(first + 1, 256):
        total += counts[value]
        table[value] = min(int(np.rint(np.float32(total) * scale)), 255)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            plane[y, x] = table[plane[y, x]]


@jit
def _relief(far: Any, above: Any, beside: Any, cut: Any, plane: Any, lit: Any, out: Any) -> None:
    """Distances up to FARTHEST as a relief lit from the upper left, from 0 to 255, smoothed."""
    height, width = out.shape
    for y in range(height):
        for x in range(width):
            cut[y, x] = min(far[y + 2, x + 2], FARTHEST << 16)
    for y in range(height):
        for x in range(width):
            plane[y, x] = _window(cut, y, x, above, beside) // (9 << 16)
    _equalise(plane)
    for y in range(height):
        for x in range(width):
            up, here, below = above[y], above[y + 1], above[y + 2]
            left, right = beside[x], beside[x + 2]
            value = -2 * plane[up, left] - plane[up, x] - plane[here, left] + plane[here, x]
            value += plane[here, right] + plane[below, x] + 2 * plane[below, right]
            lit[y, x] = min(max(value, 0), 255)
    for y in range(height):
        for x in range(width):
            out[y, x] = np.int64(np.rint(np.float32(_window(lit, y, x, above, beside)) / np.float32(9)))


@jit
def _water(layers: Any, above: Any, beside: Any, out: Any) -> None:
    count, height, width = layers.shape
    right, down = np.empty((height, width), np.int64), np.empty((height, width), np.int64)
    size, far = np.empty((height + 2, width + 2), np.int64), np.empty((height + 4, width + 4), np.int64)
    edge, plane = np.empty((height, width), np.int64), np.empty((height, width), np.int64)
    lit, shown = np.empty((height, width), np.int64), np.empty((height, width), np.int64)
    cut, stack = np.empty((height, width), np.int64), np.empty(height * width, np.int64)
    for n in range(count):
        _edges(layers[n], right, down, size, stack, edge)
        _distances(edge, far)
        _relief(far, above, beside, cut, plane, lit, shown)
        largest = np.float32(0)
        for y in range(height):
            for x in range(width):
                out[n, y, x] = np.float32(layers[n, y, x]) * np.float32(shown[y, x])
                largest = max(largest, out[n, y, x])
        if largest > 0:
            out[n] /= largest


def water(layers: Bytes) -> NDArray[np.float32]:
    """How much light drops throw, 0 to 1, from layers of liquid, uint8 (N, H, W); none where a layer has no liquid."""
    height, width = layers.shape[1:]
    out = np.empty(layers.shape, np.float32)
    _water(layers, border(height, 1, "mirror"), border(width, 1, "mirror"), out)
    return out
