"""Cloud maps: fractal noise by diamond-square on a torus (Fournier, Fussell and Carpenter 1982)."""

from __future__ import annotations

from typing import Any

import numpy as np

from corruptions._jit import jit
from corruptions._kernels import Floats
from corruptions._streams import Draws


@jit
def _lift(heights: Any, first: Any, step: Any, diagonal: Any, swing: Any) -> None:
    """Points at first + k step: the mean of the four neighbours half a step away, plus swing² times its draw."""
    tall, wide = heights.shape
    half, down, across, swing = step // 2, tall - 1, wide - 1, swing * swing
    for y in range(first[0], tall, step):
        here, above, below = heights[y], heights[(y - half) & down], heights[(y + half) & down]
        for x in range(first[1], wide, step):
            left, right = (x - half) & across, (x + half) & across
            if diagonal:
                near = (above[left] + below[left]) + (above[right] + below[right])
            else:
                near = (above[x] + below[x]) + (here[left] + here[right])
            here[x] = near / np.float32(4) + swing * here[x]


@jit
def _plasma(maps: Any, decay: Any) -> None:
    """Toroidal diamond-square in place: `maps` holds draws uniform on [0, 1), and at the end heights from 0 to 1."""
    size = min(maps.shape[1], maps.shape[2])
    for n in range(maps.shape[0]):
        heights, flat = maps[n], maps[n].reshape(maps[n].size)
        for at in range(flat.size):
            flat[at] = flat[at] * np.float32(2) - np.float32(1)
        heights[::size, ::size] = np.float32(0)
        swing = np.float32(100)
        step = size
        while step >= 2:
            half = step // 2
            _lift(heights, (half, half), step, True, swing)
            _lift(heights, (0, half), step, False, swing)
            _lift(heights, (half, 0), step, False, swing)
            step = half
            swing = swing / decay
        low, high = flat.min(), flat.max()
        scale = max(high - low, np.float32(1e-30))
        for at in range(flat.size):
            flat[at] = (flat[at] - low) / scale


def plasma(draws: Draws, height: int, width: int, decay: float) -> Floats:
    """Cloud maps from 0 to 1 for images of height x width: diamond-square on a torus, float32 (N, H', W').

    H' and W' are the next powers of two, at least 2. The first step is the smaller of them; where the sides differ,
    all places a step apart begin at 0. The swing is w², w from 100 divided by `decay` at every halving of the step, as
    published.
    """
    tall, wide = (1 << max(side - 1, 1).bit_length() for side in (height, width))
    heights = draws.uniforms("plasma", tall, wide)[..., 0]
    _plasma(heights, np.float32(decay))
    return heights
