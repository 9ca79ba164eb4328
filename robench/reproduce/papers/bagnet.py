"""The BagNet report: patch sizes and optimizers on Tiny ImageNet, and where the evidence is.

Its validation images are our test images; ours choose the best epoch on images held back from training.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from robench import analysis, datasets, models
from robench.reproduce._figure import Bars, point
from robench.reproduce._items import item
from robench.reproduce._maps import Maps
from robench.reproduce._net import Net
from robench.reproduce._table import Table
from robench.reproduce._workshop import Workshop

PAPER = "bagnet"
SOURCE = "patch-based report on Tiny ImageNet, table 1"
DATA = "tiny-imagenet"
COLUMN = "accuracy, %"
HEAT_MAPS = 4
PATCHES = (9, 17, 33)
OPTIMIZERS = ("sgd", "adam", "adadelta")
SMALL = {"epochs": 8, "milestones": (7 / 8,)}


@dataclass(frozen=True)
class Row:
    """A line of the table. epochs: of the report."""

    model: str
    optimizer: str
    pretrained: bool
    epochs: int
    accuracy: float

    @property
    def name(self) -> str:
        """As the line is called here, and its checkpoint."""
        start = "pre-trained" if self.pretrained else "scratch"
        return f"{self.model}-{self.optimizer}-{start}-{self.epochs}"


ROWS = (
    Row("resnet18_64", "sgd", False, 15, 25.94),
    Row("resnet18_64", "sgd", True, 15, 57.14),
    Row("bagnet9_64", "sgd", False, 5, 0.62),
    Row("bagnet9_64", "sgd", False, 15, 0.52),
    Row("bagnet9_64", "adam", False, 15, 31.62),
    Row("bagnet9_64", "adadelta", False, 15, 31.7),
    Row("bagnet17_64", "sgd", False, 5, 1.69),
    Row("bagnet17_64", "sgd", False, 15, 2.58),
    Row("bagnet17_64", "adam", False, 5, 23.59),
    Row("bagnet17_64", "adam", False, 15, 42.34),
    Row("bagnet17_64", "adam", True, 5, 35.22),
    Row("bagnet17_64", "adadelta", False, 15, 40.65),
    Row("bagnet17_64", "adadelta", True, 5, 40.00),
    Row("bagnet33_64", "sgd", False, 15, 2.12),
    Row("bagnet33_64", "adam", False, 5, 16.53),
    Row("bagnet33_64", "adam", False, 15, 44.32),
    Row("bagnet33_64", "adadelta", False, 15, 43.95),
)
NOTES = (
    "The report has 200 classes; chance is 0.5 % there and 1 / classes here.",
    "The small budget has 8 epochs for the lines of 15, from scratch, and leaves the others out.",
)


@item(PAPER, "table-1", "accuracy of BagNets by patch size and optimizer", (DATA,))
def table_1(shop: Workshop) -> list[Path]:
    """Trained one by one, measured together."""
    rows = [row for row in ROWS if shop.in_full or (row.epochs == 15 and not row.pretrained)]
    nets = {row.name: _net(shop, row) for row in rows}
    entries = shop.evaluated("clean", list(nets.values()), DATA).entries(nets, {COLUMN: ("clean", "clean")})
    printed = {row.name: (row.accuracy,) for row in ROWS}
    title = "Table 1: top-1 accuracy on clean images, %"
    return Table(title, SOURCE, (COLUMN,), printed, entries, NOTES).write(shop.out / "table-1")


@item(PAPER, "figure-2", "accuracy of BagNets by patch size and optimizer, as bars", (DATA,))
def figure_2(shop: Workshop) -> list[Path]:
    """The lines of 15 epochs from scratch."""
    nets = {(patch, optimizer): _bagnet(shop, patch, optimizer) for optimizer in OPTIMIZERS for patch in PATCHES}
    cells = shop.evaluated("optimizers", list(nets.values()), DATA)
    points = [
        point("", optimizer, f"BagNet-{patch}", cells.accuracy(net.label)) for (patch, optimizer), net in nets.items()
    ]
    return Bars(points, COLUMN).write(shop.out / "figure-2")


@item(PAPER, "heat-maps", "evidence of patches for the true class", (DATA,))
def heat_maps(shop: Workshop) -> list[Path]:
    """The first test image of each of the first classes, by the networks trained with Adam."""
    clean = datasets.load(shop.dataset(DATA), limit=shop.budget.limit)
    _, first = np.unique(clean.labels, return_index=True)
    images = clean.read(np.sort(first)[:HEAT_MAPS])
    labels = clean.labels[np.sort(first)[:HEAT_MAPS]]
    columns = {}
    for patch in PATCHES:
        net = _bagnet(shop, patch, "adam")
        classifier = models.load(net.spec, classes=len(clean.classes), side=clean.shape[:2], device=shop.device)
        columns[f"BagNet-{patch}"] = [
            analysis.patch_evidence(classifier, image, int(label)) for image, label in zip(images, labels, strict=True)
        ]
    names = [clean.classes[label] for label in labels]
    return Maps(images, names, columns, "logit of the true class").write(shop.out / "heat-maps")


def _bagnet(shop: Workshop, patch: int, optimizer: str) -> Net:
    [row] = [
        one
        for one in ROWS
        if (one.model, one.optimizer, one.epochs, one.pretrained) == (f"bagnet{patch}_64", optimizer, 15, False)
    ]
    return _net(shop, row)


def _net(shop: Workshop, row: Row) -> Net:
    small = SMALL if row.optimizer != "adadelta" else {"epochs": SMALL["epochs"]}
    start = {"init": "imagenet" if row.model.startswith("bagnet") else "IMAGENET1K_V1"} if row.pretrained else {}
    paper = {"epochs": row.epochs}
    return shop.trained(row.name, f"bagnet-{row.optimizer}", row.model, DATA, small=small, paper=paper, **start)
