"""Fidelity-calibrated classifiers: a frozen network whose features are corrected by how far restoration got.

    from robench.models import load
    from robench.models.fidelity import Estimator, Options, assemble

    parts = load("cdncnn=denoiser.safetensors+resnet20=best.th", classes=10)
    net = assemble(parts, Options(map="l1"), Estimator())     a Classifier, its calibration untrained
    net.module(degraded, clean=clean)                         logits; images in [0, 1]

Source: Lin 2021, Learning degraded image classification with restoration data fidelity (semester project, EPFL IVRL).
What is written of it alone, without its figures 4.1 and 4.2, leaves some things open; each docstring says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robench.models.fidelity._options import PREFIX, Options
from robench.models.fidelity._places import Places, places_of

if TYPE_CHECKING:
    from robench.models.fidelity._maps import confidence, cosine, distance, l1, l2
    from robench.models.fidelity._network import Estimator, FidelityClassifier, assemble

__all__ = [
    "PREFIX",
    "Estimator",
    "FidelityClassifier",
    "Options",
    "Places",
    "assemble",
    "confidence",
    "cosine",
    "distance",
    "l1",
    "l2",
    "places_of",
]

_NEEDS_TORCH = {
    "Estimator": "_network",
    "FidelityClassifier": "_network",
    "assemble": "_network",
    "confidence": "_maps",
    "cosine": "_maps",
    "distance": "_maps",
    "l1": "_maps",
    "l2": "_maps",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _NEEDS_TORCH:
        return getattr(import_module(f"{__name__}.{_NEEDS_TORCH[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
