"""Where a network that decides by patches sees the evidence for a class."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from robench.errors import UsageError
from robench.models import Classifier


def patch_evidence(classifier: Classifier, image: NDArray[np.uint8], label: int) -> NDArray[np.float32]:
    """Logits of one class for every patch of an image (H, W, C): float32 (h, w), whose mean is the image's logit.

    As the heat maps of Brendel and Bethge 2019 (arXiv:1904.00760). Raises ModelError for a network without patches,
    UsageError for a class that it does not have.
    """
    if not 0 <= label < classifier.classes:
        raise UsageError(f"{classifier.label}: expected a class from 0 to {classifier.classes - 1}, got {label}")
    patches = classifier.patch_logits(torch.from_numpy(np.ascontiguousarray(image))[None])
    return patches[0, label].cpu().numpy()
