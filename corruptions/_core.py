"""The one place that runs a corruption: checks, streams, blocks, clip, rounding, dtype."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions import _jpeg, _repeats
from corruptions._contract import Corruption, Images, Textures, get
from corruptions._errors import CorruptionError
from corruptions._forms import pixels_of
from corruptions._jit import jit
from corruptions._streams import MAX_SIDE, Draws
from corruptions._strength import Strength

VALUES_AT_ONCE = 1 << 18

_memory = threading.local()
UNIT_TYPES: dict[str, type[np.floating[Any]]] = {"float": np.float32, "double": np.float64}


def apply(
    images: Any,
    name: str,
    severity: int | str | None = None,
    *,
    level: float | tuple[float, ...] | str | None = None,
    seed: int = 0,
    ids: Any = None,
    boxes: Any = None,
    textures: Textures | None = None,
    severity_table: int | None = None,
    stream: str = "test",
) -> Any:
    """Degrade images: the same type, shape and dtype out, the input untouched.

    images: uint8 (N, H, W, C) or one (H, W, C), C 1 or 3; floats in [0, 1] of these shapes, which are rounded to the
    levels k / 255; or tensors (N, C, H, W) or (C, H, W) of either kind. Give a `severity` 0-5 or a `level`: a number, a
    tuple, or text such as "0.5:0" or "0..0.15" (drawn uniformly per image). The pixels depend on the image, `name`, the
    strength, `seed`, the image's id (0..N-1 unless `ids` says otherwise), `boxes` (N, 4) and `textures`, pictures for
    `frost` in place of its own, and on nothing else. Images that come one by one, or batch by batch, need `ids`, their
    places in the data set: without them each call counts from 0, and all get one noise, of which a warning tells.
    The strength of a chain `a+b` is a strength for each part, "sigma=0.1+2", or a severity for all.
    `severity_table` chooses the published one (32, 64 or 224); `stream` keeps training draws apart from the test set's.
    Raises CorruptionError for anything of the wrong form.

    >>> import numpy as np
    >>> clean = np.full((2, 32, 32, 3), 128, np.uint8)
    >>> noisy = apply(clean, "gaussian_noise", 3)
    >>> noisy.shape, noisy.dtype, bool((apply(clean[1:], "gaussian_noise", 3, ids=[1]) == noisy[1:]).all())
    ((2, 32, 32, 3), dtype('uint8'), True)
    """
    chosen = get(name)
    strength = chosen.strength(severity, level)
    pixels, restore = pixels_of(images)
    if ids is None and not strength.is_clean and (chosen.stochastic or strength.is_drawn):
        _repeats.watch(chosen.name, _batch(pixels), seed, stream)
    degraded = apply_strength(
        pixels,
        chosen,
        strength,
        seed=seed,
        ids=ids,
        boxes=boxes,
        textures=textures,
        severity_table=severity_table,
        stream=stream,
    )
    return restore(degraded)


def apply_strength(
    images: Images,
    chosen: Corruption,
    strength: Strength,
    *,
    seed: int = 0,
    ids: Any = None,
    boxes: Any = None,
    textures: Textures | None = None,
    severity_table: int | None = None,
    stream: str = "test",
) -> Images:
    """As `apply`, with the corruption and the strength at hand."""
    batch = _batch(images)
    if not isinstance(stream, str):
        raise CorruptionError(f"stream must be text, got {stream!r}")
    count, height, width, channels = batch.shape
    sample_ids = _sample_ids(ids, count)
    seed = _seed(seed)
    edges = _boxes(boxes, batch.shape)
    pictures = _textures(textures)
    chosen.table_for(height, width, severity_table)
    if strength.is_clean:
        return images.copy()
    out = np.empty_like(batch, order="C")
    size = max(1, VALUES_AT_ONCE // (height * width * channels))
    for start in range(0, count, size):
        part = slice(start, min(start + size, count))
        block = np.array(batch[part], order="C")  # a function may work in place
        extras = {"boxes": None if edges is None else edges[part], "textures": pictures}
        for position, (step, its_strength) in enumerate(chosen.steps(strength)):
            if its_strength.is_clean:
                continue
            draws = Draws(step.name, sample_ids[part], seed=seed, stream=stream, position=position)
            table_for = step.table_for(height, width, severity_table)
            block = _degrade(step, its_strength, block, extras | {"draws": draws, "severity_table": table_for})
        out[part] = _jpeg.round_trip(block, strength.quality) if strength.stored else block
    return out.reshape(images.shape)


def _degrade(step: Corruption, strength: Strength, block: Images, extras: dict[str, Any]) -> Images:
    """A block of images through one corruption, all at one strength or each at its own."""
    if strength.drawn is None:
        return _run(step, block, step.parameters(strength, extras["severity_table"]), extras)
    levels = _drawn_levels(step, strength.drawn, extras["draws"])
    if step.per_image:
        return _run(step, block, levels.astype(np.float32)[:, None, None, None], extras)
    out = np.empty_like(block)
    for level in np.unique(levels):
        rows = np.flatnonzero(levels == level)
        out[rows] = _run(step, block[rows], float(level), _rows(extras, rows))
    return out


def _run(chosen: Corruption, block: Images, parameters: Any, extras: dict[str, Any]) -> Images:
    given = {name: extras[name] for name in chosen.requires}
    if chosen.takes == "uint8":
        return _levels(chosen, block, chosen.body(block, parameters, **given))
    with _unit_memory(UNIT_TYPES[chosen.takes], block.size) as memory:
        units = memory.reshape(block.shape)
        _to_unit(block.reshape(-1), memory)
        return _levels(chosen, block, chosen.body(units, parameters, **given))


@contextmanager
def _unit_memory(kind: type[np.floating[Any]], size: int) -> Iterator[NDArray[Any]]:
    """Memory for a block's values, which each thread keeps for its next block: fresh pages cost as much as the work."""
    held = vars(_memory).pop(kind.__name__, None)
    memory = held if held is not None and held.size >= size else np.empty(size, kind)
    yield memory[:size]
    if memory.size <= VALUES_AT_ONCE:
        setattr(_memory, kind.__name__, memory)


def _levels(chosen: Corruption, block: Images, result: NDArray[Any]) -> Images:
    """What a function returned as a block of its own, uint8."""
    if result.shape != block.shape:
        raise CorruptionError(f"{chosen.name}: expected shape {block.shape} from its function, got {result.shape}")
    if result.dtype == np.uint8:
        return np.ascontiguousarray(result)
    if result.dtype not in (np.float32, np.float64):
        raise CorruptionError(
            f"{chosen.name}: expected uint8, float32 or float64 from its function, got {result.dtype}"
        )
    return quantise(result, chosen.rounding)


def _drawn_levels(chosen: Corruption, ends: tuple[float, float], draws: Draws) -> NDArray[np.float64]:
    low, high = ends
    if chosen.level is not None and chosen.level.integer:
        return draws.integers("strength", int(low), int(high) + 1).astype(np.float64)
    return draws.uniform("strength", low, high)


def _rows(extras: dict[str, Any], rows: NDArray[np.int64]) -> dict[str, Any]:
    boxes = extras["boxes"]
    return extras | {"draws": extras["draws"].at(rows), "boxes": None if boxes is None else boxes[rows]}


@jit
def _to_unit(flat: Any, out: Any) -> None:
    full = out.dtype.type(255)
    for at in range(flat.size):
        out[at] = out.dtype.type(flat[at]) / full


def to_unit(images: Images, kind: type[np.floating[Any]] = np.float32, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """8-bit values as floats in [0, 1], each divided by 255 in that precision; in `out` where it is given."""
    out = np.empty(images.shape, kind) if out is None else out
    _to_unit(np.ascontiguousarray(images).reshape(-1), out.reshape(-1))
    return out


UNITS = to_unit(np.arange(256, dtype=np.uint8), np.float64)
"""The 256 levels in [0, 1], float64."""


@jit
def _nearest(flat: Any, out: Any) -> None:
    zero, full = flat.dtype.type(0), flat.dtype.type(255)
    for at in range(flat.size):
        out[at] = np.uint8(np.int32(np.rint(min(max(flat[at] * full, zero), full))))


@jit
def _down(flat: Any, out: Any) -> None:
    zero, one, full = flat.dtype.type(0), flat.dtype.type(1), flat.dtype.type(255)
    for at in range(flat.size):
        out[at] = np.uint8(np.int32(min(max(flat[at], zero), one) * full))


def quantise(values: NDArray[np.floating[Any]], rounding: str = "nearest") -> Images:
    """Values in [0, 1] as uint8: times 255, clipped, never wrapped.

    rounding: "nearest", halves to even, or "down", the fraction cut off as the published generators do.

    >>> quantise(np.array([0.5, 1.5]), "down").tolist(), quantise(np.array([0.5, 1.5])).tolist()
    ([127, 255], [128, 255])
    """
    out = np.empty(values.shape, np.uint8)
    convert = _down if rounding == "down" else _nearest
    convert(np.ascontiguousarray(values).reshape(-1), out.reshape(-1))
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
    array = np.atleast_1d(_array(ids, f"ids must be {count} whole numbers of at least 0"))
    fits = array.shape == (count,) and array.dtype.kind in "iu"
    if not fits or (count and not 0 <= int(array.min()) <= int(array.max()) < 2**63):
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
    array = _array(boxes, f"boxes must be whole numbers of shape ({shape[0]}, 4)")
    if array.ndim == 1:
        array = array[None]
    if array.shape != (shape[0], 4) or array.dtype.kind not in "iu":
        raise CorruptionError(f"boxes must be whole numbers of shape ({shape[0]}, 4), got {_short(boxes)}")
    x0, y0, x1, y1 = array.T
    if np.any((x0 < 0) | (x0 > x1) | (x1 > shape[2]) | (y0 < 0) | (y0 > y1) | (y1 > shape[1])):
        raise CorruptionError(f"boxes must lie inside the image of {shape[2]} x {shape[1]}, got {_short(boxes)}")
    return array.astype(np.int64)


def _array(values: Any, expected: str) -> NDArray[Any]:
    """Values of one kind; nothing at all is no floats, as numpy has it."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise CorruptionError(f"{expected}, got {_short(values)}") from None
    return array if array.size else array.astype(np.int64)


def _textures(textures: Any) -> Textures | None:
    """Pictures uint8 (h, w, 3), at least one of them; the same tuple where it is one."""
    if textures is None:
        return None
    given = textures if isinstance(textures, tuple) else tuple(textures) if isinstance(textures, list) else ()
    fits = all(
        isinstance(one, np.ndarray) and one.dtype == np.uint8 and one.ndim == 3 and one.shape[2] == 3 and one.size
        for one in given
    )
    if not (given and fits):
        raise CorruptionError(f"textures must be pictures, uint8 arrays (h, w, 3) in a tuple, got {_short(textures)}")
    return given


def _short(value: Any) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
