"""Steps that families of more than one group take."""

import math

import numpy as np
from scipy import ndimage
from skimage import filters


def to_bytes(unit):
    """Values on [0, 1] clipped, times 255, and cut to 8 bits."""
    return np.uint8(np.clip(unit, 0, 1) * 255)


def quanta(unit):
    """Values on [0, 1] as ImageMagick 6.9 with 16-bit quanta stores them in a PNG: to the nearest quantum, then cut."""
    return (np.rint(unit * 65535) // 257).astype(np.uint8)


def smoothed(values, sigma):
    """scikit-image's Gaussian of each channel: edges repeated, cut off at 4 sigma."""
    return filters.gaussian(values, sigma, mode="nearest", truncate=4, channel_axis=-1)


def streak(levels, radius, sigma, degrees):
    """ImageMagick's motion blur: a one-sided Gaussian along a line of whole pixels, edges repeated."""
    height, width = levels.shape[:2]
    taps = np.exp(-(np.arange(2 * math.ceil(radius) + 1) ** 2) / (2.0 * sigma**2))
    taps /= taps.sum()
    theta = math.radians(degrees)
    rows, columns = np.indices((height, width))
    total = np.zeros(levels.shape)
    for i, tap in enumerate(taps):
        x = np.clip(columns + math.ceil(i * math.cos(theta) - 0.5), 0, width - 1)
        y = np.clip(rows + math.ceil(i * math.sin(theta) - 0.5), 0, height - 1)
        total += tap * levels[y, x]
    return total


def zoomed(values, factor):
    """scipy's zoom, corners aligned, of the middle part, then trimmed to the middle."""
    side = values.shape[0]
    part = math.ceil(side / factor)
    top = (side - part) // 2
    result = ndimage.zoom(values[top : top + part, top : top + part], (factor, factor, 1), order=1)
    trim = (result.shape[0] - side) // 2
    return result[trim : trim + side, trim : trim + side]
