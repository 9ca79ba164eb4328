"""Recipes: facts that fit together, known by name, without torch or Lightning until a training starts."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import robench.training
from corruptions import CorruptionError
from robench.errors import ConfigError
from robench.training import Recipe, get, names, register, registry


def test_the_three_mixtures_are_known() -> None:
    assert {"clean", "perturbed", "both"} <= set(names())
    assert [get(name).data for name in ("clean", "perturbed", "both")] == ["clean", "perturbed", "both"]
    assert all(get(name).about and get(name).source for name in names())


def test_a_recipe_of_a_third_party_is_known_by_being_registered() -> None:
    with registry.with_entry("toy", Recipe("toy", "about", "source", data="clean")) as toy:
        assert get("toy") is toy
        with pytest.raises(ConfigError, match="'toy' is registered already"):
            register(toy)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"data": "noisy"}, "data must be clean, perturbed, both, got 'noisy'"),
        ({"optimizer": "lion"}, "optimizer must be adam"),
        ({"schedule": "step"}, "schedule must be cosine, constant, steps, geometric, got 'step'"),
        ({"schedule": "steps"}, "expected milestones between 0 and 1 with the schedule 'steps'"),
        ({"schedule": "steps", "milestones": (0.5, 1.5)}, r"got \(0.5, 1.5\) with 'steps'"),
        ({"milestones": (0.5,)}, r"and with no other, got \(0.5,\) with 'cosine'"),
        ({"clip": 0.0}, "clip must be a positive number, got 0.0"),
        ({"epochs": 4, "warmup_epochs": 4}, "expected a warm-up shorter than the 4 epochs, got 4"),
        ({"warmup_epochs": -1}, "expected a warm-up shorter than the 20 epochs, got -1"),
        ({"first_layers": 0}, "first_layers must be at least 1, got 0"),
        ({"pivot_weight": 1e-4}, "are for data 'both', got 'clean'"),
        ({"augment": "mixup"}, "augment must be none"),
        (
            {"augment": "resized-crop", "crop_area": (0.0, 1.0)},
            r"two fractions, 0 < low <= high <= 1, got \(0.0, 1.0\)",
        ),
        ({"augment": "resized-crop", "crop_area": (0.9, 0.5)}, r"crop_area must be two fractions, .* got \(0.9, 0.5\)"),
        ({"augment": "resized-crop", "crop_area": (0.5, 1.5)}, r"crop_area must be two fractions, .* got \(0.5, 1.5\)"),
        ({"augment": "resized-crop", "crop_area": (0.5,)}, r"crop_area must be two fractions, .* got \(0.5,\)"),
        ({"crop_area": (0.5, 1.0)}, r"crop_area is for augment 'resized-crop', got \(0.5, 1.0\) with 'none'"),
        (
            {"task": "restore", "data": "both", "perturbations": ("awgn@0.1",), "normalize": "bytes"},
            "normalize is for task 'classify', got 'bytes'",
        ),
        ({"perturbations": ("awgn@0.1",)}, "trains on clean images, got awgn@0.1"),
        ({"data": "both"}, "data 'both' needs perturbations, got none"),
        ({"data": "both", "perturbations": ("awgn",)}, "expected NAME@STRENGTH, such as awgn@0..0.5"),
    ],
)
def test_facts_that_do_not_fit_are_refused(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        Recipe(**{"name": "toy", "about": "", "source": "", "data": "clean", **fields})


def test_changes_keep_what_is_not_named() -> None:
    changed = get("both").with_changes(epochs=3, lr=None, strength=0.1)
    assert (changed.epochs, changed.lr, changed.perturbations) == (3, get("both").lr, ("awgn@sigma=0.1",))
    mixed = replace(changed, perturbations=("awgn@0.1", "clean")).with_changes(corruption="awgn", strength="0..1")
    assert mixed.perturbations == ("awgn@sigma=0..1",)
    with pytest.raises(ConfigError, match=r"and its level, .* got no corruption and level 0\.1"):
        replace(changed, perturbations=("awgn@0.1", "clean")).with_changes(strength=0.1)
    with pytest.raises(ConfigError, match="got gaussian_blur_13x13 and no level"):
        get("both").with_changes(corruption="gaussian_blur_13x13")
    with pytest.raises(CorruptionError):
        get("both").with_changes(strength="a..b")


def test_a_shorter_training_warms_up_for_the_same_share_of_it() -> None:
    restorer = get("fidelity-restorer")
    assert (restorer.epochs, restorer.warmup_epochs) == (120, 5)
    assert restorer.with_changes(epochs=4).warmup_epochs == pytest.approx(5 / 30)
    assert restorer.with_changes(epochs=4, warmup_epochs=2).warmup_epochs == 2
    assert restorer.with_changes(epochs=240).warmup_epochs == 5
    assert restorer.with_changes(lr=1e-3).warmup_epochs == 5


def test_recipes_are_listed_without_torch(tmp_path: Path) -> None:
    for poison in ("torch", "torchvision", "lightning", "safetensors"):
        (tmp_path / f"{poison}.py").write_text("raise ImportError('not here')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom robench import training\nprint(training.names())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "perturbed" in done.stdout


def test_public_names_are_sorted_and_there() -> None:
    assert robench.training.__all__ == sorted(robench.training.__all__)
    assert all(hasattr(robench.training, name) for name in robench.training.__all__)
