"""Noise: a random change of every pixel on its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from corruptions._contract import corruption
from corruptions._jit import jit
from corruptions._kernels import Bytes, Doubles, Floats
from corruptions._sources import CUT, FIDELITY, HENDRYCKS, THREED, ZHOU
from corruptions._streams import Draws
from corruptions._strength import Level

SIGMA = Level("sigma", "of the range [0, 1]", 0.0, 1000.0, (0.1, 0.2, 0.3, 0.4, 0.5), identity=0.0)


def add_normal(images: Floats, sigma: Any, draws: Draws) -> Floats:
    """images + sigma z with one z of N(0, 1) for each pixel and channel; sigma broadcasts."""
    noise = draws.normals("noise", *images.shape[1:])
    noise *= np.asarray(sigma, np.float32)
    noise += images
    return noise


@corruption("noise", level=SIGMA, per_image=True, source=f"{FIDELITY}, section 3.2.1")
def awgn(images: Floats, sigma: Any, draws: Draws) -> Floats:
    """Additive white Gaussian noise: x + N(0, sigma²) for each pixel and channel on its own, clipped.

    sigma is the standard deviation on the [0, 1] range. The same image keeps its noise field at every sigma.
    """
    return add_normal(images, sigma, draws)


@corruption(
    "noise",
    level=Level("sigma", "of the range [0, 1], first to last", 0.0, 1000.0, ((0.5, 0.0), (0.3, 0.0)), parts=2),
    not_monotone="a level is a pair: neither end alone is the strength",
    source=f"{FIDELITY}, section 3.2.1 (1D varying)",
)
def spatially_varying_noise_1d(images: Floats, sigma: tuple[float, float], draws: Draws) -> Floats:
    """Gaussian noise whose sigma runs linearly along the rows or along the columns, which of them drawn per image.

    sigma is the pair at the first and at the last row (or column); an axis of one pixel has the first.
    """
    height, width = images.shape[1:3]
    down = draws.integers("axis", 0, 2)[:, None, None, None] == 0
    rows = (np.arange(height, dtype=np.float32) / max(height - 1, 1))[:, None, None]
    columns = (np.arange(width, dtype=np.float32) / max(width - 1, 1))[None, :, None]
    return add_normal(images, between(sigma, np.where(down, rows, columns)), draws)


@corruption(
    "noise",
    level=Level("sigma", "of the range [0, 1], nearest to farthest", 0.0, 1000.0, ((0.5, 0.0), (0.0, 0.5)), parts=2),
    not_monotone="a level is a pair: neither end alone is the strength",
    source=f"{FIDELITY}, section 3.2.1 (2D varying)",
)
def spatially_varying_noise_2d(images: Floats, sigma: tuple[float, float], draws: Draws) -> Floats:
    """Gaussian noise whose sigma runs linearly with the Euclidean distance to a pixel drawn per image.

    sigma is the pair at that pixel and at the pixel farthest from it.
    """
    height, width = images.shape[1:3]
    down = np.arange(height)[:, None] - draws.integers("row", 0, height)[:, None, None]
    right = np.arange(width) - draws.integers("column", 0, width)[:, None, None]
    distance = np.sqrt((down**2 + right**2).astype(np.float64))
    farthest = np.maximum(distance.max(axis=(1, 2), keepdims=True), 1)
    return add_normal(images, between(sigma, (distance / farthest)[..., None]), draws)


def between(ends: tuple[float, float], share: Any) -> Floats:
    """Linear from ends[0] at share 0 to ends[1] at share 1, float32."""
    return (ends[0] + (ends[1] - ends[0]) * np.asarray(share, np.float64)).astype(np.float32)


@jit
def _replace(values: Any, words: Any, below: Any, out: Any) -> None:
    for at in range(values.size):
        word = words[at]
        extreme = np.uint8(255) if word & np.uint32(1) else np.uint8(0)
        out[at] = extreme if (word >> np.uint32(1)) < below else values[at]


def extremes(images: Bytes, p: float, draws: Draws) -> Bytes:
    """Each value 0 or 255 with probability p, either as likely; a value replaced at one p stays so at a larger p."""
    words = draws.words("values", *images.shape[1:])
    out = np.empty_like(images)
    _replace(images.reshape(-1), words.reshape(-1), np.uint32(min(p * 2.0**31, 2.0**31)), out.reshape(-1))
    return out


@corruption(
    "noise",
    takes="uint8",
    level=Level("p", "share of values replaced", 0.0, 1.0, (0.05, 0.1, 0.2, 0.3, 0.5), identity=0.0),
    source=f"{FIDELITY}, appendix A.1",
)
def salt_and_pepper(images: Bytes, p: float, draws: Draws) -> Bytes:
    """Salt and pepper: each value, each channel on its own, becomes 0 or 255 with probability p, either as likely.

    A value replaced at one p is replaced by the same at every larger p.
    """
    return extremes(images, p, draws)


@corruption(
    "noise",
    version=2,
    takes="double",
    rounding="down",
    near_identity=CUT,
    level=SIGMA,
    per_image=True,
    severities={
        32: (0.04, 0.06, 0.08, 0.09, 0.10),
        64: (0.04, 0.08, 0.12, 0.15, 0.18),
        224: (0.08, 0.12, 0.18, 0.26, 0.38),
    },
    source=HENDRYCKS,
)
def gaussian_noise(images: Doubles, sigma: Any, draws: Draws) -> Doubles:
    """Gaussian noise of low light: x + N(0, sigma²) for each pixel and channel on its own.

    As published: values are cut to 8 bits, which darkens by half a level in the mean.
    """
    _add_noise(images, draws.normals("noise", *images.shape[1:]), _each(sigma, len(images)))
    return images


def _each(sigma: Any, count: int) -> Doubles:
    """sigma for each of `count` images, from one number or one for each."""
    return np.broadcast_to(np.asarray(sigma, np.float64).reshape(-1), (count,))


@jit
def _add_noise(images: Any, normals: Any, sigmas: Any) -> None:
    for n in range(images.shape[0]):
        values, noise, sigma = images[n].reshape(-1), normals[n].reshape(-1), sigmas[n]
        for at in range(values.size):
            values[at] += sigma * np.float64(noise[at])


@corruption(
    "noise",
    version=2,
    rounding="down",
    takes="uint8",
    level=Level("photons", "expected count at white", 0.01, 1e4, (500, 250, 100, 50, 25), more_is_stronger=False),
    severities={
        32: (500, 250, 100, 75, 50),
        64: (250, 100, 50, 30, 15),
        224: (60, 25, 12, 5, 3),
    },
    source=HENDRYCKS,
)
def shot_noise(images: Bytes, photons: float, draws: Draws) -> Doubles:
    """Shot noise of few photons: Poisson(x photons) / photons for each pixel and channel on its own.

    As published: values are cut to 8 bits.
    """
    rates = tuple(value / 255 * photons for value in range(256))
    return np.asarray(draws.poisson("counts", rates, images) / float(photons), np.float64)


@corruption(
    "noise",
    rounding="down",
    takes="uint8",
    level=Level("amount", "share of values replaced", 0.0, 1.0, (0.01, 0.03, 0.07, 0.15, 0.27), identity=0.0),
    severities={
        32: (0.01, 0.02, 0.03, 0.05, 0.07),
        64: (0.01, 0.02, 0.05, 0.08, 0.14),
        224: (0.03, 0.06, 0.09, 0.17, 0.27),
    },
    source=HENDRYCKS,
)
def impulse_noise(images: Bytes, amount: float, draws: Draws) -> Bytes:
    """Impulse noise of bit errors: each value, each channel on its own, becomes 0 or 255 with probability `amount`."""
    return extremes(images, amount, draws)


@corruption(
    "noise",
    version=2,
    takes="double",
    rounding="down",
    near_identity=CUT,
    level=SIGMA,
    per_image=True,
    severities={
        32: (0.06, 0.10, 0.12, 0.16, 0.20),
        64: (0.15, 0.20, 0.25, 0.30, 0.35),
        224: (0.15, 0.20, 0.35, 0.45, 0.60),
    },
    source=HENDRYCKS,
)
def speckle_noise(images: Doubles, sigma: Any, draws: Draws) -> Doubles:
    """Speckle noise: x + x N(0, sigma²) for each pixel and channel on its own, so bright pixels get more.

    As published: values are cut to 8 bits.
    """
    _add_speckle(images, draws.normals("noise", *images.shape[1:]), _each(sigma, len(images)))
    return images


@jit
def _add_speckle(images: Any, normals: Any, sigmas: Any) -> None:
    for n in range(images.shape[0]):
        values, noise, sigma = images[n].reshape(-1), normals[n].reshape(-1), sigmas[n]
        for at in range(values.size):
            values[at] += values[at] * (sigma * np.float64(noise[at]))


@corruption(
    "noise",
    per_image=True,
    level=Level("sigma", "grey levels of 0 to 255", 0.0, 255.0, (1.0, 2.0, 3.0, 4.0), identity=0.0),
    source=f"{ZHOU}, section 3",
)
def gaussian_noise_255(images: Floats, sigma: Any, draws: Draws) -> Floats:
    """Gaussian noise on the 0-255 scale: x + N(0, sigma²) for each pixel and channel, sigma in grey levels."""
    return add_normal(images, np.asarray(sigma, np.float32) / np.float32(255), draws)


def photon_noise(images: Floats, photons: float, draws: Draws) -> Floats:
    """Poisson(x photons) / photons, of x to the nearest 1023rd."""
    which = np.rint(images * np.float32(1023)).astype(np.int64)
    rates = tuple(value / 1023 * photons for value in range(1024))
    return draws.poisson("counts", rates, which).astype(np.float32) / np.float32(photons)


@corruption(
    "noise",
    level=Level("sigma", "of the range [0, 1]", 0.0, 10.0, (0.056, 0.126, 0.266)),
    severities={224: (0.056, 0.084, 0.126, 0.182, 0.266)},
    source=THREED,
)
def iso_noise(images: Floats, sigma: float, draws: Draws) -> Floats:
    """Sensor noise at high ISO: Poisson noise of 25 photons at white, then N(0, sigma²), on each channel on its own."""
    return add_normal(photon_noise(images, 25.0, draws), sigma, draws)


@corruption(
    "noise",
    level=Level("light", "largest value left", 0.0, 1.0, (0.6, 0.5, 0.4, 0.3, 0.2), None, False),
    severities={224: (0.6, 0.5, 0.4, 0.3, 0.2)},
    source=THREED,
)
def low_light(images: Floats, light: float, draws: Draws) -> Floats:
    """A dark scene: values stretched to [0, 1], squared, scaled to [0, light], then noise of few photons.

    The noise is Poisson of 120 photons at white, then N(0, 0.018²), for each pixel and channel on its own.
    Mended: an image of one value is not stretched, where the published code divides by zero.
    """
    low = images.min(axis=(1, 2, 3), keepdims=True)
    spread = images.max(axis=(1, 2, 3), keepdims=True) - low
    flat = spread == 0
    stretched = np.where(flat, images, (images - low) / np.where(flat, np.float32(1), spread))
    dark = np.asarray(stretched * stretched * np.float32(light), np.float32)
    return add_normal(photon_noise(dark, 120.0, draws), 0.018, draws)
