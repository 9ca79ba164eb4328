"""`folder:` and `npz:`, the data sets of one's own: which split, which name, and what is wrong with the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robench import datasets
from robench.errors import ConfigError, DatasetError

# --- folder


def test_a_plain_folder_is_the_test_split_unless_one_is_asked_for(class_folder):
    root = class_folder(count=20)
    whole = datasets.load(f"folder:{root}")
    assert (whole.name, whole.split, len(whole), whole.shape) == ("pets", "test", 40, (8, 8, 3))
    parts = {split: datasets.load(f"folder@{split}:{root}") for split in ("train", "val", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 32, "val": 4, "test": 4}
    assert sorted(np.concatenate([part.ids for part in parts.values()])) == list(range(40))
    assert parts["val"].split == "val"
    assert parts["val"].labels.tolist() == [0, 0, 1, 1]


def test_a_folder_keeps_its_cut_when_it_is_moved_or_renamed(class_folder):
    root = class_folder(count=20)
    before = datasets.load(f"folder@val:{root}")
    digest = before.digest
    after = datasets.load(f"folder@val:{root.rename(root.parent / 'animals')}", name="mine")
    assert np.array_equal(before.ids, after.ids)
    assert after.digest == digest
    assert (before.name, after.name) == ("pets", "mine")


def test_a_folder_with_parts_uses_them(class_folder):
    root = class_folder("pets/train", count=10).parent
    class_folder("pets/test", ("dog",), count=2)
    test = datasets.load(f"folder:{root}")
    assert (test.name, test.split, len(test)) == ("pets", "test", 2)
    assert test.classes == ("cat", "dog")
    assert test.labels.tolist() == [1, 1]
    assert [len(datasets.load(f"folder@{split}:{root}")) for split in ("train", "val")] == [18, 2]
    class_folder("pets/validation", count=4)
    assert [len(datasets.load(f"folder@{split}:{root}")) for split in ("train", "val")] == [20, 8]


def test_a_folder_called_like_a_split_is_that_split_of_its_parent(class_folder):
    root = class_folder("pets/train", count=10).parent
    class_folder("pets/test", ("dog",), count=2)
    test = datasets.load(f"folder:{root / 'test'}")
    assert (test.name, test.split, test.classes) == ("pets", "test", ("cat", "dog"))
    assert test.digest == datasets.load(f"folder:{root}").digest
    train = datasets.load(f"folder:{root / 'train'}")
    assert (train.split, len(train)) == ("train", 20)
    assert len(datasets.load(f"folder@train:{root / 'train'}")) == 20
    with pytest.raises(ConfigError, match=r"test is the test split of pets, got @val; write folder@val:.*pets$"):
        datasets.load(f"folder@val:{root / 'test'}")


def test_a_folder_without_the_split_names_those_it_has(class_folder):
    root = class_folder("pets/train", count=2).parent
    class_folder("pets/val", count=2)
    assert datasets.load(f"folder:{root}").split == "val"
    with pytest.raises(ConfigError, match="has the splits train, val, got 'test'"):
        datasets.load(f"folder@test:{root}")


def test_a_folder_is_gray_if_all_its_files_are(class_folder, write):
    root = class_folder(channels=1)
    assert datasets.load(f"folder:{root}").shape == (8, 8, 1)
    write(root / "cat" / "colour.png")
    assert datasets.load(f"folder:{root}").shape == (8, 8, 3)


# --- npz


def _write_npz(path: Path, **arrays: object) -> Path:
    whole = {
        "images": np.arange(40 * 16, dtype=np.uint16).reshape(40, 4, 4).astype(np.uint8),
        "labels": np.arange(40) % 2,
    }
    np.savez(path, **{key: value for key, value in (whole | arrays).items() if value is not None})
    return path


def test_npz_gives_its_arrays(tmp_path):
    boxes = np.tile([0, 1, 4, 4], (40, 1))
    path = _write_npz(tmp_path / "mine.npz", classes=["a", "b"], boxes=boxes, ids=np.arange(40) * 3)
    found = datasets.load(f"npz:{path}")
    assert (found.name, found.split, found.shape, found.classes) == ("mine", "test", (4, 4, 1), ("a", "b"))
    assert found.ids.tolist() == list(range(0, 120, 3))
    assert found.boxes.tolist() == boxes.tolist()
    assert found.images(1, 2).ravel().tolist() == list(range(16, 32))
    assert datasets.load(f"npz:{path}", view="side2").boxes[0].tolist() == [0, 0, 2, 2]


def test_npz_colour_and_cut(tmp_path):
    path = _write_npz(tmp_path / "train.npz", images=np.zeros((40, 4, 5, 3), np.uint8))
    assert datasets.load(f"npz:{path}").shape == (4, 5, 3)
    parts = {split: datasets.load(f"npz@{split}:{path}") for split in ("train", "val", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 32, "val": 4, "test": 4}
    assert parts["val"].name == tmp_path.name


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        ({"images": np.zeros((40, 4, 4), np.int16)}, "expected images as uint8 or floats in [0, 1], got int16"),
        ({"images": np.zeros((40, 4, 4, 2), np.uint8)}, "C 1 or 3, got uint8 (40, 4, 4, 2)"),
        ({"images": np.zeros((40, 4), np.uint8)}, "C 1 or 3, got uint8 (40, 4)"),
        ({"labels": np.zeros(39, int)}, "expected labels as 40 whole numbers from 0, got int64 (39,)"),
        ({"labels": np.full(40, 0.5)}, "expected labels as 40 whole numbers from 0, got 0.5"),
        ({"labels": np.full(40, -1)}, "expected labels as 40 whole numbers from 0"),
        (
            {"labels": None},
            "expected arrays images and labels, or x_test and y_test, test_images and test_labels, X and y, data",
        ),
        ({"classes": ["a"]}, "labels must be 0..0, got 0..1"),
        ({"classes": [1, 2]}, "expected classes as texts (K,), got int64 (2,)"),
        ({"boxes": np.zeros((40, 3), int)}, "expected boxes as whole numbers (40, 4), got int64 (40, 3)"),
        ({"boxes": np.tile([0, 0, 5, 4], (40, 1))}, "inside 4x4, got [0, 0, 5, 4] for image 0"),
        ({"boxes": np.tile([3, 0, 2, 4], (40, 1))}, "inside 4x4, got [3, 0, 2, 4] for image 0"),
        ({"ids": np.zeros(40, int)}, "expected ids as 40 different whole numbers from 0"),
        ({"ids": np.arange(40) - 1}, "expected ids as 40 different whole numbers from 0"),
        ({"labels": np.array([object()] * 40)}, "expected a .npz file of plain arrays"),
    ],
)
def test_npz_says_what_is_wrong(tmp_path, arrays, line):
    path = _write_npz(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DatasetError) as caught:
        datasets.load(f"npz:{path}")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_npy_file_is_no_npz_file(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(DatasetError, match=r"x\.npy: .*expected a \.npz file of plain arrays"):
        datasets.load(f"npz:{tmp_path / 'x.npy'}")


def test_the_views_apply_to_arrays_too(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 3), np.uint8)
    np.savez(tmp_path / "v.npz", images=images, labels=[0, 1])
    seen = datasets.load(f"npz:{tmp_path / 'v.npz'}", view="side4").images(1, 2)[0]
    whole = np.asarray(Image.fromarray(images[1]).resize((5, 4), Image.Resampling.BILINEAR))
    assert np.array_equal(seen, whole[:, 0:4])
