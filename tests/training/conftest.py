"""A training of a second: 200 digits, half of their pixels away, and the tiny net."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from robench import datasets
from robench.datasets import Dataset
from robench.training import Trained, train

Pair = tuple[Dataset, Dataset]


@pytest.fixture(scope="session")
def digits() -> Pair:
    return tuple(datasets.load(f"digits@{split}", view="side16", limit=n) for split, n in (("train", 200), ("val", 60)))


@pytest.fixture
def quick(digits: Pair, tmp_path: Path) -> Callable[..., Trained]:
    """`quick("clean", "name", **options)` trains for two epochs and writes `tmp_path/name.safetensors`."""

    def run(recipe: Any, name: str, **options: Any) -> Trained:
        given = {"epochs": 2, "batch_size": 20, "lr": 3e-3, "device": "cpu", "progress": False, **options}
        return partial(train, recipe, digits, "tiny_cnn", tmp_path / f"{name}.safetensors")(**given)

    return run
