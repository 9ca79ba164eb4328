"""What a layer of a network answers to images, or is given by the layers before it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from corruptions import unknown
from robench.errors import ConfigError
from robench.models import Classifier

Floats = NDArray[np.float32]


def features(
    classifier: Classifier, images: NDArray[np.uint8], layer: str, *, given: bool = False, batch_size: int = 256
) -> Floats:
    """What the layer of that name answers to images (N, H, W, C), or with `given` its input: float32 (N, ...).

    The names are those of `module.named_modules()`, such as "layer3.0.conv1". A layer that is called several times for
    a batch counts with its last call. Raises ConfigError for an unknown name, or a layer that takes no part.
    """
    parts = dict(classifier.module.named_modules())
    if layer not in parts or not layer:
        raise ConfigError(unknown(f"layer of {classifier.label}", layer, [name for name in parts if name]))
    seen = [
        _seen(classifier, torch.from_numpy(images[start : start + batch_size]), parts[layer], given)
        for start in range(0, len(images), batch_size)
    ]
    if any(one is None for one in seen):
        raise ConfigError(f"{classifier.label}: layer '{layer}' takes no part in an evaluation")
    return np.concatenate([one for one in seen if one is not None])


def last_linear(classifier: Classifier) -> str:
    """The name of the network's last linear layer; raises ConfigError where it has none."""
    names = [str(name) for name, part in classifier.module.named_modules() if isinstance(part, nn.Linear)]
    if not names:
        raise ConfigError(f"{classifier.label}: expected a network with a linear layer")
    return names[-1]


def _seen(classifier: Classifier, batch: Tensor, part: nn.Module, given: bool) -> Floats | None:
    kept: list[Tensor] = []

    def keep(tensor: Tensor) -> None:
        kept.append(tensor.clone())  # what comes after may work in place

    handle = (
        part.register_forward_pre_hook(lambda module, inputs: keep(inputs[0]))
        if given
        else part.register_forward_hook(lambda module, inputs, answer: keep(answer))
    )
    try:
        classifier.logits(batch)
    finally:
        handle.remove()
    return kept[-1].float().cpu().numpy() if kept else None


def order_by_change(clean: Floats, degraded: Floats) -> NDArray[np.int64]:
    """Neurons in the order of mean activation on clean images less that on degraded ones, largest first.

    clean, degraded: (N, neurons), images of one class at two levels; a stable order. As in figure 3.4 of Lin 2021.
    """
    if clean.ndim != 2 or degraded.shape[1:] != clean.shape[1:]:
        raise ConfigError(f"expected activations (N, neurons) of one layer, got {clean.shape} and {degraded.shape}")
    change = clean.mean(axis=0, dtype=np.float64) - degraded.mean(axis=0, dtype=np.float64)
    return np.argsort(-change, kind="stable")
