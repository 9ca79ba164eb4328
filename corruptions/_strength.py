"""How strong: a severity of the published table, or a level of the physical parameter. As text it is the key."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from corruptions._errors import StrengthError

CLEAN_KEY = "clean"
STORED = "@"
JPEG = "jpeg"
Numbers = float | tuple[float, ...]
NUMBER = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class Level:
    """The physical parameter of a corruption.

    `identity` is the value that changes nothing, where there is one. `parts` numbers make one level, as in `0.5:0`.
    `more_is_stronger` is False for a quality or a ratio. `stepwise` says that it acts in whole steps, of pixels say.
    """

    name: str
    unit: str
    low: float
    high: float
    defaults: tuple[Numbers, ...]
    identity: float | None = None
    more_is_stronger: bool = True
    integer: bool = False
    parts: int = 1
    stepwise: bool = False

    @property
    def range_text(self) -> str:
        """The numbers allowed, in words."""
        kind = "a whole number" if self.integer else "a number"
        if math.isinf(self.high):
            return f"{kind} of at least {number_text(self.low)}"
        return f"{kind} from {number_text(self.low)} to {number_text(self.high)}"


@dataclass(frozen=True)
class Strength:
    """The identity, a severity 1-5, a level, a level drawn uniformly per image from `drawn`, or the parts of a chain's.

    `str(strength)` is the key: `clean`, `3`, `sigma=0.1`, `sigma=0.5:0`, `sigma=0..0.15`, `sigma=0.1+length=5`.
    `stored` is the form in which the degraded image is stored and read again, `jpeg85` say; the key then ends in it, as
    in `3@jpeg85`. Empty where the image stays in memory or is stored without loss.
    """

    severity: int | None = None
    level_name: str = ""
    level: Numbers | None = None
    drawn: tuple[float, float] | None = None
    parts: tuple[Strength, ...] = ()
    stored: str = ""

    @property
    def is_drawn(self) -> bool:
        """Whether each image draws its own level, or one of its own for a part of a chain."""
        return self.drawn is not None or any(part.is_drawn for part in self.parts)

    @property
    def is_clean(self) -> bool:
        """Whether it is the identity."""
        return self.severity == 0

    @property
    def quality(self) -> int:
        """The JPEG quality at which the degraded image is stored; 0 where it is not."""
        return int(self.stored.removeprefix(JPEG) or 0)

    @property
    def in_memory(self) -> Strength:
        """The same strength without the stored form."""
        return replace(self, stored="")

    def __str__(self) -> str:
        if self.stored:
            return f"{self.in_memory}{STORED}{self.stored}"
        if self.is_clean:
            return CLEAN_KEY
        if self.parts:
            return "+".join(map(str, self.parts))
        if self.severity is not None:
            return str(self.severity)
        if self.drawn is not None:
            return f"{self.level_name}={number_text(self.drawn[0])}..{number_text(self.drawn[1])}"
        assert self.level is not None
        parts = self.level if isinstance(self.level, tuple) else (self.level,)
        return f"{self.level_name}={':'.join(number_text(part) for part in parts)}"


CLEAN = Strength(severity=0)


def as_stored(name: str, strength: Strength, form: str) -> Strength:
    """The strength with a stored form, `jpeg` and a quality of 1-100; a wrong form, or a clean image, raises."""
    found = re.fullmatch(rf"{JPEG}([1-9][0-9]?|100)", form)
    if not found:
        raise StrengthError(f"{name}: a stored form is jpeg and a quality of 1 to 100, such as jpeg85, got '{form}'")
    if strength.is_clean:
        raise StrengthError(f"{name}: clean images are not stored again, got '{CLEAN_KEY}{STORED}{form}'")
    return replace(strength, stored=form)


def chain_strength(parts: Iterable[Strength]) -> Strength:
    """The strength of a chain, from those of its parts; clean where all of them are."""
    each = tuple(parts)
    for part in each:
        if part.stored:
            raise StrengthError(f"a chain is stored as a whole: the form stands at its end, got '{part}' within")
    return CLEAN if all(part.is_clean for part in each) else Strength(parts=each)


def number_text(value: float) -> str:
    """The shortest text that reads back as this number.

    >>> number_text(2.0), number_text(0.1)
    ('2', '0.1')
    """
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def read_number(text: str) -> float:
    """The finite number that a text writes with the digits 0 to 9; ValueError where Python alone would take it.

    Python's own `float` takes the digits of other scripts, `1_000`, `nan` and `inf` too.

    >>> read_number("-2.5e-1")
    -0.25
    """
    value = float(text) if NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"expected a number, got '{text}'")
    return value


def read_whole(text: str) -> int:
    """The whole number that a text writes with the digits 0 to 9; ValueError as for `read_number`.

    >>> read_whole("12")
    12
    """
    if not WHOLE.fullmatch(text.strip()):
        raise ValueError(f"expected a whole number, got '{text}'")
    return int(text)


def severity_strength(name: str, severity: Any, has_table: bool, level: Level | None) -> Strength:
    """The strength of a severity 0-5; `clean` is 0."""
    if isinstance(severity, str) and severity == CLEAN_KEY:
        severity = 0
    if not is_number(severity) or severity not in (0, 1, 2, 3, 4, 5):
        raise StrengthError(f"{name}: severity must be 0 (clean), 1, 2, 3, 4 or 5, got {severity!r}")
    if severity and not has_table:
        assert level is not None
        example = Strength(level_name=level.name, level=level.defaults[0])
        raise StrengthError(f"{name} has no severities; give a level, for example {example}")
    return Strength(severity=int(severity))


def level_strength(name: str, value: Any, level: Level | None) -> Strength:
    """The strength of a level: a number, a tuple of numbers, or text as on the command line."""
    if level is None:
        raise StrengthError(f"{name} has no level; give a severity from 1 to 5")
    if isinstance(value, str):
        return _from_text(name, value.strip(), level)
    parts = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return Strength(level_name=level.name, level=_checked(name, parts, level, value))


def parse_strength(name: str, text: str, has_table: bool, level: Level | None) -> Strength:
    """The strength of a key: `3`, `clean`, `sigma=0.1`, `sigma=0.5:0`, `sigma=0..0.15`.

    A bare number is a severity where the corruption has a table, else a level.
    """
    text = text.strip()
    if text == "clean" or (has_table and re.fullmatch(r"[0-9]+", text)):
        return severity_strength(name, 0 if text == "clean" else int(text), has_table, level)
    return level_strength(name, text, level)


def _from_text(name: str, text: str, level: Level) -> Strength:
    given, equals, body = text.rpartition("=")
    if equals and given != level.name:
        raise StrengthError(f"{name}: its level is called {level.name}, got '{text}'")
    low, dots, high = body.partition("..")
    if dots:
        if level.parts != 1:
            raise StrengthError(f"{name}: a level of {level.parts} numbers cannot be drawn, got '{text}'")
        ends = [_checked(name, (_number(name, end, text, level),), level, text) for end in (low, high)]
        start, stop = (end for end in ends if isinstance(end, float))
        if start > stop:
            raise StrengthError(f"{name}: a drawn level goes from low to high, got '{text}'")
        return Strength(level_name=level.name, drawn=(start, stop))
    parts = tuple(_number(name, part, text, level) for part in body.split(":"))
    return Strength(level_name=level.name, level=_checked(name, parts, level, text))


def _number(name: str, part: str, whole: str, level: Level) -> float:
    try:
        return read_number(part)
    except ValueError:
        raise StrengthError(f"{name}: {level.name} must be {level.range_text}, got '{whole}'") from None


def is_number(value: Any) -> bool:
    """Whether it is a real number, numpy's included, and not True or False."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _checked(name: str, parts: tuple[Any, ...], level: Level, given: Any) -> Numbers:
    if len(parts) != level.parts:
        form = ":".join(["NUMBER"] * level.parts)
        raise StrengthError(f"{name}: {level.name} must be {form}, got {given!r}")
    for part in parts:
        fits = is_number(part) and level.low <= part <= level.high and math.isfinite(part)
        if not fits or (level.integer and not float(part).is_integer()):
            raise StrengthError(f"{name}: {level.name} must be {level.range_text}, got {given!r}")
    numbers = tuple(float(part) for part in parts)
    return numbers if level.parts > 1 else numbers[0]
