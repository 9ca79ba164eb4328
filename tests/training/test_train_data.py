"""The batches of an epoch: every image once, in a keyed order, with draws that no test set shares."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import corruptions
from robench.datasets import Dataset
from robench.training import Recipe
from robench.training._augment import shifted
from robench.training._data import Batches

CLEAN = Recipe("toy", "", "", data="clean", batch_size=4)
NOISY = replace(CLEAN, data="perturbed", perturbations=("awgn@0..0.5",))


def numbered(count: int = 10, side: int = 8) -> Dataset:
    """Images that are all their own position; ids are even."""
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, side, side, 1), np.uint8)
    return Dataset(
        name="numbers",
        split="train",
        view="native",
        classes=tuple("0123456789"),
        shape=(side, side, 1),
        ids=np.arange(count) * 2,
        labels=np.arange(count) % 10,
        read=lambda positions: pixels[positions],
        boxes=np.tile(np.arange(count)[:, None], (1, 4)) % 4 + np.array([0, 0, 1, 1]),
    )


def pixels(batches: Batches) -> np.ndarray[Any, Any]:
    return np.concatenate([images.numpy() for images, _ in batches])


def labels(batches: Batches) -> list[int]:
    return [int(label) for _, batch in batches for label in batch]


def test_an_epoch_holds_every_image_once_with_its_label() -> None:
    batches = Batches(numbered(), CLEAN, seed=0, epoch=0)
    assert [len(batch) for _, batch in batches] == [4, 4, 2]
    assert len(batches) == 3
    assert sorted(labels(batches)) == list(range(10))
    assert pixels(batches)[:, 0, 0, 0].tolist() == labels(batches)


def test_the_order_follows_seed_and_epoch_alone() -> None:
    orders = [labels(Batches(numbered(), CLEAN, seed, epoch)) for seed, epoch in ((0, 0), (0, 1), (1, 0), (0, 0))]
    assert orders[0] == orders[3]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert labels(Batches(numbered(), CLEAN, seed=0)) == list(range(10))


def test_a_last_training_batch_of_one_is_left_out() -> None:
    assert [len(batch) for _, batch in Batches(numbered(9), CLEAN, 0, epoch=0)] == [4, 4]
    assert [len(batch) for _, batch in Batches(numbered(9), CLEAN, 0)] == [4, 4, 1]
    assert [len(batch) for _, batch in Batches(numbered(1), CLEAN, 0, epoch=0)] == [1]
    assert len(Batches(numbered(3), replace(CLEAN, batch_size=1), 0, epoch=0)) == 3


def test_both_is_each_batch_clean_and_perturbed() -> None:
    clean, noisy = (pixels(Batches(numbered(4), recipe, 0, epoch=0)) for recipe in (CLEAN, NOISY))
    both = Batches(numbered(4), replace(NOISY, data="both"), 0, epoch=0)
    assert np.array_equal(pixels(both), np.concatenate([clean, noisy]))
    assert labels(both) == 2 * labels(Batches(numbered(4), CLEAN, 0, epoch=0))


def test_draws_come_from_streams_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def record(images: Any, chosen: Any, strength: Any, **options: Any) -> Any:
        asked.append({"name": chosen.name, "strength": str(strength), **options})
        return images

    monkeypatch.setattr(corruptions, "apply_strength", record)
    data = numbered(4)
    for epoch in (0, 1, None):
        order = labels(Batches(data, NOISY, seed=5, epoch=epoch))
        assert asked[-1]["ids"].tolist() == [2 * position for position in order]
        assert asked[-1]["boxes"].tolist() == data.boxes[order].tolist()
    assert [one["stream"] for one in asked] == ["train/0", "train/1", "val"]
    assert {(one["name"], one["strength"], one["seed"]) for one in asked} == {("awgn", "sigma=0..0.5", 5)}


def test_every_image_draws_one_of_the_perturbations() -> None:
    data = replace(numbered(40), read=lambda positions: np.full((len(positions), 8, 8, 1), 100, np.uint8))
    recipe = replace(CLEAN, data="perturbed", perturbations=("clean", "salt_and_pepper@1", "awgn@0.02"))
    kinds = []
    for epoch in (0, 1):
        found = pixels(Batches(data, recipe, 0, epoch=epoch)).reshape(40, -1)
        order = labels(Batches(replace(data, labels=np.arange(40) % 10), recipe, 0, epoch=epoch))
        assert len(order) == 40
        clean = (found == 100).all(axis=1)
        binary = np.isin(found, (0, 255)).all(axis=1)
        kinds.append(np.where(clean, 0, np.where(binary, 1, 2)))
    assert np.bincount(kinds[0], minlength=3).min() > 5
    assert not np.array_equal(*kinds)
    alone = replace(recipe, perturbations=("awgn@0.02",))
    ids = replace(data, ids=np.arange(40))
    assert np.array_equal(
        pixels(Batches(ids, recipe, 0))[kinds_of(ids, recipe) == 2],
        pixels(Batches(ids, alone, 0))[kinds_of(ids, recipe) == 2],
    )


def kinds_of(data: Dataset, recipe: Recipe) -> np.ndarray[Any, Any]:
    """0 clean, 1 salt and pepper, 2 noise, of the validation images."""
    found = pixels(Batches(data, recipe, 0)).reshape(len(data), -1)
    return np.where((found == 100).all(axis=1), 0, np.where(np.isin(found, (0, 255)).all(axis=1), 1, 2))


def test_validation_is_perturbed_but_never_augmented() -> None:
    recipe = replace(CLEAN, augment="crop-flip")
    data = numbered()
    assert np.array_equal(pixels(Batches(data, recipe, 0)), data.images(0, 10))
    assert not np.array_equal(pixels(Batches(data, NOISY, 0)), data.images(0, 10))


def test_augmentation_moves_and_mirrors_each_image_by_its_own_draw() -> None:
    image = np.random.default_rng(0).integers(1, 256, (1, 16, 16, 1), dtype=np.uint8)
    data = replace(numbered(64, side=16), read=lambda positions: np.repeat(image, len(positions), axis=0))
    shift, flip = (
        pixels(Batches(data, replace(CLEAN, augment=augment), 0, epoch=0)) for augment in ("shift", "crop-flip")
    )
    moves = [(dy, dx) for dy in range(5) for dx in range(5)]
    known = {shifted(image, np.array([move]), 2)[0].tobytes() for move in moves}
    mirror = {shifted(image, np.array([move]), 2)[0, :, ::-1].tobytes() for move in moves}
    assert {one.tobytes() for one in shift} <= known
    assert len({one.tobytes() for one in shift}) > 15
    assert {one.tobytes() for one in flip} <= known | mirror
    assert 16 < sum(one.tobytes() in mirror for one in flip) < 48
    assert np.array_equal(pixels(Batches(data, replace(CLEAN, augment="shift"), 0, epoch=0)), shift)


def test_large_images_are_cut_to_patches_of_a_grid_the_same_for_both() -> None:
    rows, columns = np.mgrid[:16, :12]
    image = np.stack([rows, columns, rows], axis=-1).astype(np.uint8)[None]
    data = replace(numbered(64), shape=(16, 12, 3), read=lambda positions: np.repeat(image, len(positions), axis=0))
    recipe = replace(CLEAN, data="both", perturbations=("clean",), patch=8)
    seen = set()
    for images, _ in Batches(data, recipe, 0, epoch=0):
        assert images.shape[1:] == (8, 8, 3)
        clean, copies = images.chunk(2)
        assert (clean == copies).all()
        seen |= {(int(one[0, 0, 0]), int(one[0, 0, 1])) for one in clean}
    assert seen == {(top, left) for top in (0, 4, 8) for left in (0, 4)}
    middle = pixels(Batches(data, recipe, 0))[:, 0, 0, :2]
    assert np.unique(middle, axis=0).tolist() == [[4, 2]]
    assert pixels(Batches(data, replace(recipe, patch=16), 0)).shape[1:] == (16, 12, 3)
