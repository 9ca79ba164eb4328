"""What holds for a loaded data set: order, ids, limits, digests, splits."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from robench import datasets
from robench.datasets._splits import TENTHS, VAL_OF_TRAIN, cut_positions
from robench.errors import DatasetError


@pytest.fixture
def pets(class_folder):
    return datasets.load(f"folder:{class_folder(count=7)}")


def test_images_stand_in_the_order_of_class_then_file(pets, picture):
    assert pets.classes == ("cat", "dog")
    assert pets.ids.tolist() == list(range(14))
    assert pets.labels.tolist() == [0] * 7 + [1] * 7
    for position, number in ((0, 0), (6, 6), (7, 100), (13, 106)):
        assert np.array_equal(pets.images(position, position + 1)[0], picture(number))
    assert pets.stems[:2] == ("00", "01")


@pytest.mark.parametrize("size", [1, 3, 14, 50])
def test_blocks_are_the_images_in_order(pets, size):
    whole = pets.images(0, 14)
    assert np.array_equal(np.concatenate([block for _, block in pets.blocks(size)]), whole)
    for where, block in pets.blocks(size):
        assert np.array_equal(block, whole[where])


def test_a_limit_drops_ids_and_renumbers_none(pets):
    few = pets.limited(4)
    assert few.ids.tolist() == [0, 3, 7, 10]
    assert few.labels.tolist() == [0, 0, 1, 1]
    assert few.stems == ("00", "03", "00", "03")
    assert np.array_equal(few.images(0, 4), pets.read(np.array([0, 3, 7, 10])))
    assert few.limited(2).ids.tolist() == [0, 7]
    assert pets.limited(99) is pets


def test_load_limits_what_it_returns(class_folder):
    assert datasets.load(f"folder:{class_folder(count=7)}", limit=4).ids.tolist() == [0, 3, 7, 10]


def test_the_digest_is_that_of_the_definition(pets):
    whole = hashlib.sha256()
    for image, label in zip(pets.images(0, 14), pets.labels, strict=True):
        whole.update(hashlib.sha256(f"(8, 8, 3)|{label}|()|".encode() + image.tobytes()).digest())
    assert pets.digest == whole.hexdigest()


def test_the_digest_knows_pixels_labels_and_boxes_but_no_order(pets):
    shuffled = pets.at(np.random.default_rng(0).permutation(14))
    assert shuffled.digest == pets.digest
    assert replace(pets, name="other", split="other").digest == pets.digest
    others = [
        pets.limited(13),
        replace(pets, labels=1 - pets.labels),
        replace(pets, boxes=np.tile([0, 0, 1, 1], (14, 1))),
        replace(pets, read=lambda positions: pets.read(positions) ^ 1),
    ]
    assert len({pets.digest, *(other.digest for other in others)}) == 5
    assert others[0].limited(4).digest == others[0].at(np.array([9, 3, 6, 0])).digest


@pytest.mark.parametrize("view", ["side4", "resize10-crop8"])
def test_a_view_changes_pixels_and_digest_alone(class_folder, pets, view):
    seen = datasets.load(f"folder:{class_folder(count=7)}", view=view)
    assert seen.view == view
    assert seen.digest != pets.digest
    assert np.array_equal(seen.ids, pets.ids)
    assert seen.stems == pets.stems


def test_reading_gives_copies(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 4, 4), np.uint8), labels=[0, 1])
    found = datasets.load(f"npz:{tmp_path / 'a.npz'}")
    found.images(0, 2)[:] = 9
    assert not found.images(0, 2).any()


LABELS = np.repeat(np.arange(4), [40, 41, 1, 100])


def _cut(split_fractions, name="set", labels=LABELS, ids=None):
    ids = np.arange(len(labels)) if ids is None else ids
    return {split: cut_positions(name, ids, labels, split_fractions, split) for split in split_fractions}


@pytest.mark.parametrize(
    "split_fractions", [TENTHS, VAL_OF_TRAIN, {"train": 48, "val": 12, "test": None}], ids=["tenths", "val", "counts"]
)
def test_splits_share_all_images_and_none_twice(split_fractions):
    parts = _cut(split_fractions)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(LABELS)))
    assert all(np.array_equal(np.sort(part), part) for part in parts.values())


def test_splits_keep_the_balance_of_the_classes():
    parts = _cut(TENTHS)
    assert Counter(LABELS[parts["test"]].tolist()) == {0: 4, 1: 4, 3: 10}
    assert Counter(LABELS[parts["val"]].tolist()) == {0: 4, 1: 4, 3: 10}
    counted = _cut({"train": 48, "val": 12, "test": None})
    assert Counter(LABELS[counted["train"]].tolist()) == {0: 40, 1: 41, 2: 1, 3: 48}
    assert Counter(LABELS[counted["val"]].tolist()) == {3: 12}


def test_a_split_hangs_on_the_data_set_and_the_ids_alone():
    first = _cut(TENTHS)["test"]
    np.random.seed(1)
    assert np.array_equal(_cut(TENTHS)["test"], first)
    assert not np.array_equal(_cut(TENTHS, name="other")["test"], first)
    assert not np.array_equal(_cut(TENTHS, ids=np.arange(len(LABELS)) + 1)["test"], first)
    without_the_last_class = _cut(TENTHS, labels=LABELS[:82])["test"]
    assert np.array_equal(without_the_last_class, first[first < 82])
    order = np.random.default_rng(0).permutation(len(LABELS))
    assert np.array_equal(np.sort(order[_cut(TENTHS, labels=LABELS[order], ids=order)["test"]]), first)


def test_the_shuffle_is_the_documented_one():
    order = sorted(range(20), key=lambda i: hashlib.sha256(f"set|split|{i}".encode()).digest())
    assert _cut(TENTHS, labels=np.zeros(20, int))["test"].tolist() == sorted(order[:2])


def test_a_split_of_nothing_is_an_error(class_folder):
    with pytest.raises(DatasetError, match="pets: 6 images are too few to cut the split val"):
        datasets.load(f"folder@val:{class_folder(count=3)}")
