"""How far restoration gets."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robench.errors import UsageError
from robench.models import Restorer

Images = NDArray[np.uint8]


def noise_removed(restorer: Restorer, clean: Images, degraded: Images, *, batch_size: int = 256) -> float:
    """The share of the l1 distance to the clean images that restoration takes away.

    clean, degraded: the same images, uint8 (N, H, W, C). 1 where restored images are the clean ones, 0 where nothing
    was gained, below 0 where they are farther than before. Raises UsageError for images of other shapes, or where
    there is no distance to begin with.
    """
    if clean.shape != degraded.shape or clean.ndim != 4:
        raise UsageError(f"expected clean and degraded images (N, H, W, C), got {clean.shape} and {degraded.shape}")
    before = after = 0.0
    for start in range(0, len(clean), batch_size):
        wanted, given = (_unit(images[start : start + batch_size], restorer) for images in (clean, degraded))
        with torch.inference_mode():
            restored = restorer.restore(given)
        before += float((given - wanted).abs().sum(dtype=torch.float64)) * (restored.shape[1] / given.shape[1])
        after += float((restored - wanted).abs().sum(dtype=torch.float64))
    if not before:
        raise UsageError("expected degraded images, got the clean ones")
    return 1 - after / before


def _unit(images: Images, restorer: Restorer) -> Tensor:
    return torch.from_numpy(images).to(restorer.device).permute(0, 3, 1, 2).float() / 255
