"""What a network's outputs are: logits, or probabilities, which become logits by their logarithm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from robench.errors import ModelError

LOGITS, PROBABILITIES, IN_STEPS = "logits", "probabilities", "probabilities in steps of 1/256"
AS_ASKED = "no logits, taken as logits as asked"
OUTPUTS = (LOGITS, PROBABILITIES, IN_STEPS, AS_ASKED)
STEPS = 256
SURE = 0.5
"""What a sigmoid reaches on some image; small logits behind a ReLU, as of an untrained SqueezeNet, do not."""
SUM_WITHIN = 1e-3
SUM_WITHIN_IN_STEPS = 0.02
"""How far the sum of a row of probabilities may be from 1: float16 has 1e-3, and 8-bit files 1/256 a class."""


def recognised(outputs: Tensor, label: str, asked: str | None = None) -> str:
    """What rows (N, outputs) of a network are, one of OUTPUTS; asked: what they are said to be.

    Rows of at least 0 that sum to 1 are probabilities. Rows of at least 0 that all have another sum, and rows within
    [0, 1] with a value of at least 0.5, such as those of a sigmoid, are neither logits nor probabilities of exclusive
    classes: they raise ModelError, unless they are asked for as logits. So do probabilities that are none.
    """
    rows = outputs.double()
    kind = _kind(rows)
    if asked == PROBABILITIES and kind not in (PROBABILITIES, IN_STEPS) and bool(torch.isfinite(rows).all()):
        raise ModelError(
            f"model '{label}': expected probabilities that sum to 1, got {_form(rows)}; leave out --outputs"
        )
    if asked == LOGITS:
        return LOGITS if kind == LOGITS else AS_ASKED
    if kind == AS_ASKED:
        raise ModelError(
            f"model '{label}': expected logits, or probabilities that sum to 1, got {_form(rows)}; have the network "
            "return what stands before it, or give --outputs logits to take them as logits"
        )
    return kind


def _kind(rows: Tensor) -> str:
    """As `recognised`, with AS_ASKED for what is neither logits nor probabilities."""
    if not torch.isfinite(rows).all() or rows.min() < -SUM_WITHIN or rows.min() == rows.max():
        return LOGITS
    sums = rows.sum(dim=1)
    in_steps = bool((rows * STEPS == (rows * STEPS).round()).all()) and not _is_one_hot(rows)
    if float((sums - 1).abs().max()) <= (SUM_WITHIN_IN_STEPS if in_steps else SUM_WITHIN):
        return IN_STEPS if in_steps else PROBABILITIES
    have_one_sum = len(rows) > 1 and bool((sums - sums[0]).abs().max() <= SUM_WITHIN * sums[0].abs())
    are_sigmoids = bool(rows.max() <= 1 + SUM_WITHIN) and bool(rows.max() >= SURE)
    return AS_ASKED if have_one_sum or are_sigmoids else LOGITS


def _form(rows: Tensor) -> str:
    sums = rows.sum(dim=1)
    return (
        f"outputs within [{float(rows.min()):.3g}, {float(rows.max()):.3g}] that sum to {float(sums.min()):.4g} to "
        f"{float(sums.max()):.4g}"
    )


def as_logits(outputs: Tensor, kind: str) -> Tensor:
    """Outputs of this kind as logits: the logarithm of probabilities; one that is 0 counts as the smallest there is.

    That is the smallest normal number of the outputs' type, or half a step.
    """
    if kind in (LOGITS, AS_ASKED):
        return outputs
    least = 0.5 / STEPS if kind == IN_STEPS else torch.finfo(outputs.dtype).tiny
    return outputs.float().clamp_min(least).log()


def of_classes(logits: Tensor, indices: Sequence[tuple[int, ...]]) -> Tensor:
    """Logits (N, outputs) as logits (N, classes), from the outputs of each class.

    A class with one output has its logit; of several the probabilities are summed, so that the class has the logarithm
    of the sum of the exponentials of their logits.
    """
    chosen = logits[:, torch.tensor([index for group in indices for index in group], device=logits.device)]
    if len(indices) == chosen.shape[1]:
        return chosen
    groups = torch.split(chosen.float(), [len(group) for group in indices], dim=1)
    return torch.stack([torch.logsumexp(group, dim=1) for group in groups], dim=1)


def _is_one_hot(rows: Tensor) -> bool:
    return bool(((rows == 0) | (rows == 1)).all())
