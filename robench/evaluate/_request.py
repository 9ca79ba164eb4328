"""A sweep as a user asks for it, in names, and what the names stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import corruptions
from corruptions import Strength
from robench import datasets, models
from robench.datasets import Dataset, GeneratedSet
from robench.errors import UsageError
from robench.evaluate._bench import clean_of
from robench.evaluate._plan import Asked
from robench.evaluate._precision import compiled
from robench.evaluate._shared import with_shared_parts
from robench.models import Classifier
from robench.precision import precision_text
from robench.selection import Cells, check_geometry, select


@dataclass(frozen=True)
class Request:
    """The options of `robench evaluate`, as texts and numbers."""

    models: tuple[str, ...]
    dataset: str
    folder: Path
    suites: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    severity: str | None = None
    level: str | None = None
    native: int | None = None
    frost_dir: Path | None = None
    view: str | None = None
    limit: int | None = None
    ids: Path | None = None
    dataset_name: str | None = None
    normalize: str | None = None
    seeds: str = "0"
    device: str = "auto"
    batch_size: int = 256
    workers: int | None = None
    shard: str | None = None
    engine: str = "local"
    precision: str = "fp32"
    compiled: bool = False
    random_weights: bool = False
    label_map: Path | None = None
    baseline: str = ""
    tracker: str | None = None
    clean: str | None = None


class Opened(NamedTuple):
    """What a request names, loaded; copies: the classifiers on each device but the first."""

    data: Dataset | GeneratedSet
    classifiers: list[Classifier]
    asked: Asked
    copies: list[list[Classifier]]


def opened(request: Request) -> Opened:
    """Load the data and the models. Whatever does not fit raises RobenchError or CorruptionError."""
    cells = select(request.suites, request.chosen, request.severity, request.level)
    seeds = _seeds(request.seeds)
    precision = precision_text(request.precision, request.compiled)
    data: Dataset | GeneratedSet
    if request.dataset.startswith("generated:"):
        data = _open(request)
        asked = replace(_asked_of(data, request, cells, seeds), precision=precision)
    else:
        if request.clean is not None:
            raise UsageError(f"--clean is for a generated set; got it with '{request.dataset}'")
        data = datasets.load(
            request.dataset, view=request.view, limit=request.limit, ids=request.ids, name=request.dataset_name
        )
        check_geometry(request.suites, data.name, data.view, data.shape)
        pictures = None if request.frost_dir is None else datasets.textures(request.frost_dir)
        digest = datasets.textures_digest(pictures)
        asked = Asked(
            cells,
            seeds,
            _suites(request),
            request.native,
            precision,
            textures=pictures,
            textures_digest=digest,
        )
        if not cells:
            raise UsageError("expected a suite (-s) or a corruption (-c), got neither")
    clean = clean_of(data)
    first, *others = (_classifiers(request, clean, device) for device in request.device.split(","))
    for classifier in first:
        if classifier.needs_clean and not clean.has_images:
            raise UsageError(f"model '{classifier.label}' needs the clean images of {request.dataset}: --clean DATASET")
    return Opened(data, first, asked, others)


def shard(text: str | None) -> tuple[int, int] | None:
    """`2/8` as (2, 8)."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard must be i/n with i from 1 to n, such as 1/4, got '{text}'")
    return int(found[1]), int(found[2])


def _suites(request: Request) -> dict[str, Cells]:
    return {name: select([name]) for name in request.suites}


def _seeds(text: str) -> tuple[int, ...]:
    try:
        seeds = tuple(dict.fromkeys(corruptions.read_whole(part) for part in text.split(",")))
    except ValueError:
        raise UsageError(f"--seed must be whole numbers such as 0 or 0,1,2, got '{text}'") from None
    return seeds


def _classifiers(request: Request, clean: Dataset, device: str) -> list[Classifier]:
    loaded = (
        models.load(
            spec,
            classes=len(clean.classes),
            side=clean.shape[:2],
            normalize=request.normalize,
            random_weights=request.random_weights,
            device=device,
            class_names=clean.classes,
            label_map=request.label_map,
        )
        for spec in request.models
    )
    return with_shared_parts([_as_asked(request, one) for one in loaded])


def _as_asked(request: Request, classifier: Classifier) -> Classifier:
    """Compiled where that is asked; what torch does not compute takes neither that nor a precision."""
    if not classifier.is_of_torch and (request.compiled or request.precision != "fp32"):
        asked = "--compile" if request.compiled else f"--precision {request.precision}"
        raise UsageError(f"model '{classifier.label}': an ONNX file is computed as it stands, got {asked}")
    return replace(classifier, module=compiled(classifier.module)) if request.compiled else classifier


def _open(request: Request) -> GeneratedSet:
    """The generated set; a downloaded one gets its clean images from --clean, in its view."""
    folder = Path(request.dataset.partition(":")[2])
    if request.clean is None:
        if request.view is not None:
            raise UsageError(f"a generated set has its view; got --view {request.view}")
        return datasets.open_generated(folder, name=request.dataset_name, limit=request.limit, ids=request.ids)
    clean = datasets.load(request.clean, view=request.view, limit=request.limit, ids=request.ids)
    return datasets.open_generated(folder, clean=clean, name=request.dataset_name)


def _published_strength(key: str) -> Strength:
    """The strength of a downloaded set's cell, `3` or `3@jpeg85`, of a corruption that need not be known here."""
    severity, _, stored = key.partition("@")
    return Strength(severity=int(severity), stored=stored)


def _asked_of(opened: GeneratedSet, request: Request, cells: Cells, seeds: tuple[int, ...]) -> Asked:
    """The cells asked of a set, or all it has; one that it lacks, or another seed, is a UsageError."""
    there: Cells = {}
    downloaded = not opened.manifest
    for name, _, key in opened.cells:
        strength = _published_strength(key) if downloaded else corruptions.get(name).parse(key)
        there.setdefault(name, []).append(strength)
    for name, strengths in cells.items():
        for strength in strengths:
            if strength not in there.get(name, []):
                known = f"{name} {', '.join(map(str, there[name]))}" if name in there else ", ".join(there)
                raise UsageError(f"{opened.path} holds no {name} {strength}; it has {known}")
    if request.frost_dir is not None:
        raise UsageError("a generated set has its frost; got --frost-dir")
    if request.native not in (None, opened.native):
        raise UsageError(f"{opened.path} was made with native {opened.native}, asked for {request.native}")
    seed = opened.seed or 0
    if seeds not in ((0,), (seed,)):
        raise UsageError(f"{opened.path} was made with seed {seed}, asked for {request.seeds}")
    versions = {name: version for name, version, _ in opened.cells if version is not None}
    names = [*(cells or there)] if downloaded else []
    return Asked(
        cells or there,
        (seed,),
        _suites(request),
        opened.native,
        files_sha256={name: opened.files_sha256(name) for name in names},
        published=datasets.published_facts(opened.published_set, {name: opened.published(name) for name in names}),
        versions=versions,
        textures_digest=str(opened.manifest.get("textures", "")),
    )
