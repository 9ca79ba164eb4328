"""Zhou, Song, Cheung 2017 (ICASSP): figures 6 to 8 and table 1, re-training and fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import corruptions
from robench import analysis, datasets
from robench.reproduce._cells import Cells, chosen_of, error, wrong
from robench.reproduce._claims import Claim, Floor, findings, paired
from robench.reproduce._experiments import ExperimentRunner
from robench.reproduce._figure import Lines, Point
from robench.reproduce._items import item
from robench.reproduce._measurement import Measurement
from robench.reproduce._page import Page
from robench.reproduce._table import Table
from robench.reproduce._trained_network import TrainedNetwork

PAPER = "fine-tuning"
LEVELS = (1, 2, 3, 4)
SMALL: dict[str, dict[str, Any]] = {"mnist": {}, "cifar10": {"epochs": 6}}
RATES = (
    "MatConvNet's example, from which the paper began, multiplies the rate layer by layer: of weights by 0.1, of "
    "biases by 2, in the last layer by a tenth of that. Ours has one rate for all, the printed one.",
)
ALL = "random_walk_blur+disc_blur+gaussian_noise_255"
LAST_CONVOLUTION = "6"  # the third in CIFAR10-quick's sequence


@dataclass(frozen=True)
class Distortion:
    """A panel of the figures: the corruption, and what its level is called."""

    title: str
    corruption: str
    level: str

    def place(self, level: int) -> str:
        """What claims call a level of it."""
        return f"{self.title} {level}"

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
    "The paper's rate of 1e-8 is kept in its budget. It is presumably for pixels in 0..255: with the normalised inputs "
    "that the published weights take, it changes the first layer some 3,000 times less.",
)
NO_TRAIN = {"no train": "no train"}
FLOORS = {"mnist": 98.5, "cifar10": 70.0, "imagenet": 30.0}
LEVELS_NOTE = ("Level 0 is the clean test set. Trained on levels that are drawn for each image from [0, 4].",)
NOTES = {"mnist": LEVELS_NOTE, "cifar10": LEVELS_NOTE + RATES}
NETWORKS = {"mnist": ("lenet5", 4), "cifar10": ("cifar10_quick", 5)}


@item(PAPER, "figure-6", "error rate over distortion, LeNet-5 on MNIST", ("mnist",))
def figure_6(runner: ExperimentRunner) -> list[Path]:
    """MNIST."""
    return _errors(runner, "mnist", "Figure 6: LeNet-5 on MNIST", "figure-6")


@item(PAPER, "figure-7", "error rate over distortion, CIFAR10-quick on CIFAR-10", ("cifar10",))
def figure_7(runner: ExperimentRunner) -> list[Path]:
    """CIFAR-10."""
    return _errors(runner, "cifar10", "Figure 7: CIFAR10-quick on CIFAR-10", "figure-7")


@item(PAPER, "figure-8", "mean variance of the gradient of feature maps, conv3 of CIFAR10-quick", ("cifar10",))
def figure_8(runner: ExperimentRunner) -> list[Path]:
    """Edges and texture that are left in the last convolution's maps."""
    blurs = DISTORTIONS[:2]
    points, values = [], {}
    for one in blurs:
        for line, level, measured in _variances(runner, one):
            points.append(Point(one.title, line, level, measured.measurement))
            values[line, one.place(level)] = measured.values
    found = findings(_claims_of_variance(blurs, values), values.__getitem__)
    trained_networks = _nets(runner, "cifar10", blurs[0])
    floor = _floor(
        runner.evaluated("cifar10-clean", [trained_networks["no train"]], "cifar10"),
        trained_networks,
        "no train",
        "cifar10",
    )
    page = Page("Figure 8: gradient of the maps of the last convolution", SOURCE, NOTES["cifar10"], [floor], found)
    lines = Lines(points, {one.title: X_LABELS[one.title] for one in blurs}, "mean variance of gradient", NO_TRAIN)
    return lines.write(runner.out / "figure-8", page)


@item(PAPER, "table-1", "top-1 and top-5 error of AlexNet, first 3 layers fine-tuned on ImageNet", ("imagenet",))
def table_1(runner: ExperimentRunner) -> list[Path]:
    """ImageNet."""
    every = DISTORTIONS[-1]
    drawn = every.key("0..4")
    trained_networks = _alexnets(runner)
    cells = runner.evaluated("imagenet", list(trained_networks.values()), "imagenet", [f"{every.corruption}@{drawn}"])
    measurements = {}
    for name, trained in trained_networks.items():
        for what, place in (("clean", ("clean", "clean")), ("distorted", (every.corruption, drawn))):
            measurements["top-1 error", f"{name}, {what}"] = error(cells.accuracy(trained.label, *place))
            measurements["top-5 error", f"{name}, {what}"] = error(cells.top5_accuracy(trained.label, *place))
    floor, found = (
        _floor(cells, trained_networks, "original", "imagenet"),
        _found_in_table_1(cells, trained_networks, drawn),
    )
    page = Page("Table 1: error on ImageNet, %", SOURCE, TABLE_1_NOTES, [floor], found)
    return Table(TABLE_1_COLUMNS, TABLE_1, measurements).write(runner.out / "table-1", page)


def _found_in_table_1(cells: Cells, trained_networks: Mapping[str, TrainedNetwork], drawn: str) -> pd.DataFrame:
    places = {"clean": ("clean", "clean"), "distorted": (ALL, drawn)}
    claims = (
        Claim("tuning lowers the error on distorted images", ("original", "distorted"), ("fine-tuned", "distorted")),
        Claim("and keeps it on clean ones", ("fine-tuned", "clean"), ("original", "clean"), within=1.0),
    )
    return findings(claims, wrong(cells.values(trained_networks, places)))


def _alexnets(runner: ExperimentRunner) -> dict[str, TrainedNetwork]:
    """The original, published or trained here, and its first layers tuned."""
    if runner.in_full:
        network, start = "alexnet", "IMAGENET1K_V1"
        original = runner.published(network, start)
    else:
        network = "alexnet_64"
        original = runner.trained("alexnet-clean", "clean", network, "imagenet", small=SMALL_IMAGENET)
        start = str(original.path)
    recipe, paper = "fine-tuning-imagenet-first-3", {"train_n": IMAGENET_TRAIN_N}
    tuned = runner.trained("alexnet-first-3", recipe, network, "imagenet", small=SMALL_FIRST_3, paper=paper, init=start)
    return {"original": original, "fine-tuned": tuned}


def _errors(runner: ExperimentRunner, data: str, title: str, name: str) -> list[Path]:
    """A panel a distortion, with the claims on its strongest level."""
    points, found = [], []
    for one in DISTORTIONS:
        trained_networks = _nets(runner, data, one)
        places = {one.place(0): ("clean", "clean")}
        places |= {one.place(level): (one.corruption, one.key(level)) for level in LEVELS}
        cells = runner.evaluated(
            f"{data}-{one.title.replace(' ', '-')}", list(trained_networks.values()), data, chosen_of(places)
        )
        measurements = cells.measurements(trained_networks, places)
        for line in trained_networks:
            for level in (0, *LEVELS):
                points.append(Point(one.title, line, level, error(measurements[line, one.place(level)])))
        found.append(
            findings(_claims_of_error(one, list(trained_networks)), wrong(cells.values(trained_networks, places)))
        )
    floor = _floor(cells, trained_networks, "no train", data)
    page = Page(title, SOURCE, NOTES[data], [floor], pd.concat(found, ignore_index=True))
    return Lines(points, X_LABELS, "error rate, %", NO_TRAIN).write(runner.out / name, page)


def _floor(cells: Cells, trained_networks: Mapping[str, TrainedNetwork], untuned: str, data: str) -> Floor:
    return Floor(f"{untuned}, clean", FLOORS[data], cells.accuracy(trained_networks[untuned].label))


def _claims_of_error(one: Distortion, lines: Sequence[str]) -> list[Claim]:
    """Of errors, so that `more` is worse. The line before the last has all layers tuned."""
    strongest, every = one.place(LEVELS[-1]), lines[-2]
    return [
        Claim(f"{strongest}: tuning 3 layers helps", ("no train", strongest), ("first-3", strongest)),
        Claim(f"{strongest}: so does re-training", ("no train", strongest), ("retrain", strongest)),
        Claim(f"{strongest}: 3 layers are close to all", ("first-3", strongest), (every, strongest), within=1.0),
        Claim(f"{strongest}: re-training is better", (every, strongest), ("retrain", strongest)),
    ]


def _claims_of_variance(
    blurs: Sequence[Distortion], values: Mapping[tuple[str, str], NDArray[np.float64]]
) -> list[Claim]:
    """The paper has the variance after tuning "similar" to that of clean images: here within a tenth of it."""
    claims = []
    for one in blurs:
        clean, strongest = one.place(0), one.place(LEVELS[-1])
        near = round(0.1 * float(values["no train", clean].mean()), 3)
        claims += [
            Claim(f"{strongest}: it falls with blur", ("no train", clean), ("no train", strongest)),
            Claim(f"{strongest}: tuning raises it", ("first-3", strongest), ("no train", strongest)),
            Claim(f"{strongest}: to that of clean images", ("first-3", strongest), ("no train", clean), within=near),
            Claim(f"{strongest}: re-training goes above clean", ("retrain", strongest), ("no train", clean)),
        ]
    return claims


def _nets(runner: ExperimentRunner, data: str, one: Distortion) -> Mapping[str, TrainedNetwork]:
    """The trainings of one panel: on clean images, the first layers of that on distorted ones, and all from scratch."""
    model, layers = NETWORKS[data]
    recipe, drawn, small = f"fine-tuning-{data}", one.key("0..4"), SMALL[data]
    clean = runner.trained(f"{recipe}-clean", f"{recipe}-clean", model, data, small=small)
    trained_networks = {"no train": clean}
    kind = one.title.replace(" ", "-")
    for name in (*(f"first-{first}" for first in range(1, layers + 1)), "retrain"):
        start = None if name == "retrain" else str(clean.path)
        distorted: dict[str, Any] = {"corruption": one.corruption, "strength": drawn, "init": start}
        trained_networks[name] = runner.trained(
            f"{recipe}-{name}-{kind}", f"{recipe}-{name}", model, data, small=small, **distorted
        )
    return trained_networks


@dataclass(frozen=True)
class Variances:
    """Of each image, (N,), and what they come to."""

    values: NDArray[np.float64]
    details: Mapping[str, object]

    @property
    def measurement(self) -> Measurement:
        """The mean with its 95 % t interval."""
        return Measurement(*paired(self.values), details=self.details)


def _variances(runner: ExperimentRunner, one: Distortion) -> Iterator[tuple[str, int, Variances]]:
    """Every training at every level, on a thousand test images."""
    clean = datasets.load(runner.dataset("cifar10"), limit=runner.budget.limit or 1000)
    images, chosen = clean.images(0, len(clean)), corruptions.get(one.corruption)
    for line, trained in _nets(runner, "cifar10", one).items():
        classifier = runner.loaded(trained, clean)
        details = {"weights_sha256": classifier.weights_sha256, "n": len(clean)}
        for level in (0, *LEVELS):
            strength = chosen.parse(one.key(level) if level else "clean")
            degraded = corruptions.apply_strength(images, chosen, strength, ids=clean.ids)
            maps = analysis.features(classifier, degraded, LAST_CONVOLUTION)
            yield line, level, Variances(analysis.gradient_variance(maps), trained.details | details)
