"""Noise and blur."""

import math
from fractions import Fraction

import cv2
import numpy as np
from scipy import stats

from reference.shared import smoothed, streak, to_bytes, zoomed


def gaussian_noise(image, row, normals):
    """x + sigma z."""
    return image + 255 * row * normals.astype(np.float64)


def shot_noise(image, row, uniforms):
    """The Poisson quantile of a uniform number, with rate x photons, in units of one photon."""
    counts = np.zeros(image.shape)
    for value in np.unique(image):
        here = image == value
        rate = value / 255 * row
        ladder = stats.poisson.cdf(np.arange(int(rate + 12 * math.sqrt(rate) + 40)), rate)
        counts[here] = np.searchsorted(ladder, uniforms[here])
    return counts / row * 255


def impulse_noise(image, row, uniforms, salt):
    """255 or 0 where the uniform number is below the amount."""
    return np.where(uniforms < row, np.where(salt, 255, 0), image).astype(np.uint8)


def speckle_noise(image, row, normals):
    """x + x sigma z."""
    return image + image * (row * normals.astype(np.float64))


def gaussian_blur(image, row):
    """A Gaussian of each channel."""
    return smoothed(image, row)


def glass_blur(image, row, passes):
    """Smoothed, scattered by copies in scan order, smoothed. `passes` are arrays (H, W, 2) of offsets (dx, dy)."""
    sigma, reach, times = row
    assert len(passes) == times
    height, width = image.shape[:2]
    pixels = [[tuple(pixel) for pixel in line] for line in to_bytes(smoothed(image, sigma)).tolist()]
    for offsets in passes:
        moves = offsets.tolist()
        for h in range(height - reach, reach, -1):
            for w in range(width - reach, reach, -1):
                dx, dy = moves[h][w]
                pixels[h][w] = pixels[h + dy][w + dx]
    return smoothed(np.array(pixels, np.uint8).reshape(image.shape), sigma)


def published_disc(radius, alias, pad=0):
    """The kernel as published, on `pad` more pixels at each side so that smoothing does not meet the array's edge."""
    reach = (8 if radius <= 8 else int(radius)) + pad
    axis = np.arange(-reach, reach + 1)
    disc = (axis[:, None] ** 2 + axis[None] ** 2 <= radius**2).astype(np.float64)
    disc /= disc.sum()
    size = 5 if radius > 8 else 3
    return cv2.GaussianBlur(disc, (size, size), alias, borderType=cv2.BORDER_REFLECT_101)


def defocus_blur(image, row):
    """Each channel filtered by the smoothed disc, mirrored about the edge pixels."""
    kernel = published_disc(*row, pad=4)
    assert abs(kernel.sum() - 1) < 1e-12
    planes = [
        cv2.filter2D(
            np.ascontiguousarray(image[..., channel], np.float64), -1, kernel, borderType=cv2.BORDER_REFLECT_101
        )
        for channel in range(image.shape[2])
    ]
    return np.stack(planes, axis=-1)


def motion_blur(image, row, degrees):
    """The image streaked."""
    return streak(image, *row, degrees)


def zoom_blur(image, row):
    """The mean of the image and its zooms, the factors as numpy's arange gives them, taken for hundredths."""
    factors = [Fraction(round(100 * factor), 100) for factor in np.arange(1, *row)]
    total = image.astype(np.float64)
    for factor in factors:
        total = total + zoomed(image, factor)
    return total / (len(factors) + 1)
