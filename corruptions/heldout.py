"""Held out: the ten corruptions of CIFAR-10-C-bar, far from those of CIFAR-10-C, so that nobody has tuned on them.

Their amount runs from 0 to 10. They are rebuilt from their descriptions; pixels are not those of the published set.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._contract import corruption
from corruptions._jit import jit
from corruptions._kernels import Bytes, Floats
from corruptions._sources import CBAR
from corruptions._streams import Draws
from corruptions._strength import Level
from corruptions._warp import displace

AMOUNT = Level("amount", "of the published scale", 0.0, 10.0, (2.0, 4.0, 6.0, 8.0, 10.0))
GRAY = np.float32(128 / 255)
FFT = "the spectrum is shaped by a floating-point Fourier transform"
SOFT = "its edges are drawn with the machine's sine and cosine"


def grid(images: NDArray[Any]) -> tuple[Floats, Floats]:
    """Rows (H, 1) and columns (1, W) measured from the middle, in half sides of the shorter one."""
    height, width = images.shape[1:3]
    half = min(height, width) / 2
    rows = (np.arange(height) + 0.5 - height / 2) / half
    columns = (np.arange(width) + 0.5 - width / 2) / half
    return rows.astype(np.float32)[:, None], columns.astype(np.float32)[None, :]


def shaped_noise(draws: Draws, height: int, width: int, channels: int, power: Any) -> Floats:
    """Noise (N, height, width, channels) of unit variance whose amplitude at frequency f is power(f)."""
    white = draws.normals("noise", height, width, channels)
    down = np.fft.fftfreq(height)[:, None] * height
    across = np.fft.rfftfreq(width)[None, :] * width
    spectrum = np.fft.rfft2(white, axes=(1, 2)) * power(np.hypot(down, across))[None, :, :, None]
    noise = np.fft.irfft2(spectrum, s=(height, width), axes=(1, 2))
    noise -= noise.mean(axis=(1, 2), keepdims=True)
    deviation = noise.std(axis=(1, 2, 3), keepdims=True)
    return np.asarray(noise / np.where(deviation == 0, 1, deviation), np.float32)


@corruption(
    "noise",
    level=AMOUNT,
    severities={32: (0.7, 1.4, 2.1, 3.5, 4.2), 224: (0.8, 1.6, 2.4, 4.0, 5.6)},
    not_bit_exact=FFT,
    source=CBAR,
)
def blue_noise_sample(images: Floats, amount: float, draws: Draws) -> Floats:
    """Pixels lost in a pattern of blue noise: kept where the noise, of unit variance, is above 0.3 amount - 2.5."""
    height, width = images.shape[1:3]
    noise = shaped_noise(draws, height, width, 1, lambda frequency: frequency)
    return np.where(noise > np.float32(0.3 * amount - 2.5), images, np.float32(0))


@corruption(
    "noise",
    level=AMOUNT,
    severities={32: (2.5, 4.0, 5.5, 6.5, 7.0), 224: (1.0, 2.0, 3.0, 4.0, 5.0)},
    not_bit_exact=FFT,
    source=CBAR,
)
def brownish_noise(images: Floats, amount: float, draws: Draws) -> Floats:
    """Brownish noise: blotches of amplitude 1 / (f² + 1) and deviation 6.4 amount grey levels, in each channel."""
    height, width, channels = images.shape[1:]
    noise = shaped_noise(draws, height, width, channels, lambda frequency: 1 / (frequency**2 + 1))
    return images + noise * np.float32(6.4 * amount / 255)


@corruption(
    "digital",
    level=AMOUNT,
    severities={32: (1.0, 2.0, 3.0, 4.0, 5.0), 224: (2.0, 3.0, 4.0, 5.0, 6.0)},
    not_bit_exact=SOFT,
    source=CBAR,
)
def checkerboard_cutout(images: Floats, amount: float, draws: Draws) -> Floats:
    """Gray squares of a turned checkerboard: amount / 10 of its dark squares, drawn, are covered."""
    rows, columns = grid(images)
    turn = draws.uniform("angle", 0, math.pi)[:, None, None]
    down, across = (
        np.floor((rows * a + columns * b) * np.float32(4)).astype(np.int64) + 8
        for a, b in ((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn)))
    )
    cells = draws.uniforms("cells", 16, 16)[..., 0]
    drawn = cells[np.arange(len(images))[:, None, None], down % 16, across % 16] < amount / 10
    covered = drawn & ((down + across) % 2 == 0)
    return np.where(covered[..., None], GRAY, images)


def rays(images: Floats, centre: tuple[Any, Any], turn: Any, points: int) -> Floats:
    """How far each pixel lies within a star of unit radius: below 1 inside, (N, H, W)."""
    rows, columns = grid(images)
    down, across = rows - centre[0], columns - centre[1]
    angle = np.arctan2(down, across) + turn
    pull = np.abs(np.cos(angle * points / 2)) ** 3 * 0.85 + 0.15
    near: Floats = np.empty(np.broadcast_shapes(down.shape, across.shape), np.float32)
    near[...] = np.hypot(down, across) / pull
    return near


@corruption(
    "digital",
    version=2,
    level=AMOUNT,
    severities={32: (0.7, 3.5, 5.6, 6.3, 7.0), 224: (1.0, 2.0, 3.0, 5.0, 6.0)},
    not_bit_exact=SOFT,
    source=CBAR,
)
def sparkles(images: Floats, amount: float, draws: Draws) -> Floats:
    """Five bright stars of eight rays at drawn places, white to 0.01 amount · side at most, their glow to 3 times."""
    values = draws.uniforms("stars", 5, 4)[..., 0].astype(np.float64)
    out = images.copy()
    height, width = images.shape[1:3]
    tall, wide = height / min(height, width), width / min(height, width)
    for star in range(5):
        down, across, turn, size = (values[:, star, k, None, None] for k in range(4))
        radius = 0.04 * amount * (0.5 + 0.5 * size) + 1e-6
        near = rays(images, (tall * (2 * down - 1), wide * (2 * across - 1)), turn * math.pi, 8) / radius
        light = np.clip(1.5 - near, 0, 1).astype(np.float32)[..., None]
        out += light * (1 - out)
    return out


@corruption(
    "digital",
    level=AMOUNT,
    severities={32: (1.0, 1.5, 2.5, 4.5, 5.0), 224: (1.0, 2.0, 4.0, 9.0, 10.0)},
    not_bit_exact=SOFT,
    source=CBAR,
)
def inverse_sparkles(images: Floats, amount: float, draws: Draws) -> Floats:
    """White outside a star of rays around a drawn place near the middle; the star shrinks as the amount grows."""
    values = draws.uniforms("star", 1, 3)[:, 0, :, 0].astype(np.float64)
    down, across, turn = (values[:, k, None, None] for k in range(3))
    near = rays(images, (0.4 * down - 0.2, 0.4 * across - 0.2), turn * math.pi, 12) * (0.1 + 0.05 * amount)
    white: Floats = np.clip(near * 2 - 1, 0, 1).astype(np.float32)[..., None]
    return images + white * (1 - images)


@corruption(
    "digital",
    level=AMOUNT,
    severities={32: (0.5, 1.0, 1.5, 2.0, 2.5)},
    not_bit_exact=SOFT,
    source=CBAR,
)
def lines(images: Floats, amount: float, draws: Draws) -> Floats:
    """int(amount / 10 · side) anti-aliased gray lines, one pixel wide, between drawn points."""
    height, width = images.shape[1:3]
    count = int(amount / 10 * min(height, width))
    ends = draws.uniforms("ends", max(count, 1), 4)[..., 0].astype(np.float64)
    rows, columns = np.arange(height)[:, None] + 0.5, np.arange(width)[None, :] + 0.5
    out = images.copy()
    for line in range(count):
        y0, x0, y1, x1 = (ends[:, line, k, None, None] * (height, width)[k % 2] for k in range(4))
        along_y, along_x = y1 - y0, x1 - x0
        length = np.maximum(np.hypot(along_y, along_x), 1e-9)
        off = np.abs((rows - y0) * along_x - (columns - x0) * along_y) / length
        share = ((rows - y0) * along_y + (columns - x0) * along_x) / length**2
        cover = (np.clip(1 - off, 0, 1) * ((share >= 0) & (share <= 1))).astype(np.float32)[..., None]
        out += cover * (GRAY - out)
    return out


@corruption(
    "digital",
    level=AMOUNT,
    severities={32: (5.5, 6.0, 6.5, 8.5, 10.0)},
    not_bit_exact=SOFT,
    source=CBAR,
)
def pinch_and_twirl(images: Floats, amount: float, draws: Draws) -> Floats:
    """Each field of a 3 x 3 grid pinched or bulged, and twirled to a drawn side, towards its middle."""
    height, width = images.shape[1:3]
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    field_y = np.minimum(rows * 3 / height, 2.999).astype(np.int64)
    field_x = np.minimum(columns * 3 / width, 2.999).astype(np.int64)
    down = (rows - (field_y + 0.5) * height / 3)[:, None] / (height / 6)
    across = (columns - (field_x + 0.5) * width / 3)[None, :] / (width / 6)
    inside = np.clip(1 - np.hypot(down, across), 0, 1)
    values = draws.uniforms("fields", 3, 3, 2)[:, field_y][:, :, field_x].astype(np.float64) * 2 - 1
    turn = values[..., 0] * inside**2 * (amount / 10) * math.pi
    scale = 1 + values[..., 1] * inside * 0.8 * (amount / 10)
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    right_by = (across * cos - down * sin - across) * (width / 6)
    down_by = (across * sin + down * cos - down) * (height / 6)
    return displace(images, right_by.astype(np.float32), down_by.astype(np.float32))


@corruption(
    "digital",
    level=AMOUNT,
    severities={32: (5.5, 6.0, 6.5, 7.5, 8.0)},
    not_bit_exact=SOFT,
    source=CBAR,
)
def ripple(images: Floats, amount: float, draws: Draws) -> Floats:
    """Ripples: rows moved along a sine of their columns and columns along a sine of their rows, phases drawn."""
    rows, columns = grid(images)
    size = amount / 10 * min(images.shape[1:3]) / 20
    values = draws.uniforms("waves", 2, 2)[..., 0].astype(np.float64)
    moves = []
    for axis, place in enumerate((columns, rows)):
        waves = 2 + 2 * values[:, axis, 0, None, None]
        phase = 2 * math.pi * values[:, axis, 1, None, None]
        moved = size * np.sin(math.pi * waves * place + phase)
        moves.append(np.broadcast_to(moved, images.shape[:3]).astype(np.float32))
    return displace(images, moves[1], moves[0])


@corruption(
    "blur",
    level=AMOUNT,
    severities={32: (2.8, 3.6, 4.4, 5.2, 6.0)},
    not_bit_exact=SOFT,
    source=CBAR,
)
def circular_motion_blur(images: Floats, amount: float) -> Floats:
    """Turned while exposed: the mean over 21 rotations about the middle, from -1.5 amount to 1.5 amount degrees."""
    height, width = images.shape[1:3]
    down = (np.arange(height) - (height - 1) / 2)[:, None]
    across = (np.arange(width) - (width - 1) / 2)[None, :]
    total = np.zeros_like(images)
    for angle in np.deg2rad(np.linspace(-1.5 * amount, 1.5 * amount, 21)):
        cos, sin = math.cos(angle), math.sin(angle)
        right_by = (across * cos - down * sin - across).astype(np.float32)
        down_by = (across * sin + down * cos - down).astype(np.float32)
        shape = images.shape[:3]
        total += displace(images, np.broadcast_to(right_by, shape), np.broadcast_to(down_by, shape))
    return total / np.float32(21)


@corruption(
    "digital",
    level=AMOUNT,
    takes="uint8",
    severities={32: (1.0, 2.0, 5.0, 9.0, 10.0)},
    gray="stays as it is: one channel has no fringes",
    source=CBAR,
)
def transverse_chromatic_abberation(images: Bytes, amount: float) -> Floats:
    """Colour fringes: red stays, green is enlarged about the middle by 1 + amount / 40 and blue by 1 + amount / 20.

    The name is spelled as published.
    """
    out = np.empty(images.shape, np.float32)
    for channel in range(images.shape[-1]):
        _enlarge(images, channel, np.float64(1 + amount * channel / 40), out)
    return out


@jit
def _enlarge(images: Any, channel: Any, zoom: Any, out: Any) -> None:
    count, height, width, _ = images.shape
    for y in range(height):
        from_y = (y - (height - 1) / 2) / zoom + (height - 1) / 2
        top = int(from_y)
        bottom, share_y = min(top + 1, height - 1), np.float32(from_y - top)
        for x in range(width):
            from_x = (x - (width - 1) / 2) / zoom + (width - 1) / 2
            left = int(from_x)
            right, share_x = min(left + 1, width - 1), np.float32(from_x - left)
            for n in range(count):
                a, b = np.float32(images[n, top, left, channel]), np.float32(images[n, top, right, channel])
                c, d = np.float32(images[n, bottom, left, channel]), np.float32(images[n, bottom, right, channel])
                upper, lower = a + share_x * (b - a), c + share_x * (d - c)
                out[n, y, x, channel] = (upper + share_y * (lower - upper)) / np.float32(255)
