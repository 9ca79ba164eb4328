"""The python batches in which CIFAR-10 and CIFAR-100 are published: pickles, of which only plain values are built."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from robench.datasets._contract import Images, Ints
from robench.datasets._generated import as_ints
from robench.errors import DatasetError
from robench.files import reading


def read_images(path: Path, *label_keys: str) -> tuple[Images, list[Ints]]:
    """The images of a batch, uint8 (N, 32, 32, 3), and its labels (N,) under each key; DatasetError if malformed."""
    content = read_pickle(path, "data", *label_keys)
    data, labels = content["data"], [_labels(path, key, content[key]) for key in label_keys]
    count = len(labels[0])
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != (count, 3072):
        got = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else f"a value of {type(data).__name__}"
        raise DatasetError(f"{path}: expected data as uint8 ({count}, 3072), got {got}")
    if any(len(some) != count for some in labels):
        raise DatasetError(f"{path}: expected {' and '.join(label_keys)} of one length, got {[*map(len, labels)]}")
    return np.ascontiguousarray(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels


def read_names(path: Path, key: str) -> tuple[str, ...]:
    """The class names that a file of names holds under `key`, in the order of the labels."""
    names = read_pickle(path, key)[key]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DatasetError(f"{path}: expected {key} as a list of texts, got {type(names).__name__}")
    return tuple(names)


def read_pickle(path: Path, *keys: str) -> dict[str, Any]:
    """A pickled dict that holds these keys; no code in the file is run. DatasetError if it is anything else."""
    with reading(path, f"a pickled batch with {' and '.join(keys)}", DatasetError), path.open("rb") as opened:
        content = _ArraysOnly(opened, encoding="latin1").load()
    if not isinstance(content, dict) or any(key not in content for key in keys):
        raise DatasetError(f"{path}: expected a batch with {' and '.join(keys)}, got {type(content).__name__}")
    return content


def _labels(path: Path, key: str, values: Any) -> Ints:
    with reading(path, f"{key} as a list of whole numbers", DatasetError):
        labels = np.array(values)
    return as_ints(path, key, labels, labels.size)


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
