"""Arrays in one .npz file."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.datasets._contract import Ints, numbered_classes
from robench.datasets._generated import as_ints
from robench.datasets._registry import RawDataset, dataset
from robench.datasets._spec import label_of
from robench.datasets._splits import TENTHS
from robench.errors import DatasetError
from robench.files import reading

Array = NDArray[Any]
KEYS = ("images", "labels", "classes", "boxes", "ids")


@dataset(
    "npz",
    needs_path=True,
    default_split=None,
    layout="a .npz file with images (N, H, W[, C]) and labels (N,); may have classes, boxes, ids",
    about="your own arrays in one file",
    source="numpy.savez(FILE, images=…, labels=…)",
)
def npz(path: Path, split: str | None) -> RawDataset:
    """uint8 (N, H, W, C), all in memory. The file is the test split, whole, unless a split is asked for: then 8:1:1."""
    arrays = _arrays(path)
    images, labels = arrays["images"], arrays["labels"]
    if images.ndim == 3:
        images = images[..., None]
    _expect(path, "images", images, "uint8 (N, H, W) or (N, H, W, C), C 1 or 3", _is_images)
    _check_range(path, images)
    count = len(images)
    _expect(
        path,
        "labels",
        labels,
        f"{count} whole numbers from 0",
        lambda a: _is_ints(a, (count,)) and a.min() >= 0,
    )
    labels = as_ints(path, "labels", labels, count)
    name, own = label_of(path)
    return RawDataset(
        classes=_classes(path, arrays.get("classes"), labels),
        labels=labels,
        images=np.ascontiguousarray(images),
        boxes=_boxes(path, arrays.get("boxes"), images),
        ids=_ids(path, arrays.get("ids"), count),
        split_fractions=TENTHS if split else None,
        split=split or own or "test",
        name=name,
    )


def _arrays(path: Path) -> dict[str, Array]:
    """The arrays that are asked for, after a look at what the file says of each."""
    with reading(path, "a .npz file of plain arrays", DatasetError):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                _check_size(path, archive, entry)
        with np.load(path, allow_pickle=False) as opened:
            for key in ("images", "labels"):
                if key not in opened.files:
                    names = ", ".join(opened.files) or "none"
                    raise DatasetError(f"{path}: expected arrays images and labels, got {names}")
            return {key: opened[key] for key in KEYS if key in opened.files}


def _check_size(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """That an array is as large as its shape and type say, before any memory is taken for it."""
    with archive.open(entry) as opened:
        version = np.lib.format.read_magic(opened)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(opened)
        if dtype.hasobject:
            raise ValueError(f"an array of objects, {entry.filename}")
        expected, got = math.prod(shape) * dtype.itemsize, entry.file_size - opened.tell()
    if expected != got:
        raise DatasetError(f"{path}: {entry.filename}: expected {expected} bytes of {dtype} {shape}, got {got}")


def _check_range(path: Path, images: Array) -> None:
    """Pixels that are all 0 or 1 are of [0, 1] or a mask, and black as bytes."""
    if len(images) and images.max() == 1:
        raise DatasetError(f"{path}: expected pixels of 0..255, got only 0 and 1; multiply them by 255")


def _expect(path: Path, key: str, array: Array, what: str, good: Callable[[Array], bool]) -> None:
    if not good(array):
        raise DatasetError(f"{path}: expected {key} as {what}, got {array.dtype} {array.shape}")


def _is_images(array: Array) -> bool:
    return array.dtype == np.uint8 and array.ndim == 4 and array.shape[3] in (1, 3) and array.size > 0


def _is_ints(array: Array, shape: tuple[int, ...]) -> bool:
    return array.dtype.kind in "iu" and array.shape == shape


def _classes(path: Path, array: Array | None, labels: Ints) -> tuple[str, ...]:
    if array is None:
        return numbered_classes(path, labels)
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
    return as_ints(path, "boxes", array, count, 4)


def _ids(path: Path, array: Array | None, count: int) -> Ints | None:
    if array is None:
        return None
    what = f"{count} different whole numbers from 0"
    _expect(path, "ids", array, what, lambda a: _is_ints(a, (count,)))
    if len(np.unique(array)) != count or array.min() < 0:
        raise DatasetError(f"{path}: expected ids as {what}, got {array.min()}..{array.max()} with repeats or signs")
    return as_ints(path, "ids", array, count)
