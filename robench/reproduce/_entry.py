"""A measured number and all it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """A measured number in the unit of the paper, with the 95 % interval and all it rests on."""

    value: float | None
    low: float | None = None
    high: float | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    note: str = ""


def networks_told(entries: Mapping[tuple[str, str], Entry]) -> list[str]:
    """A line a network: where it stands, what it was really trained with, and its weights.

    It stands in its rows, or in columns of them where other networks share a row.
    """
    places: dict[str, list[tuple[str, str]]] = {}
    facts: dict[str, Mapping[str, object]] = {}
    owners: dict[str, set[str]] = {}
    for (row, column), entry in entries.items():
        if "train_n" in entry.facts:
            model = str(entry.facts["model"])
            facts[model] = entry.facts
            places.setdefault(model, []).append((row, column))
            owners.setdefault(row, set()).add(model)
    shared = {row for row, models in owners.items() if len(models) > 1}
    return [f"{_standing(places[model], shared)}: {_told(one)}" for model, one in facts.items()]


def _standing(places: Sequence[tuple[str, str]], shared: Set[str]) -> str:
    rows, columns = ("; ".join(dict.fromkeys(names)) for names in zip(*places, strict=True))
    return f"{columns} ({rows})" if any(row in shared for row, _ in places) else rows


def _told(facts: Mapping[str, object]) -> str:
    """One network in words."""
    trained = "weights as published"
    if facts["train_n"]:
        epochs = f"{facts['epochs']} epochs (the recipe has {facts['paper_epochs']})"
        trained = f"{facts['train_n']} training images of {facts['trained_on']}, {epochs}"
        trained += f", {facts['changed']}" if facts.get("changed") else ""
    parts = [str(facts["model"]), trained]
    parts += [f"n = {facts['n']}"] if "n" in facts else []
    parts += [f"weights {str(facts['weights_sha256'])[:12]}"] if "weights_sha256" in facts else []
    return ", ".join(parts)
