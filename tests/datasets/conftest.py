"""Small made-up files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def picture() -> Callable[..., np.ndarray]:
    """A picture of its own for every number: uint8 (height, width, channels), smooth enough for JPEG."""

    def make(number: int, height: int = 8, width: int = 8, channels: int = 3) -> np.ndarray:
        rng = np.random.default_rng(number)
        low, high = rng.integers(0, 256, (2, channels))
        ramp = np.linspace(0, 1, height)[:, None, None] * np.linspace(0.5, 1, width)[None, :, None]
        return np.rint(low + (high - low) * ramp).astype(np.uint8)

    return make


@pytest.fixture
def write(picture: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Write picture `number` to a path, whose suffix says how, and return it."""

    def save(path: Path, number: int = 0, height: int = 8, width: int = 8, channels: int = 3) -> np.ndarray:
        image = picture(number, height, width, channels)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0] if channels == 1 else image).save(path)
        return image

    return save


@pytest.fixture
def class_folder(tmp_path: Path, write: Callable[..., np.ndarray]) -> Callable[..., Path]:
    """A folder with `count` PNG files in each class; file n of class c is picture 100 c + n."""

    def make(place: str = "pets", classes: tuple[str, ...] = ("cat", "dog"), count: int = 3, **form: int) -> Path:
        for label, name in enumerate(classes):
            for number in range(count):
                write(tmp_path / place / name / f"{number:02d}.png", 100 * label + number, **form)
        return tmp_path / place

    return make
