"""CIFAR-10 in its published python batches."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from robench.datasets._contract import Images, Ints
from robench.datasets._registry import Raw, dataset
from robench.datasets._splits import VAL_OF_TRAIN
from robench.errors import DatasetError

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))


@dataset(
    "cifar10",
    needs_path=True,
    layout="a folder with test_batch, data_batch_1..5 and batches.meta, in it or in cifar-10-batches-py",
    about="objects in 10 classes, 32x32 RGB: 50,000 train, 10,000 test",
    source="Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html (python version)",
)
def cifar10(path: Path, split: str) -> Raw:
    """uint8 (N, 32, 32, 3); ids are places in the batches, one after the other. val is cut from train."""
    inner = path / "cifar-10-batches-py"
    folder = inner if inner.is_dir() else path
    batches = [_batch(folder / name) for name in (("test_batch",) if split == "test" else TRAIN)]
    return Raw(
        classes=tuple(str(name) for name in _unpickle(folder / "batches.meta", "label_names")["label_names"]),
        labels=np.concatenate([labels for _, labels in batches]),
        images=np.concatenate([images for images, _ in batches]),
        cut=None if split == "test" else VAL_OF_TRAIN,
    )


def _batch(path: Path) -> tuple[Images, Ints]:
    content = _unpickle(path, "data", "labels")
    data, labels = content["data"], content["labels"]
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != (len(labels), 3072):
        got = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else f"a value of {type(data).__name__}"
        raise DatasetError(f"{path}: expected data as uint8 ({len(labels)}, 3072), got {got}")
    images = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(labels, dtype=np.int64)


class _ArraysOnly(pickle.Unpickler):
    """Builds what the batches hold (numbers, texts, lists, numpy arrays) and refuses to name anything else.

    torchvision guards the same files by their md5, which shuts out other data sets stored as these are.
    """

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _reconstruct
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}, expected arrays only")


def _reconstruct(kind: type, _shape: object, _code: object) -> np.ndarray[Any, Any]:
    if kind is not np.ndarray:
        raise pickle.UnpicklingError(f"it builds {kind!r}, expected arrays only")
    return np.ndarray((0,), np.uint8)


def _unpickle(path: Path, *keys: str) -> dict[str, Any]:
    with path.open("rb") as opened:
        try:
            content = _ArraysOnly(opened, encoding="latin1").load()
        except Exception as fault:  # a broken pickle makes the unpickler raise nearly anything
            raise DatasetError(f"{path}: cannot be read: {fault}") from fault
    if not isinstance(content, dict) or any(key not in content for key in keys):
        raise DatasetError(f"{path}: expected a batch with {' and '.join(keys)}, got {type(content).__name__}")
    return content
