"""CIFAR-100 in its published python version, with its 100 fine classes or its 20 coarse ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robench.datasets._cifar import read_images, read_names
from robench.datasets._registry import RawDataset, dataset
from robench.datasets._splits import VAL_OF_TRAIN, cut_positions

LAYOUT = "a folder with train, test and meta, in it or in cifar-100-python"
SOURCE = "Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html (CIFAR-100 python version)"


@dataset(
    "cifar100",
    needs_path=True,
    layout=LAYOUT,
    about="objects in 100 classes, 32x32 RGB: 50,000 train, 10,000 test",
    source=SOURCE,
)
def cifar100(path: Path, split: str) -> RawDataset:
    """uint8 (N, 32, 32, 3) with fine labels; ids are places in the file. val is cut from train."""
    return _read(path, split, "fine")


@dataset(
    "cifar100-coarse",
    needs_path=True,
    layout=LAYOUT,
    about="the images of cifar100 in their 20 coarse classes",
    source=SOURCE,
)
def cifar100_coarse(path: Path, split: str) -> RawDataset:
    """As `cifar100`, the same images in each split, with coarse labels."""
    return _read(path, split, "coarse")


def _read(path: Path, split: str, level: str) -> RawDataset:
    inner = path / "cifar-100-python"
    folder = inner if inner.is_dir() else path
    images, [fine, coarse] = read_images(
        folder / ("test" if split == "test" else "train"), "fine_labels", "coarse_labels"
    )
    ids = np.arange(len(fine), dtype=np.int64)
    if split != "test":  # by fine labels for both data sets, so that val holds the same images
        ids = cut_positions("cifar100", ids, fine, VAL_OF_TRAIN, split)
    labels = fine if level == "fine" else coarse
    return RawDataset(
        classes=read_names(folder / "meta", f"{level}_label_names"),
        labels=labels[ids],
        images=images[ids],
        ids=ids,
    )
