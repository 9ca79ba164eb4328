"""Arrays in one .npz file."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.datasets._contract import Ints
from robench.datasets._registry import Raw, dataset
from robench.datasets._spec import label_of
from robench.datasets._splits import TENTHS
from robench.errors import DatasetError

Array = NDArray[Any]


@dataset(
    "npz",
    needs_path=True,
    default_split=None,
    layout="a .npz file with images (N, H, W[, C]) and labels (N,); may have classes, boxes, ids",
    about="your own arrays in one file",
    source="numpy.savez(FILE, images=…, labels=…)",
)
def npz(path: Path, split: str | None) -> Raw:
    """uint8 (N, H, W, C), all in memory. The file is the test split, whole, unless a split is asked for: then 8:1:1."""
    arrays = _arrays(path)
    images, labels = arrays["images"], arrays["labels"]
    if images.ndim == 3:
        images = images[..., None]
    _expect(path, "images", images, "uint8 (N, H, W) or (N, H, W, C), C 1 or 3", _is_images)
    count = len(images)
    _expect(
        path,
        "labels",
        labels,
        f"{count} whole numbers from 0",
        lambda a: _is_ints(a, (count,)) and a.min() >= 0,
    )
    name, own = label_of(path)
    return Raw(
        classes=_classes(path, arrays.get("classes"), labels),
        labels=labels.astype(np.int64),
        images=np.ascontiguousarray(images),
        boxes=_boxes(path, arrays.get("boxes"), images),
        ids=_ids(path, arrays.get("ids"), count),
        cut=TENTHS if split else None,
        split=split or own or "test",
        name=name,
    )


def _arrays(path: Path) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as opened:
            arrays = {key: opened[key] for key in opened.files}
    except (AttributeError, EOFError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as fault:
        raise DatasetError(f"{path}: expected a .npz file of plain arrays: {fault}") from fault
    for key in ("images", "labels"):
        if key not in arrays:
            raise DatasetError(f"{path}: expected arrays images and labels, got {', '.join(arrays) or 'none'}")
    return arrays


def _expect(path: Path, key: str, array: Array, what: str, good: Callable[[Array], bool]) -> None:
    if not good(array):
        raise DatasetError(f"{path}: expected {key} as {what}, got {array.dtype} {array.shape}")


def _is_images(array: Array) -> bool:
    return array.dtype == np.uint8 and array.ndim == 4 and array.shape[3] in (1, 3) and array.size > 0


def _is_ints(array: Array, shape: tuple[int, ...]) -> bool:
    return array.dtype.kind in "iu" and array.shape == shape


def _classes(path: Path, array: Array | None, labels: Array) -> tuple[str, ...]:
    if array is None:
        return tuple(str(label) for label in range(int(labels.max()) + 1))
    _expect(path, "classes", array, "texts (K,)", lambda a: a.dtype.kind == "U" and a.ndim == 1)
    return tuple(str(name) for name in array)


def _boxes(path: Path, array: Array | None, images: Array) -> Ints | None:
    if array is None:
        return None
    count, height, width = images.shape[:3]
    _expect(path, "boxes", array, f"whole numbers ({count}, 4)", lambda a: _is_ints(a, (count, 4)))
    x0, y0, x1, y1 = array.T.astype(np.int64)
    outside = (x0 < 0) | (y0 < 0) | (x0 > x1) | (y0 > y1) | (x1 > width) | (y1 > height)
    if outside.any():
        bad = int(np.flatnonzero(outside)[0])
        raise DatasetError(
            f"{path}: expected boxes x0, y0, x1, y1 inside {width}x{height}, got {array[bad].tolist()} for image {bad}"
        )
    return array.astype(np.int64)


def _ids(path: Path, array: Array | None, count: int) -> Ints | None:
    if array is None:
        return None
    what = f"{count} different whole numbers from 0"
    _expect(path, "ids", array, what, lambda a: _is_ints(a, (count,)))
    if len(np.unique(array)) != count or array.min() < 0:
        raise DatasetError(f"{path}: expected ids as {what}, got {array.min()}..{array.max()} with repeats or signs")
    return array.astype(np.int64)
