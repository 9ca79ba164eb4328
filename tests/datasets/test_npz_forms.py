"""`npz:` reads arrays as Keras, scikit-learn, MedMNIST and others store them; each form gives the same data digest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import robench as package

IMAGES = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(24) % 4
ONE_HOT = np.eye(4)[LABELS]
UNIT = IMAGES / 255
Robench = Callable[..., Any]


@pytest.fixture
def sweep(robench: Robench, tmp_path: Path) -> Robench:
    """sweep(images=…, labels=…) evaluates a network on the arrays of a file."""

    def run(split: str = "", **arrays: Any) -> Any:
        np.savez(tmp_path / "mine.npz", **arrays)
        data = ("-d", f"npz{split}:{tmp_path / 'mine.npz'}", "-c", "awgn@0.1", "--device", "cpu")
        return robench("evaluate", "-m", "tiny_cnn", "--random-weights", *data, "-o", tmp_path / "run")

    return run


def recorded(said: Any, folder: Path) -> dict[str, Any]:
    assert said.code == 0, said.err
    dataset: dict[str, Any] = json.loads((folder / "run" / "manifest.json").read_text())["dataset"]
    return dataset


FORMS: dict[str, dict[str, Any]] = {
    "x_test": {"x_test": IMAGES, "y_test": LABELS, "x_train": IMAGES[:6], "y_train": LABELS[:6]},
    "test_images": {"test_images": IMAGES, "test_labels": LABELS[:, None], "val_images": 0, "val_labels": 0},
    "X": {"X": IMAGES, "y": LABELS},
    "data": {"data": IMAGES, "labels": LABELS},
    "one-hot": {"images": IMAGES, "labels": ONE_HOT},
    "one-hot of float32": {"images": IMAGES, "labels": ONE_HOT.astype(np.float32)},
    "one-hot of bool": {"images": IMAGES, "labels": ONE_HOT.astype(bool)},
    "labels (N, 1)": {"images": IMAGES, "labels": LABELS[:, None]},
    "labels of floats": {"images": IMAGES, "labels": LABELS.astype(np.float32)},
    "channels first": {"images": IMAGES.transpose(0, 3, 1, 2), "labels": LABELS},
    "float64": {"images": UNIT, "labels": LABELS},
    "float32": {"images": UNIT.astype(np.float32), "labels": LABELS},
    "float16": {"images": UNIT.astype(np.float16), "labels": LABELS},
    "all of it": {"X": UNIT.transpose(0, 3, 1, 2).astype(np.float32), "y": ONE_HOT},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_data_set(sweep: Robench, tmp_path: Path, form: str) -> None:
    made = package.wrap_dataset(IMAGES, LABELS)
    dataset = recorded(sweep(**FORMS[form]), tmp_path)
    assert (dataset["digest"], dataset["split"], dataset["n"]) == (made.digest, "test", 24)


def test_a_split_is_its_own_pair(sweep: Robench, tmp_path: Path) -> None:
    arrays = {"x_test": IMAGES[:4], "y_test": LABELS[:4], "x_train": IMAGES, "y_train": LABELS}
    train = recorded(sweep("@train", **arrays, x_val=IMAGES[:8], y_val=LABELS[:8]), tmp_path)
    assert (train["split"], train["n"]) == ("train", 24)
    said = sweep("@val", x_test=IMAGES[:4], y_test=LABELS[:4])
    assert said.code == 2
    assert "mine.npz has the splits test, got 'val'" in said.line


def test_python_takes_the_same_forms() -> None:
    plain = package.wrap_dataset(IMAGES, LABELS)
    for arrays in FORMS.values():
        images = next(value for key, value in arrays.items() if np.ndim(value) == 4)
        labels = next(value for key, value in arrays.items() if np.ndim(value) in (1, 2) and len(value) == 24)
        assert package.wrap_dataset(images, labels).digest == plain.digest
    assert package.wrap_dataset(list(zip(IMAGES, ONE_HOT, strict=True))).digest == plain.digest


def test_one_hot_rows_say_how_many_classes_there_are() -> None:
    wide = np.eye(6)[LABELS]
    assert package.wrap_dataset(IMAGES, wide).classes == ("0", "1", "2", "3", "4", "5")
    with pytest.raises(package.ConfigError, match="expected one-hot rows of 4 classes, one per class name, got 6"):
        package.wrap_dataset(IMAGES, wide, class_names=["a", "b", "c", "d"])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "floats to 255": (
        {"images": IMAGES.astype(np.float32), "labels": LABELS},
        "got float32 in 0..255; convert them with images.astype(np.uint8)",
    ),
    "whole numbers": (
        {"images": IMAGES.astype(np.int64), "labels": LABELS},
        "got int64; convert them with images.astype(np.uint8)",
    ),
    "normalised": (
        {"images": UNIT * 2 - 1, "labels": LABELS},
        "got float64 in -1..1; give images before normalisation and augmentation",
    ),
    "resized": ({"images": UNIT * 0.99, "labels": LABELS}, "or round them with np.rint(images * 255).astype(np.uint8)"),
    "no number": ({"images": UNIT * np.nan, "labels": LABELS}, "got float64 in nan..nan; give images before"),
    "soft labels": (
        {"images": IMAGES, "labels": ONE_HOT * 0.9 + 0.025},
        "or rows with a single 1, got float64 (24, 4); convert them with labels.argmax(1)",
    ),
    "an endless label": ({"images": IMAGES, "labels": LABELS + np.inf}, "expected labels as 24 whole numbers from 0"),
    "a part of a label": ({"images": IMAGES, "labels": LABELS / 2}, "whole numbers from 0, got 0.5"),
    "one label": ({"images": IMAGES, "labels": 3}, "expected labels as 24 whole numbers from 0, got int64 ()"),
    "names of other classes": (
        {"images": IMAGES, "labels": ONE_HOT, "classes": list("abc")},
        "expected one-hot rows of 3 classes, one per class name, got 4",
    ),
    "two pairs": (
        {"X": IMAGES, "y": LABELS, "x_test": IMAGES, "y_test": LABELS},
        "expected one pair of images and labels, got X and y, x_test and y_test; call one images and labels",
    ),
    "no pair": ({"pictures": IMAGES, "y": LABELS}, "or x_test and y_test, test_images and test_labels, X and y"),
    "flat images": ({"data": IMAGES.reshape(24, -1), "labels": LABELS}, "C 1 or 3, got uint8 (24, 192)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_other_forms_are_refused_with_a_way_out(sweep: Robench, tmp_path: Path, case: str) -> None:
    arrays, line = WRONG[case]
    said = sweep(**arrays)
    assert said.code == 1
    assert line in said.line
    assert not (tmp_path / "run").exists()
