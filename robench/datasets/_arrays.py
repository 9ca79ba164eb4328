"""Images and labels in the forms in which arrays have them, as uint8 (N, H, W, C) and whole numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robench.datasets._contract import Images, Ints, numbered_classes
from robench.errors import RobenchError

Array = NDArray[Any]
TOLERANCE = 1e-3
"""In levels of 1/255; a float32 image in [0, 1] is within 2e-5 of them, one in float16 within .13."""
TOLERANCE_OF_HALVES = 0.13
MASK = 64
"""Values that an image of 0 and 1 alone may have, before it is taken for one in [0, 1]."""
BLOCK = 1024
"""Images of floats that are rounded at once."""


class Labels(NamedTuple):
    """numbers: int64 (N,), from 0. classes: how many there are, where one-hot rows say so."""

    numbers: Ints
    classes: int | None


def as_images(array: Array, source: object, error: type[RobenchError]) -> Images:
    """Images of any form as uint8 (N, H, W, C), C 1 or 3; others raise `error`.

    array: (N, H, W), (N, H, W, C), or (N, C, H, W) where the last length is neither 1 nor 3; values as for `as_bytes`.
    """
    shaped = array[..., None] if array.ndim == 3 else array
    if shaped.ndim == 4 and shaped.shape[1] in (1, 3) and shaped.shape[3] not in (1, 3):
        shaped = shaped.transpose(0, 2, 3, 1)
    if shaped.ndim != 4 or shaped.shape[3] not in (1, 3) or not shaped.size:
        raise error(f"{source}: expected images (N, H, W), (N, H, W, C) or (N, C, H, W), C 1 or 3, got {_kind(array)}")
    return as_bytes(shaped, source, error)


def as_bytes(array: Array, source: object, error: type[RobenchError]) -> Images:
    """Pixels as uint8, from uint8 or from floats in [0, 1] that are multiples of 1/255; others raise `error`."""
    if array.dtype == np.uint8:
        if array.max() == 1 and array.size > MASK:
            raise error(f"{source}: expected pixels of 0..255, got only 0 and 1; multiply them by 255")
        return np.ascontiguousarray(array)
    if array.dtype.kind != "f":
        way_out = "; convert them with images.astype(np.uint8)" if _are_levels(array) else ""
        raise error(f"{source}: expected images as uint8 or floats in [0, 1], got {array.dtype}{way_out}")
    made = np.empty(array.shape, dtype=np.uint8)
    within = TOLERANCE_OF_HALVES if array.dtype.itemsize == 2 else TOLERANCE
    for start in range(0, len(array), BLOCK):
        levels = array[start : start + BLOCK].astype(np.float64) * 255
        rounded = np.rint(levels)
        if not (levels.min() >= 0 and levels.max() <= 255 and abs(levels - rounded).max() <= within):
            raise error(
                f"{source}: expected uint8 images, or floats in [0, 1] that are multiples of 1/255, got {array.dtype} "
                f"in {array.min():g}..{array.max():g}; {_way_out(array)}"
            )
        made[start : start + BLOCK] = rounded
    return made


def _way_out(array: Array) -> str:
    if _are_levels(array):
        return "convert them with images.astype(np.uint8)"
    if array.min() >= 0 and array.max() <= 1:
        return "give images before resizing and augmentation, or round them with np.rint(images * 255).astype(np.uint8)"
    return "give images before normalisation and augmentation"


def _are_levels(array: Array) -> bool:
    """Whether the values are whole numbers of 0 to 255, some of them above 1."""
    if array.dtype.kind not in "iuf":
        return False
    return bool(array.min() >= 0 and 1 < array.max() <= 255 and (array == np.rint(array)).all())


def as_labels(array: Array, count: int, source: object, error: type[RobenchError]) -> Labels:
    """Labels of `count` images as whole numbers; others raise `error`.

    array: (N,) or (N, 1), whole numbers from 0, also as floats; or one-hot rows (N, classes), a single 1 in each.
    """
    what = f"{source}: expected labels as {count} whole numbers from 0"
    if not count or array.ndim not in (1, 2) or len(array) != count or array.dtype.kind not in "iufb":
        raise error(f"{what}, got {_kind(array)}")
    if array.ndim == 2 and array.shape[1] != 1:
        if not (((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all()):
            raise error(f"{what}, or rows with a single 1, got {_kind(array)}; convert them with labels.argmax(1)")
        return Labels(array.argmax(axis=1).astype(np.int64), array.shape[1])
    numbers = array.reshape(count)
    if numbers.dtype.kind not in "iuf":
        raise error(f"{what}, got {_kind(array)}")
    if numbers.dtype.kind == "f" and not (is_whole := np.isfinite(numbers) & (numbers == np.rint(numbers))).all():
        raise error(f"{what}, got {numbers[~is_whole][0]:g}")
    if int(numbers.min()) < 0 or int(numbers.max()) > np.iinfo(np.int64).max:
        raise error(f"{what} below 2^63, got {numbers.min()}..{numbers.max()}")
    return Labels(numbers.astype(np.int64), None)


def classes_of(labels: Labels, source: object) -> tuple[str, ...]:
    """Classes called by their numbers, where nothing names them; a label far beyond is a DatasetError."""
    if labels.classes is not None:
        return tuple(map(str, range(labels.classes)))
    return numbered_classes(source, labels.numbers)


def check_names(labels: Labels, names: int, source: object, error: type[RobenchError]) -> None:
    """Raise `error` where one-hot rows have another length than the list of names."""
    if labels.classes not in (None, names):
        raise error(f"{source}: expected one-hot rows of {names} classes, one per class name, got {labels.classes}")


def _kind(array: Array) -> str:
    return f"{array.dtype} {array.shape}"
