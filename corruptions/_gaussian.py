"""SciPy's Gaussian filter in float64, addition by addition: where a value is cut to 8 bits, its last bit decides."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from functools import lru_cache
from typing import Any

import numpy as np

from corruptions._jit import jit
from corruptions._kernels import Doubles, border, pad_row

STILL = 1e-15
"""SciPy filters no axis whose sigma is not above this."""


@lru_cache(maxsize=64)
def half_weights(sigma: float, truncate: float = 4.0) -> Doubles:
    """The weights of the centre and of each step away from it; exponentials are rounded correctly on any machine."""
    reach = int(truncate * sigma + 0.5)
    if sigma <= STILL:
        return np.ones(1)
    steps = np.arange(-reach, reach + 1)
    with localcontext(Context(prec=40)):
        values = np.array([float(Decimal(float(-0.5 / (sigma * sigma) * step**2)).exp()) for step in steps])
    return np.ascontiguousarray((values / values.sum())[reach:])


@jit
def _add_pairs(rows: Any, centre: Any, first: Any, last: Any, weights: Any, out: Any) -> None:
    """out = centre weights[0] + the sum of (rows at first[k] + rows at last[k]) weights[k], the farthest k first."""
    size = out.size
    here, weight = rows[centre : centre + size], weights[0]
    for at in range(size):
        out[at] = here[at] * weight
    for k in range(weights.size - 1, 0, -1):
        a, b, weight = rows[first[k] : first[k] + size], rows[last[k] : last[k] + size], weights[k]
        for at in range(size):
            out[at] += (a[at] + b[at]) * weight


@jit
def _smooth(images: Any, weights: Any, above: Any, beside: Any) -> None:
    count, height, width, channels = images.shape
    size, reach = width * channels, weights.size - 1
    line, padded, whole = np.empty(size), np.empty(beside.size * channels), np.empty(height * size)
    first, last = np.empty(reach + 1, np.int64), np.empty(reach + 1, np.int64)
    across_first, across_last = (reach - np.arange(reach + 1)) * channels, (reach + np.arange(reach + 1)) * channels
    for n in range(count):
        values = images[n].reshape(height * size)
        whole[:] = values
        for y in range(height):
            for k in range(reach + 1):
                first[k], last[k] = above[y + reach - k] * size, above[y + reach + k] * size
            _add_pairs(whole, y * size, first, last, weights, line)
            pad_row(line, channels, beside, padded)
            row = values[y * size : (y + 1) * size]
            _add_pairs(padded, reach * channels, across_first, across_last, weights, row)


def smooth_exactly(images: Doubles, sigma: float, truncate: float = 4.0) -> None:
    """`scipy.ndimage.gaussian_filter` of each channel of (N, H, W, C), edge pixels repeated, bit for bit, in place.

    Columns are filtered first, then rows; pixels at the same distance on both sides are added before they are weighed.
    """
    weights = half_weights(sigma, truncate)
    height, width = images.shape[1:3]
    reach = len(weights) - 1
    _smooth(images, weights, border(height, reach, "edge"), border(width, reach, "edge"))
