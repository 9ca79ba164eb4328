"""CIFAR-100: its python version in the official form, fine and coarse labels, and CIFAR-100-C beside it."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robench import datasets
from robench.errors import DatasetError
from robench.sweep import SweepConfig, run

TRAIN, TEST = 2000, 200


def text(value: bytes) -> bytes:
    return b"T" + struct.pack("<I", len(value)) + value


def python_2(content: dict[str, Any]) -> bytes:
    """A dict of texts, numbers, lists and uint8 arrays as Python 2 pickled it, as in the official files."""

    def one(value: Any) -> bytes:
        if isinstance(value, np.ndarray):
            array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85" + text(b"b") + b"tR"
            kind = b"cnumpy\ndtype\n(" + text(b"u1") + b"K\0K\1tR"
            kind += b"(K\3" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
            shape = b"".join(b"J" + struct.pack("<i", side) for side in value.shape)
            return array + b"(K\1(" + shape + b"t" + kind + b"\x89" + text(value.tobytes()) + b"tb"
        if isinstance(value, list):
            return b"](" + b"".join(map(one, value)) + b"e"
        return text(value.encode()) if isinstance(value, str) else b"J" + struct.pack("<i", value)

    return b"\x80\2}(" + b"".join(text(key.encode()) + one(value) for key, value in content.items()) + b"u."


def pixels(part: str, count: int) -> np.ndarray:
    return np.random.default_rng(len(part)).integers(0, 256, (count, 3072), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Images in the order of their fine labels 0, 1, … 99, 0, …; the coarse label is the fine one divided by five."""
    root = tmp_path_factory.mktemp("cifar100")
    inner = root / "cifar-100-python"
    inner.mkdir()
    for part, count in (("train", TRAIN), ("test", TEST)):
        fine = [number % 100 for number in range(count)]
        content = {
            "filenames": [f"{part}_{number}.png" for number in range(count)],
            "batch_label": f"{part} batch 1 of 1",
            "fine_labels": fine,
            "coarse_labels": [label // 5 for label in fine],
            "data": pixels(part, count),
        }
        (inner / part).write_bytes(python_2(content))
    names = {
        "fine_label_names": [f"fine{i}" for i in range(100)],
        "coarse_label_names": [f"wide{i}" for i in range(20)],
    }
    (inner / "meta").write_bytes(python_2(names))
    return root


@pytest.mark.parametrize("inner", [".", "cifar-100-python"])
def test_planes_become_pixels_with_fine_labels(folder, inner):
    found = datasets.load(f"cifar100:{folder / inner}")
    assert (found.name, found.split, found.shape, len(found)) == ("cifar100", "test", (32, 32, 3), TEST)
    assert found.classes == tuple(f"fine{i}" for i in range(100))
    assert found.labels[[0, 99, 100]].tolist() == [0, 99, 0]
    data = pixels("test", TEST)
    assert found.images(7, 8)[0, 2, 5].tolist() == [data[7, plane * 1024 + 2 * 32 + 5] for plane in range(3)]


def test_the_coarse_classes_have_a_name_of_their_own(folder):
    found = datasets.load(f"cifar100-coarse:{folder}")
    assert (found.name, len(found.classes), found.classes[3]) == ("cifar100-coarse", 20, "wide3")
    assert found.labels[[4, 5, 99]].tolist() == [0, 1, 19]


def test_val_is_a_tenth_of_each_fine_class_and_the_same_images_for_coarse_labels(folder):
    train, val = (datasets.load(f"cifar100@{split}:{folder}") for split in ("train", "val"))
    assert np.bincount(train.labels).tolist() == [18] * 100
    assert np.bincount(val.labels).tolist() == [2] * 100
    assert sorted([*train.ids, *val.ids]) == list(range(TRAIN))
    place = 3
    assert val.images(place, place + 1)[0, 0, 0, 0] == pixels("train", TRAIN)[val.ids[place], 0]
    coarse = datasets.load(f"cifar100-coarse@val:{folder}")
    assert coarse.ids.tolist() == val.ids.tolist()
    assert coarse.labels.tolist() == (val.labels // 5).tolist()


def test_a_file_without_coarse_labels_or_of_another_length_is_named(folder, tmp_path):
    for name in ("train", "test", "meta"):
        (tmp_path / name).write_bytes((folder / "cifar-100-python" / name).read_bytes())
    content = {"data": pixels("test", 2), "fine_labels": [0, 1]}
    (tmp_path / "test").write_bytes(pickle.dumps(content))
    with pytest.raises(DatasetError, match=r"test: expected a batch with data and fine_labels and coarse_labels, got"):
        datasets.load(f"cifar100:{tmp_path}")
    (tmp_path / "test").write_bytes(pickle.dumps(content | {"coarse_labels": [0]}))
    with pytest.raises(DatasetError, match=r"expected fine_labels and coarse_labels of one length, got \[2, 1\]"):
        datasets.load(f"cifar100:{tmp_path}")
    (tmp_path / "test").write_bytes(pickle.dumps(content | {"coarse_labels": ["a", "b"]}))
    with pytest.raises(DatasetError, match=r"test: expected coarse_labels as whole numbers "):
        datasets.load(f"cifar100:{tmp_path}")
    (tmp_path / "meta").unlink()
    with pytest.raises(DatasetError, match=r"meta does not exist; expected a folder with train, test and meta"):
        datasets.load(f"cifar100@val:{tmp_path}")


@pytest.fixture
def cifar100_c(folder, tmp_path) -> Path:
    root = tmp_path / "CIFAR-100-C"
    root.mkdir()
    clean = datasets.load(f"cifar100:{folder}")
    np.save(root / "fog.npy", np.concatenate([clean.images(0, TEST) // severity for severity in range(1, 6)]))
    np.save(root / "labels.npy", np.tile(clean.labels, 5).astype(np.uint8))
    return root


def test_cifar_100_c_is_evaluated_with_its_clean_images(folder, cifar100_c, tmp_path):
    outcome = run(
        SweepConfig(
            ("tiny_cnn",),
            f"generated:{cifar100_c}",
            tmp_path / "run",
            corruptions=("fog@1,5",),
            clean=f"cifar100:{folder}",
            device="cpu",
            random_weights=True,
            limit=50,
        )
    )
    cells = outcome.cells.set_index(["corruption", "strength"])
    assert outcome.failed == []
    assert set(cells["dataset"]) == {"cifar100"}
    assert cells.loc[("fog", "1"), "n_correct"] == cells.loc[("clean", "clean"), "n_correct"]
    with pytest.raises(DatasetError, match="expected the labels of cifar100-coarse@test, got others"):
        datasets.open_generated(cifar100_c, clean=datasets.load(f"cifar100-coarse:{folder}"))
