"""Cells from weak to strong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from robench.tables._scored import Scored


def weak_to_strong(found: Sequence[Scored], corruptions: Mapping[str, Any]) -> list[Scored]:
    """The cells in their order, but of one model, suite and corruption the strengths from weak to strong.

    corruptions: facts by name, as in a manifest. Strengths that are neither all severities nor all levels, of which no
    order is known, stay as they are.
    """
    groups: dict[tuple[str, str, str], list[Scored]] = {}
    for one in found:
        groups.setdefault(_group(one), []).append(one)
    ordered = {group: iter(_ordered(some, corruptions.get(group[-1], {}))) for group, some in groups.items()}
    return [next(ordered[_group(one)]) for one in found]


def _group(one: Scored) -> tuple[str, str, str]:
    return one.cell.model, one.cell.suite, one.cell.corruption


def _ordered(members: list[Scored], facts: Mapping[str, Any]) -> list[Scored]:
    severities = [one.cell.severity for one in members]
    levels = [one.cell.level for one in members]
    level = facts.get("level") or {}
    if None not in severities:
        places: list[Any] = severities
    elif "more_is_stronger" in level and None not in levels:
        places = [place if level["more_is_stronger"] else -place for place in levels if place is not None]
    else:
        return members
    return [one for _, one in sorted(zip(places, members, strict=True), key=lambda pair: pair[0])]
