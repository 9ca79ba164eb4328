"""A measured number and all it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measurement:
    """A measured number in the unit of the paper, with the 95 % interval and all it rests on."""

    value: float | None
    low: float | None = None
    high: float | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    note: str = ""


def networks_told(measurements: Mapping[tuple[str, str], Measurement]) -> list[str]:
    """A line a network: where it stands, what it was really trained with, and its weights.

    It stands in its rows, or in columns of them where other networks share a row.
    """
    places: dict[str, list[tuple[str, str]]] = {}
    details: dict[str, Mapping[str, object]] = {}
    owners: dict[str, set[str]] = {}
    for (row, column), measurement in measurements.items():
        if "train_n" in measurement.details:
            model = str(measurement.details["model"])
            details[model] = measurement.details
            places.setdefault(model, []).append((row, column))
            owners.setdefault(row, set()).add(model)
    shared = {row for row, models in owners.items() if len(models) > 1}
    return [f"{_standing(places[model], shared)}: {_told(one)}" for model, one in details.items()]


def _standing(places: Sequence[tuple[str, str]], shared: Set[str]) -> str:
    rows, columns = ("; ".join(dict.fromkeys(names)) for names in zip(*places, strict=True))
    return f"{columns} ({rows})" if any(row in shared for row, _ in places) else rows


def _told(details: Mapping[str, object]) -> str:
    """One network in words."""
    trained = "weights as published"
    if details["train_n"]:
        epochs = f"{details['epochs']} epochs (the recipe has {details['paper_epochs']})"
        trained = f"{details['train_n']} training images of {details['trained_on']}, {epochs}"
        trained += f", {details['changed']}" if details.get("changed") else ""
    parts = [str(details["model"]), trained]
    parts += [f"n = {details['n']}"] if "n" in details else []
    parts += [f"weights {str(details['weights_sha256'])[:12]}"] if "weights_sha256" in details else []
    return ", ".join(parts)
