"""How far restoration gets."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from robench.errors import ConfigError
from robench.models import Restorer, unit

Images = NDArray[np.uint8]


def noise_removed(restorer: Restorer, clean: Images, degraded: Images, *, batch_size: int = 256) -> float:
    """The share of the l1 distance to the clean images that restoration takes away.

    clean, degraded: the same images, uint8 (N, H, W, C). 1 where restored images are the clean ones, 0 where nothing
    was gained, below 0 where they are farther than before. Raises ConfigError for images of other shapes, or where
    there is no distance to begin with.
    """
    if clean.shape != degraded.shape or clean.ndim != 4:
        raise ConfigError(f"expected clean and degraded images (N, H, W, C), got {clean.shape} and {degraded.shape}")
    before = after = 0.0
    for start in range(0, len(clean), batch_size):
        parts = (torch.from_numpy(images[start : start + batch_size]) for images in (clean, degraded))
        wanted, given = (unit(part.to(restorer.device)) for part in parts)
        with torch.inference_mode():
            restored = restorer.restore(given)
        # summed on the CPU: not every device has float64
        before += float((given - wanted).abs().cpu().sum(dtype=torch.float64)) * (restored.shape[1] / given.shape[1])
        after += float((restored - wanted).abs().cpu().sum(dtype=torch.float64))
    if not before:
        raise ConfigError("expected degraded images, got the clean ones")
    return 1 - after / before
