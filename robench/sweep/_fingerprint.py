"""A network's fingerprint: its answers to a few images, beside which a cell's predictions are the network's own."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor

from robench.files import sha256_text
from robench.models import Classifier
from robench.store import LOWEST

LIBRARIES = ("robench", "torch", "torchvision", "numpy", "timm", "onnxruntime", "onnxruntime-gpu")
SHOWN = 5
DIGITS = 6


def basis_of(classifier: Classifier) -> str:
    """What a network's answers rest on, as a sha256; equal ones need no forward pass to be compared."""
    facts = classifier.to_dict() | {"label": "", "training": {}}
    device = classifier.device.type
    where = torch.cuda.get_device_name(classifier.device) if device == "cuda" else platform.machine()
    versions = {name: found for name in LIBRARIES if (found := _version(name))}
    return sha256_text(json.dumps([facts, device, where, versions], sort_keys=True))


def fingerprint(classifier: Classifier, logits: Tensor, tolerance: float) -> dict[str, Any]:
    """What a model is known by, as `robench.store` describes it, from its logits (images, classes) of the probe.

    tolerance: by how much a log probability may differ.
    """
    best = torch.log_softmax(logits.double(), dim=1).clamp_min(LOWEST).sort(dim=1, descending=True, stable=True)
    log_p = [[round(value, DIGITS) for value in row] for row in best.values[:, :SHOWN].tolist()]
    return {
        "basis": basis_of(classifier),
        "classes": best.indices[:, :SHOWN].tolist(),
        "log_p": log_p,
        "tolerance": float(f"{tolerance:.3g}"),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
