"""What a corruption is: its function, its strengths, its source and its facts; one by one, and chained."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._errors import CorruptionError, StrengthError, UnknownName
from corruptions._registry import Registry
from corruptions._strength import (
    STORED,
    Level,
    Numbers,
    Strength,
    as_stored,
    chain_strength,
    is_number,
    level_strength,
    parse_strength,
    severity_strength,
)

Images = NDArray[np.uint8]
Textures = tuple[Images, ...]
Row = float | tuple[float, ...]
Body = Callable[..., NDArray[Any]]

GROUPS = ("noise", "blur", "weather", "digital", "resolution")
CHAIN = "+"
TAKES = ("uint8", "float", "double")
ROUNDINGS = ("nearest", "down")
EXTRAS = ("draws", "boxes", "severity_table", "textures")
SEVERITY_TABLES = (32, 64, 224)
RESERVED = ("boxes", "clean", "digests", "ids", "labels", "manifest")


def nearest_side(sides: Sequence[int], wanted: int) -> int:
    """The side nearest to the wanted one; of two as near the smaller."""
    return min(sides, key=lambda side: (abs(side - wanted), side))


def nearest_severity_table(height: int, width: int) -> int:
    """The published severity table (32, 64 or 224) nearest to the shorter side of an image; of two the smaller."""
    return nearest_side(SEVERITY_TABLES, min(height, width))


@dataclass(frozen=True)
class Corruption:
    """One named way to degrade an image: its function, its strengths, its source and its facts.

    The function is called as body(images, strength, …) with a block of images, one strength (a number, a pair, or a
    row of the table) and those of `draws`, `boxes`, `severity_table` and `textures` that it names as parameters.
    `takes` says what the images are: "uint8", "float" (float32 in [0, 1]) or "double" (float64 in [0, 1]). The function
    may work in place but must not keep the images, whose memory the next block reuses. It returns a block of the
    same shape: uint8, or float32 or float64 in [0, 1], which is clipped and quantised to 8 bits here.

    `rounding` says how: "nearest", or "down" for the families whose published generator cuts the fraction off.
    `severities` maps an image size (32, 64, 224) to five rows. `per_image` bodies also take strengths of
    shape (n, 1, 1, 1).
    `not_bit_exact` and `not_monotone` are empty or give the reason. `gray` says what happens to one channel.
    `near_identity` gives the reason why a strength close to the identity may change values by one level,
    `not_identity` the reason why even the identity level changes pixels; both are empty where this does not happen.
    """

    name: str
    group: str
    body: Body = field(repr=False)
    source: str
    version: int = 1
    level: Level | None = None
    severities: Mapping[int, tuple[Row, ...]] = field(default_factory=dict)
    takes: str = "float"
    rounding: str = "nearest"
    per_image: bool = False
    not_bit_exact: str = ""
    not_monotone: str = ""
    near_identity: str = ""
    not_identity: str = ""
    gray: str = "as each colour channel"

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name in RESERVED:
            raise CorruptionError(f"a corruption cannot be called '{self.name}': a set's file, or no plain name")
        if self.group not in GROUPS:
            raise CorruptionError(f"{self.name}: group must be one of {', '.join(GROUPS)}, got {self.group!r}")
        for field_name, allowed in (("takes", TAKES), ("rounding", ROUNDINGS)):
            value = getattr(self, field_name)
            if value not in allowed:
                raise CorruptionError(f"{self.name}: {field_name} must be one of {', '.join(allowed)}, got {value!r}")
        if not self.severities and self.level is None:
            raise CorruptionError(f"{self.name}: expected severities, a level, or both, got neither")
        for side, rows in self.severities.items():
            if len(rows) != 5:
                raise CorruptionError(f"{self.name}: expected 5 rows for side {side}, got {len(rows)}")

    @property
    def has_table(self) -> bool:
        """Whether it has severities 1-5."""
        return bool(self.severities)

    def steps(self, strength: Strength) -> tuple[tuple[Corruption, Strength], ...]:
        """What is done one after the other: itself, and for a chain each part with its strength."""
        return ((self, strength),)

    def __call__(self, images: Any, severity: int | str | None = None, **options: Any) -> Any:
        """As `corruptions.apply` with this corruption."""
        return import_module("corruptions._core").apply(images, self.name, severity, **options)

    def __repr__(self) -> str:
        strengths = ["severities 1-5"] if self.has_table else []
        if self.level is not None:
            strengths.append(f"level {self.level.name}")
        return f"{type(self).__name__}({self.name!r}, {', '.join(strengths) or 'a strength per part'})"

    @property
    def requires(self) -> tuple[str, ...]:
        """Which of draws, boxes, severity_table and textures the function asks for."""
        return tuple(name for name in inspect.signature(self.body).parameters if name in EXTRAS)

    @property
    def stochastic(self) -> bool:
        """Whether it draws."""
        return "draws" in self.requires

    @property
    def bit_exact(self) -> bool:
        """Whether its pixels are the same on every machine."""
        return not self.not_bit_exact

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.body) or "").partition("\n")[0]

    def strength(self, severity: Any = None, level: Any = None) -> Strength:
        """The strength of a severity or of a level, whichever is given; a wrong one raises `StrengthError`.

        Either may end in a stored form, as the keys `3@jpeg85` and `sigma=0.1@jpeg85` do.
        """
        _one_of(self.name, severity, level)
        given = severity if level is None else level
        if isinstance(given, str) and STORED in given:
            return self.parse(given)
        if level is not None:
            return level_strength(self.name, level, self.level)
        return severity_strength(self.name, severity, self.has_table, self.level)

    def parse(self, text: str) -> Strength:
        """The strength of a key such as `3`, `sigma=0.1`, `sigma=0..0.15` or, stored as JPEG, `3@jpeg85`."""
        key, stored, form = text.partition(STORED)
        strength = self._parse(key)
        return as_stored(self.name, strength, form.strip()) if stored else strength

    def _parse(self, key: str) -> Strength:
        return parse_strength(self.name, key, self.has_table, self.level)

    def default_strengths(self) -> tuple[Strength, ...]:
        """Severities 1-5 where it has them, else its default levels."""
        if self.has_table:
            return tuple(self.strength(severity) for severity in range(1, 6))
        assert self.level is not None
        return tuple(self.strength(level=level) for level in self.level.defaults)

    def parameters(self, strength: Strength, severity_table: int) -> Row | Numbers:
        """What the function gets: the level, or the severity's row of that table."""
        if strength.severity is not None:
            return self.severities[severity_table][strength.severity - 1]
        assert strength.level is not None
        return strength.level

    def table_for(self, height: int, width: int, severity_table: int | None = None) -> int:
        """Which of its tables: the one nearest to `severity_table`, or to images of this size."""
        if severity_table is not None and (not is_number(severity_table) or severity_table not in SEVERITY_TABLES):
            raise CorruptionError(
                f"{self.name}: severity_table must be one of {list(SEVERITY_TABLES)}, got {severity_table!r}"
            )
        wanted = nearest_severity_table(height, width) if severity_table is None else severity_table
        return nearest_side(sorted(self.severities) or SEVERITY_TABLES, wanted)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the function, as JSON values."""
        level = self.level
        return {
            "name": self.name,
            "group": self.group,
            "version": self.version,
            "summary": self.summary,
            "source": self.source,
            "severities": {str(side): list(rows) for side, rows in sorted(self.severities.items())},
            "level": None
            if level is None
            else {
                "name": level.name,
                "unit": level.unit,
                "range": level.range_text,
                "defaults": list(level.defaults),
                "identity": level.identity,
                "more_is_stronger": level.more_is_stronger,
            },
            "stochastic": self.stochastic,
            "bit_exact": self.bit_exact,
            "not_bit_exact": self.not_bit_exact,
            "not_monotone": self.not_monotone,
            "rounding": self.rounding,
            "near_identity": self.near_identity,
            "not_identity": self.not_identity,
            "uses_boxes": "boxes" in self.requires,
            "gray": self.gray,
        }


def _of_part(part: Corruption, given: Any) -> Strength:
    """The strength of a part of a chain: text is a key, a number a level, or a severity where it has no level."""
    if isinstance(given, str):
        return part.parse(given)
    return part.strength(given) if part.level is None else part.strength(level=given)


@dataclass(frozen=True, repr=False)
class Chain(Corruption):
    """Corruptions one after the other, `a+b`: each draws under its own name and place, with 8-bit images between.

    Its strengths are written with a plus between them, `sigma=0.1+length=5` or `2+3`, on the command line, in a suite
    and in Python as severity or as level; a severity alone counts for every part.
    """

    parts: tuple[Corruption, ...] = ()

    def __post_init__(self) -> None:
        """Its parts have been checked."""

    @property
    def has_table(self) -> bool:
        """Whether all parts have severities 1-5."""
        return all(part.has_table for part in self.parts)

    @property
    def requires(self) -> tuple[str, ...]:
        """What any of the parts asks for."""
        return tuple(name for name in EXTRAS if any(name in part.requires for part in self.parts))

    def steps(self, strength: Strength) -> tuple[tuple[Corruption, Strength], ...]:
        """Each part with its strength."""
        strengths = strength.parts or (strength,) * len(self.parts)
        return tuple(zip(self.parts, strengths, strict=True))

    def strength(self, severity: Any = None, level: Any = None) -> Strength:
        """A severity for all parts, or strengths for each, as text with pluses or as a sequence.

        Text is read as `parse` does; a number is a level, of a part without one a severity.
        """
        _one_of(self.name, severity, level)
        whole = severity if level is None else level
        if isinstance(whole, str) and (STORED in whole or (level is None and CHAIN in whole)):
            return self.parse(whole)
        if level is None:
            return self._of_all(severity)
        given = (
            level.split(CHAIN) if isinstance(level, str) else tuple(level) if isinstance(level, (tuple, list)) else ()
        )
        if len(given) != len(self.parts):
            raise StrengthError(f"{self.name}: {self._expected}, got {level!r}")
        return chain_strength(map(_of_part, self.parts, given))

    def _of_all(self, severity: Any) -> Strength:
        """One severity for all parts."""
        try:
            strength = severity_strength(self.name, severity, True, None)
        except StrengthError:
            raise StrengthError(f"{self.name}: {self._expected}, got {severity!r}") from None
        if not (strength.is_clean or self.has_table):
            raise StrengthError(f"{self.name}: not all its parts have severities; {self._expected}, got {severity!r}")
        return strength

    def _parse(self, text: str) -> Strength:
        """The strength of a key such as `3` or `sigma=0.1+length=5`."""
        keys = text.split(CHAIN)
        if len(keys) == 1:
            return self.strength(int(text) if re.fullmatch("[0-9]+", text.strip()) else text.strip())
        if len(keys) != len(self.parts):
            raise StrengthError(f"{self.name}: {self._expected}, got '{text}'")
        return chain_strength(part.parse(key) for part, key in zip(self.parts, keys, strict=True))

    def default_strengths(self) -> tuple[Strength, ...]:
        """Severities 1-5 where all parts have them, else the parts' default strengths side by side."""
        if self.has_table:
            return tuple(self.strength(severity) for severity in range(1, 6))
        return tuple(map(chain_strength, zip(*(part.default_strengths() for part in self.parts), strict=False)))

    @property
    def summary(self) -> str:
        """The parts by name."""
        return f"{', then '.join(part.name for part in self.parts)}."

    @property
    def _expected(self) -> str:
        """The form of its strengths, in words with an example."""
        example = CHAIN.join(str(part.default_strengths()[0]) for part in self.parts)
        every = ", or one severity from 0 to 5 for all" if self.has_table else ""
        return f"expected a strength for each part, such as {example}{every}"


def chain(name: str) -> Chain:
    """The chain of the corruptions in a name `a+b`; it counts as inexact or not monotone if one of them is."""
    parts = tuple(get(part) for part in name.split(CHAIN))

    def of_parts(field_name: str) -> str:
        return "; ".join(dict.fromkeys(getattr(part, field_name) for part in parts if getattr(part, field_name)))

    return Chain(
        name=name,
        group="chain",
        body=parts[-1].body,
        source=of_parts("source"),
        not_bit_exact=of_parts("not_bit_exact"),
        not_monotone=of_parts("not_monotone"),
        version=1 + sum(part.version - 1 for part in parts),
        gray="as its parts",
        parts=parts,
    )


def _one_of(name: str, severity: Any, level: Any) -> None:
    if (severity is None) == (level is None):
        raise CorruptionError(f"{name}: give a severity or a level, got {'neither' if level is None else 'both'}")


registry: Registry[Corruption] = Registry("corruption", "robench.corruptions", UnknownName)


def corruption(group: str, *, source: str, **facts: Any) -> Callable[[Body], Body]:
    """Register a function as a corruption under its own name; the facts are the fields of `Corruption`."""

    def register(body: Body) -> Body:
        registry.add(body.__name__, Corruption(body.__name__, group, body, source, **facts))
        return body

    return register


def get(name: str) -> Corruption:
    """The corruption of that name, or the chain `a+b`; an unknown name raises with the nearest."""
    if not isinstance(name, str):
        raise UnknownName(f"expected the name of a corruption, got {name!r}")
    return chain(name) if CHAIN in name else registry.get(name)


def superseded(versions: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Find the recorded versions that a newer one has replaced.

    Args:
        versions: The version of each corruption, or chain, by name. 0 means that no version was recorded.

    Returns:
        The recorded and the installed version by name. A corruption that is not installed is left out.
    """
    found = {}
    for name, recorded in versions.items():
        try:
            installed = get(name).version
        except UnknownName:
            continue
        if 0 < recorded < installed:
            found[name] = (recorded, installed)
    return found


def names(group: str | None = None) -> tuple[str, ...]:
    """All corruptions, or those of a group, in the order of the groups: noise, blur, weather, digital, resolution."""
    if group is not None and group not in GROUPS:
        raise UnknownName(f"unknown group '{group}'; known: {', '.join(GROUPS)}")
    wanted = GROUPS if group is None else (group,)
    return tuple(name for one in wanted for name in registry.names() if get(name).group == one)
