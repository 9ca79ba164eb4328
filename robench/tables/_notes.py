"""What must be said of a run beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def run_notes(manifest: Mapping[str, Any]) -> list[str]:
    """Sentences for the screen and a report, from what the manifest of a run records.

    >>> run_notes({"stateful": None, "unfingerprinted": 0, "models": [{"label": "a", "outputs": "probabilities"}]})
    ['a: outputs are probabilities.']
    """
    models = [f"{model['label']}: {note}" for model in manifest["models"] for note in _of_model(model)]
    return [*_of_run(manifest), *models]


def entry_notes(manifest: Mapping[str, Any], model: Mapping[str, Any]) -> list[str]:
    """As `run_notes`, for one of the run's models on a board."""
    return [*_of_run(manifest), *_of_model(model)]


def _of_model(model: Mapping[str, Any]) -> list[str]:
    outputs = model.get("outputs", "logits")
    return [f"outputs are {outputs}."] if outputs != "logits" else []


def _of_run(manifest: Mapping[str, Any]) -> list[str]:
    notes = []
    if order := manifest.get("stateful"):
        notes.append(
            f"Stateful: answers may depend on the batch ({order['batch_size']} images), on earlier calls or on chance."
        )
    missing = manifest.get("unfingerprinted")
    if missing is None:
        notes.append("No cell has a fingerprint of its network: an older robench wrote them.")
    elif missing:
        notes.append(f"Cells without a fingerprint of their network, which an older robench wrote: {missing}.")
    return notes
