"""CIFAR-10 in its published python batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robench.datasets._cifar import read_images, read_names
from robench.datasets._registry import RawDataset, dataset
from robench.datasets._splits import VAL_OF_TRAIN

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))


@dataset(
    "cifar10",
    needs_path=True,
    layout="a folder with test_batch, data_batch_1..5 and batches.meta, in it or in cifar-10-batches-py",
    about="objects in 10 classes, 32x32 RGB: 50,000 train, 10,000 test",
    source="Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html (python version)",
)
def cifar10(path: Path, split: str) -> RawDataset:
    """uint8 (N, 32, 32, 3); ids are places in the batches, one after the other. val is cut from train."""
    inner = path / "cifar-10-batches-py"
    folder = inner if inner.is_dir() else path
    batches = [read_images(folder / name, "labels") for name in (("test_batch",) if split == "test" else TRAIN)]
    return RawDataset(
        classes=read_names(folder / "batches.meta", "label_names"),
        labels=np.concatenate([labels for _, [labels] in batches]),
        images=np.concatenate([images for images, _ in batches]),
        split_fractions=None if split == "test" else VAL_OF_TRAIN,
    )
