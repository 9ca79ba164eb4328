"""What training makes small."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from robench.training._recipes import Recipe


def classification_loss(recipe: Recipe, logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of a batch as `Batches` makes it; logits (n, classes), labels (n,), the first half clean for "both"."""
    if recipe.data != "both":
        return F.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
    clean, perturbed = logits.chunk(2)
    its_labels = labels[: len(clean)]
    weight = recipe.perturbed_weight
    entropies = [
        F.cross_entropy(some, its_labels, label_smoothing=recipe.label_smoothing, reduction="sum")
        for some in (clean, perturbed)
    ]
    loss = (entropies[0] + weight * entropies[1]) / ((1 + weight) * len(clean))
    if not recipe.pivot_weight:
        return loss
    if recipe.pivot_centred:
        perturbed, clean = (some - some.mean(dim=1, keepdim=True) for some in (perturbed, clean))
    return loss + recipe.pivot_weight * pivot_loss(perturbed, clean)


def auxiliary_loss(recipe: Recipe, logits: Tensor, labels: Tensor) -> Tensor:
    """What an auxiliary head adds to the loss: 0.3 of its own, as in Szegedy et al. 2015 (arXiv:1409.4842)."""
    return 0.3 * F.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)


def pivot_loss(perturbed: Tensor, clean: Tensor) -> Tensor:
    """Sum over images of the squared distance between both logits, (n, classes); no gradient for the clean ones.

    Na, Ko, Mukhopadhyay 2018 (ICASSP), L_dist of equation 1.
    """
    return (perturbed - clean.detach()).square().sum()
