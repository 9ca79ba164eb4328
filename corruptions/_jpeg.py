"""JPEG without the file: libjpeg's integer arithmetic from colours to coefficients and back, entropy coding left out.

The transforms are the accurate integer ones (Loeffler, Ligtenberg and Moschytz 1989) in 13-bit fixed point, chroma is
averaged 2 x 2 and brought back with libjpeg's triangle filter. All of it is integer, so it is the same everywhere, and
equal to what Pillow and OpenCV make of the file with libjpeg-turbo. Blocks lie side by side, (64, blocks), so that one
step of a transform runs over all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
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


@lru_cache(maxsize=256)
def quantisers(quality: int) -> NDArray[np.int32]:
    """The two tables for a quality of 1-100, (2, 64), as libjpeg scales them."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    base = np.array([LUMINANCE, CHROMINANCE], np.int32)
    return np.clip((base * scale + 50) // 100, 1, 255).astype(np.int32)


@jit
def _forward(d: Any, first: Any, stride: Any, shift: Any, add_shift: Any) -> None:
    """One-dimensional transform in place of d[first + k stride], k 0..7.

    Products are shifted right by `shift`, sums by `add_shift`, to the left where that is negative.
    """
    i0, i1, i2, i3 = first, first + stride, first + 2 * stride, first + 3 * stride
    i4, i5, i6, i7 = first + 4 * stride, first + 5 * stride, first + 6 * stride, first + 7 * stride
    half = np.int32(1) << np.int32(shift - 1)
    up = np.int32(max(-add_shift, 0))
    down = np.int32(max(add_shift, 0))
    add_half = (np.int32(1) << down) >> np.int32(1)
    for b in range(d.shape[1]):
        s0, s7 = d[i0, b] + d[i7, b], d[i0, b] - d[i7, b]
        s1, s6 = d[i1, b] + d[i6, b], d[i1, b] - d[i6, b]
        s2, s5 = d[i2, b] + d[i5, b], d[i2, b] - d[i5, b]
        s3, s4 = d[i3, b] + d[i4, b], d[i3, b] - d[i4, b]
        t0, t3, t1, t2 = s0 + s3, s0 - s3, s1 + s2, s1 - s2
        d[i0, b] = (((t0 + t1) << up) + add_half) >> down
        d[i4, b] = (((t0 - t1) << up) + add_half) >> down
        z1 = (t2 + t3) * np.int32(4433)
        d[i2, b] = (z1 + t3 * np.int32(6270) + half) >> shift
        d[i6, b] = (z1 - t2 * np.int32(15137) + half) >> shift
        z1, z2, z3, z4 = s4 + s7, s5 + s6, s4 + s6, s5 + s7
        z5 = (z3 + z4) * np.int32(9633)
        z1 = z1 * np.int32(-7373)
        z2 = z2 * np.int32(-20995)
        z3 = z3 * np.int32(-16069) + z5
        z4 = z4 * np.int32(-3196) + z5
        d[i7, b] = (s4 * np.int32(2446) + z1 + z3 + half) >> shift
        d[i5, b] = (s5 * np.int32(16819) + z2 + z4 + half) >> shift
        d[i3, b] = (s6 * np.int32(25172) + z2 + z3 + half) >> shift
        d[i1, b] = (s7 * np.int32(12299) + z1 + z4 + half) >> shift


@jit
def _inverse(d: Any, first: Any, stride: Any, shift: Any) -> None:
    """One-dimensional inverse transform in place of d[first + k stride], k 0..7."""
    i0, i1, i2, i3 = first, first + stride, first + 2 * stride, first + 3 * stride
    i4, i5, i6, i7 = first + 4 * stride, first + 5 * stride, first + 6 * stride, first + 7 * stride
    half = np.int32(1) << np.int32(shift - 1)
    for b in range(d.shape[1]):
        z1 = (d[i2, b] + d[i6, b]) * np.int32(4433)
        t2 = z1 - d[i6, b] * np.int32(15137)
        t3 = z1 + d[i2, b] * np.int32(6270)
        t0 = (d[i0, b] + d[i4, b]) << np.int32(13)
        t1 = (d[i0, b] - d[i4, b]) << np.int32(13)
        e0, e3, e1, e2 = t0 + t3 + half, t0 - t3 + half, t1 + t2 + half, t1 - t2 + half
        o0, o1, o2, o3 = d[i7, b], d[i5, b], d[i3, b], d[i1, b]
        z1, z2, z3, z4 = o0 + o3, o1 + o2, o0 + o2, o1 + o3
        z5 = (z3 + z4) * np.int32(9633)
        z1 = z1 * np.int32(-7373)
        z2 = z2 * np.int32(-20995)
        z3 = z3 * np.int32(-16069) + z5
        z4 = z4 * np.int32(-3196) + z5
        o0 = o0 * np.int32(2446) + z1 + z3
        o1 = o1 * np.int32(16819) + z2 + z4
        o2 = o2 * np.int32(25172) + z2 + z3
        o3 = o3 * np.int32(12299) + z1 + z4
        d[i0, b], d[i7, b] = (e0 + o3) >> shift, (e0 - o3) >> shift
        d[i1, b], d[i6, b] = (e1 + o2) >> shift, (e1 - o2) >> shift
        d[i2, b], d[i5, b] = (e2 + o1) >> shift, (e2 - o1) >> shift
        d[i3, b], d[i4, b] = (e3 + o0) >> shift, (e3 - o0) >> shift


@jit
def _quantise(d: Any, table: Any) -> None:
    """To the nearest multiple of the table's step; the forward transform's factor of 8 is taken out.

    The division is in float32, which is exact here: numerator and step are whole and below 2^24.
    """
    for k in range(64):
        step = np.float32(table[k] * 8)
        half = np.float32(table[k] * 4)
        for b in range(d.shape[1]):
            value = np.float32(d[k, b])
            size = np.int32((abs(value) + half) / step) * table[k]
            d[k, b] = size if value >= 0 else -size


@jit
def _load(plane: Any, top: Any, d: Any) -> None:
    for y in range(8):
        for b in range(plane.shape[1] // 8):
            for x in range(8):
                d[8 * y + x, b] = plane[top + y, 8 * b + x] - 128


@jit
def _store(d: Any, plane: Any, top: Any) -> None:
    for y in range(8):
        for b in range(plane.shape[1] // 8):
            for x in range(8):
                plane[top + y, 8 * b + x] = min(max(d[8 * y + x, b] + 128, 0), 255)


@jit
def _through(plane: Any, table: Any, d: Any) -> None:
    """A plane of 8 x 8 blocks, int32 0..255, through transform, quantisation and back, by rows of blocks."""
    for top in range(0, plane.shape[0], 8):
        _load(plane, top, d)
        for k in range(8):
            _forward(d, 8 * k, 1, 11, -2)
        for k in range(8):
            _forward(d, k, 8, 15, 2)
        _quantise(d, table)
        for k in range(8):
            _inverse(d, k, 8, 11)
        for k in range(8):
            _inverse(d, 8 * k, 1, 18)
        _store(d, plane, top)


@jit
def _to_planes(image: Any, luma: Any, blue: Any, red: Any) -> None:
    """RGB to full-size Y and averaged Cb, Cr; borders repeat the last column, then the last row of each plane."""
    height, width = image.shape[:2]
    wide = luma.shape[1]
    halves = (height + 1) // 2
    cb, cr = np.empty((2, wide), np.int32), np.empty((2, wide), np.int32)
    for pair in range(halves):
        for inner in range(2):
            y = min(2 * pair + inner, height - 1)
            for x in range(wide):
                pixel = image[y, min(x, width - 1)]
                r, g, b = np.int32(pixel[0]), np.int32(pixel[1]), np.int32(pixel[2])
                if 2 * pair + inner < luma.shape[0]:
                    luma[2 * pair + inner, x] = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16
                cb[inner, x] = (-11059 * r - 21709 * g + 32768 * b + 8421375) >> 16
                cr[inner, x] = (32768 * r - 27439 * g - 5329 * b + 8421375) >> 16
        for x in range(wide // 2):
            bias = 1 + (x & 1)
            blue[pair, x] = (cb[0, 2 * x] + cb[0, 2 * x + 1] + cb[1, 2 * x] + cb[1, 2 * x + 1] + bias) >> 2
            red[pair, x] = (cr[0, 2 * x] + cr[0, 2 * x + 1] + cr[1, 2 * x] + cr[1, 2 * x + 1] + bias) >> 2
    for y in range(height, luma.shape[0]):
        luma[y] = luma[height - 1]
    for y in range(halves, blue.shape[0]):
        blue[y] = blue[halves - 1]
        red[y] = red[halves - 1]


@jit
def _larger_row(plane: Any, y: Any, width: Any, rows: Any, sums: Any, out: Any) -> None:
    """Row y of a plane of half size at full width: a triangle filter, or repetition where it is very narrow."""
    near = y // 2
    if width <= 2:
        for x in range(2 * width):
            out[x] = plane[near, x // 2]
        return
    other = min(max(near + (1 if y & 1 else -1), 0), rows - 1)
    for x in range(width):
        sums[x] = 3 * plane[near, x] + plane[other, x]
    out[0] = (4 * sums[0] + 8) >> 4
    for x in range(1, width):
        out[2 * x] = (3 * sums[x] + sums[x - 1] + 8) >> 4
    for x in range(width - 1):
        out[2 * x + 1] = (3 * sums[x] + sums[x + 1] + 7) >> 4
    out[2 * width - 1] = (4 * sums[width - 1] + 7) >> 4


@jit
def _to_pixels(luma: Any, blue: Any, red: Any, out: Any) -> None:
    height, width = out.shape[:2]
    narrow, halves = (width + 1) // 2, (height + 1) // 2
    cb, cr = np.empty(2 * narrow, np.int32), np.empty(2 * narrow, np.int32)
    sums = np.empty(narrow, np.int32)
    for y in range(height):
        _larger_row(blue, y, narrow, halves, sums, cb)
        _larger_row(red, y, narrow, halves, sums, cr)
        for x in range(width):
            b, r = cb[x] - 128, cr[x] - 128
            light = luma[y, x]
            green = light + ((-22554 * b - 46802 * r + 32768) >> 16)
            out[y, x, 0] = min(max(light + ((91881 * r + 32768) >> 16), 0), 255)
            out[y, x, 1] = min(max(green, 0), 255)
            out[y, x, 2] = min(max(light + ((116130 * b + 32768) >> 16), 0), 255)


@jit
def _colour(images: Any, tables: Any, out: Any) -> None:
    height, width = images.shape[1:3]
    tall, wide = (height + 7) // 8 * 8, (width + 7) // 8 * 8
    half_tall, half_wide = ((height + 1) // 2 + 7) // 8 * 8, ((width + 1) // 2 + 7) // 8 * 8
    luma = np.empty((tall, max(wide, 2 * half_wide)), np.int32)
    blue, red = np.empty((half_tall, half_wide), np.int32), np.empty((half_tall, half_wide), np.int32)
    lanes = np.empty((64, luma.shape[1] // 8), np.int32)
    half_lanes = np.empty((64, half_wide // 8), np.int32)
    for n in range(images.shape[0]):
        _to_planes(images[n], luma, blue, red)
        _through(luma, tables[0], lanes)
        _through(blue, tables[1], half_lanes)
        _through(red, tables[1], half_lanes)
        _to_pixels(luma, blue, red, out[n])


@jit
def _gray(images: Any, tables: Any, out: Any) -> None:
    height, width = images.shape[1:3]
    plane = np.empty(((height + 7) // 8 * 8, (width + 7) // 8 * 8), np.int32)
    lanes = np.empty((64, plane.shape[1] // 8), np.int32)
    for n in range(images.shape[0]):
        for y in range(plane.shape[0]):
            for x in range(plane.shape[1]):
                plane[y, x] = images[n, min(y, height - 1), min(x, width - 1), 0]
        _through(plane, tables[0], lanes)
        for y in range(height):
            for x in range(width):
                out[n, y, x, 0] = plane[y, x]


def round_trip(images: Bytes, quality: int) -> Bytes:
    """uint8 (N, H, W, C) stored as JPEG of this quality, chroma at half resolution (4:2:0), and read again."""
    out = np.empty_like(images)
    (_gray if images.shape[-1] == 1 else _colour)(images, quantisers(quality), out)
    return out
