"""Lin 2021 (semester project, EPFL IVRL): restoration, three setups and fidelity calibration.

The small budget has 32x32 images in place of Caltech-256, so its data set is called `images`, ResNet-20 in place of
ResNet-50, and the forms for 32 pixels of the other three networks; all of them from scratch in place of ImageNet's
weights, and with a learning rate for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import corruptions
from robench import analysis, datasets, models
from robench.reproduce._cells import Places, chosen_of
from robench.reproduce._claims import Claim, Floor, findings
from robench.reproduce._experiments import ExperimentRunner
from robench.reproduce._figure import Lines, Point
from robench.reproduce._items import item
from robench.reproduce._measurement import Measurement
from robench.reproduce._page import Page
from robench.reproduce._table import Table
from robench.reproduce._trained_network import TrainedNetwork

PAPER = "fidelity"
SOURCE = "Lin 2021, Learning degraded image classification with restoration data fidelity"
DATA = "images"
RESTORER = "cdncnn"
CROPS = {"augment": "crop-flip"}
SMALL = {"epochs": 30, "warmup_epochs": 5, "lr": 0.1, "weight_decay": 5e-4, "batch_size": 128, **CROPS}
SMALL_RESTORER = {"epochs": 4, "lr": 1e-3, "warmup_epochs": 1, **CROPS}
SMALL_CALIBRATION = {"epochs": 10, "train_n": 12_000, "lr": 1e-2, **CROPS}
CLIPPED = {"clip": 1.0}
"""An estimator that learns at that rate too was lost after 60 steps without it."""
PLACES = {"clean": ("clean", "clean")} | {f"0.{tenth}": ("awgn", f"sigma=0.{tenth}") for tenth in range(1, 6)}
VARYING = {
    "1D": ("spatially_varying_noise_1d", "sigma=0.5:0"),
    "2D": ("spatially_varying_noise_2d", "sigma=0:0.5"),
}
SETUPS = {"setup 1": "clean", "setup 2": "degraded", "setup 3": "restored"}
SETUP_PANELS = {name: f"{name}: train on {kind}" for name, kind in SETUPS.items()}
WITHOUT, WITH = "w/o restoration", "w/ restoration"
ESTIMATORS = {"oracle": "oracle", "pre-trained": "pretrained", "end-to-end": "end-to-end"}
APPENDIX_A = {"gaussian_blur_13x13": 0.0, "motion_blur_45": 1.0, "salt_and_pepper": 0.0, "crop": 1.0}
"""By degradation the level that leaves an image as it is."""
ACCURACY = "top-1 accuracy, %"
NOTE = "The paper: ResNet-50 with ImageNet's weights on Caltech-256, 224x224; what ours are stands below."
DIRECTIONS = {
    "1D": "1D runs from sigma 0.5 in the first row or column to 0 in the last.",
    "2D": "2D runs from sigma 0 at a random pixel to 0.5 at the one farthest from it: of the two ways the one that "
    "comes nearer to the report's accuracies of 2D beside those of 1D.",
}
LOSSES = (
    "The loss of training is the one that was minimised, with label smoothing of 0.1, over augmented images; that of "
    "validation is plain cross-entropy, so it may be the lower one.",
)
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
FLOORS = {
    **{"resnet20": 86.0, "alexnet_32": 70.0, "vgg16_32": 80.0, "googlenet_32": 80.0},
    **{"resnet50": 80.0, "alexnet": 50.0, "vgg16": 70.0, "googlenet": 70.0},
}
"""Of setup 1 on clean images: the small budget's networks on CIFAR-10, those of the report on Caltech-256."""
LEAST_REMOVED, REMOVED_FROM = 50.0, 1_000
"""Of the l1 distance to clean images, in percent: below it there is no restoration; over so many test images."""
PROPOSED = "end-to-end, w/ ensemble"
CLEAN_TRAINED, CLEAN_RESTORED = f"setup 1, {WITHOUT}", f"setup 1, {WITH}"
NOISE_TRAINED, NOISE_RESTORED = f"setup 2, {WITHOUT}", f"setup 2, {WITH}"
CLAIMS_OF_SETUPS = (
    Claim("training on noise costs clean accuracy", (CLEAN_TRAINED, "clean"), (NOISE_TRAINED, "clean")),
    Claim("and wins at sigma 0.5", (NOISE_TRAINED, "0.5"), (CLEAN_TRAINED, "0.5")),
    *(
        Claim(f"restoration helps setup 1 at {at}", (CLEAN_RESTORED, at), (CLEAN_TRAINED, at))
        for at in ("0.1", "0.3", "0.5")
    ),
    *(
        Claim(f"restoration hurts setup 2 at {at}", (NOISE_TRAINED, at), (NOISE_RESTORED, at))
        for at in ("0.1", "0.3", "0.5")
    ),
)
CLAIMS_OF_PROPOSED = (
    *(
        Claim(f"the proposed model is above setup 1 at {at}", (PROPOSED, at), (CLEAN_RESTORED, at))
        for at in ("0.1", "0.2", "0.3", "0.5")
    ),
    Claim("it is above setup 2 at sigma 0.1", (PROPOSED, "0.1"), (NOISE_TRAINED, "0.1")),
    Claim("it keeps clean accuracy", (PROPOSED, "clean"), (CLEAN_TRAINED, "clean"), within=1.0),
)
BELOW_SETUP_2 = Claim("setup 2 is above it at sigma 0.5", (NOISE_TRAINED, "0.5"), (PROPOSED, "0.5"))
ABOVE_SETUP_2 = Claim("it is above setup 2 at sigma 0.5 too", (PROPOSED, "0.5"), (NOISE_TRAINED, "0.5"))
"""What the report finds of AlexNet alone."""
CLAIMS_5_1 = (
    *CLAIMS_OF_SETUPS,
    *(Claim(f"restoration helps setup 1 at {at}", (CLEAN_RESTORED, at), (CLEAN_TRAINED, at)) for at in VARYING),
    *CLAIMS_OF_PROPOSED,
    BELOW_SETUP_2,
    Claim("the oracle is above it at sigma 0.3", ("oracle, w/ ensemble", "0.3"), (PROPOSED, "0.3")),
)
CLAIMS_6_1 = (
    Claim("better at sigma 0.3 than setup 1", ("full", "0.3"), (CLEAN_RESTORED, "0.3")),
    Claim("and than with cosine maps", ("full", "0.3"), ("cosine", "0.3")),
    *(
        Claim(f"{row} within a point of l1 and bilinear there", ("full", "0.3"), (row, "0.3"), within=1.0)
        for row in ("l2", "bicubic", "nearest")
    ),
    *(
        Claim(f"{row.replace('-', ' ')} is worse there", ("full", "0.3"), (row, "0.3"))
        for row in TABLE_6_1
        if row.startswith("no-")
    ),
)


@item(PAPER, "figure-3-3", "accuracy over sigma for three setups, without and with restoration", (DATA,))
def figure_3_3(runner: ExperimentRunner) -> list[Path]:
    """Solid without restoration, dashed with it."""
    points, dashed, studies = [], {}, []
    for network in _networks(runner):
        study = _studied(runner, network, _setups(runner, network), CLAIMS_OF_SETUPS)
        studies.append(study)
        dashed[f"{network}, {WITH}"] = f"{network}, {WITHOUT}"
        for (name, column), measurement in study.measurements.items():
            setup, _, restoration = name.partition(", ")
            points.append(Point(SETUP_PANELS[setup], f"{network}, {restoration}", _sigma(column), measurement))
    labels = dict.fromkeys(SETUP_PANELS.values(), "sigma")
    page = _page("Figure 3.3: three setups, without and with restoration", studies, [_restoring(runner)])
    return Lines(points, labels, ACCURACY, dashed, one_scale=True).write(runner.out / "figure-3-3", page)


@item(PAPER, "figure-3-4", "activations before the last layer over neurons, one class at six levels", (DATA,))
def figure_3_4(runner: ExperimentRunner) -> list[Path]:
    """Images of the first class; neurons in the order of the change from clean to the strongest noise."""
    network = _main_network(runner)
    trained, restorer = _classifier(runner, network, "clean"), _restorer(runner)
    panels = {WITHOUT: trained, WITH: trained.behind(restorer)}
    points = [one for panel, each in panels.items() for one in _activations(runner, panel, each)]
    labels = dict.fromkeys(panels, "neuron, by change")
    page = _page("Figure 3.4: activations before the last layer", [_of_clean(runner, network)], [_restoring(runner)])
    lines = Lines(points, labels, "mean activation", marked=False, one_scale=True)
    return lines.write(runner.out / "figure-3-4", page)


@item(PAPER, "figure-a-2", "accuracy of setup 1 over blur, motion, salt and pepper, and crop", (DATA,))
def figure_a_2(runner: ExperimentRunner) -> list[Path]:
    """The clean-trained networks on the degradations of appendix A."""
    keys = corruptions.suite("fidelity/1").keys
    chosen = [f"{name}@{','.join(keys[name])}" for name in APPENDIX_A]
    networks = {network: _classifier(runner, network, "clean") for network in _networks(runner)}
    cells = runner.evaluated("appendix-a", list(networks.values()), DATA, chosen)
    points, labels = [], {}
    for name, identity in APPENDIX_A.items():
        panel = name.replace("_", " ")
        labels[panel] = keys[name][0].partition("=")[0]
        for network, trained in networks.items():
            at = {identity: cells.accuracy(trained.label)}
            at |= {float(key.partition("=")[2]): cells.accuracy(trained.label, name, key) for key in keys[name]}
            points += [Point(panel, network, level, measurement) for level, measurement in at.items()]
    page = _page("Figure A.2: setup 1 on other degradations", [_of_clean(runner, network) for network in networks])
    return Lines(points, labels, ACCURACY, one_scale=True).write(runner.out / "figure-a-2", page)


@item(PAPER, "figure-7-1", "setups and calibration by an end-to-end estimator for the other networks", (DATA,))
def figure_7_1(runner: ExperimentRunner) -> list[Path]:
    """AlexNet, VGG-16, GoogLeNet."""
    points, studies = [], []
    dashed = {f"{setup}, {WITH}": f"{setup}, {WITHOUT}" for setup in SETUPS}
    for network in _networks(runner, every=True):
        if network != _main_network(runner):
            networks = _setups(runner, network) | {PROPOSED: _calibrated(runner, network, ["end-to-end"])}
            strongest = ABOVE_SETUP_2 if network.startswith("alexnet") else BELOW_SETUP_2
            claims = (*CLAIMS_OF_SETUPS, *CLAIMS_OF_PROPOSED, strongest)
            studies.append(_studied(runner, network, networks, claims))
            for (name, column), measurement in studies[-1].measurements.items():
                points.append(Point(network, name, _sigma(column), measurement))
    labels = dict.fromkeys((study.network for study in studies), "sigma")
    page = _page("Figure 7.1: the other networks", studies, [_restoring(runner)])
    return Lines(points, labels, ACCURACY, dashed, one_scale=True).write(runner.out / "figure-7-1", page)


@item(PAPER, "figure-c-1", "loss and accuracy of setup 1 over epochs", (DATA,))
def figure_c_1(runner: ExperimentRunner) -> list[Path]:
    """From the training logs."""
    points, studies = [], []
    for network in _networks(runner):
        trained = _classifier(runner, network, "clean")
        studies.append(_of_clean(runner, network))
        details = trained.details | {"weights_sha256": studies[-1].floor.measurement.details["weights_sha256"]}
        for row in trained.history.to_dict("records"):
            for panel, factor in (("loss", 1), ("accuracy", 100)):
                for part in ("train", "val"):
                    measurement = Measurement(factor * row[f"{part}_{panel}"], details=details)
                    points.append(Point(panel, f"{network}, {part}", row["epoch"], measurement))
    dashed = {f"{network}, val": f"{network}, train" for network in _networks(runner)}
    labels = {"loss": "epoch", "accuracy": "epoch"}
    y_labels = {"loss": "cross-entropy", "accuracy": ACCURACY}
    page = _page("Figure C.1: loss and accuracy over epochs", studies, notes=LOSSES)
    return Lines(points, labels, y_labels, dashed, marked=False).write(runner.out / "figure-c-1", page)


@item(PAPER, "table-5-1", "three setups and calibration by oracle, pre-trained and end-to-end estimators", (DATA,))
def table_5_1(runner: ExperimentRunner) -> list[Path]:
    """Setups and calibrations on uniform and spatially varying noise."""
    network = _main_network(runner)
    networks = _setups(runner, network)
    for name, word in ESTIMATORS.items():
        for ensemble in ("w/o ensemble", "w/ ensemble"):
            words = [word] if ensemble == "w/ ensemble" else [word, "no-ensemble"]
            networks[f"{name}, {ensemble}"] = _calibrated(runner, network, words)
    return _table(runner, "table-5-1", networks, TABLE_5_1, PLACES | VARYING, CLAIMS_5_1)


@item(PAPER, "table-6-1", "the oracle without ensemble: maps, down-sampling, and each module left out", (DATA,))
def table_6_1(runner: ExperimentRunner) -> list[Path]:
    """Ablation."""
    network, first = _main_network(runner), f"setup 1, {WITH}"
    rows = {name: [] if name == "full" else [name] for name in TABLE_6_1 if name != first}
    networks = {name: _calibrated(runner, network, ["oracle", *word, "no-ensemble"]) for name, word in rows.items()}
    networks[first] = _classifier(runner, network, "clean").behind(_restorer(runner))
    return _table(runner, "table-6-1", networks, TABLE_6_1, PLACES | {"1D": VARYING["1D"]}, CLAIMS_6_1)


def _table(
    runner: ExperimentRunner,
    name: str,
    networks: Mapping[str, TrainedNetwork],
    printed: Mapping[str, Sequence[float]],
    places: Places,
    claims: Sequence[Claim],
) -> list[Path]:
    study = _studied(runner, _main_network(runner), networks, claims, places)
    page = _page(
        f"Table {name.removeprefix('table-').replace('-', '.')}: {ACCURACY}",
        [study],
        [_restoring(runner)],
        [DIRECTIONS[one] for one in VARYING if one in places],
    )
    return Table(list(places), printed, study.measurements).write(runner.out / name, page)


@dataclass(frozen=True)
class Study:
    """What was measured of one network's forms: entries by row and column, its floor, and what was found."""

    network: str
    measurements: Mapping[tuple[str, str], Measurement]
    floor: Floor
    found: pd.DataFrame


def _studied(
    runner: ExperimentRunner,
    network: str,
    networks: Mapping[str, TrainedNetwork],
    claims: Sequence[Claim] = (),
    places: Places = PLACES,
) -> Study:
    """Those networks and the one trained on clean images, whose accuracy there is the floor; all in one run."""
    clean = _classifier(runner, network, "clean")
    measured = {trained.label: trained for trained in (*networks.values(), clean)}
    cells = runner.evaluated(network, list(measured.values()), DATA, chosen_of(places))
    floor = Floor(f"{network} of setup 1, clean", FLOORS[network], cells.accuracy(clean.label))
    return Study(
        network,
        cells.measurements(networks, places),
        floor,
        findings(claims, cells.values(networks, places)),
    )


def _of_clean(runner: ExperimentRunner, network: str) -> Study:
    """The network of setup 1 alone."""
    return _studied(runner, network, {}, places={"clean": PLACES["clean"]})


def _restoring(runner: ExperimentRunner) -> Floor:
    """The restorer on test images under noise of sigma 0.3."""
    trained = _restorer(runner)
    restorer = models.load_restorer(trained.spec, device=runner.device)
    clean = datasets.load(runner.dataset(DATA), limit=min(REMOVED_FROM, runner.budget.limit or REMOVED_FROM))
    images = clean.read(np.arange(len(clean)))
    noisy = corruptions.apply(images, "awgn", level=0.3, ids=clean.ids)
    details = {"model": restorer.label, "weights_sha256": restorer.weights_sha256, "n": len(clean)}
    removed = Measurement(100 * analysis.noise_removed(restorer, images, noisy), details=trained.training | details)
    return Floor("noise of sigma 0.3 that the restorer takes away (l1)", LEAST_REMOVED, removed)


def _page(title: str, studies: Sequence[Study], floors: Sequence[Floor] = (), notes: Sequence[str] = ()) -> Page:
    """With these floors and that of every network, whose findings begin with its name where there are several."""
    found = [
        one.found.assign(claim=f"{one.network}: " + one.found["claim"] if len(studies) > 1 else one.found["claim"])
        for one in studies
    ]
    return Page(
        title, SOURCE, [NOTE, *notes], [*(one.floor for one in studies), *floors], pd.concat(found, ignore_index=True)
    )


def _activations(runner: ExperimentRunner, panel: str, trained: TrainedNetwork) -> Iterator[Point]:
    """The mean input of the last layer over the test images of class 0, a line a level."""
    clean = datasets.load(runner.dataset(DATA), limit=runner.budget.limit)
    chosen = np.flatnonzero(clean.labels == clean.labels.min())
    images, ids = clean.read(chosen), clean.ids[chosen]
    classifier = runner.loaded(trained, clean)
    layer = analysis.last_linear(classifier)
    seen = {}
    for column, (name, key) in PLACES.items():
        degraded = images
        if name != "clean":
            noise = corruptions.get(name)
            degraded = corruptions.apply_strength(images, noise, noise.parse(key), ids=ids)
        seen[column] = analysis.features(classifier, degraded, layer, given=True)
    order = analysis.order_by_change(seen["clean"], seen["0.5"])
    details = trained.details | {"n": len(chosen), "weights_sha256": classifier.weights_sha256}
    for column, given in seen.items():
        for place, value in enumerate(given.mean(axis=0, dtype=np.float64)[order]):
            yield Point(panel, f"sigma {_sigma(column):g}", place, Measurement(float(value), details=details))


def _sigma(column: str) -> float:
    return 0.0 if column == "clean" else float(column)


def _setups(runner: ExperimentRunner, network: str) -> dict[str, TrainedNetwork]:
    """Every setup without and with the restorer in front."""
    restorer, networks = _restorer(runner), {}
    for setup, kind in SETUPS.items():
        trained = _classifier(runner, network, kind)
        networks[f"{setup}, {WITHOUT}"] = trained
        networks[f"{setup}, {WITH}"] = trained.behind(restorer)
    return networks


def _main_network(runner: ExperimentRunner) -> str:
    return "resnet50" if runner.in_full else "resnet20"


def _networks(runner: ExperimentRunner, *, every: bool = False) -> tuple[str, ...]:
    """The report's four; of the small budget only the main one, or with `every` the other three for 32 pixels too."""
    main = _main_network(runner)
    others = ("alexnet", "vgg16", "googlenet")
    if runner.in_full:
        return (*others, main)
    if not every:
        return (main,)
    return (*(f"{other}_32" for other in others[: 1 if runner.budget.name == "smoke" else 3]), main)


def _classifier(runner: ExperimentRunner, network: str, kind: str) -> TrainedNetwork:
    """Trained on clean, degraded or restored images."""
    options: dict[str, Any] = {"init": "IMAGENET1K_V1"} if runner.in_full else {}
    front = f"{_restorer(runner).spec}+" if kind == "restored" else ""
    recipe = "fidelity-clean" if kind == "clean" else "fidelity-degraded"
    return runner.trained(f"{network}-{kind}", recipe, network, DATA, small=SMALL, front=front, **options)


def _restorer(runner: ExperimentRunner) -> TrainedNetwork:
    return runner.trained("restorer", "fidelity-restorer", RESTORER, DATA, small=SMALL_RESTORER)


def _calibrated(runner: ExperimentRunner, network: str, words: Sequence[str]) -> TrainedNetwork:
    """The frozen classifier of setup 1, calibrated; the estimator starts from one that was trained by itself."""
    restorer, classifier = _restorer(runner), _classifier(runner, network, "clean")
    options: dict[str, Any] = {"parts": classifier.behind(restorer).spec}
    if "oracle" not in words:
        recipe = "fidelity-estimator-l1"
        options["estimator"] = runner.trained("estimator-l1", recipe, restorer.spec, DATA, small=SMALL_RESTORER).path
    name, model = "-".join((network, "calibrated", *words)), ",".join((f"fidelity:{network}", *words))
    small = SMALL_CALIBRATION | (CLIPPED if "end-to-end" in words else {})
    return runner.trained(name, "fidelity-calibration", model, DATA, small=small, **options)
