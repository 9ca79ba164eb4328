"""A measured number and all it rests on."""

from __future__ import annotations

from collections.abc import Mapping
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
    """A line a network: where it stands, what it was really trained with, and its weights."""
    rows: dict[str, list[str]] = {}
    facts: dict[str, Mapping[str, object]] = {}
    for (row, _), entry in entries.items():
        if "train_n" in entry.facts:
            model = str(entry.facts["model"])
            facts[model] = entry.facts
            rows[model] = list(dict.fromkeys([*rows.get(model, []), row]))
    return [f"{'; '.join(rows[model])}: {_told(one)}" for model, one in facts.items()]


def _told(facts: Mapping[str, object]) -> str:
    """One network in words."""
    trained = "weights as published"
    if facts["train_n"]:
        epochs = f"{facts['epochs']} epochs (the recipe has {facts['paper_epochs']})"
        trained = f"{facts['train_n']} training images of {facts['trained_on']}, {epochs}"
    parts = [str(facts["model"]), trained]
    parts += [f"n = {facts['n']}"] if "n" in facts else []
    parts += [f"weights {str(facts['weights_sha256'])[:12]}"] if "weights_sha256" in facts else []
    return ", ".join(parts)
