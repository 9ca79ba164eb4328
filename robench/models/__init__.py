"""The zoo and its gate: from `NAME[=CHECKPOINT]` to a classifier that takes uint8 images.

    robench.models.names()                            the registered networks
    robench.models.get("resnet20")                    its card: side, normalisation, parameters, source
    robench.models.load("resnet20=best.th", classes=10).logits(images)

Cards are listed without torch; it is imported when a network is built. A third party registers its networks
with `@model(...)`, `@restorer(...)` and `@activation(...)` in a module named by the entry point `robench.models`, and
checks the first with `robench.models.testing.check_model`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robench.models import families as families
from robench.models._activations import ActivationCard, activation, activations
from robench.models._expand import expand, label_of, read_models
from robench.models._model_config import ModelConfig
from robench.models._registry import Card, family, get, model, names, registry
from robench.models._restorers import RestorerCard, restorer, restorers
from robench.models._spec import Spec, parse, weights_file

if TYPE_CHECKING:
    from robench.models._checkpoints import SCHEMA, metadata, save, state_sha256
    from robench.models._class_names import check_classes, class_facts
    from robench.models._classifier import Classifier, Restorer, TrainingLogits, match_channels, pick_device, unit
    from robench.models._flops import flops
    from robench.models._load import build_on_meta, load, load_estimator, load_restorer
    from robench.models._metadata import class_names, trained_on
    from robench.models._outputs import OUTPUTS
    from robench.models._wrap import channels_of, wrap_model

__all__ = [
    "OUTPUTS",
    "SCHEMA",
    "ActivationCard",
    "Card",
    "Classifier",
    "ModelConfig",
    "Restorer",
    "RestorerCard",
    "Spec",
    "TrainingLogits",
    "activation",
    "activations",
    "build_on_meta",
    "channels_of",
    "check_classes",
    "class_facts",
    "class_names",
    "expand",
    "family",
    "flops",
    "get",
    "label_of",
    "load",
    "load_estimator",
    "load_restorer",
    "match_channels",
    "metadata",
    "model",
    "names",
    "parse",
    "pick_device",
    "read_models",
    "registry",
    "restorer",
    "restorers",
    "save",
    "state_sha256",
    "trained_on",
    "unit",
    "weights_file",
    "wrap_model",
]

_NEEDS_TORCH = {
    "OUTPUTS": "_outputs",
    "SCHEMA": "_checkpoints",
    "Classifier": "_classifier",
    "Restorer": "_classifier",
    "load_estimator": "_load",
    "load_restorer": "_load",
    "TrainingLogits": "_classifier",
    "channels_of": "_wrap",
    "check_classes": "_class_names",
    "class_facts": "_class_names",
    "class_names": "_metadata",
    "flops": "_flops",
    "load": "_load",
    "match_channels": "_classifier",
    "metadata": "_checkpoints",
    "pick_device": "_classifier",
    "save": "_checkpoints",
    "build_on_meta": "_load",
    "state_sha256": "_checkpoints",
    "trained_on": "_metadata",
    "unit": "_classifier",
    "wrap_model": "_wrap",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _NEEDS_TORCH:
        return getattr(import_module(f"{__name__}.{_NEEDS_TORCH[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
