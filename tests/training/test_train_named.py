"""Trainings on a data set by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robench import datasets, models
from robench.training import Recipe, get, train

HELD_BACK = get("clean")
EVALUATED = replace(HELD_BACK, chosen_on="evaluated")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two classes with ten images to learn from and three in val, which is what is evaluated."""
    folder, draw = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for part, count in (("train", 10), ("val", 3)):
        for label in ("a", "b"):
            (folder / part / label).mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(0, 256, (32, 32, 3), np.uint8)
                Image.fromarray(pixels).save(folder / part / label / f"{number}.png")
    return f"folder:{folder}"


@pytest.mark.parametrize(("recipe", "learned", "chosen_on"), [(HELD_BACK, 18, 2), (EVALUATED, 20, 6)])
def test_the_epoch_is_chosen_on_what_the_recipe_says(
    photos: str, tmp_path: Path, recipe: Recipe, learned: int, chosen_on: int
) -> None:
    trained = train(recipe, photos, "tiny_cnn", tmp_path / "a.safetensors", epochs=1, device="cpu", progress=False)
    assert (trained.train_n, trained.val_n) == (learned, chosen_on)
    metadata = models.metadata(trained.path)
    assert (metadata["val_digest"] == datasets.load(photos).digest) == (recipe is EVALUATED)
    assert metadata["chosen_on"] == recipe.chosen_on
