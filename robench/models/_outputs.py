"""What a network's outputs are: logits, or probabilities, which become logits by their logarithm."""

from __future__ import annotations

import torch
from torch import Tensor

from robench.errors import ModelError

LOGITS, PROBABILITIES, IN_STEPS = "logits", "probabilities", "probabilities in steps of 1/256"
OUTPUTS = (LOGITS, PROBABILITIES, IN_STEPS)
STEPS = 256
SURE = 0.5
"""What a sigmoid reaches on some image; small logits behind a ReLU, as of an untrained SqueezeNet, do not."""
SUM_WITHIN = 1e-3
SUM_WITHIN_IN_STEPS = 0.02
"""How far the sum of a row of probabilities may be from 1: float16 has 1e-3, and 8-bit files 1/256 a class."""


def recognised(outputs: Tensor, label: str) -> str:
    """What rows (N, outputs) of a network are, one of OUTPUTS.

    Rows of at least 0 that sum to 1 are probabilities. Rows within [0, 1] with another sum and a value of at least 0.5
    are neither logits nor probabilities of exclusive classes, such as those of a sigmoid: they raise ModelError.
    """
    rows = outputs.double()
    if not torch.isfinite(rows).all() or rows.min() < 0 or rows.max() > 1 or rows.min() == rows.max():
        return LOGITS
    off = float((rows.sum(dim=1) - 1).abs().max())
    in_steps = bool((rows * STEPS == (rows * STEPS).round()).all())
    if off <= (SUM_WITHIN_IN_STEPS if in_steps else SUM_WITHIN):
        return IN_STEPS if in_steps and not _is_one_hot(rows) else PROBABILITIES
    if rows.max() < SURE:
        return LOGITS
    sums = rows.sum(dim=1)
    raise ModelError(
        f"model '{label}': expected logits, or probabilities that sum to 1, got outputs within [0, 1] that sum to "
        f"{float(sums.min()):.3g} to {float(sums.max()):.3g}, such as those of a sigmoid; have the network return what "
        "stands before it, or give --outputs logits to take them as logits"
    )


def as_logits(outputs: Tensor, kind: str) -> Tensor:
    """Outputs of this kind as logits: the logarithm of probabilities; one that is 0 counts as the smallest there is.

    That is the smallest normal number of the outputs' type, or half a step.
    """
    if kind == LOGITS:
        return outputs
    least = 0.5 / STEPS if kind == IN_STEPS else torch.finfo(outputs.dtype).tiny
    return outputs.float().clamp_min(least).log()


def _is_one_hot(rows: Tensor) -> bool:
    return bool(((rows == 0) | (rows == 1)).all())
