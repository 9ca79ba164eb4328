"""What one image costs a network, counted by torch."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from robench.errors import ModelError
from robench.models._classifier import Classifier


def flops(classifier: Classifier) -> int:
    """Floating-point operations of one image, a multiply-add as two: tables that count it as one show half.

    Counted are convolutions, matrix products and attention, of a restorer in front too; what works element by element
    (activations, normalisation, pooling) is not. The image has the size that the classifier was told, else the side
    of its card, else 32. On a network of `sketch` nothing is computed. Raises `ModelError` where torch does not
    compute the network, as for ONNX files.
    """
    if not classifier.is_of_torch:
        raise ModelError(f"{classifier.label}: its operations cannot be counted, since torch does not compute it")
    images = torch.zeros(1, classifier.card.channels, *(classifier.size or classifier.card.size or (32, 32)))
    classifier.module.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        classifier.forward(images)
    return int(counter.get_total_flops())
