"""Zhou, Song, Cheung 2017 (ICASSP): figures 6 to 8 and table 1, re-training and fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import corruptions
from robench import analysis, datasets, models
from robench.reproduce._cells import error
from robench.reproduce._figure import Lines, point
from robench.reproduce._items import item
from robench.reproduce._net import Net
from robench.reproduce._table import Entry, Table
from robench.reproduce._workshop import Workshop

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
SOURCE = "Zhou, Song, Cheung 2017 (ICASSP)"
SMALL_IMAGENET = {"epochs": 20, "lr": 3e-4, "augment": "crop-flip"}
SMALL_FIRST_3 = {"epochs": 6, "lr": 1e-3}
IMAGENET_TRAIN_N = 50_000
TABLE_1_COLUMNS = ("original, clean", "original, distorted", "fine-tuned, clean", "fine-tuned, distorted")
TABLE_1 = {"top-1 error": (42.9, 53.1, 42.9, 47.7), "top-5 error": (20.1, 28.2, 20.4, 23.6)}
TABLE_1_NOTES = (
    "Distorted: all three distortions, each of a level drawn for each image from [0, 4].",
    "The small budget has AlexNet for 64 pixels, trained from scratch on the data set that stands for ImageNet.",
)
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
    return Lines(points, labels, "mean variance of gradient", {"no train": "no train"}).write(shop.out / "figure-8")


@item(PAPER, "table-1", "top-1 and top-5 error of AlexNet, first 3 layers fine-tuned on ImageNet", ("imagenet",))
def table_1(shop: Workshop) -> list[Path]:
    """ImageNet."""
    every = DISTORTIONS[-1]
    drawn = every.key("0..4")
    nets = _alexnets(shop)
    cells = shop.evaluated("imagenet", list(nets.values()), "imagenet", [f"{every.corruption}@{drawn}"])
    entries = {}
    for name, net in nets.items():
        for what, place in (("clean", ("clean", "clean")), ("distorted", (every.corruption, drawn))):
            entries["top-1 error", f"{name}, {what}"] = error(cells.accuracy(net.label, *place))
            entries["top-5 error", f"{name}, {what}"] = error(cells.top5_accuracy(net.label, *place))
    table = Table("Table 1: error on ImageNet, %", SOURCE, TABLE_1_COLUMNS, TABLE_1, entries, TABLE_1_NOTES)
    return table.write(shop.out / "table-1")


def _alexnets(shop: Workshop) -> dict[str, Net]:
    """The original, published or trained here, and its first layers tuned."""
    if shop.in_full:
        network, start = "alexnet", "IMAGENET1K_V1"
        original = shop.published(network, start)
    else:
        network = "alexnet_64"
        original = shop.trained("alexnet-clean", "clean", network, "imagenet", small=SMALL_IMAGENET)
        start = str(original.path)
    options: dict[str, Any] = {"init": start, "train_n": IMAGENET_TRAIN_N}
    recipe = "fine-tuning-imagenet-first-3"
    tuned = shop.trained("alexnet-first-3", recipe, network, "imagenet", small=SMALL_FIRST_3, **options)
    return {"original": original, "fine-tuned": tuned}


def _errors(shop: Workshop, data: str) -> Lines:
    points: list[dict[str, Any]] = []
    for one in DISTORTIONS:
        nets = _nets(shop, data, one)
        chosen = [f"{one.corruption}@{','.join(one.key(level) for level in LEVELS)}"]
        cells = shop.evaluated(f"{data}-{one.title.replace(' ', '-')}", list(nets.values()), data, chosen)
        for line, net in nets.items():
            at = {0: cells.accuracy(net.label)} | {
                level: cells.accuracy(net.label, one.corruption, one.key(level)) for level in LEVELS
            }
            points += [point(one.title, line, level, error(entry)) for level, entry in at.items()]
    return Lines(points, X_LABELS, "error rate, %", {"no train": "no train"})


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
            facts = {"weights_sha256": classifier.weights_sha256, "n": len(clean), "budget": shop.budget.name}
            yield point(one.title, line, level, Entry(variance, facts=net.facts | facts))
