"""What a training learns from, and that it does not choose its epoch on what networks are evaluated on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robench import datasets
from robench.errors import DatasetError


@pytest.fixture
def parted(tmp_path: Path, write: Any) -> Any:
    """`parted("train", "val")` writes a folder with such parts: two classes of 20 images to learn from, else of 4."""

    def make(*parts: str) -> str:
        for place, part in enumerate(parts):
            for number in range(20 if part == "train" else 4):
                for label in ("a", "b"):
                    write(tmp_path / "own" / part / label / f"{number}.png", 100 * place + number, 32, 32)
        return f"folder:{tmp_path / 'own'}"

    return make


def numbers(dataset: datasets.Dataset) -> set[str]:
    return {f"{label}/{stem}" for label, stem in zip(dataset.labels, dataset.stems or (), strict=True)}


def test_where_val_is_evaluated_a_tenth_of_train_stands_in(parted: Any) -> None:
    spec = parted("train", "val")
    evaluated, whole = datasets.load(spec), datasets.load(f"folder@train:{spec.partition(':')[2]}")
    learned, chosen_on = datasets.for_training(spec)
    assert evaluated.split == "val"
    assert np.bincount(chosen_on.labels).tolist() == [2, 2]
    assert numbers(learned) | numbers(chosen_on) == numbers(whole)
    assert not numbers(learned) & numbers(chosen_on)
    assert chosen_on.digest != evaluated.digest
    again = datasets.for_training(spec)
    assert [one.digest for one in again] == [learned.digest, chosen_on.digest]


def test_a_paper_may_choose_on_what_is_evaluated(parted: Any) -> None:
    spec = parted("train", "val")
    learned, chosen_on = datasets.for_training(spec, chosen_on="evaluated")
    assert (len(learned), chosen_on.digest) == (40, datasets.load(spec).digest)


@pytest.mark.parametrize("parts", [("train", "test"), ("train", "val", "test")])
def test_where_there_are_test_images_the_splits_are_taken_as_they_are(parted: Any, parts: tuple[str, ...]) -> None:
    spec = parted(*parts)
    path = spec.partition(":")[2]
    splits = [datasets.load(f"folder@{split}:{path}").digest for split in ("train", "val")]
    assert [one.digest for one in datasets.for_training(spec)] == splits


def test_a_view_is_of_both(parted: Any) -> None:
    assert {one.shape for one in datasets.for_training(parted("train", "val"), view="side16")} == {(16, 16, 3)}


def test_too_few_images_to_hold_any_back(tmp_path: Path, write: Any) -> None:
    for part in ("train", "val"):
        write(tmp_path / "own" / part / "a" / "0.png", 0, 32, 32)
    with pytest.raises(DatasetError, match="own@train: expected at least one image, got none"):
        datasets.for_training(f"folder:{tmp_path / 'own'}")
