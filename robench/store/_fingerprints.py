"""Fingerprints of networks, their answers to a few images, and whether two of them are of one network.

A fingerprint is a mapping of JSON values: `basis`, the sha256 of what the answers rest on; of each image the best
`classes`, best first, and their `log_p`, (images, min(5, classes)); `tolerance`, how far log probabilities may differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LOWEST = -30.0
"""Log probabilities below it count as equal: classes that a network rules out, by a mask or by far."""


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """How the answers of two fingerprints differ, in words; empty where they are of one network.

    A class that is among the best of one alone must be as likely as the last of the other, within the tolerance.
    """
    if len(one["classes"]) != len(other["classes"]):
        return f"expected answers to {len(one['classes'])} images, got {len(other['classes'])}"
    tolerance = max(one["tolerance"], other["tolerance"])
    rows = zip(one["classes"], one["log_p"], other["classes"], other["log_p"], strict=True)
    apart = [max(_apart(dict(zip(*pair, strict=True)) for pair in ((a, p), (b, q)))) for a, p, b, q in rows]
    if max(apart) <= tolerance:
        return ""
    wrong = sum(a[0] != b[0] for a, b in zip(one["classes"], other["classes"], strict=True))
    return (
        f"{wrong} of {len(apart)} probe images have another class, and log probabilities differ by up to "
        f"{max(apart):.3g} (tolerance {tolerance:.2g})"
    )


def _apart(both: Any) -> list[float]:
    one, other = ({name: max(value, LOWEST) for name, value in row.items()} for row in both)
    least = min(one.values()), min(other.values())
    shared = [abs(one[name] - other[name]) for name in one.keys() & other.keys()]
    own = [max(one[name] - least[1], 0.0) for name in one.keys() - other.keys()]
    return [0.0, *shared, *own, *(max(other[name] - least[0], 0.0) for name in other.keys() - one.keys())]


def distinct(fingerprints: Sequence[Mapping[str, Any] | None]) -> list[Mapping[str, Any]]:
    """Each of them once; None, of a cell without one, is left out."""
    made: list[Mapping[str, Any]] = []
    for one in fingerprints:
        if one is not None and one not in made:
            made.append(one)
    return made
