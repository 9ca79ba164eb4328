"""Na, Ko, Mukhopadhyay 2018 (ICASSP): noise, low and mixed resolution, with and without the pivot loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robench.reproduce._cells import Places, chosen_of
from robench.reproduce._claims import Claim, Floor, findings
from robench.reproduce._experiments import ExperimentRunner
from robench.reproduce._items import item
from robench.reproduce._page import Page
from robench.reproduce._table import Table
from robench.reproduce._trained_network import TrainedNetwork

PAPER = "pivot-loss"
SOURCE = "Na, Ko, Mukhopadhyay 2018 (ICASSP)"
SMALL: dict[str, dict[str, Any]] = {
    "cifar10": {"epochs": 30, "schedule": "cosine", "milestones": (), "weight_decay": 5e-4},
    "mnist": {"epochs": 6},
}
SMALL_IMAGENET = {"epochs": 30, "schedule": "cosine", "milestones": (), "batch_size": 64}
SMALL_TUNING = {"epochs": 5, "lr": 1e-3}
RUNAWAY = (
    "As printed, the pivot loss lets the logits run away. Ours has the distance between logits less their mean over "
    "the classes, a rate of 0.03 in place of 0.1, and the gradient's norm clipped at 1. Mixing has the paper's rate. "
    "The control, which the paper does not have, is mixing at the rate and clip of the pivot loss: those two differ in "
    "the loss alone."
)
NOTES = {
    "mnist": (RUNAWAY, "The small budget has the rate fall at the same shares of a shorter training."),
    "cifar10": (
        RUNAWAY,
        "The paper subtracts the mean of every pixel; ours that of every channel.",
        "The small budget has the rate fall along a cosine and weight decay 5e-4; the paper has three steps and 1e-4.",
    ),
}


@dataclass(frozen=True)
class Study:
    """One block of a table: a data set, the perturbation that is trained with, the columns, network and kind by row."""

    data: str
    perturbation: str
    columns: Places
    printed: Mapping[str, Sequence[float | None]]
    trained_networks: Mapping[str, tuple[str, str]]
    claims: tuple[Claim, ...]


NOISE_ROWS = {
    **{"Clean only": "clean", "Noisy only": "noise", "Clean, Noisy": "clean-noise"},
    **{"Pivot loss": "noise-pivot", "Control": "clean-noise-control"},
}
LOWRES_ROWS = {
    **{"Clean only": "clean", "LR only": "lowres", "Clean, LR": "clean-lowres"},
    **{"Pivot loss": "lowres-pivot", "Control": "clean-lowres-control"},
}
NOISE = {row: ("resnet20", kind) for row, kind in NOISE_ROWS.items()}
LOWRES = {row: ("resnet20", kind) for row, kind in LOWRES_ROWS.items()}
DEEPER = {f"{layers}-L, {row}": (f"resnet{layers}", kind) for layers in (20, 110) for row, kind in LOWRES_ROWS.items()}


def _pivot_above(mixed: str, columns: Sequence[str]) -> tuple[Claim, ...]:
    """That the pivot loss is above plain mixing in each column, and above the control."""
    before = mixed.rpartition("Clean")[0]
    pivot, others = f"{before}Pivot loss", {"mixing": mixed, "the control": f"{before}Control"}
    return tuple(
        Claim(f"the pivot loss is above {name}: {column}", (pivot, column), (row, column))
        for name, row in others.items()
        for column in columns
    )


FLOORS = {"mnist": 98.5, "cifar10": 86.0, "imagenet": 40.0}
TABLE_1 = (
    Study(
        "mnist",
        "noise",
        {"clean": ("clean", "clean"), "sigma 0.15": ("awgn", "sigma=0.15")},
        {
            "Clean only": (99.6, 40.9),
            "Noisy only": (99.5, 99.5),
            "Clean, Noisy": (99.6, 99.4),
            "Pivot loss": (99.5, 99.5),
            "Control": (None, None),
        },
        NOISE,
        (
            Claim("training on noise wins at sigma 0.15", ("Noisy only", "sigma 0.15"), ("Clean only", "sigma 0.15")),
            Claim("at no cost in clean accuracy", ("Noisy only", "clean"), ("Clean only", "clean"), within=0.5),
            *(
                Claim(f"the pivot loss is as good as {name}", ("Pivot loss", "sigma 0.15"), (row, "sigma 0.15"), 0.5)
                for name, row in (("mixing", "Clean, Noisy"), ("the control", "Control"))
            ),
        ),
    ),
    Study(
        "cifar10",
        "noise",
        {"clean": ("clean", "clean"), "sigma 0.05": ("awgn", "sigma=0.05"), "sigma 0.15": ("awgn", "sigma=0.15")},
        {
            "Clean only": (91.6, 62.4, 16.6),
            "Noisy only": (89.8, 88.9, 82.0),
            "Clean, Noisy": (90.5, 89.1, 80.7),
            "Pivot loss": (90.8, 89.6, 81.7),
            "Control": (None, None, None),
        },
        NOISE,
        (
            Claim("training on noise costs clean accuracy", ("Clean only", "clean"), ("Noisy only", "clean")),
            Claim("and wins at sigma 0.15", ("Noisy only", "sigma 0.15"), ("Clean only", "sigma 0.15")),
            Claim("mixing costs clean accuracy", ("Clean only", "clean"), ("Clean, Noisy", "clean")),
            Claim("but less of it than noise alone", ("Clean, Noisy", "clean"), ("Noisy only", "clean")),
            Claim("and wins less at sigma 0.15", ("Noisy only", "sigma 0.15"), ("Clean, Noisy", "sigma 0.15")),
            *_pivot_above("Clean, Noisy", ("clean", "sigma 0.05", "sigma 0.15")),
        ),
    ),
)
X4 = {
    "clean": ("clean", "clean"),
    "x4 nearest": ("low_resolution_nearest", "factor=4"),
    "x4 bicubic": ("low_resolution_bicubic", "factor=4"),
}
TABLE_2 = (
    Study(
        "mnist",
        "lowres",
        X4,
        {
            "Clean only": (99.6, 50.4, 57.5),
            "LR only": (99.5, 87.6, 86.4),
            "Clean, LR": (99.6, 86.8, 86.0),
            "Pivot loss": (99.6, 87.1, 86.2),
            "Control": (None, None, None),
        },
        LOWRES,
        (
            Claim("training on low resolution wins at x4", ("LR only", "x4 nearest"), ("Clean only", "x4 nearest")),
            Claim("at no cost in clean accuracy", ("LR only", "clean"), ("Clean only", "clean"), within=0.5),
            *_pivot_above("Clean, LR", ("x4 nearest", "x4 bicubic")),
        ),
    ),
    Study(
        "cifar10",
        "lowres",
        X4,
        {
            "20-L, Clean only": (91.6, 19.2, 19.9),
            "20-L, LR only": (86.9, 75.9, 72.9),
            "20-L, Clean, LR": (91.7, 71.5, 70.7),
            "20-L, Pivot loss": (92.0, 73.5, 72.7),
            "20-L, Control": (None, None, None),
            "110-L, Clean only": (93.5, 21.9, 15.7),
            "110-L, LR only": (86.4, 78.8, 77.0),
            "110-L, Clean, LR": (93.8, 76.4, 76.2),
            "110-L, Pivot loss": (93.3, 78.1, 77.4),
            "110-L, Control": (None, None, None),
        },
        DEEPER,
        (
            Claim(
                "training on low resolution costs clean accuracy",
                ("20-L, Clean only", "clean"),
                ("20-L, LR only", "clean"),
            ),
            Claim("and wins at x4", ("20-L, LR only", "x4 nearest"), ("20-L, Clean only", "x4 nearest")),
            Claim("mixing keeps clean accuracy", ("20-L, Clean, LR", "clean"), ("20-L, Clean only", "clean"), within=1),
            Claim("and wins less at x4", ("20-L, LR only", "x4 nearest"), ("20-L, Clean, LR", "x4 nearest")),
            *_pivot_above("20-L, Clean, LR", ("clean", "x4 nearest", "x4 bicubic")),
        ),
    ),
)


TABLE_3_COLUMNS = {
    "clean": ("clean", "clean"),
    "MR x4 (nearest)": ("mixed_resolution", "factor=4"),
    "LR x4 (nearest)": ("low_resolution_nearest", "factor=4"),
}
TABLE_3 = {
    "Clean only": (68.1, 57.8, 29.3),
    "Clean, MR, LR": (67.9, 61.5, 44.9),
    "Pivot loss": (67.4, 62.1, 49.0),
    "Control": (None, None, None),
}
TABLE_3_CLAIMS = (
    Claim("mixing wins at low resolution", ("Clean, MR, LR", "LR x4 (nearest)"), ("Clean only", "LR x4 (nearest)")),
    Claim("mixing wins at mixed resolution", ("Clean, MR, LR", "MR x4 (nearest)"), ("Clean only", "MR x4 (nearest)")),
    *_pivot_above("Clean, MR, LR", ("MR x4 (nearest)", "LR x4 (nearest)")),
    Claim("and the pivot loss costs clean accuracy", ("Clean, MR, LR", "clean"), ("Pivot loss", "clean")),
)
TABLE_3_ROWS = {
    "Clean, MR, LR": "clean-mixed-resolution",
    "Pivot loss": "mixed-resolution-pivot",
    "Control": "clean-mixed-resolution-control",
}
TABLE_3_NOTES = (
    "The pivot loss has the distance between logits less their mean over the classes, and the gradient's norm clipped "
    "at 1; as printed, it lets the logits run away. The control, which the paper does not have, is mixing with the "
    "same clip.",
    "The region at full resolution is the box of the data set, and without one the centre: half the sides. The paper's "
    "boxes of the validation images are those of a detector.",
    "The small budget has ResNet-18 for 64 pixels, 30 epochs with a cosine, then 5 with a rate of 1e-3.",
)


@item(PAPER, "table-1", "accuracy under Gaussian noise, MNIST and CIFAR-10", ("mnist", "cifar10"))
def table_1(runner: ExperimentRunner) -> list[Path]:
    """Gaussian noise."""
    return [path for study in TABLE_1 for path in _written(runner, study, "table-1")]


@item(PAPER, "table-2", "accuracy at low resolution, MNIST and CIFAR-10", ("mnist", "cifar10"))
def table_2(runner: ExperimentRunner) -> list[Path]:
    """Low resolution; ResNet-110 in the paper's budget alone."""
    return [path for study in TABLE_2 for path in _written(runner, study, "table-2")]


@item(PAPER, "table-3", "accuracy at low and mixed resolution, ResNet-18 on ImageNet", ("imagenet",))
def table_3(runner: ExperimentRunner) -> list[Path]:
    """Mixed resolution."""
    network = "resnet18" if runner.in_full else "resnet18_64"
    clean = runner.trained("pivot-imagenet-clean", "pivot-imagenet-clean", network, "imagenet", small=SMALL_IMAGENET)
    trained_networks = {"Clean only": clean}
    for row, kind in TABLE_3_ROWS.items():
        name, start = f"pivot-imagenet-{kind}", str(clean.path)
        trained_networks[row] = runner.trained(name, name, network, "imagenet", small=SMALL_TUNING, init=start)
    cells = runner.evaluated("imagenet", list(trained_networks.values()), "imagenet", chosen_of(TABLE_3_COLUMNS))
    found = findings(TABLE_3_CLAIMS, cells.values(trained_networks, TABLE_3_COLUMNS))
    floor = Floor("Clean only, clean", FLOORS["imagenet"], cells.accuracy(clean.label))
    page = Page("Table 3, ImageNet: top-1 accuracy, %", SOURCE, TABLE_3_NOTES, [floor], found)
    table = Table(list(TABLE_3_COLUMNS), TABLE_3, cells.measurements(trained_networks, TABLE_3_COLUMNS))
    return table.write(runner.out / "table-3", page)


def _written(runner: ExperimentRunner, study: Study, name: str) -> list[Path]:
    trained_networks = {
        row: _net(runner, study.data, network, kind)
        for row, (network, kind) in study.trained_networks.items()
        if runner.in_full or network == "resnet20"
    }
    name_of_run, chosen = f"{study.data}-{study.perturbation}", chosen_of(study.columns)
    cells = runner.evaluated(name_of_run, list(trained_networks.values()), study.data, chosen)
    first = next(iter(trained_networks))
    floor = Floor(f"{first}, clean", FLOORS[study.data], cells.accuracy(trained_networks[first].label))
    title = f"{name.replace('-', ' ').capitalize()}, {study.data}: top-1 accuracy, %"
    page = Page(
        title, SOURCE, NOTES[study.data], [floor], findings(study.claims, cells.values(trained_networks, study.columns))
    )
    table = Table(list(study.columns), study.printed, cells.measurements(trained_networks, study.columns))
    return table.write(runner.out / f"{name}-{study.data}", page)


def _net(runner: ExperimentRunner, data: str, network: str, kind: str) -> TrainedNetwork:
    """What trains on pairs sees two images for each of its own, so it has half the epochs."""
    recipe = f"pivot-{data}-{kind}"
    pairs = kind.startswith("clean-") or kind.endswith("-pivot")
    small = SMALL[data] | {"epochs": SMALL[data]["epochs"] // (2 if pairs else 1)}
    name = recipe if network == "resnet20" else f"{recipe}-{network}"
    return runner.trained(name, recipe, network, data, small=small)
