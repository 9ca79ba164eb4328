"""JPEG without the file: libjpeg-turbo's integer arithmetic from colours to coefficients and back, no entropy coding.

The transforms are the accurate integer ones (Loeffler, Ligtenberg and Moschytz 1989) in 13-bit fixed point, chroma is
averaged 2 x 2 and brought back with libjpeg's triangle filter. All of it is integer, so it is the same everywhere, and
equal to what Pillow and OpenCV make of the file with libjpeg-turbo.

Sixteen blocks of 8 x 8 go side by side through the transforms, as 64 x 16 numbers of 32 bits. A pass reads its eight
inputs from one of the two axes of the blocks and writes its outputs to the other, so no block is ever turned round.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy import int32
from numpy.typing import NDArray

from corruptions._jit import jit

Bytes = NDArray[np.uint8]

# Tables K.1 and K.2 of ITU-T T.81, row by row.
LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 32),
)


SHARES = (11059, 21709, 22554)
"""Of Cb red's and green's share, of green that of Cb, in 2^-16. IJG libjpeg 9 writes them from longer decimals."""

LANES = 16
AXIS = 8 * LANES


@lru_cache(maxsize=256)
def quantisers(quality: int) -> NDArray[np.int32]:
    """The two tables for a quality of 1-100, (2, 64), as libjpeg scales them."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    base = np.array([LUMINANCE, CHROMINANCE], np.int32)
    return np.clip((base * scale + 50) // 100, 1, 255).astype(np.int32)


@lru_cache(maxsize=256)
def lane_steps(quality: int, lanes: int = LANES) -> NDArray[np.float32]:
    """Eight times the tables, column by column, for each lane: (2, 64 lanes)."""
    columns = quantisers(quality).reshape(2, 8, 8).transpose(0, 2, 1).reshape(2, 64)
    return np.repeat(columns * 8, lanes, axis=1).astype(np.float32)


@jit
def descale(value: Any, shift: Any) -> Any:
    """value / 2^shift, rounded, in 32 bits."""
    return int32(value + (1 << (shift & 31) >> 1)) >> (shift & 31)


@jit
def _forward(source: Any, out: Any, shift: Any, up: Any, down: Any) -> None:
    """One-dimensional transform over the first axis of source (8, 8, 16), to the second axis of `out`.

    Products are shifted right by `shift`, sums left by `up` and right by `down`.
    """
    for row in range(8):
        for lane in range(LANES):
            at = row * LANES + lane
            i0, i1, i2, i3 = source[at], source[at + AXIS], source[at + 2 * AXIS], source[at + 3 * AXIS]
            i4, i5 = source[at + 4 * AXIS], source[at + 5 * AXIS]
            i6, i7 = source[at + 6 * AXIS], source[at + 7 * AXIS]
            s0, s7, s1, s6 = i0 + i7, i0 - i7, i1 + i6, i1 - i6
            s2, s5, s3, s4 = i2 + i5, i2 - i5, i3 + i4, i3 - i4
            t0, t3, t1, t2 = s0 + s3, s0 - s3, s1 + s2, s1 - s2
            to = row * AXIS + lane
            out[to] = descale((t0 + t1) << up, down)
            out[to + 4 * LANES] = descale((t0 - t1) << up, down)
            z1 = (t2 + t3) * 4433
            out[to + 2 * LANES] = descale(z1 + t3 * 6270, shift)
            out[to + 6 * LANES] = descale(z1 - t2 * 15137, shift)
            z1, z2, z3, z4 = s4 + s7, s5 + s6, s4 + s6, s5 + s7
            z5 = (z3 + z4) * 9633
            z1, z2, z3, z4 = z1 * -7373, z2 * -20995, z3 * -16069 + z5, z4 * -3196 + z5
            out[to + 7 * LANES] = descale(s4 * 2446 + z1 + z3, shift)
            out[to + 5 * LANES] = descale(s5 * 16819 + z2 + z4, shift)
            out[to + 3 * LANES] = descale(s6 * 25172 + z2 + z3, shift)
            out[to + LANES] = descale(s7 * 12299 + z1 + z4, shift)


@jit
def _inverse(source: Any, out: Any, shift: Any) -> None:
    """One-dimensional inverse transform over the second axis of source (8, 8, 16), to the first axis of `out`."""
    for row in range(8):
        for lane in range(LANES):
            at = row * AXIS + lane
            i0, i1, i2, i3 = source[at], source[at + LANES], source[at + 2 * LANES], source[at + 3 * LANES]
            i4, i5 = source[at + 4 * LANES], source[at + 5 * LANES]
            i6, i7 = source[at + 6 * LANES], source[at + 7 * LANES]
            z1 = (i2 + i6) * 4433
            t2, t3 = z1 - i6 * 15137, z1 + i2 * 6270
            t0, t1 = (i0 + i4) << 13, (i0 - i4) << 13
            e0, e3, e1, e2 = t0 + t3, t0 - t3, t1 + t2, t1 - t2
            z1, z2, z3, z4 = i7 + i1, i5 + i3, i7 + i3, i5 + i1
            z5 = (z3 + z4) * 9633
            z1, z2, z3, z4 = z1 * -7373, z2 * -20995, z3 * -16069 + z5, z4 * -3196 + z5
            o0, o1 = i7 * 2446 + z1 + z3, i5 * 16819 + z2 + z4
            o2, o3 = i3 * 25172 + z2 + z3, i1 * 12299 + z1 + z4
            to = row * LANES + lane
            out[to], out[to + 7 * AXIS] = descale(e0 + o3, shift), descale(e0 - o3, shift)
            out[to + AXIS], out[to + 6 * AXIS] = descale(e1 + o2, shift), descale(e1 - o2, shift)
            out[to + 2 * AXIS], out[to + 5 * AXIS] = descale(e2 + o1, shift), descale(e2 - o1, shift)
            out[to + 3 * AXIS], out[to + 4 * AXIS] = descale(e3 + o0, shift), descale(e3 - o0, shift)


@jit
def quantise(values: Any, steps: Any) -> None:
    """To the nearest multiple of an eighth of the step: the forward transform's factor of 8 is taken out.

    The arithmetic is in float32 and exact here: all numbers are whole or halves and below 2^23.
    """
    for at in range(values.size):
        value, step = np.float32(values[at]), steps[at]
        whole = np.trunc((abs(value) + step * np.float32(0.5)) / step) * (step * np.float32(0.125))
        values[at] = int32(np.copysign(whole, value))


@jit
def _stretch(place: Any, left: Any, across: Any) -> Any:
    """Where a block stands, row and column of blocks, and how many of the `left` from it on are in its row."""
    return place // across, place % across, min(left, across - place % across)


@jit
def _load(plane: Any, first: Any, count: Any, values: Any) -> None:
    """Blocks first … first + count - 1 of a plane (H, W) to lanes 0 …, as (x, y, lane), moved to -128..127."""
    across = plane.shape[1] // 8
    lane = 0
    while lane < count:
        top, left, run = _stretch(first + lane, count - lane, across)
        for y in range(8):
            row, into = plane[8 * top + y][8 * left : 8 * (left + run)], values[y * LANES + lane :]
            for block in range(run):
                for x in range(8):
                    into[x * AXIS + block] = int32(row[8 * block + x]) - 128
        lane += run


@jit
def _store(pixels: Any, first: Any, count: Any, plane: Any) -> None:
    """The lanes back to the blocks of the plane."""
    across = plane.shape[1] // 8
    lane = 0
    while lane < count:
        top, left, run = _stretch(first + lane, count - lane, across)
        for y in range(8):
            row, source = plane[8 * top + y][8 * left : 8 * (left + run)], pixels[y * LANES + lane :]
            for block in range(run):
                for x in range(8):
                    row[8 * block + x] = source[x * AXIS + block]
        lane += run


@jit
def luma_work() -> Any:
    """The memory that `through` works in."""
    return np.zeros(8 * AXIS, np.int32), np.zeros(8 * AXIS, np.int32), np.zeros(8 * AXIS, np.uint8)


@jit
def through(plane: Any, steps: Any, work: Any) -> None:
    """A plane of 8 x 8 blocks, uint8, through transform, quantisation and back, sixteen blocks at a time."""
    values, turned, pixels = work
    blocks = plane.size // 64
    for first in range(0, blocks, LANES):
        count = min(LANES, blocks - first)
        _load(plane, first, count, values)
        _forward(values, turned, 11, 2, 0)
        _forward(turned, values, 15, 0, 2)
        quantise(values, steps)
        _inverse(values, turned, 11)
        _inverse(turned, values, 18)
        for at in range(values.size):
            pixels[at] = min(max(values[at] + int32(128), int32(0)), int32(255))
        _store(pixels, first, count, plane)


@jit
def convert_row(row: Any, luma: Any, blue: Any, red: Any, shares: Any) -> None:
    """A row of RGB (W 3) to Y, Cb and Cr; the rest of these repeats the last pixel."""
    width = row.size // 3
    for x in range(width):
        r, g, b = int32(row[3 * x]), int32(row[3 * x + 1]), int32(row[3 * x + 2])
        luma[x] = int32(19595 * r + 38470 * g + 7471 * b + 32768) >> 16
        blue[x] = int32(-shares[0] * r - shares[1] * g + 32768 * b + 8421375) >> 16
        red[x] = int32(32768 * r - 27439 * g - 5329 * b + 8421375) >> 16
    for x in range(width, luma.size):
        luma[x], blue[x], red[x] = luma[width - 1], blue[width - 1], red[width - 1]


@jit
def _halve(first: Any, second: Any, out: Any) -> None:
    """The mean of 2 x 2 values of two rows, rounded down and up in turn."""
    for x in range(out.size):
        total = int32(first[2 * x]) + first[2 * x + 1] + second[2 * x] + second[2 * x + 1]
        out[x] = int32(total + 1 + (x & 1)) >> 2


@jit
def _to_planes(image: Any, luma: Any, blue: Any, red: Any) -> None:
    """RGB to full-size Y and averaged Cb, Cr; borders repeat the last column, then the last row of each plane."""
    height, size = image.shape[0], image.shape[1] * 3
    wide, halves = luma.shape[1], (image.shape[0] + 1) // 2
    flat = image.reshape(height * size)
    blue0, blue1 = np.empty(wide, np.uint8), np.empty(wide, np.uint8)
    red0, red1 = np.empty(wide, np.uint8), np.empty(wide, np.uint8)
    for pair in range(halves):
        top = 2 * pair
        convert_row(flat[top * size : (top + 1) * size], luma[top], blue0, red0, SHARES)
        if top + 1 < height:
            convert_row(flat[(top + 1) * size : (top + 2) * size], luma[top + 1], blue1, red1, SHARES)
            _halve(blue0, blue1, blue[pair])
            _halve(red0, red1, red[pair])
        else:
            _halve(blue0, blue0, blue[pair])
            _halve(red0, red0, red[pair])
    for y in range(height, luma.shape[0]):
        luma[y] = luma[height - 1]
    for y in range(halves, blue.shape[0]):
        blue[y] = blue[halves - 1]
        red[y] = red[halves - 1]


@jit
def _larger_row(near: Any, other: Any, width: Any, sums: Any, out: Any) -> None:
    """A row at full width from the nearest row of half size and the next: a triangle filter.

    Where the row is very narrow it is repeated instead.
    """
    if width <= 2:
        for x in range(2 * width):
            out[x] = near[x // 2]
        return
    for x in range(width):
        sums[x] = 3 * int32(near[x]) + other[x]
    last = width - 1
    out[0], out[1] = int32(4 * sums[0] + 8) >> 4, int32(3 * sums[0] + sums[1] + 7) >> 4
    out[2 * last], out[2 * last + 1] = int32(3 * sums[last] + sums[last - 1] + 8) >> 4, int32(4 * sums[last] + 7) >> 4
    before, here, after = sums[: width - 2], sums[1 : width - 1], sums[2:width]
    inner = out[2 : 2 * last]
    for x in range(width - 2):
        inner[2 * x] = int32(3 * here[x] + before[x] + 8) >> 4
        inner[2 * x + 1] = int32(3 * here[x] + after[x] + 7) >> 4


@jit
def clipped(value: Any) -> Any:
    return min(max(int32(value), int32(0)), int32(255))


@jit
def to_pixels(light: Any, cb: Any, cr: Any, shares: Any, row: Any) -> None:
    """A row of RGB (W 3) from Y, Cb and Cr."""
    for x in range(row.size // 3):
        b, r = int32(cb[x]) - 128, int32(cr[x]) - 128
        row[3 * x] = clipped(light[x] + (int32(91881 * r + 32768) >> 16))
        row[3 * x + 1] = clipped(light[x] + (int32(-shares[2] * b - 46802 * r + 32768) >> 16))
        row[3 * x + 2] = clipped(light[x] + (int32(116130 * b + 32768) >> 16))


@jit
def _from_planes(luma: Any, blue: Any, red: Any, out: Any) -> None:
    height, width = out.shape[:2]
    narrow, halves = (width + 1) // 2, (height + 1) // 2
    cb, cr = np.empty(2 * narrow, np.uint8), np.empty(2 * narrow, np.uint8)
    sums = np.empty(narrow, np.int32)
    flat = out.reshape(height * width * 3)
    for y in range(height):
        near = y // 2
        other = min(max(near + (1 if y & 1 else -1), 0), halves - 1)
        _larger_row(blue[near], blue[other], narrow, sums, cb)
        _larger_row(red[near], red[other], narrow, sums, cr)
        to_pixels(luma[y], cb, cr, SHARES, flat[y * width * 3 : (y + 1) * width * 3])


@jit
def _colour(images: Any, steps: Any, out: Any) -> None:
    height, width = images.shape[1:3]
    half_tall, half_wide = ((height + 1) // 2 + 7) // 8 * 8, ((width + 1) // 2 + 7) // 8 * 8
    luma = np.empty(((height + 7) // 8 * 8, 2 * half_wide), np.uint8)
    blue, red = np.empty((half_tall, half_wide), np.uint8), np.empty((half_tall, half_wide), np.uint8)
    work = luma_work()
    for n in range(images.shape[0]):
        _to_planes(images[n], luma, blue, red)
        through(luma, steps[0], work)
        through(blue, steps[1], work)
        through(red, steps[1], work)
        _from_planes(luma, blue, red, out[n])


@jit
def _gray(images: Any, steps: Any, out: Any) -> None:
    height, width = images.shape[1:3]
    plane = np.empty(((height + 7) // 8 * 8, (width + 7) // 8 * 8), np.uint8)
    work = luma_work()
    for n in range(images.shape[0]):
        for y in range(plane.shape[0]):
            for x in range(plane.shape[1]):
                plane[y, x] = images[n, min(y, height - 1), min(x, width - 1), 0]
        through(plane, steps[0], work)
        for y in range(height):
            for x in range(width):
                out[n, y, x, 0] = plane[y, x]


def gray_round_trip(images: Bytes, quality: int) -> Bytes:
    """uint8 (N, H, W, 1) stored as JPEG of one channel of this quality, and read again; in every libjpeg the same."""
    out = np.empty_like(images)
    _gray(images, lane_steps(quality), out)
    return out


def round_trip(images: Bytes, quality: int) -> Bytes:
    """uint8 (N, H, W, C) stored as JPEG of this quality by libjpeg-turbo, chroma 4:2:0, and read again."""
    if images.shape[-1] == 1:
        return gray_round_trip(images, quality)
    out = np.empty_like(images)
    _colour(images, lane_steps(quality), out)
    return out
