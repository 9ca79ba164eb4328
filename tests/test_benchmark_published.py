"""The section on bytes of benchmarks/published.py, on a few images."""

from __future__ import annotations

import hashlib
import importlib.util
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import corruptions
from robench import datasets

PROGRAM = Path(__file__).parents[1] / "benchmarks" / "published.py"
EIGHT = {
    *("brightness", "contrast", "defocus_blur", "gaussian_blur"),
    *("jpeg_compression", "pixelate", "saturate", "zoom_blur"),
}


@pytest.fixture
def program():
    spec = importlib.util.spec_from_file_location("benchmark_published", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def saved_md5(array):
    file = io.BytesIO()
    np.save(file, array)
    return hashlib.md5(file.getvalue(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_the_families_without_a_draw_are_compared(program, name):
    published = datasets.published_md5s()[program.PUBLISHED_SETS[name]]
    first, *families = program.compared_names(published)
    assert first == "labels"
    assert len(families) == len(EIGHT)
    assert set(families) == EIGHT


@pytest.fixture
def few(program, monkeypatch):
    """Five images in the place of CIFAR-100, and a published set that has their labels and `contrast`."""
    data = replace(datasets.load("digits", limit=5), name="cifar100")
    monkeypatch.setattr(program.datasets, "load", lambda spec: data)
    images = data.images(0, 5)
    arrays = {
        "labels": np.tile(data.labels, 5).astype(np.uint8),
        "contrast": np.concatenate([corruptions.apply(images, "contrast", severity) for severity in range(1, 6)]),
    }
    md5s = {name: saved_md5(array) for name, array in arrays.items()}
    monkeypatch.setattr(program.datasets, "published_md5s", lambda: {"CIFAR-100-C": md5s})
    return md5s


def test_equal_files_are_equal_and_the_exit_status_is_0(program, few):
    done = CliRunner().invoke(program.main, ["-d", "cifar100:anywhere"])
    assert done.exit_code == 0, done.output
    assert [line.split() for line in done.output.splitlines()[1:]] == [
        [name, md5, md5, "equal"] for name, md5 in few.items()
    ]


def test_another_file_differs_and_the_exit_status_is_1(program, few):
    few["labels"] = "0" * 32
    done = CliRunner().invoke(program.main, ["-d", "cifar100:anywhere"])
    assert done.exit_code == 1
    assert [line.split()[-1] for line in done.output.splitlines()[1:]] == ["differs", "equal"]


def test_other_images_are_refused_in_one_line(program):
    done = CliRunner().invoke(program.main, ["-d", "digits"])
    assert (done.exit_code, done.output) == (
        1,
        "Error: -d: expected the test images of cifar10:DIR or cifar100:DIR, got digits@test\n",
    )
