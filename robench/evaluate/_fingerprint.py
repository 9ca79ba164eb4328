"""A network's fingerprint: its answers to a few images, beside which a cell's predictions are the network's own."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor

from robench.files import sha256_text
from robench.models import Classifier

LIBRARIES = ("robench", "torch", "torchvision", "numpy", "timm", "onnxruntime", "onnxruntime-gpu")
SHOWN = 5
DIGITS = 6


@dataclass(frozen=True)
class Fingerprint:
    """Of each probe image the best classes, best first, and their log probabilities; both (images, min(5, classes)).

    basis: sha256 of what these answers rest on: weights, code, label map, kind of outputs, versions, kind of device.
    """

    basis: str
    classes: Sequence[Sequence[int]]
    log_p: Sequence[Sequence[float]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"basis": self.basis, "classes": self.classes, "log_p": self.log_p}


def basis_of(classifier: Classifier) -> str:
    """What a network's answers rest on, as a sha256; equal ones need no forward pass to be compared."""
    facts = classifier.facts() | {"label": "", "training": {}}
    device = classifier.device.type
    where = torch.cuda.get_device_name(classifier.device) if device == "cuda" else platform.machine()
    versions = {name: found for name in LIBRARIES if (found := _version(name))}
    return sha256_text(json.dumps([facts, device, where, versions], sort_keys=True))


def fingerprint(classifier: Classifier, logits: Tensor) -> Fingerprint:
    """From the logits (images, classes) of the probe's images."""
    best = torch.log_softmax(logits.double(), dim=1).sort(dim=1, descending=True, stable=True)
    rounded = [[round(value, DIGITS) for value in row] for row in best.values[:, :SHOWN].tolist()]
    return Fingerprint(basis_of(classifier), best.indices[:, :SHOWN].tolist(), rounded)


def difference(stored: Mapping[str, Any], logits: Tensor, tolerance: float) -> str:
    """How today's logits of the probe's images differ from a stored fingerprint; empty where they agree.

    They agree where the log probabilities of all stored classes do, within the tolerance, and the best class does,
    unless two are as good within twice the tolerance.
    """
    log_p = torch.log_softmax(logits.double(), dim=1)
    classes, expected = torch.tensor(stored["classes"]), torch.tensor(stored["log_p"], dtype=torch.float64)
    if classes.shape != expected.shape or len(classes) != len(log_p) or int(classes.max()) >= log_p.shape[1]:
        return f"expected answers {tuple(log_p.shape)}, got {tuple(expected.shape)}"
    got = log_p.gather(1, classes)
    off = float((got - expected).abs().max())
    wrong = int((log_p.amax(dim=1) - got[:, 0] > 2 * tolerance).sum())
    if wrong == 0 and off <= tolerance + 10**-DIGITS:
        return ""
    return (
        f"{wrong} of {len(log_p)} probe images have another class, and log probabilities differ by up to {off:.3g} "
        f"(tolerance {tolerance:.2g})"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
