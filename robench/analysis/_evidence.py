"""Where a network that decides by patches sees the evidence for a class."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from robench.errors import ConfigError, ModelError
from robench.models import Classifier


def patch_centres(classifier: Classifier, image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the middles of the patches lie in an image (H, W, C): rows (h,) and columns (w,), in pixels of the image.

    The middle of the first pixel is 0, that of the last H - 1 or W - 1. The places of a map are those of the patches,
    which do not reach the edges with their middles: a map that is stretched over the image is out of place. Raises
    ModelError for a network that does not say how large its patches are.
    """
    patch, step = (getattr(classifier.module, name, None) for name in ("patch", "step"))
    if patch is None or step is None:
        raise ModelError(f"{classifier.label}: expected a network that says its patch and step, such as bagnet33")
    height, width = image.shape[:2]
    given = classifier.prepare(torch.from_numpy(np.ascontiguousarray(image))[None]).shape[2:]
    padded = classifier.resize_policy.startswith("pad")
    rows, columns = (_centres(own, side, patch, step, padded) for own, side in zip((height, width), given, strict=True))
    return rows, columns


def _centres(own: int, side: int, patch: int, step: int, padded: bool) -> NDArray[np.float64]:
    """Along one side: own of the image, side of what the network is given."""
    first = np.arange(0, side - patch + 1, step, dtype=np.float64)
    middles: NDArray[np.float64] = first + (patch - 1) / 2
    if padded:
        return middles - (side - own) // 2
    return (middles + 0.5) * own / side - 0.5


def patch_evidence(classifier: Classifier, image: NDArray[np.uint8], label: int) -> NDArray[np.float32]:
    """Logits of one class for every patch of an image (H, W, C): float32 (h, w), whose mean is the image's logit.

    As the heat maps of Brendel and Bethge 2019 (arXiv:1904.00760). Raises ModelError for a network without patches,
    ConfigError for a class that it does not have.
    """
    if not 0 <= label < classifier.classes:
        raise ConfigError(f"{classifier.label}: expected a class from 0 to {classifier.classes - 1}, got {label}")
    patches = classifier.patch_logits(torch.from_numpy(np.ascontiguousarray(image))[None])
    return patches[0, label].cpu().numpy()
