"""From names and numbers, of the command line or of Python, to corruptions with their strengths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import corruptions
from corruptions import Chain, Corruption, Strength
from robench.errors import ConfigError

Cells = dict[str, list[Strength]]
Strengths = float | str | tuple[float, ...]
Chosen = str | Sequence[str] | Mapping[str, Strengths | Sequence[Strengths] | None]
"""Corruptions as `robench.evaluate` takes them."""


def select(
    suites: Sequence[str], chosen: Sequence[str] = (), severity: str | None = None, level: str | None = None
) -> Cells:
    """The corruptions of `suites` and of `chosen`, each NAME or NAME@STRENGTHS, with their strengths in order.

    The strengths of a chain have a plus between its parts, `awgn+contrast@sigma=0.1+2`.
    NAME@STRENGTHS@jpeg85 stores each degraded image as JPEG of that quality and reads it again.
    severity: `3`, `1,3` or `1-5`. level: `0.1,0.2`, for all of `chosen`, which must then share level name and unit.
    Without any of them a corruption has its severities, or its default levels. What does not fit raises ConfigError or
    corruptions.CorruptionError.

    >>> {name: [str(key) for key in keys] for name, keys in select([], ["contrast@1,5", "awgn"], level="0.1").items()}
    {'contrast': ['1', '5'], 'awgn': ['sigma=0.1']}
    """
    if severity is not None and level is not None:
        raise ConfigError("give --severity or --level, got both")
    if not chosen and (severity is not None or level is not None):
        raise ConfigError("--severity and --level need a corruption (-c) they are for; a suite has its own")
    cells = _of_suites(suites)
    open_ones = []
    for text in chosen:
        name, at, strengths = text.partition("@")
        definition = corruptions.get(name)
        if at:
            strengths, stored, form = strengths.partition("@")
            parts = _parts(text, strengths, definition.has_table, chained=isinstance(definition, Chain))
            _add(cells, name, [definition.parse(f"{part}{stored}{form}") for part in parts])
        else:
            open_ones.append(definition)
            cells.setdefault(name, [])
    if not open_ones and (severity is not None or level is not None):
        option = "--level" if severity is None else "--severity"
        raise ConfigError(f"{option} is for a -c without strengths of its own; all of {', '.join(chosen)} have theirs")
    if level is not None:
        _share_a_level(open_ones)
    for definition in open_ones:
        _add(cells, definition.name, _strengths(definition, severity, level))
    return cells


def corruption_texts(chosen: Chosen | None) -> tuple[str, ...]:
    """Corruptions as texts NAME or NAME@STRENGTHS."""
    if not isinstance(chosen, Mapping):
        return texts(chosen, "corruptions")
    return tuple(
        name if strengths is None else f"{name}@{','.join(_keys(name, strengths))}"
        for name, strengths in chosen.items()
    )


def _keys(name: str, strengths: Any) -> list[str]:
    """Each strength as its text: whole numbers are severities where the corruption has them, other numbers levels."""
    definition = corruptions.get(name)
    several = list(strengths) if isinstance(strengths, list | range) else [strengths]
    if not several:
        raise ConfigError(f"{name}: expected at least one strength, got none")
    keys = []
    for one in several:
        value = one.item() if hasattr(one, "item") else one
        if isinstance(value, str):
            keys += value.split(",")
        elif isinstance(value, int) and not isinstance(value, bool) and definition.has_table:
            keys.append(str(definition.strength(value)))
        else:
            keys.append(str(definition.strength(level=value)))
    return keys


def texts(given: Any, what: str) -> tuple[str, ...]:
    """One name or several as a tuple; ConfigError for anything else, called `what`."""
    several = () if given is None else (given,) if isinstance(given, str) else given
    if not isinstance(several, list | tuple) or not all(isinstance(one, str) for one in several):
        raise ConfigError(f"{what}: expected names, got {given!r}")
    return tuple(several)


def numbers_text(given: Any, what: str) -> str | None:
    """Numbers as the text that the command line takes."""
    if given is None or isinstance(given, str):
        return given
    several = list(given) if isinstance(given, list | tuple | range) else [given]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in several):
        raise ConfigError(f"{what}: expected numbers, got {given!r}")
    return ",".join(corruptions.number_text(one) for one in several)


def check_geometry(suites: Sequence[str], name: str, view: str, shape: Sequence[int]) -> None:
    """Raise ConfigError where a suite is defined in another view or size than the images of data set `name` have."""
    for suite in map(corruptions.suite, suites):
        if suite.views and view not in suite.views:
            raise ConfigError(
                f"suite {suite.name} is defined on images of view {' or '.join(suite.views)}, got {view} of {name}; "
                f"give --view {suite.views[0]}"
            )
        if suite.image_size is not None and tuple(shape[:2]) != (suite.image_size, suite.image_size):
            raise ConfigError(
                f"suite {suite.name} is defined on images of {suite.image_size} x {suite.image_size} pixels, "
                f"got {shape[1]} x {shape[0]} of {name}"
            )


def _of_suites(suites: Sequence[str]) -> Cells:
    cells: Cells = {}
    for suite in suites:
        for definition, strength in corruptions.suite(suite).cells():
            _add(cells, definition.name, [strength])
    return cells


def _add(cells: Cells, name: str, strengths: Sequence[Strength]) -> None:
    there = cells.setdefault(name, [])
    there += [strength for strength in dict.fromkeys(strengths) if strength not in there]


def _strengths(definition: Corruption, severity: str | None, level: str | None) -> list[Strength]:
    if level is not None:
        return [definition.strength(level=part) for part in _parts(level, level, False)]
    if severity is not None:
        return [definition.strength(number) for number in _severities(severity)]
    return list(definition.default_strengths())


def _severities(text: str) -> list[int]:
    parts = _parts(text, text, True)
    if any("=" in part for part in parts):
        raise ConfigError(f"expected severities such as 1,3 or 1-5, got '{text}'; levels are for --level")
    return [0 if part == "clean" else int(part) for part in parts]


def _parts(whole: str, text: str, severities: bool, *, chained: bool = False) -> list[str]:
    """Split at commas; among severities `1-5` is a range. chained: each part is a chain's strength, read as such."""
    parts: list[str] = []
    for part in text.split(","):
        stretch = re.fullmatch(r"\s*([0-9]+)\s*-\s*([0-9]+)\s*", part) if severities else None
        if stretch:
            low, high = int(stretch[1]), int(stretch[2])
            if not low <= high <= 5:
                raise ConfigError(f"expected severities from low to high within 0-5, such as 1-5, got '{whole}'")
            parts += [str(number) for number in range(low, high + 1)]
        elif part.strip():
            parts.append(part.strip())
        else:
            raise ConfigError(f"expected strengths such as 1,3 or 1-5 or 0.1,0.2, got '{whole}'")
    is_severity = re.compile("[0-9]+|clean").fullmatch
    if severities and not chained and not all("=" in part or is_severity(part) for part in parts):
        raise ConfigError(f"expected severities such as 1,3 or 1-5, got '{whole}'")
    return parts


def _share_a_level(definitions: Sequence[Corruption]) -> None:
    kinds = {(d.level.name, d.level.unit) if d.level else ("none", "") for d in definitions}
    if len(kinds) > 1:
        listed = ", ".join(f"{d.name} has {d.level.name if d.level else 'no level'}" for d in definitions)
        raise ConfigError(f"one --level needs corruptions of one level and unit: {listed}; write NAME@LEVELS for each")
