"""What must be said of a run beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from robench.leftout import left_out_note
from robench.tables._scored import CLEAN

LEAST = 30
"""Images below which an accuracy above chance could not be told."""


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


def chance_notes(cells: pd.DataFrame, classes: int) -> list[str]:
    """Which models answer the clean images as one that guesses would, and what that is usually due to.

    cells: columns model, corruption, n, top1 and top1_ci_low, the bound that is compared with 1 / classes.
    """
    clean = cells[(cells["corruption"] == CLEAN) & cells["top1"].notna()].drop_duplicates("model")
    lost = clean[(clean["top1_ci_low"] <= 1 / classes) & (clean["n"] >= LEAST)]
    named = [f"{model} {100 * top1:.2f} %" for model, top1 in zip(lost["model"], lost["top1"], strict=True)]
    if not named:
        return []
    return [
        f"Clean accuracy is not above chance ({100 / classes:.3g} %): {', '.join(named)}. Usual reasons: classes in "
        "another order (--label-map), another normalisation or scale of inputs (--normalize), weights of another "
        "network, or images of another size than it was trained on (--view)."
    ]


def _of_model(model: Mapping[str, Any]) -> list[str]:
    outputs, mapped = model.get("outputs", "logits"), model.get("mapped", "")
    kind = [f"outputs are {outputs}."] if outputs != "logits" else []
    return [*kind, *([f"a label map chooses {mapped}."] if mapped else [])]


def _of_run(manifest: Mapping[str, Any]) -> list[str]:
    notes = []
    if order := manifest.get("stateful"):
        notes.append(
            f"Stateful: answers may depend on the batch ({order['batch_size']} images), on earlier calls or on chance."
        )
    images = manifest.get("dataset", {})
    order = images.get("class_order", "")
    chosen = f"class folders are numbers; class order: {order}." if order else ""
    said = (chosen, left_out_note(images.get("left_out", {})))
    notes += [f"{images['name']}: {note}" for note in said if note]
    missing = manifest.get("unfingerprinted")
    if missing is None:
        notes.append("No cell has a fingerprint of its network: an older robench wrote them.")
    elif missing:
        notes.append(f"Cells without a fingerprint of their network, which an older robench wrote: {missing}.")
    return notes
