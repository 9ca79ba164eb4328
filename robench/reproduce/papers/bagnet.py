"""The BagNet report: patch sizes and optimizers on Tiny ImageNet, and where the evidence is.

Its numbers are the best accuracies of all epochs on its validation images, and so are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from robench import analysis, datasets
from robench.reproduce._cells import Cells
from robench.reproduce._claims import Claim, Floor, findings
from robench.reproduce._experiments import ExperimentRunner
from robench.reproduce._figure import Bars, Point
from robench.reproduce._items import item
from robench.reproduce._maps import Maps
from robench.reproduce._measurement import Measurement
from robench.reproduce._page import Page
from robench.reproduce._table import Table
from robench.reproduce._trained_network import TrainedNetwork

PAPER = "bagnet"
SOURCE = "patch-based report on Tiny ImageNet, table 1"
DATA = "tiny-imagenet"
COLUMN = "accuracy, %"
FLOOR = 30.0
HEAT_MAPS = 4
PATCHES = (9, 17, 33)
OPTIMIZERS = ("sgd", "adam", "adadelta")
SMALL: dict[str, Any] = {"milestones": (7 / 8,), "augment": "crop-flip"}
STEP = 7
"""Epochs after which the rate of SGD and Adam falls."""
NO_STEP: dict[str, Any] = {"schedule": "constant", "milestones": ()}
PUBLISHED_RESNET = "torchvision:resnet18:64"
"""The form that ImageNet's weights fit into."""


@dataclass(frozen=True)
class Row:
    """A line of the table. epochs: of the report; small_epochs: of the small budget."""

    model: str
    optimizer: str
    pretrained: bool
    epochs: int
    accuracy: float
    small_epochs: int = 8

    @property
    def name(self) -> str:
        """As the line is called here, and its checkpoint."""
        start = "pre-trained" if self.pretrained else "scratch"
        return f"{self.model}-{self.optimizer}-{start}-{self.epochs}"


ROWS = (
    Row("resnet18_64", "sgd", False, 15, 25.94),
    Row("resnet18_64", "sgd", True, 15, 57.14),
    Row("bagnet9_64", "sgd", False, 5, 0.62),
    Row("bagnet9_64", "sgd", False, 15, 0.52, small_epochs=4),
    Row("bagnet9_64", "adam", False, 15, 31.62),
    Row("bagnet9_64", "adadelta", False, 15, 31.7, small_epochs=3),
    Row("bagnet17_64", "sgd", False, 5, 1.69),
    Row("bagnet17_64", "sgd", False, 15, 2.58),
    Row("bagnet17_64", "adam", False, 5, 23.59),
    Row("bagnet17_64", "adam", False, 15, 42.34),
    Row("bagnet17_64", "adam", True, 5, 35.22),
    Row("bagnet17_64", "adadelta", False, 15, 40.65, small_epochs=3),
    Row("bagnet17_64", "adadelta", True, 5, 40.00),
    Row("bagnet33_64", "sgd", False, 15, 2.12),
    Row("bagnet33_64", "adam", False, 5, 16.53),
    Row("bagnet33_64", "adam", False, 15, 44.32),
    Row("bagnet33_64", "adadelta", False, 15, 43.95, small_epochs=3),
)
CLEAN = {COLUMN: ("clean", "clean")}


def _scratch(patch: int, optimizer: str) -> tuple[str, str]:
    return f"bagnet{patch}_64-{optimizer}-scratch-15", COLUMN


CLAIMS = (
    Claim("with Adam patches of 17 are better than of 9", _scratch(17, "adam"), _scratch(9, "adam")),
    Claim("and of 33 better than of 17", _scratch(33, "adam"), _scratch(17, "adam")),
    *(Claim(f"Adam beats SGD, BagNet-{one}", _scratch(one, "adam"), _scratch(one, "sgd")) for one in PATCHES),
    *(Claim(f"Adadelta beats SGD, BagNet-{one}", _scratch(one, "adadelta"), _scratch(one, "sgd")) for one in PATCHES),
)
NOTES = (
    "The report has 200 classes; chance is 0.5 % there and 1 / classes here.",
    "As in the report the best epoch is chosen on the images that are measured, so the accuracies lean upwards.",
    "The small budget has the lines of 15 epochs from scratch: 8 with Adam and SGD, but 4 of BagNet-9 with SGD, and 3 "
    "with Adadelta. It leaves the others out.",
)


@item(PAPER, "table-1", "accuracy of BagNets by patch size and optimizer", (DATA,))
def table_1(runner: ExperimentRunner) -> list[Path]:
    """Trained one by one, measured together."""
    rows = [row for row in ROWS if runner.in_full or (row.epochs == 15 and not row.pretrained)]
    trained_networks = {row.name: _net(runner, row) for row in rows}
    cells = runner.evaluated("clean", list(trained_networks.values()), DATA)
    printed = {row.name: (row.accuracy,) for row in ROWS}
    page = _page("Table 1: top-1 accuracy on clean images, %", cells, trained_networks)
    return Table((COLUMN,), printed, cells.measurements(trained_networks, CLEAN)).write(runner.out / "table-1", page)


@item(PAPER, "figure-2", "accuracy of BagNets by patch size and optimizer, as bars", (DATA,))
def figure_2(runner: ExperimentRunner) -> list[Path]:
    """The lines of 15 epochs from scratch."""
    trained_networks, points = {}, []
    lines = [(patch, optimizer) for optimizer in OPTIMIZERS for patch in PATCHES]
    for patch, optimizer in lines:
        trained_networks[_scratch(patch, optimizer)[0]] = _bagnet(runner, patch, optimizer)
    cells = runner.evaluated("clean", list(trained_networks.values()), DATA)
    for (patch, optimizer), trained in zip(lines, trained_networks.values(), strict=True):
        points.append(Point("", optimizer, f"BagNet-{patch}", cells.accuracy(trained.label)))
    page = _page("Figure 2: accuracy by patch size and optimizer, %", cells, trained_networks)
    return Bars(points, COLUMN).write(runner.out / "figure-2", page)


@item(PAPER, "heat-maps", "evidence of patches for the true class", (DATA,))
def heat_maps(runner: ExperimentRunner) -> list[Path]:
    """The first test image of each of the first classes, by the networks trained with Adam."""
    clean = datasets.load(runner.dataset(DATA), limit=runner.budget.limit)
    _, first = np.unique(clean.labels, return_index=True)
    images = clean.read(np.sort(first)[:HEAT_MAPS])
    labels = clean.labels[np.sort(first)[:HEAT_MAPS]]
    trained_networks, columns, measurements = {patch: _bagnet(runner, patch, "adam") for patch in PATCHES}, {}, {}
    places = {}
    for patch, trained in trained_networks.items():
        classifier = runner.loaded(trained, clean)
        columns[f"BagNet-{patch}"] = [
            analysis.patch_evidence(classifier, image, int(label)) for image, label in zip(images, labels, strict=True)
        ]
        places[f"BagNet-{patch}"] = analysis.patch_centres(classifier, images[0])
        details = trained.details | {"n": len(labels), "weights_sha256": classifier.weights_sha256}
        measurements[f"BagNet-{patch}", ""] = Measurement(None, details=details)
    words = _words(runner.dataset(DATA))
    names = [words.get(clean.classes[label], clean.classes[label]) for label in labels]
    floor = _floor(runner.evaluated("clean", [trained_networks[33]], DATA), trained_networks[33])
    page = Page("Heat maps: evidence of every patch for the true class", SOURCE, floors=[floor])
    return Maps(images, names, columns, places, "logit of the true class").write(
        runner.out / "heat-maps", page, measurements
    )


def _words(dataset: str) -> dict[str, str]:
    """The first name of each class in the data set's words.txt, as of Tiny ImageNet; none without such a file."""
    path = Path(dataset.partition(":")[2]) / "words.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = (line.partition("\t") for line in lines)
    return {wnid: names.partition(",")[0] for wnid, tab, names in pairs if tab}


def _page(title: str, cells: Cells, trained_networks: Mapping[str, TrainedNetwork]) -> Page:
    floor = _floor(cells, trained_networks[_scratch(33, "adam")[0]])
    return Page(title, SOURCE, NOTES, [floor], findings(CLAIMS, cells.values(trained_networks, CLEAN)))


def _floor(cells: Cells, best: TrainedNetwork) -> Floor:
    """What the best network of the report's own kind must reach, several times chance."""
    return Floor(_scratch(33, "adam")[0], FLOOR, cells.accuracy(best.label))


def _bagnet(runner: ExperimentRunner, patch: int, optimizer: str) -> TrainedNetwork:
    [row] = [
        one
        for one in ROWS
        if (one.model, one.optimizer, one.epochs, one.pretrained) == (f"bagnet{patch}_64", optimizer, 15, False)
    ]
    return _net(runner, row)


def _net(runner: ExperimentRunner, row: Row) -> TrainedNetwork:
    small = SMALL | {"epochs": row.small_epochs}
    paper: dict[str, Any] = {"epochs": row.epochs}
    if row.optimizer == "adadelta":
        del small["milestones"]
    elif row.epochs < STEP:
        paper |= NO_STEP
    is_bagnet = row.model.startswith("bagnet")
    model = row.model if is_bagnet or not runner.in_full else PUBLISHED_RESNET
    start = {"init": "imagenet" if is_bagnet else "IMAGENET1K_V1"} if row.pretrained else {}
    return runner.trained(row.name, f"bagnet-{row.optimizer}", model, DATA, small=small, paper=paper, **start)
