"""Zhou, Song, Cheung 2017 (ICASSP): figures 6 to 8, error over distortion for re-training and fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import corruptions
from robench import analysis, datasets, models
from robench.reproduce._figure import Lines, point
from robench.reproduce._items import item
from robench.reproduce._table import Entry
from robench.reproduce._workshop import Net, Workshop

PAPER = "fine-tuning"
LEVELS = (1, 2, 3, 4)
SMALL: dict[str, dict[str, Any]] = {"mnist": {}, "cifar10": {"epochs": 6}}
ALL = "random_walk_blur+disc_blur+gaussian_noise_255"
LAST_CONVOLUTION = "6"  # the third in CIFAR10-quick's sequence


@dataclass(frozen=True)
class Distortion:
    """A panel of the figures: the corruption, and what its level is called."""

    title: str
    corruption: str
    level: str

    def key(self, level: object) -> str:
        """The strength as a text; a chain has the level in each part."""
        parts = self.level.split("+")
        return "+".join(f"{part}={level}" for part in parts)


DISTORTIONS = (
    Distortion("motion blur", "random_walk_blur", "size"),
    Distortion("defocus blur", "disc_blur", "radius"),
    Distortion("Gaussian noise", "gaussian_noise_255", "sigma"),
    Distortion("all combined", ALL, "size+radius+sigma"),
)
X_LABELS = {one.title: one.level.replace("+", " = ") for one in DISTORTIONS}
NETWORKS = {"mnist": ("lenet5", 4), "cifar10": ("cifar10_quick", 5)}


@item(PAPER, "figure-6", "error rate over distortion, LeNet-5 on MNIST", ("mnist",))
def figure_6(shop: Workshop) -> list[Path]:
    """MNIST."""
    return _errors(shop, "mnist").write(shop.out / "figure-6")


@item(PAPER, "figure-7", "error rate over distortion, CIFAR10-quick on CIFAR-10", ("cifar10",))
def figure_7(shop: Workshop) -> list[Path]:
    """CIFAR-10."""
    return _errors(shop, "cifar10").write(shop.out / "figure-7")


@item(PAPER, "figure-8", "mean variance of the gradient of feature maps, conv3 of CIFAR10-quick", ("cifar10",))
def figure_8(shop: Workshop) -> list[Path]:
    """Edges and texture that are left in the last convolution's maps."""
    blurs = DISTORTIONS[:2]
    points = [each for one in blurs for each in _variances(shop, one)]
    labels = {one.title: X_LABELS[one.title] for one in blurs}
    return Lines(points, labels, "mean variance of gradient", ("no train",)).write(shop.out / "figure-8")


def _errors(shop: Workshop, data: str) -> Lines:
    points: list[dict[str, Any]] = []
    for one in DISTORTIONS:
        nets = _nets(shop, data, one)
        chosen = [f"{one.corruption}@{','.join(one.key(level) for level in LEVELS)}"]
        cells = shop.evaluated(f"{data}-{one.title.replace(' ', '-')}", list(nets.values()), data, chosen)
        for line, net in nets.items():
            at = {0: cells.accuracy(net.label, error=True)} | {
                level: cells.accuracy(net.label, one.corruption, one.key(level), error=True) for level in LEVELS
            }
            points += [point(one.title, line, level, entry) for level, entry in at.items()]
    return Lines(points, X_LABELS, "error rate, %", ("no train",))


def _nets(shop: Workshop, data: str, one: Distortion) -> Mapping[str, Net]:
    """The trainings of one panel: on clean images, the first layers of that on distorted ones, and all from scratch."""
    model, layers = NETWORKS[data]
    recipe, drawn, small = f"fine-tuning-{data}", one.key("0..4"), SMALL[data]
    clean = shop.trained(f"{recipe}-clean", f"{recipe}-clean", model, data, small=small)
    nets = {"no train": clean}
    kind = one.title.replace(" ", "-")
    for name in (*(f"first-{first}" for first in range(1, layers + 1)), "retrain"):
        start = None if name == "retrain" else str(clean.path)
        distorted: dict[str, Any] = {"corruption": one.corruption, "strength": drawn, "init": start}
        nets[name] = shop.trained(f"{recipe}-{name}-{kind}", f"{recipe}-{name}", model, data, small=small, **distorted)
    return nets


def _variances(shop: Workshop, one: Distortion) -> Iterator[dict[str, Any]]:
    """Every training at every level, on a thousand test images."""
    clean = datasets.load(shop.dataset("cifar10"), limit=shop.budget.limit or 1000)
    images, chosen = clean.images(0, len(clean)), corruptions.get(one.corruption)
    for line, net in _nets(shop, "cifar10", one).items():
        classifier = models.load(net.spec, classes=len(clean.classes), side=clean.shape[:2], device=shop.device)
        for level in (0, *LEVELS):
            strength = chosen.parse(one.key(level) if level else "clean")
            degraded = corruptions.apply_strength(images, chosen, strength, ids=clean.ids)
            maps = analysis.features(classifier, degraded, LAST_CONVOLUTION)
            variance = analysis.mean_gradient_variance(np.asarray(maps))
            facts = {"model": classifier.label, "weights_sha256": classifier.weights_sha256, "n": len(clean)}
            told = {"train_n": net.told["train_n"], "epochs": net.told["epochs_run"], "budget": shop.budget.name}
            yield point(one.title, line, level, Entry(variance, facts=facts | told))
