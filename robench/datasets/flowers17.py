"""The Oxford 17 flowers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robench.datasets._files import Files
from robench.datasets._registry import RawDataset, dataset
from robench.datasets._splits import TENTHS
from robench.errors import DatasetError

A_CLASS = 80
CLASSES = (
    "daffodil",
    "snowdrop",
    "lily_of_the_valley",
    "bluebell",
    "crocus",
    "iris",
    "tigerlily",
    "tulip",
    "fritillary",
    "sunflower",
    "daisy",
    "coltsfoot",
    "dandelion",
    "cowslip",
    "buttercup",
    "windflower",
    "pansy",
)


@dataset(
    "flowers17",
    needs_path=True,
    default_view="side64",
    layout="a folder with image_0001.jpg … image_1360.jpg, in it or in jpg",
    about="17 classes of flowers, RGB of many sizes, 80 a class, cut 8:1:1",
    source="Nilsback & Zisserman 2006, https://www.robots.ox.ac.uk/~vgg/data/flowers/17",
)
def flowers17(path: Path, split: str) -> RawDataset:
    """RGB at the files' sizes; the label is the file's place divided by 80, its id the place itself."""
    inner = path / "jpg"
    files = sorted((inner if inner.is_dir() else path).glob("image_[0-9][0-9][0-9][0-9].jpg"))
    if len(files) != A_CLASS * len(CLASSES):
        raise DatasetError(f"{path}: expected {A_CLASS * len(CLASSES)} files image_0001.jpg …, got {len(files)}")
    return RawDataset(
        classes=CLASSES,
        labels=np.repeat(np.arange(len(CLASSES), dtype=np.int64), A_CLASS),
        images=Files([str(file) for file in files]),
        stems=tuple(file.stem for file in files),
        split_fractions=TENTHS,
    )
