"""MNIST in its published files, and whatever else is stored as they are (Fashion-MNIST, KMNIST)."""

from __future__ import annotations

import errno
import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robench.datasets._registry import RawDataset, dataset
from robench.datasets._splits import VAL_OF_TRAIN
from robench.errors import DatasetError
from robench.files import reading


@dataset(
    "mnist",
    needs_path=True,
    layout="a folder with t10k-images-idx3-ubyte[.gz] and its fellows, in it or in MNIST/raw",
    about="handwritten digits, 28x28 gray: 60,000 train, 10,000 test",
    source="LeCun, Cortes & Burges 1998; torchvision.datasets.MNIST(DIR, download=True) fetches it",
)
def mnist(path: Path, split: str) -> RawDataset:
    """uint8 (N, 28, 28, 1); ids are places in the file. val is cut from train."""
    part = "t10k" if split == "test" else "train"
    images = read_idx(_find(path, f"{part}-images-idx3-ubyte"), dimensions=3)
    labels = read_idx(_find(path, f"{part}-labels-idx1-ubyte"), dimensions=1)
    return RawDataset(
        classes=tuple(str(digit) for digit in range(10)),
        labels=labels.astype(np.int64),
        images=images[..., None],
        split_fractions=None if split == "test" else VAL_OF_TRAIN,
    )


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The uint8 array of an idx file, raw or gzip; a DatasetError where it is something else or cut short."""
    with reading(path, "an idx file, raw or gzip", DatasetError):
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    start = 4 + 4 * dimensions
    if len(data) < start or data[:4] != bytes((0, 0, 8, dimensions)):
        raise DatasetError(f"{path}: expected an idx file of {dimensions}-dimensional uint8, got {data[:4]!r}")
    shape = tuple(int(size) for size in np.frombuffer(data[4:start], ">u4"))
    expected = int(np.prod(shape, dtype=np.int64))
    if len(data) - start != expected:
        raise DatasetError(f"{path}: expected {expected} values of {shape}, got {len(data) - start}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _find(path: Path, name: str) -> Path:
    places = [folder / (name + suffix) for folder in (path, path / "MNIST" / "raw") for suffix in ("", ".gz")]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, "no such file", str(path / f"{name}[.gz]"))
    return found
