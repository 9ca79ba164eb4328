"""Na, Ko, Mukhopadhyay 2018 (ICASSP): tables 1 and 2, noise and low resolution with and without the pivot loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robench.reproduce._items import item
from robench.reproduce._table import Table
from robench.reproduce._workshop import Net, Places, Workshop, chosen_of

PAPER = "pivot-loss"
SOURCE = "Na, Ko, Mukhopadhyay 2018 (ICASSP)"
SMALL: dict[str, dict[str, Any]] = {
    "cifar10": {"epochs": 40, "schedule": "cosine", "milestones": ()},
    "mnist": {"epochs": 6},
}
NOTES = (
    "The paper's ResNets subtract the mean of every pixel; ours that of every channel.",
    "With the pivot loss the gradient's norm is clipped at 1; as printed, the loss lets the logits run away.",
    "The small budget has the learning rate fall along a cosine on CIFAR-10, the paper's in three steps.",
)


@dataclass(frozen=True)
class Study:
    """One block of a table: a data set, the perturbation that is trained with, and the columns."""

    data: str
    perturbation: str
    columns: Places
    printed: Mapping[str, Sequence[float | None]]


NOISE_ROWS = {"Clean only": "clean", "Noisy only": "noise", "Clean, Noisy": "clean-noise", "Pivot loss": "noise-pivot"}
LOWRES_ROWS = {"Clean only": "clean", "LR only": "lowres", "Clean, LR": "clean-lowres", "Pivot loss": "lowres-pivot"}
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
        },
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
        },
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
        },
    ),
    Study(
        "cifar10",
        "lowres",
        X4,
        {
            "Clean only": (91.6, 19.2, 19.9),
            "LR only": (86.9, 75.9, 72.9),
            "Clean, LR": (91.7, 71.5, 70.7),
            "Pivot loss": (92.0, 73.5, 72.7),
        },
    ),
)


@item(PAPER, "table-1", "accuracy under Gaussian noise, MNIST and CIFAR-10", ("mnist", "cifar10"))
def table_1(shop: Workshop) -> list[Path]:
    """Gaussian noise."""
    return [path for study in TABLE_1 for path in _written(shop, study, "table-1", NOISE_ROWS)]


@item(PAPER, "table-2", "accuracy at low resolution, MNIST and CIFAR-10, ResNet-20", ("mnist", "cifar10"))
def table_2(shop: Workshop) -> list[Path]:
    """Low resolution."""
    return [path for study in TABLE_2 for path in _written(shop, study, "table-2", LOWRES_ROWS)]


def _written(shop: Workshop, study: Study, name: str, rows: Mapping[str, str]) -> list[Path]:
    nets = {row: _net(shop, study.data, kind) for row, kind in rows.items()}
    name_of_run, chosen = f"{study.data}-{study.perturbation}", chosen_of(study.columns)
    entries = shop.evaluated(name_of_run, list(nets.values()), study.data, chosen).entries(nets, study.columns)
    title = f"{name.replace('-', ' ').capitalize()}, {study.data}: top-1 accuracy, %"
    table = Table(title, SOURCE, list(study.columns), study.printed, entries, NOTES)
    return table.write(shop.out / f"{name}-{study.data}")


def _net(shop: Workshop, data: str, kind: str) -> Net:
    """What trains on pairs sees two images for each of its own, so it has half the epochs."""
    recipe = f"pivot-{data}-{kind}"
    pairs = kind.startswith("clean-") or kind.endswith("-pivot")
    small = SMALL[data] | {"epochs": SMALL[data]["epochs"] // (2 if pairs else 1)}
    return shop.trained(recipe, recipe, "resnet20", data, small=small)
