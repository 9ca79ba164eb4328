"""Steps that families of more than one group take."""

import math

import numpy as np
from scipy import ndimage
from skimage import filters


def to_bytes(levels):
    """Rounded to nearest and clipped to 0-255."""
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def smoothed(levels, sigma):
    """scikit-image's Gaussian of each channel: edges repeated, cut off at 4 sigma."""
    return filters.gaussian(levels.astype(np.float64), sigma, mode="nearest", truncate=4, channel_axis=-1)


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


def zoomed(levels, factor):
    """scipy's zoom, corners aligned, of the middle part, then trimmed to the middle. `factor` is a Fraction."""
    side = levels.shape[0]
    part = math.ceil(side / factor)
    top = (side - part) // 2
    large = round(part * factor)
    crop = levels[top : top + part, top : top + part].astype(np.float64)
    result = ndimage.zoom(crop, (large / part, large / part, 1), order=1, mode="nearest")
    assert result.shape[0] == large
    trim = (large - side) // 2
    return result[trim : trim + side, trim : trim + side]
