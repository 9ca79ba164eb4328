"""How much edge and texture feature maps hold: the variance of their gradient's magnitude."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robench.errors import ConfigError

Floats = NDArray[np.floating]


def gradient_magnitude(maps: Floats) -> Floats:
    """Length of the Sobel gradient of maps (..., H, W), where the 3x3 filters fit: (..., H - 2, W - 2).

    The filters are divided by 4: Zhou, Song, Cheung 2017 (ICASSP), equations 1 and 2. Raises ConfigError for maps
    smaller than 3x3.
    """
    if maps.ndim < 2 or min(maps.shape[-2:]) < 3:
        raise ConfigError(f"expected feature maps (..., H, W) of at least 3x3, got {maps.shape}")
    across, down = maps[..., :, :-2] - maps[..., :, 2:], maps[..., :-2, :] - maps[..., 2:, :]
    x = (across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]) / 4
    y = (down[..., :, :-2] + 2 * down[..., :, 1:-1] + down[..., :, 2:]) / 4
    return np.hypot(x, y)


def gradient_variance(maps: Floats) -> NDArray[np.float64]:
    """The variance over each map's places, averaged over an image's maps; maps: (N, channels, H, W), gives (N,)."""
    variances: NDArray[np.float64] = gradient_magnitude(maps).var(axis=(-2, -1), dtype=np.float64)
    return np.asarray(variances.mean(axis=1))


def mean_gradient_variance(maps: Floats) -> float:
    """The mean of `gradient_variance` over images; maps: (N, channels, H, W)."""
    return float(gradient_variance(maps).mean())
