"""What a sweep has to do: units of work, the cells that each yields, and the manifest that says so."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import Any

import corruptions
import robench
from corruptions import CLEAN, Strength, Textures
from robench.datasets import Dataset, published_facts
from robench.errors import ConfigError, DatasetError, ModelError, RunError
from robench.models import Classifier
from robench.store import SCHEMA, Cell, Run, joined_versions, unlike

_FOREIGN: dict[str, Any] = {"version": 0, "group": "", "level_name": "", "level": None, "native": 0}
"""The facts of clean images, and of those that were degraded elsewhere."""

LIBRARIES = ("numpy", "numba", "opencv-python-headless", "pillow", "torch", "torchvision")
KEPT = ("dataset", "precision", "native", "textures", "stateful")
YOUNGER = ("ids_sha256", "class_order")
"""Facts of a data set that runs of the first weeks do not have."""
NOTED = ("left_out",)
"""Facts of a data set on which no number rests."""

NO_SEED = 0


@dataclass(frozen=True)
class Condition:
    """One corruption at one strength with one seed: what is degraded once and scored by every model."""

    corruption: str
    strength: Strength
    seed: int

    def __str__(self) -> str:
        return "clean" if self.strength.is_clean else f"{self.corruption} {self.strength}"


@dataclass(frozen=True)
class SweepPlan:
    """The cells of a sweep, resolved: for each corruption its strengths, and the seeds.

    `suites`: of each suite that was asked for, its part of the cells; without any they belong to none.
    `versions`: those of the corruptions in a generated set; of the others the installed version is meant.
    `textures`: pictures for frost, with their digest, which is empty for robench's own.
    `files_sha256`: by corruption, for a set that robench did not write, so that no version of ours stands for it.
    `published`: of such a set, which of these files are the published ones; see `datasets.published_facts`.
    """

    cells: Mapping[str, Sequence[Strength]]
    seeds: tuple[int, ...] = (0,)
    suites: Mapping[str, Mapping[str, Sequence[Strength]]] = field(default_factory=dict)
    severity_table: int | None = None
    precision: str = "fp32"
    files_sha256: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    textures: Textures | None = field(default=None, repr=False)
    textures_digest: str = ""

    @property
    def made_elsewhere(self) -> bool:
        """Whether the images come from a set that robench did not write."""
        return bool(self.files_sha256)

    def conditions(self) -> Iterator[Condition]:
        """The clean images, then every corruption with every seed; what does not draw has seed 0 and runs once."""
        yield Condition("clean", CLEAN, NO_SEED)
        for name, strengths in self.cells.items():
            for strength in strengths:
                if not strength.is_clean:
                    seeds = self.seeds if self._draws(name, strength) else (NO_SEED,)
                    yield from (Condition(name, strength, seed) for seed in seeds)

    def _draws(self, name: str, strength: Strength) -> bool:
        return not self.made_elsewhere and (corruptions.get(name).stochastic or strength.is_drawn)

    def suites_of(self, condition: Condition) -> tuple[str, ...]:
        """The suites that have the unit, or the empty name; the clean images are in each."""
        there = (name for name, cells in self.suites.items() if _has(cells, condition))
        return tuple(there) or ("",)

    def version(self, name: str) -> int:
        """The version of a corruption that made the images."""
        return self.versions.get(name, corruptions.get(name).version)


def _has(cells: Mapping[str, Sequence[Strength]], condition: Condition) -> bool:
    return condition.strength.is_clean or condition.strength in cells.get(condition.corruption, ())


Planned = Mapping[Condition, Sequence[tuple[Classifier, Cell]]]
"""Units with the cell of each model."""


def planned_cells(
    sweep: SweepPlan, dataset: Dataset, classifiers: Sequence[Classifier]
) -> dict[Condition, list[tuple[Classifier, Cell]]]:
    """Every unit with the cell of each model, in the first of the suites that have the unit.

    dataset: the clean images; where it has none, there is no clean unit.
    """
    labels = [classifier.label for classifier in classifiers]
    for label in labels:
        if labels.count(label) > 1:
            raise ConfigError(f"two models are called '{label}'; name one, as in LABEL::MODEL")
    if len(dataset.classes) < 2:
        raise DatasetError(
            f"data set {dataset.name}: expected at least 2 classes, got {len(dataset.classes)}: "
            f"{', '.join(dataset.classes)}; every model would be right"
        )
    for classifier in classifiers:
        if classifier.classes != len(dataset.classes):
            raise ModelError(
                f"{classifier.label}: expected {len(dataset.classes)} classes as {dataset.name} has, "
                f"got {classifier.classes}"
            )
    return {
        condition: [(classifier, _cell(sweep, dataset, classifier, condition)) for classifier in classifiers]
        for condition in dict.fromkeys(sweep.conditions())
        if dataset.has_images or not condition.strength.is_clean
    }


def _cell(sweep: SweepPlan, dataset: Dataset, classifier: Classifier, condition: Condition) -> Cell:
    facts = _FOREIGN
    if not condition.strength.is_clean and not sweep.made_elsewhere:
        facts = _corruption_facts(sweep, condition, dataset)
    return Cell(
        model=classifier.label,
        weights_sha256=classifier.weights_sha256,
        dataset=dataset.name,
        split=dataset.split,
        view=dataset.view,
        data_digest=dataset.digest,
        suite=sweep.suites_of(condition)[0],
        corruption=condition.corruption,
        corruption_version=facts["version"],
        group=facts["group"],
        severity=condition.strength.severity,
        strength=str(condition.strength),
        level_name=facts["level_name"],
        level=facts["level"],
        seed=condition.seed,
        native=facts["native"],
        n=len(dataset),
        fit=classifier.resize_policy,
        normalize=classifier.normalize,
        precision=sweep.precision,
    )


def _corruption_facts(sweep: SweepPlan, condition: Condition, dataset: Dataset) -> dict[str, Any]:
    chosen = corruptions.get(condition.corruption)
    side = chosen.table_for(*dataset.shape[:2], sweep.severity_table)
    single = not (condition.strength.is_drawn or condition.strength.parts or isinstance(chosen, corruptions.Chain))
    value = chosen.parameters(condition.strength, side) if single else None
    return {
        "version": sweep.version(condition.corruption),
        "group": chosen.group,
        "level_name": chosen.level.name if chosen.level else "",
        "level": float(value) if isinstance(value, (int, float)) and chosen.level else None,
        "native": side,
    }


def manifest(
    sweep: SweepPlan,
    dataset: Dataset,
    planned: Planned,
    *,
    stateful: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What was asked and with what: no times, no paths, so that equal runs have equal manifests.

    stateful: of a sweep whose numbers depend on them, the batch size and the order of the models.
    """
    classifiers = {classifier.label: classifier for pairs in planned.values() for classifier, _ in pairs}
    return {
        "schema": SCHEMA,
        "dataset": {
            "name": dataset.name,
            "split": dataset.split,
            "view": dataset.view,
            "n": len(dataset),
            "shape": list(dataset.shape),
            "classes": list(dataset.classes),
            "digest": dataset.digest,
            "ids_sha256": dataset.ids_sha256,
            "class_order": dataset.class_order,
            "left_out": dict(dataset.left_out),
        },
        "precision": sweep.precision,
        "stateful": stateful,
        "unfingerprinted": 0,
        "native": sweep.severity_table,
        "textures": sweep.textures_digest,
        "files_sha256": dict(sweep.files_sha256),
        "published": dict(sweep.published),
        "models": [model_facts(classifier) for classifier in classifiers.values()],
        "corruptions": {} if sweep.made_elsewhere else {name: _facts(sweep, name) for name in sweep.cells},
        "cells": [
            asdict(replace(cell, suite=suite))
            for suite in (*sweep.suites, "")
            for condition, pairs in planned.items()
            if suite in sweep.suites_of(condition)
            for _, cell in pairs
        ],
        "environment": environment(),
    }


def model_facts(classifier: Classifier) -> dict[str, Any]:
    """What a manifest records of a model."""
    return classifier.to_dict() | ({"about": dict(classifier.about)} if classifier.about else {})


def _facts(sweep: SweepPlan, name: str) -> dict[str, Any]:
    return corruptions.get(name).to_dict() | {"version": sweep.version(name)}


def environment() -> dict[str, str]:
    """Versions that predictions may depend on."""
    versions = {name: version(name) for name in LIBRARIES}
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, "machine": platform.machine(), "robench": robench.__version__} | versions


def merged(run: Run, wanted: dict[str, Any], *, computing: bool) -> dict[str, Any]:
    """The manifest of a run that is to hold `wanted` besides what it holds; RunError where they cannot be one run.

    computing: whether cells are to come, so that the versions of today are among those that the run rests on.
    """
    if not run.manifest_path.exists():
        return wanted
    held = run.manifest()
    for key in KEPT:
        _agree(run, key, held.get(key), wanted[key])
    for name in held["corruptions"].keys() & wanted["corruptions"].keys():
        versions = (one["corruptions"][name].get("version") for one in (held, wanted))
        _agree(run, f"{name} of version", *versions)
    held_files = held.get("files_sha256", {})
    for name in held_files.keys() & wanted["files_sha256"].keys():
        _agree(run, f"{name} with files of sha256", held_files[name], wanted["files_sha256"][name])
    models = {model["label"]: model for model in held["models"]}
    for model in wanted["models"]:
        there = models.setdefault(model["label"], model)
        for key, (was, now) in unlike(there, model).items():
            _agree(run, f"'{model['label']}' of {key}", was, now, "choose another folder or name")
        models[model["label"]] = there | {key: model[key] for key in ("code_sha256", "file_sha256")}
    return wanted | {
        "configs": _each_once([*held.get("configs", []), *wanted["configs"]]),
        "models": list(models.values()),
        "unfingerprinted": held["unfingerprinted"] if "unfingerprinted" in held else _unfingerprinted(run),
        "corruptions": held["corruptions"] | wanted["corruptions"],
        "files_sha256": held_files | wanted["files_sha256"],
        "published": _joined_published(held.get("published", {}), wanted["published"]),
        "environment": joined_versions(held["environment"], wanted["environment"])
        if computing
        else held["environment"],
        "cells": [asdict(cell) for cell in _joined([Cell(**cell) for cell in wanted["cells"]], run.cells())],
    }


def _each_once(configs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [config for number, config in enumerate(configs) if config not in configs[:number]]


def _unfingerprinted(run: Run) -> int:
    """How many cells of a run have predictions and no fingerprint of their network."""
    records = [run.record(cell) for cell in {cell.key: cell for cell in run.cells()}.values()]
    return sum(one is not None and not one["error"] and one["fingerprint"] is None for one in records)


def _joined_published(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Of the corruptions of both; their files are of one set, for the images are the same."""
    both = [one for one in (held, wanted) if one]
    return published_facts(both[0]["set"], {k: v for one in both for k, v in one["arrays"].items()}) if both else {}


def _joined(wanted: list[Cell], held: list[Cell]) -> list[Cell]:
    """Each cell once for every suite that asked for it; one that no suite asked for goes into a suite that does."""
    cells = [*held, *wanted]
    of_a_suite = {cell.key for cell in cells if cell.suite}
    return list({(cell.key, cell.suite): cell for cell in cells if cell.suite or cell.key not in of_a_suite}.values())


def _agree(run: Run, key: str, held: Any, wanted: Any, advice: str = "choose another folder") -> None:
    if isinstance(held, dict) and isinstance(wanted, dict):
        for name in (one for one in wanted if one not in NOTED):
            if name in held or name not in YOUNGER:
                _agree(run, f"{key} {name}", held.get(name), wanted[name], advice)
    elif held != wanted:
        raise RunError(f"{run.folder} holds a run with {key} {str(held)[:40]}, asked for {str(wanted)[:40]}; {advice}")
