"""JPEG as IJG libjpeg 7 to 9 makes and reads it: chroma of half resolution by transforms of double size.

Where libjpeg-turbo averages chroma 2 x 2 and interpolates it again, IJG's library transforms 16 x 16 values to 8 x 8
coefficients and 8 x 8 coefficients back to 16 x 16 values (4:2:0). Luminance is the same in both. The published
CIFAR-10-C was made so. All of it is integer arithmetic.

Eight blocks of 16 x 16 go side by side. As in `_jpeg`, a pass reads along one axis and writes along the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import int32

from corruptions._jit import jit
from corruptions._jpeg import (
    Bytes,
    clipped,
    convert_row,
    descale,
    gray_round_trip,
    lane_steps,
    luma_work,
    quantise,
    through,
    to_pixels,
)

LANES = 8
STEPS = 8 * LANES
VALUES = 16 * LANES

SHARES = (11058, 21710, 22553)

# Sums of the library's 13-bit constants, for the differences and the sums of values mirrored about the middle.
ODD = (
    (11529, 11086, 10217, 8956, 7350, 5461, 3363, 1135),
    (11086, 7350, 1136, -5461, -10217, -11529, -8956, -3363),
    (10217, 1136, -8955, -11086, -3363, 7350, 11529, 5461),
    (8956, -5461, -11086, 1137, 11530, 3363, -10217, -7350),
)
EVEN = ((11363, 9633, 6436, 2260), (9633, -2260, -11363, -6437))
ODD_BACK = (
    *(
        (11529, 11086, 10217, 8956),
        (11086, 7350, 1136, -5461),
        (10217, 1136, -8955, -11086),
        (8956, -5461, -11086, 1137),
    ),
    *(
        (7350, -10217, -3363, 11529),
        (5461, -11529, 7349, 3363),
        (3363, -8955, 11529, -10217),
        (1136, -3363, 5461, -7350),
    ),
)
EVEN_BACK = ((11363, 9632), (9633, -2260), (6437, -11363), (2260, -6436))


@jit
def _four(c: Any, a0: Any, a1: Any, a2: Any, a3: Any) -> Any:
    return c[0] * a0 + c[1] * a1 + c[2] * a2 + c[3] * a3


@jit
def _eight(c: Any, low: Any, high: Any) -> Any:
    first = c[0] * low[0] + c[1] * low[1] + c[2] * low[2] + c[3] * low[3]
    return first + (c[4] * high[0] + c[5] * high[1] + c[6] * high[2] + c[7] * high[3])


@jit
def _forward(source: Any, rows: Any, out: Any, shift: Any, up: Any, down: Any) -> None:
    """Sixteen values along the first axis of source (16, rows, 8) to 8 coefficients along the second axis of `out`."""
    step = rows * LANES
    first, last = source[: 8 * step], source[8 * step :]
    for row in range(rows):
        for lane in range(LANES):
            at = row * LANES + lane
            a0, a1, a2, a3 = first[at], first[at + step], first[at + 2 * step], first[at + 3 * step]
            a4, a5, a6, a7 = first[at + 4 * step], first[at + 5 * step], first[at + 6 * step], first[at + 7 * step]
            b7, b6, b5, b4 = last[at], last[at + step], last[at + 2 * step], last[at + 3 * step]
            b3, b2, b1, b0 = last[at + 4 * step], last[at + 5 * step], last[at + 6 * step], last[at + 7 * step]
            s0, s1, s2, s3 = a0 + b0 + (a7 + b7), a1 + b1 + (a6 + b6), a2 + b2 + (a5 + b5), a3 + b3 + (a4 + b4)
            t0, t1, t2, t3 = a0 + b0 - (a7 + b7), a1 + b1 - (a6 + b6), a2 + b2 - (a5 + b5), a3 + b3 - (a4 + b4)
            low, high = (a0 - b0, a1 - b1, a2 - b2, a3 - b3), (a4 - b4, a5 - b5, a6 - b6, a7 - b7)
            to = row * STEPS + lane
            out[to] = descale((s0 + s1 + s2 + s3) << up, down)
            out[to + LANES] = descale(_eight(ODD[0], low, high), shift)
            out[to + 2 * LANES] = descale(_four(EVEN[0], t0, t1, t2, t3), shift)
            out[to + 3 * LANES] = descale(_eight(ODD[1], low, high), shift)
            out[to + 4 * LANES] = descale((s0 - s3) * 10703 + (s1 - s2) * 4433, shift)
            out[to + 5 * LANES] = descale(_eight(ODD[2], low, high), shift)
            out[to + 6 * LANES] = descale(_four(EVEN[1], t0, t1, t2, t3), shift)
            out[to + 7 * LANES] = descale(_eight(ODD[3], low, high), shift)


@jit
def _inverse(source: Any, rows: Any, out: Any, shift: Any) -> None:
    """Eight coefficients along the second axis of source (rows, 8, 8) to 16 values along the first axis of `out`."""
    step = rows * LANES
    first, last = out[: 8 * step], out[8 * step :]
    for row in range(rows):
        for lane in range(LANES):
            at, to = row * STEPS + lane, row * LANES + lane
            i0, i1, i2, i3 = source[at], source[at + LANES], source[at + 2 * LANES], source[at + 3 * LANES]
            i4, i5 = source[at + 4 * LANES], source[at + 5 * LANES]
            i6, i7 = source[at + 6 * LANES], source[at + 7 * LANES]
            base, wide, narrow = i0 << 13, i4 * 10703, i4 * 4433
            g0, g1, g2, g3 = base + wide, base + narrow, base - narrow, base - wide
            h0, h1 = EVEN_BACK[0][0] * i2 + EVEN_BACK[0][1] * i6, EVEN_BACK[1][0] * i2 + EVEN_BACK[1][1] * i6
            h2, h3 = EVEN_BACK[2][0] * i2 + EVEN_BACK[2][1] * i6, EVEN_BACK[3][0] * i2 + EVEN_BACK[3][1] * i6
            o0, o1 = _four(ODD_BACK[0], i1, i3, i5, i7), _four(ODD_BACK[1], i1, i3, i5, i7)
            o2, o3 = _four(ODD_BACK[2], i1, i3, i5, i7), _four(ODD_BACK[3], i1, i3, i5, i7)
            o4, o5 = _four(ODD_BACK[4], i1, i3, i5, i7), _four(ODD_BACK[5], i1, i3, i5, i7)
            o6, o7 = _four(ODD_BACK[6], i1, i3, i5, i7), _four(ODD_BACK[7], i1, i3, i5, i7)
            e0, e1, e2, e3 = g0 + h0, g1 + h1, g2 + h2, g3 + h3
            e4, e5, e6, e7 = g3 - h3, g2 - h2, g1 - h1, g0 - h0
            first[to], last[to + 7 * step] = descale(e0 + o0, shift), descale(e0 - o0, shift)
            first[to + step], last[to + 6 * step] = descale(e1 + o1, shift), descale(e1 - o1, shift)
            first[to + 2 * step], last[to + 5 * step] = descale(e2 + o2, shift), descale(e2 - o2, shift)
            first[to + 3 * step], last[to + 4 * step] = descale(e3 + o3, shift), descale(e3 - o3, shift)
            first[to + 4 * step], last[to + 3 * step] = descale(e4 + o4, shift), descale(e4 - o4, shift)
            first[to + 5 * step], last[to + 2 * step] = descale(e5 + o5, shift), descale(e5 - o5, shift)
            first[to + 6 * step], last[to + step] = descale(e6 + o6, shift), descale(e6 - o6, shift)
            first[to + 7 * step], last[to] = descale(e7 + o7, shift), descale(e7 - o7, shift)


@jit
def _load(plane: Any, first: Any, count: Any, values: Any) -> None:
    """Blocks first … first + count - 1 of a plane (H, W) to lanes 0 …, as (x, y, lane), moved to -128..127."""
    across = plane.shape[1] // 16
    for lane in range(count):
        top, left = (first + lane) // across * 16, (first + lane) % across * 16
        for y in range(16):
            row = plane[top + y]
            for x in range(16):
                values[x * VALUES + y * LANES + lane] = int32(row[left + x]) - 128


@jit
def _store(values: Any, first: Any, count: Any, plane: Any) -> None:
    """The lanes back to the blocks of the plane, moved to 0..255."""
    across = plane.shape[1] // 16
    for lane in range(count):
        top, left = (first + lane) // across * 16, (first + lane) % across * 16
        for y in range(16):
            row = plane[top + y]
            for x in range(16):
                row[left + x] = clipped(values[x * VALUES + y * LANES + lane] + 128)


@jit
def _chroma_through(plane: Any, steps: Any, values: Any, half: Any, coefficients: Any) -> None:
    """A plane of 16 x 16 blocks, uint8, through transform, quantisation and back, eight blocks at a time."""
    blocks = plane.size // 256
    for first in range(0, blocks, LANES):
        count = min(LANES, blocks - first)
        _load(plane, first, count, values)
        _forward(values, 16, half, 11, 2, 0)
        _forward(half, 8, coefficients, 17, 0, 4)
        quantise(coefficients, steps)
        _inverse(coefficients, 8, half, 11)
        _inverse(half, 16, values, 18)
        _store(values, first, count, plane)


@jit
def _to_planes(image: Any, luma: Any, chroma: Any) -> None:
    """RGB to Y and to Cb above Cr; borders repeat the last column, then the last row."""
    height, size, tall = image.shape[0], image.shape[1] * 3, luma.shape[0]
    flat = image.reshape(height * size)
    for y in range(height):
        convert_row(flat[y * size : (y + 1) * size], luma[y], chroma[y], chroma[tall + y], SHARES)
    for y in range(height, tall):
        luma[y] = luma[height - 1]
        chroma[y] = chroma[height - 1]
        chroma[tall + y] = chroma[tall + height - 1]


@jit
def _colour(images: Any, steps: Any, chroma_steps: Any, out: Any) -> None:
    height, width = images.shape[1:3]
    tall, wide = (height + 15) // 16 * 16, (width + 15) // 16 * 16
    luma, chroma = np.empty((tall, wide), np.uint8), np.empty((2 * tall, wide), np.uint8)
    work = luma_work()
    values, half = np.zeros(16 * VALUES, np.int32), np.zeros(16 * STEPS, np.int32)
    coefficients = np.zeros(8 * STEPS, np.int32)
    for n in range(images.shape[0]):
        _to_planes(images[n], luma, chroma)
        through(luma, steps, work)
        _chroma_through(chroma, chroma_steps, values, half, coefficients)
        flat = out[n].reshape(height * width * 3)
        for y in range(height):
            to_pixels(luma[y], chroma[y], chroma[tall + y], SHARES, flat[y * width * 3 : (y + 1) * width * 3])


def round_trip(images: Bytes, quality: int) -> Bytes:
    """uint8 (N, H, W, C) stored as JPEG of this quality by IJG libjpeg 7 to 9, chroma 4:2:0, and read again."""
    if images.shape[-1] == 1:
        return gray_round_trip(images, quality)
    out = np.empty_like(images)
    _colour(images, lane_steps(quality)[0], lane_steps(quality, LANES)[1], out)
    return out
