"""Noise and blur."""

import math

import cv2
import numpy as np
from scipy import stats

from reference.shared import quanta, smoothed, streak, to_bytes, zoomed


def gaussian_noise(image, row, normals):
    """x + sigma z."""
    return image / 255 + row * normals.astype(np.float64)


def shot_noise(image, row, uniforms):
    """The Poisson quantile of a uniform number, with rate x photons, in units of one photon."""
    counts = np.zeros(image.shape)
    for value in np.unique(image):
        here = image == value
        rate = value / 255 * row
        ladder = stats.poisson.cdf(np.arange(int(rate + 12 * math.sqrt(rate) + 40)), rate)
        counts[here] = np.searchsorted(ladder, uniforms[here])
    return counts / row


def impulse_noise(image, row, uniforms, salt):
    """1 or 0 where the uniform number is below the amount."""
    return np.where(uniforms < row, np.where(salt, 1.0, 0.0), image / 255)


def speckle_noise(image, row, normals):
    """x + x sigma z."""
    unit = image / 255
    return unit + unit * (row * normals.astype(np.float64))


def gaussian_blur(image, row):
    """A Gaussian of each channel."""
    return smoothed(image / 255, row)


def glass_blur(image, row, passes):
    """Smoothed, scattered by copies in scan order, smoothed. `passes` are arrays (H, W, 2) of offsets (dx, dy)."""
    sigma, reach, times = row
    assert len(passes) == times
    height, width = image.shape[:2]
    pixels = [[tuple(pixel) for pixel in line] for line in to_bytes(smoothed(image / 255, sigma)).tolist()]
    for offsets in passes:
        moves = offsets.tolist()
        for h in range(height - reach, reach, -1):
            for w in range(width - reach, reach, -1):
                dx, dy = moves[h][w]
                pixels[h][w] = pixels[h + dy][w + dx]
    return smoothed(np.array(pixels, np.uint8).reshape(image.shape) / 255, sigma)


def published_disc(radius, alias):
    """The kernel as published, smoothing about its array's edge."""
    reach = 8 if radius <= 8 else int(radius)
    axis = np.arange(-reach, reach + 1)
    disc = (axis[:, None] ** 2 + axis[None] ** 2 <= radius**2).astype(np.float32)
    disc /= disc.sum()
    size = 5 if radius > 8 else 3
    return cv2.GaussianBlur(disc, (size, size), alias, borderType=cv2.BORDER_REFLECT_101)


def defocus_blur(image, row):
    """Each channel filtered by the smoothed disc, mirrored about the edge pixels."""
    kernel = published_disc(*row)
    planes = [
        cv2.filter2D(np.ascontiguousarray(image[..., channel]) / 255, -1, kernel) for channel in range(image.shape[2])
    ]
    return np.stack(planes, axis=-1)


def motion_blur(image, row, degrees):
    """The image streaked."""
    return quanta(streak(image / 255, *row, degrees)) / 255


def zoom_blur(image, row):
    """The mean of the image and its zooms, in float32."""
    unit = (image / 255).astype(np.float32)
    factors = np.arange(1, *row)
    total = np.zeros_like(unit)
    for factor in factors:
        total += zoomed(unit, factor)
    return (unit + total) / np.float32(len(factors) + 1)
