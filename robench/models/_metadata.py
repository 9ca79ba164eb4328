"""What the checkpoint of a MODEL argument says of its training: data set, classes, normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from robench.models import _checkpoints
from robench.models._class_names import CLASS_ORDER, Names, are_numbers, names_in
from robench.models._registry import get
from robench.models._spec import Spec, parse, weights_file

WEIGHTS = Path(__file__).parent / "weights"


def class_names(spec: str) -> Names:
    """The classes that a MODEL argument's checkpoint was trained on, in the order of its outputs, from its metadata.

    Empty where it does not say, and where the names are no more than the places 0, 1, 2, … of unnamed classes.
    """
    metadata = metadata_of(parse(spec))
    names = names_in(metadata, spec)
    return () if are_numbers(names) and CLASS_ORDER not in metadata else names


def trained_on(spec: str) -> str:
    """The name of the data set that a MODEL argument's checkpoint was trained on; empty where it does not say."""
    return metadata_of(parse(spec)).get("dataset", "")


def metadata_of(parsed: Spec) -> dict[str, str]:
    """The metadata of a model's checkpoint; empty where it has no checkpoint or that is no file."""
    if parsed.checkpoint is None:
        return {}
    path, _ = weights_file(parsed.checkpoint)
    card = None if parsed.is_file else get(parsed.name)
    if card is not None and parsed.checkpoint in card.weights:
        place = card.weights[parsed.checkpoint]
        if callable(place) or place.startswith("https://"):
            return {}
        path = WEIGHTS / place
    return _checkpoints.metadata(path) if path.is_file() else {}


def outputs_of(parsed: Spec) -> int | None:
    """How many outputs the checkpoint was trained with, where it says so; None keeps the network's own number."""
    metadata = metadata_of(parsed)
    return len(names_in(metadata, str(parsed.checkpoint))) or None


def trained_with(metadata: Mapping[str, str]) -> str | None:
    """The normalisation of its training, where robench wrote the checkpoint."""
    return metadata.get("normalize") if metadata.get("schema") == _checkpoints.SCHEMA else None
