"""Lin 2021 (semester project, EPFL IVRL): figure 3.3 and tables 5.1 and 6.1, restoration and fidelity calibration.

The small budget has ResNet-20 and 32x32 images in place of ResNet-50 and Caltech-256, from scratch in place of
ImageNet's weights, and a learning rate for that; so its data set is called `images`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from robench.reproduce._figure import Lines, point
from robench.reproduce._items import item
from robench.reproduce._table import Table
from robench.reproduce._workshop import Net, Places, Workshop, chosen_of

PAPER = "fidelity"
SOURCE = "Lin 2021, Learning degraded image classification with restoration data fidelity"
DATA = "images"
RESTORER = "cdncnn"
SMALL = {"epochs": 20, "lr": 0.05}
PLACES = {"clean": ("clean", "clean")} | {f"0.{tenth}": ("awgn", f"sigma=0.{tenth}") for tenth in range(1, 6)}
VARYING = {name: (f"spatially_varying_noise_{name.lower()}", "sigma=0.5:0") for name in ("1D", "2D")}
CHOSEN = chosen_of(PLACES | VARYING)
SETUPS = {"setup 1": "clean", "setup 2": "degraded", "setup 3": "restored"}
ESTIMATORS = {"oracle": "oracle", "pre-trained": "pretrained", "end-to-end": "end-to-end"}
NOTE = "The paper: ResNet-50 with ImageNet's weights on Caltech-256, 224x224; what ours are stands below."
TABLE_5_1: dict[str, tuple[float, ...]] = {
    "setup 1, w/o restoration": (83.20, 62.80, 30.24, 10.44, 3.73, 1.65, 28.60, 32.72),
    "setup 1, w/ restoration": (83.23, 77.38, 68.20, 56.05, 42.40, 30.32, 65.65, 67.78),
    "setup 2, w/o restoration": (79.27, 77.85, 74.95, 72.23, 69.49, 66.44, 73.88, 74.75),
    "setup 2, w/ restoration": (79.17, 77.05, 73.68, 68.91, 62.59, 55.64, 71.83, 72.95),
    "setup 3, w/o restoration": (80.76, 69.51, 46.22, 21.96, 8.84, 3.47, 43.23, 47.44),
    "setup 3, w/ restoration": (80.85, 79.14, 76.78, 73.97, 70.73, 67.18, 75.78, 76.36),
    "oracle, w/o ensemble": (82.29, 80.24, 78.06, 76.24, 74.36, 72.38, 77.65, 78.03),
    "oracle, w/ ensemble": (82.37, 80.43, 78.17, 76.30, 74.43, 72.35, 77.89, 78.25),
    "pre-trained, w/o ensemble": (82.77, 79.01, 74.78, 69.86, 64.66, 58.73, 73.59, 74.46),
    "pre-trained, w/ ensemble": (83.13, 79.34, 75.21, 70.16, 64.62, 58.40, 73.97, 74.81),
    "end-to-end, w/o ensemble": (83.04, 79.54, 75.45, 70.40, 64.98, 58.99, 73.88, 75.06),
    "end-to-end, w/ ensemble": (83.22, 79.56, 75.57, 70.49, 64.92, 58.73, 74.10, 75.19),
}
TABLE_6_1: dict[str, tuple[float, ...]] = {
    "full": (82.29, 80.24, 78.06, 76.24, 74.36, 72.38, 77.65),
    "setup 1, w/ restoration": (83.23, 77.38, 68.20, 56.05, 42.40, 30.32, 65.65),
    "l2": (82.57, 80.15, 78.16, 76.21, 74.30, 72.00, 77.80),
    "cosine": (82.56, 79.53, 75.11, 69.54, 62.96, 55.70, 73.72),
    "bicubic": (82.39, 80.38, 78.15, 76.19, 74.26, 72.07, 77.76),
    "nearest": (82.52, 80.38, 78.02, 76.18, 74.22, 71.97, 77.71),
    "no-spatial-multiplication": (82.56, 80.30, 77.70, 75.38, 72.95, 70.29, 77.16),
    "no-residual": (81.80, 79.80, 77.55, 75.53, 73.35, 70.99, 76.96),
    "no-spatial-addition": (82.61, 79.76, 77.00, 74.11, 71.44, 67.43, 76.19),
    "no-channel-multiplication": (82.42, 80.32, 78.10, 75.97, 74.15, 71.98, 77.47),
    "no-channel-concatenation": (82.13, 79.61, 76.57, 73.99, 71.50, 68.85, 76.19),
}


@item(PAPER, "figure-3-3", "accuracy over sigma for three setups, without and with restoration", (DATA,))
def figure_3_3(shop: Workshop) -> list[Path]:
    """Solid without restoration, dashed with it."""
    nets = _setups(shop)
    cells = shop.evaluated("setups", list(nets.values()), DATA, CHOSEN)
    points = [
        point("AWGN", name, 0.0 if column == "clean" else float(column), cells.accuracy(net.label, *place))
        for name, net in nets.items()
        for column, place in PLACES.items()
    ]
    dashed = [name for name in nets if name.endswith("w/ restoration")]
    return Lines(points, {"AWGN": "sigma"}, "top-1 accuracy, %", dashed).write(shop.out / "figure-3-3")


@item(PAPER, "table-5-1", "three setups and calibration by oracle, pre-trained and end-to-end estimators", (DATA,))
def table_5_1(shop: Workshop) -> list[Path]:
    """Setups and calibrations on uniform and spatially varying noise."""
    nets = _setups(shop)
    for name, word in ESTIMATORS.items():
        for ensemble in ("w/o ensemble", "w/ ensemble"):
            words = [word] if ensemble == "w/ ensemble" else [word, "no-ensemble"]
            nets[f"{name}, {ensemble}"] = _calibrated(shop, words)
    return _table(shop, "table-5-1", nets, TABLE_5_1, PLACES | VARYING)


@item(PAPER, "table-6-1", "the oracle without ensemble: maps, down-sampling, and each module left out", (DATA,))
def table_6_1(shop: Workshop) -> list[Path]:
    """Ablation."""
    rows = [name for name in TABLE_6_1 if not name.startswith("setup")]
    nets = {name: _calibrated(shop, ["oracle", *([] if name == "full" else [name]), "no-ensemble"]) for name in rows}
    nets["setup 1, w/ restoration"] = _setups(shop)["setup 1, w/ restoration"]
    return _table(shop, "table-6-1", nets, TABLE_6_1, PLACES | {"1D": VARYING["1D"]})


def _table(
    shop: Workshop,
    name: str,
    nets: Mapping[str, Net],
    printed: Mapping[str, Sequence[float]],
    places: Places,
) -> list[Path]:
    entries = shop.evaluated(name, list(nets.values()), DATA, CHOSEN).entries(nets, places)
    title = f"Table {name.removeprefix('table-').replace('-', '.')}: top-1 accuracy, %"
    return Table(title, SOURCE, list(places), printed, entries, [NOTE]).write(shop.out / name)


def _setups(shop: Workshop) -> dict[str, Net]:
    """Every setup without and with the restorer in front."""
    restorer, nets = _restorer(shop), {}
    for setup, kind in SETUPS.items():
        net = _classifier(shop, kind)
        nets[f"{setup}, w/o restoration"] = net
        nets[f"{setup}, w/ restoration"] = net.behind(restorer)
    return nets


def _network(shop: Workshop) -> str:
    return "resnet50" if shop.budget.name == "paper" else "resnet20"


def _classifier(shop: Workshop, kind: str) -> Net:
    """Trained on clean, degraded or restored images."""
    model = _network(shop)
    options: dict[str, Any] = {"init": "IMAGENET1K_V1"} if shop.budget.name == "paper" else {}
    front = f"{_restorer(shop).spec}+" if kind == "restored" else ""
    recipe = "fidelity-clean" if kind == "clean" else "fidelity-degraded"
    return shop.trained(f"fidelity-{kind}", recipe, model, DATA, small=SMALL, front=front, **options)


def _restorer(shop: Workshop) -> Net:
    return shop.trained("fidelity-restorer", "fidelity-restorer", RESTORER, DATA, small={"epochs": 4})


def _calibrated(shop: Workshop, words: Sequence[str]) -> Net:
    """The frozen classifier of setup 1, calibrated; the estimator starts from one that was trained by itself."""
    restorer, classifier = _restorer(shop), _classifier(shop, "clean")
    options: dict[str, Any] = {"parts": classifier.behind(restorer).spec}
    if "oracle" not in words:
        estimator = shop.trained(
            "fidelity-estimator-l1", "fidelity-estimator-l1", restorer.spec, DATA, small={"epochs": 4}
        )
        options["estimator"] = estimator.path
    model = ",".join((f"fidelity:{_network(shop)}", *words))
    return shop.trained(
        "-".join(("calibrated", *words)), "fidelity-calibration", model, DATA, small={"epochs": 10}, **options
    )
