"""The contract of a corruption and the one place that runs it: checks, streams, clip, rounding, dtype."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._errors import CorruptionError, UnknownName
from corruptions._jit import jit
from corruptions._registry import Registry
from corruptions._streams import MAX_SIDE, Draws
from corruptions._strength import (
    Level,
    Numbers,
    Strength,
    level_strength,
    parse_strength,
    severity_strength,
)

Images = NDArray[np.uint8]
Textures = tuple[Images, ...]
Row = float | tuple[float, ...]
Body = Callable[..., NDArray[Any]]

GROUPS = ("noise", "blur", "weather", "digital", "resolution")
EXTRAS = ("draws", "boxes", "native", "textures")
NATIVE_SIDES = (32, 64, 224)
RESERVED = ("boxes", "clean", "digests", "ids", "labels", "manifest")
VALUES_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Corruption:
    """One named way to degrade an image: its function, its strengths, its source and its facts.

    The function is called as body(images, strength, …) with a block of images, uint8 or float32 in [0, 1] as `takes`
    says, one strength (a number, a pair, or a row of the table) and those of `draws`, `boxes`, `native` and `textures`
    that it names as parameters. It returns a block of the same shape: uint8, or float32 in [0, 1], clipped and rounded
    here.

    `severities` maps a native side to five rows. `per_image` bodies also take strengths of shape (n, 1, 1, 1).
    `not_bit_exact` and `not_monotone` are empty or give the reason. `gray` says what happens to one channel.
    """

    name: str
    group: str
    body: Body = field(repr=False)
    source: str
    version: int = 1
    level: Level | None = None
    severities: Mapping[int, tuple[Row, ...]] = field(default_factory=dict)
    takes: str = "float"
    per_image: bool = False
    not_bit_exact: str = ""
    not_monotone: str = ""
    gray: str = "as each colour channel"

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name in RESERVED:
            raise CorruptionError(f"a corruption cannot be called '{self.name}': a set's file, or no plain name")
        if self.group not in GROUPS:
            raise CorruptionError(f"{self.name}: group must be one of {', '.join(GROUPS)}, got {self.group!r}")
        if self.takes not in ("uint8", "float"):
            raise CorruptionError(f"{self.name}: takes must be 'uint8' or 'float', got {self.takes!r}")
        if not self.severities and self.level is None:
            raise CorruptionError(f"{self.name}: expected severities, a level, or both, got neither")
        for side, rows in self.severities.items():
            if len(rows) != 5:
                raise CorruptionError(f"{self.name}: expected 5 rows for side {side}, got {len(rows)}")

    @property
    def wants(self) -> tuple[str, ...]:
        """Which of draws, boxes, native and textures the function asks for."""
        return tuple(name for name in inspect.signature(self.body).parameters if name in EXTRAS)

    @property
    def stochastic(self) -> bool:
        """Whether it draws."""
        return "draws" in self.wants

    @property
    def bit_exact(self) -> bool:
        """Whether its pixels are the same on every machine."""
        return not self.not_bit_exact

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.body) or "").partition("\n")[0]

    def strength(self, severity: Any = None, level: Any = None) -> Strength:
        """The strength of a severity or of a level, whichever is given; a wrong one raises `StrengthError`."""
        if (severity is None) == (level is None):
            raise CorruptionError(
                f"{self.name}: give a severity or a level, got {'neither' if level is None else 'both'}"
            )
        if level is not None:
            return level_strength(self.name, level, self.level)
        return severity_strength(self.name, severity, bool(self.severities), self.level)

    def parse(self, text: str) -> Strength:
        """The strength of a key such as `3`, `sigma=0.1` or `sigma=0..0.15`."""
        return parse_strength(self.name, text, bool(self.severities), self.level)

    def default_strengths(self) -> tuple[Strength, ...]:
        """Severities 1-5 where it has them, else its default levels."""
        if self.severities:
            return tuple(self.strength(severity) for severity in range(1, 6))
        assert self.level is not None
        return tuple(self.strength(level=level) for level in self.level.defaults)

    def parameters(self, strength: Strength, native: int) -> Row | Numbers:
        """What the function gets: the level, or the severity's row for that native side."""
        if strength.severity is not None:
            return self.severities[native][strength.severity - 1]
        assert strength.level is not None
        return strength.level

    def native_side(self, height: int, width: int, native: int | None = None) -> int:
        """Which published table: the one nearest to the shorter side (ties to the smaller), or nearest to `native`."""
        if native is not None and native not in NATIVE_SIDES:
            raise CorruptionError(f"{self.name}: native must be one of {list(NATIVE_SIDES)}, got {native!r}")
        sides = sorted(self.severities) or NATIVE_SIDES
        wanted = min(height, width) if native is None else native
        return min(sides, key=lambda side: (abs(side - wanted), side))

    def facts(self) -> dict[str, Any]:
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
            "uses_boxes": "boxes" in self.wants,
            "gray": self.gray,
        }


registry: Registry[Corruption] = Registry("corruption", "robench.corruptions", UnknownName)


def corruption(group: str, *, source: str, **facts: Any) -> Callable[[Body], Body]:
    """Register a function as a corruption under its own name; the facts are the fields of `Corruption`."""

    def register(body: Body) -> Body:
        registry.add(body.__name__, Corruption(body.__name__, group, body, source, **facts))
        return body

    return register


def get(name: str) -> Corruption:
    """The corruption of that name; an unknown one raises with the nearest name."""
    return registry.get(name)


def names(group: str | None = None) -> tuple[str, ...]:
    """All corruptions, or those of a group, in the order of the groups: noise, blur, weather, digital, resolution."""
    if group is not None and group not in GROUPS:
        raise UnknownName(f"unknown group '{group}'; known: {', '.join(GROUPS)}")
    wanted = GROUPS if group is None else (group,)
    return tuple(name for one in wanted for name in registry.names() if get(name).group == one)


def apply(
    images: Images,
    name: str,
    severity: int | str | None = None,
    *,
    level: float | tuple[float, ...] | str | None = None,
    seed: int = 0,
    ids: Any = None,
    boxes: Any = None,
    textures: Textures | None = None,
    native: int | None = None,
    stream: str = "test",
) -> Images:
    """Degrade images: the same shape and dtype out, the input untouched.

    images: uint8 (N, H, W, C) or one (H, W, C), C 1 or 3. Give a `severity` 0-5 or a `level`: a number, a tuple, or
    text such as "0.5:0" or "0..0.15" (drawn uniformly per image). The pixels depend on the image, `name`, the
    strength, `seed`, the image's id (0..N-1 unless `ids` says otherwise), `boxes` (N, 4) and `textures`, pictures for
    `frost` in place of its own, and on nothing else.
    `native` chooses the published table (32, 64 or 224); `stream` keeps training draws apart from the test set's.
    Raises CorruptionError for anything of the wrong form.

    >>> import numpy as np
    >>> clean = np.full((2, 32, 32, 3), 128, np.uint8)
    >>> noisy = apply(clean, "gaussian_noise", 3)
    >>> noisy.shape, noisy.dtype, bool((apply(clean[1:], "gaussian_noise", 3, ids=[1]) == noisy[1:]).all())
    ((2, 32, 32, 3), dtype('uint8'), True)
    """
    chosen = get(name)
    return apply_strength(
        images,
        chosen,
        chosen.strength(severity, level),
        seed=seed,
        ids=ids,
        boxes=boxes,
        textures=textures,
        native=native,
        stream=stream,
    )


def apply_strength(
    images: Images,
    chosen: Corruption,
    strength: Strength,
    *,
    seed: int = 0,
    ids: Any = None,
    boxes: Any = None,
    textures: Textures | None = None,
    native: int | None = None,
    stream: str = "test",
) -> Images:
    """As `apply`, with the corruption and the strength at hand."""
    batch = _batch(images)
    count, height, width, channels = batch.shape
    sample_ids = _sample_ids(ids, count)
    seed = _seed(seed)
    edges = _boxes(boxes, batch.shape)
    side = chosen.native_side(height, width, native)
    if strength.is_clean:
        return images.copy()
    out = np.empty_like(batch, order="C")
    size = max(1, VALUES_AT_ONCE // (height * width * channels))
    for start in range(0, count, size):
        part = slice(start, min(start + size, count))
        block = np.ascontiguousarray(batch[part])
        draws = Draws(chosen.name, sample_ids[part], seed=seed, stream=stream)
        extras = {
            "draws": draws,
            "boxes": None if edges is None else edges[part],
            "native": side,
            "textures": textures,
        }
        for chosen_rows, parameters in _alike(chosen, strength, side, draws):
            out[part][chosen_rows] = _run(chosen, block[chosen_rows], parameters, _rows(extras, chosen_rows))
    return out.reshape(images.shape)


def _run(chosen: Corruption, block: Images, parameters: Any, extras: dict[str, Any]) -> Images:
    given = {name: extras[name] for name in chosen.wants}
    source = block if chosen.takes == "uint8" else block.astype(np.float32) / np.float32(255)
    result = chosen.body(source, parameters, **given)
    if result.shape != block.shape:
        raise CorruptionError(f"{chosen.name}: expected shape {block.shape} from its function, got {result.shape}")
    if result.dtype == np.uint8:
        return result
    if result.dtype != np.float32:
        raise CorruptionError(f"{chosen.name}: expected float32 or uint8 from its function, got {result.dtype}")
    return quantise(result)


def _alike(
    chosen: Corruption, strength: Strength, side: int, draws: Draws
) -> Iterator[tuple[slice | NDArray[np.int64], Any]]:
    """The images of a block that share one strength, and that strength."""
    if strength.drawn is None:
        yield slice(None), chosen.parameters(strength, side)
        return
    levels = _drawn_levels(chosen, strength.drawn, draws)
    if chosen.per_image:
        yield slice(None), levels.astype(np.float32)[:, None, None, None]
        return
    for level in np.unique(levels):
        yield np.flatnonzero(levels == level), float(level)


def _drawn_levels(chosen: Corruption, ends: tuple[float, float], draws: Draws) -> NDArray[np.float64]:
    low, high = ends
    if chosen.level is not None and chosen.level.integer:
        return draws.integers("strength", int(low), int(high) + 1).astype(np.float64)
    return draws.uniform("strength", low, high)


def _rows(extras: dict[str, Any], rows: slice | NDArray[np.int64]) -> dict[str, Any]:
    if isinstance(rows, slice):
        return extras
    boxes = extras["boxes"]
    return extras | {"draws": extras["draws"].at(rows), "boxes": None if boxes is None else boxes[rows]}


@jit
def _quantise(flat: Any, out: Any) -> None:
    for at in range(flat.size):
        value = np.rint(flat[at] * np.float32(255))
        out[at] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))


def quantise(values: NDArray[np.float32]) -> Images:
    """Values in [0, 1] as uint8: times 255, rounded to nearest (halves to even), clipped, never wrapped."""
    out = np.empty(values.shape, np.uint8)
    _quantise(np.ascontiguousarray(values).reshape(-1), out.reshape(-1))
    return out


def _batch(images: Images) -> Images:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        got = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
        raise CorruptionError(f"images must be a uint8 array, got {got}")
    if images.ndim not in (3, 4) or images.shape[-1] not in (1, 3):
        raise CorruptionError(f"images must be (N, H, W, C) or (H, W, C) with C 1 or 3, got shape {images.shape}")
    if not all(1 <= side <= MAX_SIDE for side in images.shape[-3:-1]):
        raise CorruptionError(f"image sides must be 1 to {MAX_SIDE} pixels, got shape {images.shape}")
    return images if images.ndim == 4 else images[None]


def _sample_ids(ids: Any, count: int) -> NDArray[np.int64]:
    if ids is None:
        return np.arange(count, dtype=np.int64)
    array = np.atleast_1d(np.asarray(ids))
    if array.shape != (count,) or array.dtype.kind not in "iu" or (count and array.min() < 0):
        raise CorruptionError(f"ids must be {count} whole numbers of at least 0, got {_short(ids)}")
    return array.astype(np.int64)


def _seed(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise CorruptionError(f"seed must be a whole number, got {seed!r}")
    return int(seed)


def _boxes(boxes: Any, shape: tuple[int, ...]) -> NDArray[np.int64] | None:
    """Boxes (N, 4) as (x0, y0, x1, y1), half-open, inside the image."""
    if boxes is None:
        return None
    array = np.asarray(boxes)
    if array.ndim == 1:
        array = array[None]
    if array.shape != (shape[0], 4) or array.dtype.kind not in "iu":
        raise CorruptionError(f"boxes must be whole numbers of shape ({shape[0]}, 4), got {_short(boxes)}")
    x0, y0, x1, y1 = array.T
    if np.any((x0 < 0) | (x0 > x1) | (x1 > shape[2]) | (y0 < 0) | (y0 > y1) | (y1 > shape[1])):
        raise CorruptionError(f"boxes must lie inside the image of {shape[2]} x {shape[1]}, got {_short(boxes)}")
    return array.astype(np.int64)


def _short(value: Any) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
