"""The readers on published data, where there is some."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from robench import datasets
from robench.errors import DatasetError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EIGHT = (
    *("brightness", "contrast", "defocus_blur", "gaussian_blur"),
    *("jpeg_compression", "pixelate", "saturate", "zoom_blur"),
)


def test_mnist(real_data):
    test = datasets.load(f"mnist:{real_data('mnist')}")
    assert (len(test), test.shape, test.labels[:5].tolist()) == (10_000, (28, 28, 1), [7, 2, 1, 0, 4])
    assert hashlib.sha256(test.images(0, 10_000).tobytes()).hexdigest() == (
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"
    )
    train, val = (datasets.load(f"mnist@{split}:{real_data('mnist')}") for split in ("train", "val"))
    assert (len(train), len(val)) == (54_000, 6_000)
    assert not set(train.ids) & set(val.ids)


def test_cifar10_jpeg(real_data):
    root = real_data("cifar10-jpeg")
    found = datasets.load(f"folder:{root}")
    assert (found.name, found.split, len(found), found.shape) == ("cifar10-jpeg", "test", 10_000, (32, 32, 3))
    assert found.digest == datasets.load(f"folder:{root / 'test'}").digest
    assert found.classes[0] == "airplane"
    assert np.bincount(found.labels).tolist() == [1000] * 10


def test_tiny_imagenet(real_data):
    root = real_data("tiny-imagenet-20")
    val, train = (datasets.load(f"tiny-imagenet@{split}:{root}") for split in ("val", "train"))
    assert (len(val), len(train), len(val.classes)) == (1_000, 10_000, 20)
    for part in (val, train):
        assert part.boxes.min() == 0
        assert part.boxes.max() == 64
        assert (part.boxes[:, :2] < part.boxes[:, 2:]).all()
        assert all(np.isfinite(block).all() for _, block in part.limited(100).blocks())


def test_flowers17(real_data):
    root = real_data("flowers17")
    parts = [datasets.load(f"flowers17@{split}:{root}") for split in ("train", "val", "test")]
    assert [len(part) for part in parts] == [1088, 136, 136]
    assert parts[2].limited(10).images(0, 10).shape == (10, 64, 64, 3)


def test_imagenet_samples(real_data):
    root = real_data("imagenet-100")
    with pytest.raises(DatasetError, match="images differ in size"):
        datasets.load(f"folder:{root}")
    found = datasets.load(f"folder:{root}", view="resize256-crop224")
    assert found.images(0, 100).shape == (100, 224, 224, 3)
    assert found.name == "imagenet-100"


def test_eight_families_and_the_labels_of_cifar10_are_the_published_files(official_cifar10):
    program = [sys.executable, ROOT / "benchmarks" / "published.py", "-d", f"cifar10:{official_cifar10}"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    states = dict(re.findall(r"^(\w+) +[0-9a-f]{32}  [0-9a-f]{32}  (\w+)$", done.stdout, re.MULTILINE))
    assert states == dict.fromkeys(("labels", *EIGHT), "equal"), done.stderr
    assert done.returncode == 0
