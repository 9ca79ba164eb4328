"""The weights that ship with robench do what their card says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import corruptions
from robench import datasets, models
from robench.models._load import WEIGHTS


def accuracy(spec: str, sigma: float) -> float:
    dataset = datasets.load("digits@test")
    images = dataset.images(0, len(dataset))
    noisy = corruptions.apply(images, "awgn", level=sigma, ids=dataset.ids) if sigma else images
    guesses = models.load(spec, classes=10, input_size=dataset.shape[:2]).logits(torch.from_numpy(noisy)).argmax(1)
    return float(np.mean(guesses.numpy() == dataset.labels))


@pytest.mark.parametrize(
    ("word", "recipe", "clean", "noisy"), [("digits-clean", "clean", 0.98, 0.0), ("digits-noise", "both", 0.98, 0.97)]
)
def test_shipped_weights_read_the_digits(word: str, recipe: str, clean: float, noisy: float) -> None:
    assert accuracy(f"tiny_cnn={word}", 0.0) >= clean
    assert accuracy(f"tiny_cnn={word}", 0.3) >= noisy
    metadata = models.metadata(WEIGHTS / models.get("tiny_cnn").weights[word])
    assert (metadata["model"], metadata["dataset"], metadata["recipe"]) == ("tiny_cnn", "digits", recipe)


def test_training_on_noise_is_what_makes_the_difference() -> None:
    assert accuracy("tiny_cnn=digits-noise", 0.3) > accuracy("tiny_cnn=digits-clean", 0.3) + 0.2
