"""Small data sets, and a small disk."""

from __future__ import annotations

import numpy as np
import pytest
from processes import disk

from robench import datasets
from robench.datasets import Dataset


@pytest.fixture(params=["npy", "folder"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return datasets.load("digits", limit=60)


@pytest.fixture(scope="session")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """40 colour images of 24x20 with boxes, and with ids that run backwards."""
    rng = np.random.default_rng(5)
    corner = rng.integers(0, 10, (40, 2))
    path = tmp_path_factory.mktemp("npz") / "boxed.npz"
    np.savez(
        path,
        images=rng.integers(0, 256, (40, 24, 20, 3), dtype=np.uint8),
        labels=rng.integers(0, 3, 40),
        boxes=np.concatenate([corner, corner + rng.integers(2, 10, (40, 2))], axis=1),
        ids=np.arange(40)[::-1] * 3,
    )
    return datasets.load(f"npz:{path}")


small_disk = pytest.fixture(disk)
