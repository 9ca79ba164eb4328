"""The report on low-pass activations: flowers, pre-training, and CIFAR-10-C with four activations.

The small budget has ResNet-20 in place of ResNet-50 on CIFAR-10, networks for 64 pixels on the flowers, and in place of
ImageNet's weights a training on `tiny-imagenet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import corruptions
from robench import models
from robench.reproduce._cells import Cells
from robench.reproduce._claims import Claim, Floor, findings
from robench.reproduce._experiments import ExperimentRunner
from robench.reproduce._figure import Bars, Lines, Point
from robench.reproduce._items import item
from robench.reproduce._measurement import Measurement
from robench.reproduce._page import Page
from robench.reproduce._table import Table
from robench.reproduce._trained_network import TrainedNetwork

PAPER = "low-pass"
SOURCE = "report on low-pass activations"
FLOWERS, CIFAR, PRETRAINING = "flowers17", "cifar10", "tiny-imagenet"
SUITE = "low-pass/1"
ACCURACY = "accuracy, %"
SMALL_FLOWERS = {"epochs": 20, "augment": "crop-flip"}
SMALL_PRETRAINING = {"lr": 3e-4, "augment": "crop-flip"}
SMALL_EPOCHS = {"VGG16": 6, "VGG19": 6, "ResNet34": 6, "ResNet50": 10}  # of pre-training
SMALL_NETWORKS = {"VGG16": "vgg16_bn_64", "VGG19": "vgg19_bn_64"}  # the others by their own names
SMALL_CIFAR = {
    **{"epochs": 30, "batch_size": 128, "lr": 0.1, "weight_decay": 5e-4},
    **{"schedule": "cosine", "augment": "crop-flip"},
}
ACTIVATIONS = {"ReLU": "", "Leaky-ReLU": "@leaky_relu", "LP-ReLU1": "@lp_relu1", "LP-ReLU2": "@lp_relu2"}
FLOOR, OTHERS_FLOOR = 86.0, 84.0  # with ReLU, and with the other activations
FLOWERS_FLOOR = 50.0  # 17 classes, 136 test images
MEAN = "mean of 19 corruptions"
ABOVE = (
    *(("LP-ReLU1", "ReLU"), ("LP-ReLU1", "Leaky-ReLU")),
    *(("LP-ReLU2", "ReLU"), ("LP-ReLU2", "Leaky-ReLU"), ("LP-ReLU2", "LP-ReLU1")),
)
CLAIMS = tuple(
    Claim(f"{more} is above {less} over the corruptions", (more, MEAN), (less, MEAN)) for more, less in ABOVE
)
CIFAR_NOTES = (
    "The report trains ResNet-50, VGG16 and VGG19 for 60 epochs with SGD at 1e-3 and batches of 16. The small budget "
    "has ResNet-20, 30 epochs with SGD at 0.1 along a cosine, batches of 128, weight decay 5e-4, and shifted and "
    "mirrored images.",
    "Of figures 6 and 7 and appendix a the report prints bars; as numbers it has the means with ReLU over CIFAR-10-C, "
    "VGG16 56.88 %, VGG19 55.85 and ResNet50 45.8.",
    "Our 19 corruptions are made from the test images at hand, with the benchmark's constants; they are not its files.",
)
TABLE_1_COLUMNS = ("learning rate", "batch size", "training loss", "testing accuracy, %")
TABLE_1 = {
    "VGG16": (1e-4, 4, 5.36e-07, 89.71),
    "VGG19": (1e-3, 32, 6.45e-06, 89.71),
    "ResNet34": (1e-3, 4, 3.23e-03, 98.53),
    "ResNet50": (1e-3, 4, 3.39e-04, 96.32),
}
ALSO_TRIED = {"VGG19": ((1e-4, 32),)}
SMALL_GRID = {row: ((rate, int(batch)), *ALSO_TRIED.get(row, ())) for row, (rate, batch, *_) in TABLE_1.items()}
GRID = tuple((rate, batch) for rate in (1e-2, 1e-3, 1e-4) for batch in (4, 32, 64))
PRETRAINED_NOTE = "The report takes networks that ImageNet pre-trained"
VIEW_NOTE = (
    "The report resizes whole photographs to 64 x 64; here they keep their shape and their middle is cut out, and "
    "inputs are normalised as the network's card says. The small budget shifts and mirrors the training images."
)
VGG_NOTE = (
    "In the small budget VGG16 and VGG19 have batch norm: after 90 batches of pre-training VGG19's loss was 2.28 with "
    "it at 3e-4, and 2.82 without it at 1e-4. Their linear layers have 512, 512 and 17 outputs and no dropout."
)
TABLE_1_NOTES = (
    VIEW_NOTE,
    VGG_NOTE,
    "The setting of the best accuracy on validation; the loss is that of its chosen epoch.",
    "The paper's budget tries three learning rates and three batch sizes, the small one the setting that the report "
    "names, and for VGG19 1e-4 beside it.",
)
SCRATCH = ("AlexNet", "VGG16", "VGG19", "ResNet50", "ResNet101")
COMPARED = ("VGG19", "ResNet50")
PRETRAINED, FROM_SCRATCH = "pre-trained", "not pre-trained"
CLAIMS_OF_FIGURE_5 = tuple(
    Claim(f"pre-training helps {row} on test images", (row, PRETRAINED), (row, FROM_SCRATCH)) for row in COMPARED
)
TABLE_2_COLUMNS = ("FLOPs, M", "parameters, M")
TABLE_2 = {
    "AlexNet": (98.2433, 61.101),
    "VGG16": (437.517, 138.358),
    "VGG19": (533.505, 143.667),
    "Resnet18": (37.6735, 11.689),
    "Resnet34": (75.4862, 21.798),
    "Resnet101": (162.098, 44.549),
    "Resnet50": (84.06, 23.542),
    "Resnet50_LeakyReLU": (84.06, 23.542),
    "Resnet50_LP_ReLU1": (84.56, 23.542),
    "Resnet50_LP_ReLU2": (85.60, 23.542),
}
SIDES = {"AlexNet": 64}
SIDE = 32
CLASSES = 17
HEAD_OF_17 = "Resnet50"
TABLE_2_NOTES = (
    "FLOPs count a multiply-add once, as the report does, in convolutions and matrix products; its figures for LP-ReLU "
    "are upper bounds that count the activations too.",
    "The counts fit torchvision's networks with their stems for 224 pixels at the side given, with a head of 17 "
    "classes for ResNet-50 and of 1000 for the others; of VGG19 the FLOPs are 2 % below the report's, for no known "
    "reason.",
)


@item(PAPER, "table-1", "best settings, loss and accuracy of four networks on flowers", (FLOWERS,), (PRETRAINING,))
def table_1(runner: ExperimentRunner) -> list[Path]:
    """Pre-trained networks."""
    best = {row: _best(runner, row) for row in TABLE_1}
    cells = runner.evaluated("flowers", list(best.values()), FLOWERS)
    measurements = {}
    for row, trained in best.items():
        test = cells.accuracy(trained.label)
        loss = float(trained.history["train_loss"][int(trained.metadata["best_epoch"]) - 1])
        numbers = (float(trained.metadata["lr"]), int(trained.metadata["batch_size"]), loss)
        for column, number in zip(TABLE_1_COLUMNS, numbers, strict=False):
            measurements[row, column] = Measurement(number, details=test.details)
        measurements[row, TABLE_1_COLUMNS[-1]] = test
    floors = [Floor(f"{row}, test", FLOWERS_FLOOR, cells.accuracy(trained.label)) for row, trained in best.items()]
    notes = [*TABLE_1_NOTES, _pretraining_note(runner, TABLE_1)]
    page = Page("Table 1: pre-trained networks on Oxford 17 flowers", SOURCE, notes, floors)
    table = Table(TABLE_1_COLUMNS, TABLE_1, measurements, ".4g", {TABLE_1_COLUMNS[-1]: ".2f"})
    return table.write(runner.out / "table-1", page)


@item(PAPER, "table-2", "operations and parameters of ten networks", ())
def table_2(runner: ExperimentRunner) -> list[Path]:
    """Counted by torch on networks without numbers."""
    measurements: dict[tuple[str, str], Measurement] = {}
    for row in TABLE_2:
        spec = _counted(row)
        trained = models.build_on_meta(spec, classes=CLASSES if row.startswith(HEAD_OF_17) else 1000)
        parameters = sum(values.numel() for values in trained.module.parameters())
        for column, count in zip(TABLE_2_COLUMNS, (models.flops(trained) / 2, parameters), strict=True):
            measurements[row, column] = Measurement(count / 1e6, details={"model": spec})
    page = Page("Table 2: operations and parameters", SOURCE, TABLE_2_NOTES)
    return Table(TABLE_2_COLUMNS, TABLE_2, measurements, ".3f").write(runner.out / "table-2", page)


@item(PAPER, "figure-5", "accuracy on flowers over epochs, pre-trained and not", (FLOWERS,), (PRETRAINING,))
def figure_5(runner: ExperimentRunner) -> list[Path]:
    """Validation accuracy from the training logs; learning rate 1e-3, batches of 64, SGD."""
    trained_networks, points = {}, []
    for row in COMPARED:
        for line, pretrained in ((PRETRAINED, True), (FROM_SCRATCH, False)):
            trained_networks[row, line] = _flowers(runner, row, 1e-3, 64, pretrained=pretrained, adam=False)
            points += _curve(row, line, trained_networks[row, line])
    for row in SCRATCH:
        points += _curve(FROM_SCRATCH, row, _flowers(runner, row, 1e-3, 64, pretrained=False, adam=False))
    cells = runner.evaluated("flowers", list(trained_networks.values()), FLOWERS)
    floors = [
        Floor(f"{row}, {PRETRAINED}, test", FLOWERS_FLOOR, cells.accuracy(trained_networks[row, PRETRAINED].label))
        for row in COMPARED
    ]
    found = findings(CLAIMS_OF_FIGURE_5, lambda spot: cells.right(trained_networks[spot].label))
    labels = dict.fromkeys((*COMPARED, FROM_SCRATCH), "epoch")
    notes = [_pretraining_note(runner, COMPARED), VIEW_NOTE, VGG_NOTE]
    page = Page("Figure 5: pre-trained and not, flowers", SOURCE, notes, floors, found)
    lines = Lines(points, labels, f"validation {ACCURACY}", marked=False, one_scale=True)
    return lines.write(runner.out / "figure-5", page)


@item(PAPER, "figure-6", "accuracy of ReLU networks by corruption of CIFAR-10-C", (CIFAR,))
def figure_6(runner: ExperimentRunner) -> list[Path]:
    """Averaged over severities."""
    networks = ("VGG16", "VGG19", "ResNet50") if runner.in_full else ("ResNet20",)
    trained_networks = {row: _cifar(runner, row, "ReLU") for row in networks}
    return _by_corruption(runner, "figure-6", "Figure 6: networks with ReLU by corruption", trained_networks)


@item(PAPER, "figure-7", "accuracy of four activations, clean and averaged over CIFAR-10-C", (CIFAR,))
def figure_7(runner: ExperimentRunner) -> list[Path]:
    """The mean over 19 corruptions of the mean over severities."""
    trained_networks = _activated(runner)
    cells = _evaluated(runner, trained_networks)
    shown = {"clean": "clean_accuracy", MEAN: "mean_corruption_accuracy"}
    points = [
        Point("", name, group, cells.aggregate(trained.label, metric))
        for name, trained in trained_networks.items()
        for group, metric in shown.items()
    ]
    labels = {name: trained.label for name, trained in trained_networks.items()}
    found = findings(CLAIMS, lambda spot: cells.mean_right(labels[spot[0]]))
    page = Page(
        "Figure 7: four activations, mean over 19 corruptions",
        SOURCE,
        CIFAR_NOTES,
        _floors(cells, trained_networks),
        found,
    )
    return Bars(points, ACCURACY).write(runner.out / "figure-7", page)


@item(PAPER, "appendix-a", "accuracy of four activations by corruption of CIFAR-10-C", (CIFAR,))
def appendix_a(runner: ExperimentRunner) -> list[Path]:
    """Averaged over severities."""
    return _by_corruption(runner, "appendix-a", "Appendix a: four activations by corruption", _activated(runner))


def _by_corruption(
    runner: ExperimentRunner, name: str, title: str, trained_networks: Mapping[str, TrainedNetwork]
) -> list[Path]:
    cells = _evaluated(runner, trained_networks)
    points = [
        Point("", line, corruption, cells.aggregate(trained.label, f"mean_accuracy[{corruption}]"))
        for line, trained in trained_networks.items()
        for corruption in corruptions.suite(SUITE).keys
    ]
    page = Page(title, SOURCE, CIFAR_NOTES, _floors(cells, trained_networks))
    return Bars(points, ACCURACY).write(runner.out / name, page)


def _evaluated(runner: ExperimentRunner, trained_networks: Mapping[str, TrainedNetwork]) -> Cells:
    """In one run for the three figures, which share networks."""
    return runner.evaluated("cifar10-c", list(trained_networks.values()), CIFAR, suite=SUITE)


def _floors(cells: Cells, trained_networks: Mapping[str, TrainedNetwork]) -> list[Floor]:
    floors = {line: OTHERS_FLOOR if ACTIVATIONS.get(line) else FLOOR for line in trained_networks}
    return [
        Floor(f"{line}, clean", floor, cells.accuracy(trained_networks[line].label)) for line, floor in floors.items()
    ]


def _curve(panel: str, line: str, trained: TrainedNetwork) -> list[Point]:
    rows = trained.history.to_dict("records")
    return [
        Point(panel, line, row["epoch"], Measurement(100 * row["val_accuracy"], details=trained.details))
        for row in rows
    ]


def _best(runner: ExperimentRunner, row: str) -> TrainedNetwork:
    """Of the settings that are tried, that with the best accuracy on validation."""
    settings = GRID if runner.in_full else SMALL_GRID[row]
    adam = row.startswith("VGG")
    trained_networks = [_flowers(runner, row, rate, batch, pretrained=True, adam=adam) for rate, batch in settings]
    return max(trained_networks, key=lambda trained: float(trained.metadata["val_accuracy"]))


def _flowers(
    runner: ExperimentRunner, row: str, rate: float, batch: int, *, pretrained: bool, adam: bool
) -> TrainedNetwork:
    network = _network(runner, row)
    recipe = "low-pass-flowers-adam" if adam else "low-pass-flowers"
    start: dict[str, Any] = {"init": _start(runner, row)} if pretrained else {}
    name = f"flowers-{row.lower()}-{'adam' if adam else 'sgd'}-{rate:g}-{batch}" + ("-pre-trained" if start else "")
    return runner.trained(name, recipe, network, FLOWERS, small=SMALL_FLOWERS, lr=rate, batch_size=batch, **start)


def _network(runner: ExperimentRunner, row: str) -> str:
    return f"torchvision:{row.lower()}:64" if runner.in_full else SMALL_NETWORKS.get(row, f"{row.lower()}_64")


def _start(runner: ExperimentRunner, row: str) -> str:
    return "IMAGENET1K_V1" if runner.in_full else str(_pretraining(runner, row).path)


def _pretraining(runner: ExperimentRunner, row: str) -> TrainedNetwork:
    small = SMALL_PRETRAINING | {"epochs": SMALL_EPOCHS[row]}
    return runner.trained(f"pre-trained-{row.lower()}", "clean", _network(runner, row), PRETRAINING, small=small)


def _pretraining_note(runner: ExperimentRunner, rows: Iterable[str]) -> str:
    if runner.in_full:
        return f"{PRETRAINED_NOTE}; so does this."
    metadata = {row: _pretraining(runner, row).metadata for row in rows}
    each = [
        f"{row} for {details['epochs_run']} epochs of {details['train_n']} images, to "
        f"{100 * float(details['val_accuracy']):.1f} % of the {details['val_n']} held back"
        for row, details in metadata.items()
    ]
    [dataset] = {details["dataset"] for details in metadata.values()}
    return f"{PRETRAINED_NOTE}; here they were trained on {dataset}: {'; '.join(each)}."


def _activated(runner: ExperimentRunner) -> dict[str, TrainedNetwork]:
    return {name: _cifar(runner, "ResNet50" if runner.in_full else "ResNet20", name) for name in ACTIVATIONS}


def _cifar(runner: ExperimentRunner, row: str, activation: str) -> TrainedNetwork:
    network = f"torchvision:{row.lower()}:32" if runner.in_full else row.lower()
    start: dict[str, Any] = {"init": "IMAGENET1K_V1"} if runner.in_full else {}
    name = f"cifar10-{row.lower()}-{activation.lower()}"
    return runner.trained(
        name, "low-pass-cifar10", network + ACTIVATIONS[activation], CIFAR, small=SMALL_CIFAR, **start
    )


def _counted(row: str) -> str:
    name, _, activation = row.lower().partition("_")
    spelled = {"leakyrelu": "leaky_relu"}.get(activation, activation)
    return f"torchvision:{name}:{SIDES.get(row, SIDE)}" + (f"@{spelled}" if spelled else "")
