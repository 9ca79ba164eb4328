"""Arrays in one .npz file."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from robench.datasets._arrays import Array, Labels, as_images, as_labels, check_names, classes_of
from robench.datasets._contract import Images, Ints
from robench.datasets._generated import as_ints
from robench.datasets._registry import RawDataset, dataset
from robench.datasets._spec import SPLIT_FOLDERS, label_of
from robench.datasets._splits import TENTHS, own_part
from robench.errors import DatasetError
from robench.files import reading


class Pair(NamedTuple):
    """The names of two arrays."""

    images: str
    labels: str


OWN = Pair("images", "labels")
PAIRS = (OWN, Pair("data", "labels"), Pair("X", "y"), Pair("x", "y"))
PAIRS_OF_SPLIT = (Pair("x_{}", "y_{}"), Pair("X_{}", "y_{}"), Pair("{}_images", "{}_labels"))
"""How the arrays of a split are called, for each of `SPLIT_FOLDERS`."""
OPTIONAL = ("classes", "boxes", "ids")


@dataset(
    "npz",
    needs_path=True,
    default_split=None,
    layout="a .npz file with images (N, H, W[, C]) and labels (N,), or x_test and y_test; may have classes, boxes, ids",
    about="your own arrays in one file",
    source="numpy.savez(FILE, images=…, labels=…)",
)
def npz(path: Path, split: str | None) -> RawDataset:
    """Images and labels by one of the usual pairs of names, all in memory, as uint8 (N, H, W, C).

    A file with a pair for each split, such as `x_train`, `y_train`, `x_test` and `y_test`, has these splits, and val is
    cut from train where it is missing. Any other file is the test split, whole, unless a split is asked for: then it is
    cut 8:1:1.
    """
    name, own = label_of(path)
    with reading(path, "a .npz file of plain arrays", DatasetError):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                _check_size(path, archive, entry)
        with np.load(path, allow_pickle=False) as opened:
            parts = _parts(path, opened.files)
            if isinstance(parts, Pair):
                pair, split_fractions = parts, TENTHS if split else None
                split = split or own or "test"
            else:
                pair, split, split_fractions = own_part(parts, split, str(path))
            arrays = {key: opened[key] for key in (*pair, *OPTIONAL) if key in opened.files}
    images = as_images(arrays[pair.images], path, DatasetError)
    labels = as_labels(arrays[pair.labels], len(images), path, DatasetError)
    return RawDataset(
        classes=_classes(path, arrays.get("classes"), labels),
        labels=labels.numbers,
        images=images,
        boxes=_boxes(path, arrays.get("boxes"), images),
        ids=_ids(path, arrays.get("ids"), len(images)),
        split_fractions=split_fractions,
        split=split,
        name=name,
    )


def _parts(path: Path, names: Sequence[str]) -> Pair | dict[str, Pair]:
    """The pair of a file, or the pair of each split that the file has; a DatasetError for none and for several."""
    whole = [pair for pair in PAIRS if set(pair) <= set(names)]
    if OWN in whole:
        return OWN
    of_splits = [
        (split, Pair(*(key.format(word) for key in pair)))
        for word, split in SPLIT_FOLDERS.items()
        for pair in PAIRS_OF_SPLIT
    ]
    there = [(split, pair) for split, pair in of_splits if set(pair) <= set(names)]
    parts = dict(there)
    if len(whole) + bool(parts) > 1 or len(parts) < len(there):
        got = ", ".join(" and ".join(pair) for pair in [*whole, *(pair for _, pair in there)])
        raise DatasetError(f"{path}: expected one pair of images and labels, got {got}; call one images and labels")
    if not whole and not parts:
        got = ", ".join(names) or "none"
        known = "x_test and y_test, test_images and test_labels, X and y, data and labels"
        raise DatasetError(f"{path}: expected arrays images and labels, or {known}, got {got}")
    return whole[0] if whole else parts


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


def _expect(path: Path, key: str, array: Array, what: str, good: Callable[[Array], bool]) -> None:
    if not good(array):
        raise DatasetError(f"{path}: expected {key} as {what}, got {array.dtype} {array.shape}")


def _is_ints(array: Array, shape: tuple[int, ...]) -> bool:
    return array.dtype.kind in "iu" and array.shape == shape


def _classes(path: Path, array: Array | None, labels: Labels) -> tuple[str, ...]:
    if array is None:
        return classes_of(labels, path)
    _expect(path, "classes", array, "texts (K,)", lambda a: a.dtype.kind == "U" and a.ndim == 1)
    check_names(labels, len(array), path, DatasetError)
    return tuple(str(name) for name in array)


def _boxes(path: Path, array: Array | None, images: Images) -> Ints | None:
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
