"""What a sweep has to do: units of work, the cells that each yields, and the manifest that says so."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import corruptions
import robench
from corruptions import CLEAN, Strength
from robench.datasets import Dataset
from robench.errors import RunError, UsageError
from robench.models import Classifier
from robench.store import SCHEMA, Cell, Run

_FOREIGN: dict[str, Any] = {"version": 0, "group": "", "level_name": "", "level": None, "native": 0}
"""The facts of clean images, and of those that were degraded elsewhere."""

LIBRARIES = ("numpy", "numba", "opencv-python-headless", "pillow", "torch", "torchvision")
KEPT = ("schema", "dataset", "precision", "native")


@dataclass(frozen=True)
class Unit:
    """One corruption at one strength with one seed: what is degraded once and scored by every model."""

    corruption: str
    strength: Strength
    seed: int

    def __str__(self) -> str:
        return "clean" if self.strength.is_clean else f"{self.corruption} {self.strength}"


@dataclass(frozen=True)
class Asked:
    """The sweep: for each corruption its strengths, the seeds, and the names under which they were asked for.

    `made_elsewhere`: the images come from a set that robench did not write, so no version of ours stands for them.
    """

    cells: Mapping[str, Sequence[Strength]]
    seeds: tuple[int, ...] = (0,)
    suite: str = ""
    native: int | None = None
    precision: str = "fp32"
    made_elsewhere: bool = False

    def units(self) -> Iterator[Unit]:
        """The clean images, then every corruption; one that does not draw runs once, with the first seed."""
        yield Unit("clean", CLEAN, self.seeds[0])
        for name, strengths in self.cells.items():
            for strength in strengths:
                if not strength.is_clean:
                    draws = not self.made_elsewhere and corruptions.get(name).stochastic
                    seeds = self.seeds if draws else self.seeds[:1]
                    yield from (Unit(name, strength, seed) for seed in seeds)


def plan(
    asked: Asked, dataset: Dataset, classifiers: Sequence[Classifier]
) -> dict[Unit, list[tuple[Classifier, Cell]]]:
    """Every unit with the cell of each model."""
    labels = [classifier.label for classifier in classifiers]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(f"two models are called '{label}'; rename one checkpoint file")
    return {
        unit: [(classifier, _cell(asked, dataset, classifier, unit)) for classifier in classifiers]
        for unit in dict.fromkeys(asked.units())
    }


def _cell(asked: Asked, dataset: Dataset, classifier: Classifier, unit: Unit) -> Cell:
    facts = _FOREIGN
    if not unit.strength.is_clean and not asked.made_elsewhere:
        facts = _corruption_facts(unit, dataset, asked.native)
    return Cell(
        model=classifier.label,
        weights_sha256=classifier.weights_sha256,
        dataset=dataset.name,
        split=dataset.split,
        view=dataset.view,
        data_digest=dataset.digest,
        suite=asked.suite,
        corruption=unit.corruption,
        corruption_version=facts["version"],
        group=facts["group"],
        severity=unit.strength.severity,
        strength=str(unit.strength),
        level_name=facts["level_name"],
        level=facts["level"],
        seed=unit.seed,
        native=facts["native"],
        n=len(dataset),
        fit=classifier.fit,
        normalize=classifier.normalize,
        precision=asked.precision,
    )


def _corruption_facts(unit: Unit, dataset: Dataset, native: int | None) -> dict[str, Any]:
    chosen = corruptions.get(unit.corruption)
    side = chosen.native_side(*dataset.shape[:2], native)
    value = None if unit.strength.drawn else chosen.parameters(unit.strength, side)
    return {
        "version": chosen.version,
        "group": chosen.group,
        "level_name": chosen.level.name if chosen.level else "",
        "level": float(value) if isinstance(value, (int, float)) and chosen.level else None,
        "native": side,
    }


def manifest(
    asked: Asked, dataset: Dataset, planned: Mapping[Unit, Sequence[tuple[Classifier, Cell]]]
) -> dict[str, Any]:
    """What was asked and with what: no times, no paths, so that equal runs have equal manifests."""
    classifiers = {classifier.label: classifier for pairs in planned.values() for classifier, _ in pairs}
    return {
        "schema": SCHEMA,
        "dataset": {
            "name": dataset.name,
            "split": dataset.split,
            "view": dataset.view,
            "digest": dataset.digest,
            "n": len(dataset),
            "shape": list(dataset.shape),
            "classes": list(dataset.classes),
        },
        "precision": asked.precision,
        "native": asked.native,
        "models": [_model_facts(classifier) for classifier in classifiers.values()],
        "corruptions": {} if asked.made_elsewhere else {name: corruptions.get(name).facts() for name in asked.cells},
        "cells": [asdict(cell) for pairs in planned.values() for _, cell in pairs],
        "environment": environment(),
    }


def _model_facts(classifier: Classifier) -> dict[str, Any]:
    card = classifier.card
    return {
        "label": classifier.label,
        "name": card.name,
        "source": card.source,
        "side": card.side,
        "channels": card.channels,
        "parameters": sum(weight.numel() for weight in classifier.module.parameters()),
        "weights_sha256": classifier.weights_sha256,
        "fit": classifier.fit,
        "normalize": classifier.normalize,
        "training": dict(classifier.training),
    }


def environment() -> dict[str, str]:
    """Versions that predictions may depend on."""
    versions = {name: version(name) for name in LIBRARIES}
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, "machine": platform.machine(), "robench": robench.__version__} | versions


def merged(run: Run, wanted: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a run that is to hold `wanted` besides what it holds; RunError where they cannot be one run."""
    if not run.manifest_path.exists():
        return wanted
    held = run.manifest()
    for key in KEPT:
        if held.get(key) != wanted[key]:
            raise RunError(
                f"{run.folder} holds a run with {_difference(key, held.get(key), wanted[key])}; choose another folder"
            )
    models = {model["label"]: model for model in held["models"]}
    for model in wanted["models"]:
        there = models.setdefault(model["label"], model)
        if there["weights_sha256"] != model["weights_sha256"]:
            raise RunError(f"{run.folder} holds other weights of '{model['label']}'; rename the checkpoint file")
        models[model["label"]] = model
    cells = {tuple(cell.items()): cell for cell in [*held["cells"], *wanted["cells"]]}
    return wanted | {
        "models": list(models.values()),
        "corruptions": held["corruptions"] | wanted["corruptions"],
        "cells": list(cells.values()),
    }


def _difference(key: str, held: Any, wanted: Any) -> str:
    if isinstance(held, dict) and isinstance(wanted, dict):
        name = next(name for name in wanted if held.get(name) != wanted[name])
        return _difference(f"{key} {name}", held.get(name), wanted[name])
    return f"{key} {str(held)[:40]}, asked for {str(wanted)[:40]}"
