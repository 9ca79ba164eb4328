"""Small data sets, and a small disk."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from robench import datasets
from robench.datasets import Dataset


TESTS = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def packages_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers get this process's path; with tests/ on it, its folder corruptions/ would stand for the package."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry) != TESTS])


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """small_disk("size=1m") mounts a file system with these options, or changes those of the one that is there."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        words = ["mount", "-t", "tmpfs", "-o", f"remount,{options}" if mounted else options, "tmpfs", str(place)]
        try:
            subprocess.run(words, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("needs the right to mount a tmpfs")
        mounted = True
        return place

    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # arrays may still be mapped
