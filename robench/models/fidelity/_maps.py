"""Fidelity maps: how far a restored image is from the clean one, pixel by pixel, and what that says of a pixel."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from torch import Tensor
from torch.linalg import vector_norm

VARIANCE = (0.1**2 + 0.2**2 + 0.3**2 + 0.4**2 + 0.5**2) / (6**2 * 2)
"""Of the noise that restoration leaves, as appendix B assumes it, over the paper's training levels 0 to 0.5."""


def l1(restored: Tensor, clean: Tensor) -> Tensor:
    """Mean absolute difference of each pixel's channels: (N, C, H, W) in [0, 1], twice, to (N, 1, H, W) in [0, 1].

    The paper says pixel-wise and no more; a pixel has one value here, since the cosine can have no more than one.
    The mean over the channels, not their sum, has the expectation that appendix B gives for one value.
    """
    return (restored - clean).abs().mean(dim=1, keepdim=True)


def l2(restored: Tensor, clean: Tensor) -> Tensor:
    """Mean squared difference of each pixel's channels: (N, C, H, W) in [0, 1], twice, to (N, 1, H, W) in [0, 1]."""
    return (restored - clean).square().mean(dim=1, keepdim=True)


def cosine(restored: Tensor, clean: Tensor) -> Tensor:
    """One minus the cosine of each pixel's colours: (N, C, H, W) in [0, 1], twice, to (N, 1, H, W) in [0, 1].

    Brightness does not count. Equal pixels are at 0, black ones too; one that is black in a single image is at 1.
    """
    lengths: Tensor = vector_norm(restored, dim=1, keepdim=True) * vector_norm(clean, dim=1, keepdim=True)
    apart = 1 - (restored * clean).sum(dim=1, keepdim=True) / lengths.clamp(min=1e-12)
    return apart.clamp(min=0) * (restored != clean).any(dim=1, keepdim=True)


MAPS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": l1, "l2": l2, "cosine": cosine}
MOMENTS: Mapping[str, tuple[float, float]] = {
    "l1": (math.sqrt(VARIANCE) * math.sqrt(2) / math.sqrt(math.pi), VARIANCE * (1 - 2 / math.pi)),
    "l2": (VARIANCE, VARIANCE * math.sqrt(2)),
    "cosine": (0.0, 1.0),
}
"""Mean and variance that appendix B prints; the cosine is not normalised.

What it prints as the variance of a squared normal is the standard deviation of one, so l2 maps spread over about a
tenth of what l1 maps do. It is kept as printed.
"""


def distance(kind: str, restored: Tensor, clean: Tensor) -> Tensor:
    """The map of that kind, `l1`, `l2` or `cosine`, in its own unit: what an estimator learns to give.

    restored, clean: (N, C, H, W) in [0, 1]. The map is (N, 1, H, W), 0 where restoration is perfect.
    """
    return MAPS[kind](restored, clean)


def confidence(kind: str, apart: Tensor) -> Tensor:
    """A map normalised and inverted, any shape to the same: high where the restored pixel can be trusted.

    (mean - map) / standard deviation: for l1 in [-17.66, 1.32], for l2 in [-9.55, 0.07], for the cosine in [-1, 0].
    The paper inverts the normalised map and says no more; its sign is turned, since it is 0 where a map is at its mean.
    """
    mean, variance = MOMENTS[kind]
    return (mean - apart) / math.sqrt(variance)
