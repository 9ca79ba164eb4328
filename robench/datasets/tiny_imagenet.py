"""Tiny ImageNet in its own layout, whole or with some of its classes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from robench.datasets._contract import Ints
from robench.datasets._files import Files, image_files, other_files
from robench.datasets._registry import RawDataset, dataset
from robench.errors import DatasetError
from robench.leftout import left_out_facts
from robench.setformat import is_plain

SIDE = 64


@dataset(
    "tiny-imagenet",
    needs_path=True,
    splits=("train", "val"),
    default_split="val",
    layout="a folder with wnids.txt, train/WNID/images and val/images with val/val_annotations.txt",
    about="200 classes of ImageNet, 64x64 RGB, with boxes: 100,000 train, 10,000 val",
    source="Stanford CS231n, http://cs231n.stanford.edu/tiny-imagenet-200.zip",
)
def tiny_imagenet(path: Path, split: str) -> RawDataset:
    """(N, 64, 64, 3) with boxes; ids are places in val_annotations.txt, or in train by wnid, then file name.

    Classes are the sorted wnids that have a train folder, so that a part of the data set is one too.
    """
    listed = sorted((path / "wnids.txt").read_text(encoding="utf-8").split())
    if strange := [wnid for wnid in listed if not is_plain(wnid)]:
        raise DatasetError(f"{path / 'wnids.txt'}: expected plain names, got '{strange[0]}'")
    classes = [wnid for wnid in listed if (path / "train" / wnid).is_dir()]
    rows = _train(path / "train", classes) if split == "train" else _val(path / "val", classes)
    if not rows:
        raise DatasetError(f"{path}: expected {split} images of the classes in wnids.txt, got none")
    files, wnids, boxes = zip(*rows, strict=True)
    place = {wnid: label for label, wnid in enumerate(classes)}
    return RawDataset(
        classes=tuple(classes),
        labels=np.array([place[wnid] for wnid in wnids], dtype=np.int64),
        images=Files([str(file) for file in files], sizes=np.full((len(files), 2), SIDE, dtype=np.int64)),
        boxes=_half_open(np.array(boxes, dtype=np.int64)),
        stems=tuple(file.stem for file in files),
        left_out=left_out_facts(name for folder in {file.parent for file in files} for name in other_files(folder)),
    )


Row = tuple[Path, str, list[int]]


def _val(folder: Path, classes: list[str]) -> list[Row]:
    fields = _table(folder / "val_annotations.txt", columns=6)
    kept = set(classes)
    return [(folder / "images" / name, wnid, box) for (name, wnid), box in fields if wnid in kept]


def _train(folder: Path, classes: list[str]) -> list[Row]:
    rows: list[Row] = []
    for wnid in classes:
        boxes = {name: box for (name,), box in _table(folder / wnid / f"{wnid}_boxes.txt", columns=5)}
        for file in image_files(folder / wnid / "images"):
            if file.name not in boxes:
                raise DatasetError(f"{file}: expected a line for it in {wnid}_boxes.txt, got none")
            rows.append((file, wnid, boxes[file.name]))
    return rows


def _table(path: Path, columns: int) -> list[tuple[list[str], list[int]]]:
    """Per line the leading texts and the four edges of the box."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) != columns or not all(re.fullmatch("[0-9]+", field) for field in fields[-4:]):
            raise DatasetError(f"{path}:{number}: expected {columns - 4} texts and 4 numbers, got {line!r}")
        if not all(map(is_plain, fields[:-4])):
            raise DatasetError(f"{path}:{number}: expected plain names, got {line!r}")
        rows.append((fields[:-4], [int(field) for field in fields[-4:]]))
    return rows


def _half_open(inclusive: Ints) -> Ints:
    """The files give the last pixel inside the box; here a box ends one after it."""
    return np.minimum(inclusive + np.array([0, 0, 1, 1], dtype=np.int64), SIDE)
