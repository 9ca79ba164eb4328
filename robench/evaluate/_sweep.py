"""The sweep: each batch is degraded once, ahead of the forward passes, and scored by every model that needs it."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from robench import tables
from robench.datasets import Dataset, GeneratedSet, stored
from robench.errors import DatasetError, RunError
from robench.evaluate._making import Batch, Images, batches
from robench.evaluate._plan import Asked, Unit, manifest, merged, plan
from robench.evaluate._precision import exact_float32
from robench.evaluate._scoring import Forward, Scorer, error_line
from robench.files import reason, whole_file, write_text
from robench.models import Classifier
from robench.progress import tracked
from robench.store import Cell, Run, Workplace

EXAMPLES = 6
Pairs = Sequence[tuple[Classifier, Cell]]


@dataclass
class Outcome:
    """What a sweep came to: both tables, and how many cells it computed, found and failed."""

    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    metrics: pd.DataFrame = field(default_factory=pd.DataFrame)
    computed: int = 0
    found: int = 0
    failed: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """The counts and both tables, as JSON values."""
        counts = {"computed": self.computed, "found": self.found, "failed": self.failed}
        both = {"cells": self.cells, "metrics": self.metrics}
        return counts | {name: json.loads(frame.to_json(orient="records")) for name, frame in both.items()}

    def text(self) -> str:
        """The summary table, and how much of it is new."""
        done = f"{self.computed} cells computed, {self.found} found, {len(self.failed)} failed"
        return f"{tables.summary(self.cells, self.metrics)}\n\n{done}"


@dataclass(frozen=True)
class Way:
    """How a sweep is done, which changes nothing in what it finds.

    batch_size: images that go through a network at once. workers: threads that make images, None for one on a CPU and
    up to eight for a GPU. shard: (i, n), of all units only the i-th of every n, i from 1.
    """

    batch_size: int = 256
    workers: int | None = None
    shard: tuple[int, int] | None = None


def evaluate(
    dataset: Dataset | GeneratedSet,
    classifiers: Sequence[Classifier],
    asked: Asked,
    folder: Path,
    way: Way | None = None,
    *,
    progress: bool = False,
) -> Outcome:
    """Sweep `classifiers` over `dataset` into the run `folder`; cells that are there are not computed again.

    A data set is degraded on the fly; of a generated set the stored images are read, which gives the same predictions.
    A cell that fails is recorded with its error and does not stop the sweep. Processes with other shards may fill the
    folder at the same time. Raises RunError where the folder holds another run or cannot be written.
    """
    run, way = Run(folder), way or Way()
    part = None if way.shard is None else "{}-of-{}".format(*way.shard)
    try:
        with run.workplace(part) as place, exact_float32():
            return _sweep(run, place, dataset, classifiers, asked, way, progress)
    except OSError as fault:
        raise RunError(f"{fault.filename or folder}: cannot be written: {reason(fault)}") from fault


def _sweep(
    run: Run,
    place: Workplace,
    dataset: Dataset | GeneratedSet,
    classifiers: Sequence[Classifier],
    asked: Asked,
    way: Way,
    progress: bool,
) -> Outcome:
    clean = stored(_clean(dataset), place.folder / "clean.npy", progress=progress)
    _refuse_damaged(dataset, clean)
    planned = plan(asked, clean, classifiers)
    with place.together():
        run.write_manifest(merged(run, manifest(asked, clean, planned)))
    mine = list(planned)[way.shard[0] - 1 :: way.shard[1]] if way.shard else list(planned)
    missing = {unit: [pair for pair in planned[unit] if not run.is_done(pair[1])] for unit in mine}
    todo = {unit: pairs for unit, pairs in missing.items() if pairs}
    outcome = Outcome(found=sum(len(planned[unit]) for unit in mine) - sum(map(len, todo.values())))
    shown = _shown(run.cells())
    passes = {one.label: Forward(one, asked.precision) for one in classifiers}
    images = sum(len(clean) * len(pairs) for pairs in todo.values())
    made = batches(
        dataset, clean, todo, asked, way.batch_size, workers=_workers(way, classifiers), pinned=_pinned(classifiers)
    )
    with closing(made), tracked(images, "evaluate", show=progress and bool(todo)) as advance:
        for unit, its in groupby(made, key=lambda item: item[0].unit):
            work = Work(run, place, clean, unit, todo[unit], passes, advance)
            examples = run.folder / "examples" if (unit.corruption, str(unit.strength), unit.seed) in shown else None
            _unit(work, (future for _, future in its), examples, outcome)
    with place.together():
        outcome.cells, outcome.metrics = tables.write(run)
    return outcome


def _pinned(classifiers: Sequence[Classifier]) -> bool:
    return any(one.device.type == "cuda" for one in classifiers)


def _workers(way: Way, classifiers: Sequence[Classifier]) -> int:
    """Threads that make images: as asked, else one beside a network on the CPU, and more beside a GPU."""
    if way.workers is not None:
        return way.workers
    return min(8, os.cpu_count() or 1) if _pinned(classifiers) else 1


def _refuse_damaged(dataset: Dataset | GeneratedSet, clean: Dataset) -> None:
    """The clean images of a generated set must be those of its manifest."""
    if isinstance(dataset, GeneratedSet) and dataset.manifest.get("data_digest", clean.digest) != clean.digest:
        raise DatasetError(f"{dataset.path}: its clean images are not those of its manifest; see robench verify")


def _shown(cells: Iterable[Cell]) -> set[tuple[str, str, int]]:
    """Of every corruption and strength of the run the lowest seed: examples are of this one."""
    lowest: dict[tuple[str, str], int] = {}
    for cell in cells:
        place = (cell.corruption, cell.strength)
        lowest[place] = min(cell.seed, lowest.get(place, cell.seed))
    return {(*place, seed) for place, seed in lowest.items()}


def _clean(dataset: Dataset | GeneratedSet) -> Dataset:
    return dataset.clean() if isinstance(dataset, GeneratedSet) else dataset


@dataclass(frozen=True)
class Work:
    """A unit of work and all it takes."""

    run: Run
    place: Workplace
    clean: Dataset
    unit: Unit
    pairs: Pairs
    passes: Mapping[str, Forward]
    advance: Callable[[int, str], None]


def _unit(work: Work, made: Iterable[Future[Batch]], examples_folder: Path | None, outcome: Outcome) -> None:
    run, clean = work.run, work.clean
    scorers = [Scorer(work.passes[cell.model], clean) for _, cell in work.pairs]
    seconds = {"degrade": 0.0, "forward": 0.0}
    shown = np.linspace(0, len(clean) - 1, min(EXAMPLES, len(clean))).astype(np.int64)
    examples: list[Images] = []
    try:
        for future in made:
            start, images, took = future.result()
            began = time.perf_counter()
            for scorer in scorers:
                scorer.score(start, images)
                work.advance(len(images), str(work.unit))
            seconds["degrade"] += took
            seconds["forward"] += time.perf_counter() - began
            examples += [images[at - start].numpy() for at in shown if start <= at < start + len(images)]
    except Exception as fault:  # models keep their own; this one is of the data or of the corruption
        for _, cell in work.pairs:
            _failed(run, cell, error_line(fault), outcome)
        return
    if examples_folder is not None:  # before the cells: a unit whose cells are there is not visited again
        _write_examples(examples_folder, work.unit, examples)
    for scorer, (_, cell) in zip(scorers, work.pairs, strict=True):
        if scorer.error:
            _failed(run, cell, scorer.error, outcome)
        else:
            run.write(cell, scorer.predictions())
            outcome.computed += 1
    with work.place.together():
        _add_timing(run.folder / "timings.csv", work.unit, len(clean), len(work.pairs), seconds)


def _failed(run: Run, cell: Cell, error: str, outcome: Outcome) -> None:
    run.write_error(cell, error)
    outcome.failed.append(f"{cell.model}, {cell.corruption} {cell.strength}: {error}")


def _write_examples(folder: Path, unit: Unit, examples: list[Images]) -> None:
    """The unit's example images side by side in one PNG."""
    from PIL import Image

    strip = np.concatenate(examples, axis=1)
    path = folder / unit.corruption / f"{unit.strength}.png"
    with whole_file(path) as partial:
        Image.fromarray(strip[..., 0] if strip.shape[-1] == 1 else strip).save(partial, format="PNG")


def _add_timing(path: Path, unit: Unit, n: int, models: int, seconds: Mapping[str, Any]) -> None:
    """One more row of timings.csv, which is rewritten whole."""
    text = path.read_text() if path.exists() else "unit,seed,images,models,degrade_seconds,forward_seconds\n"
    line = io.StringIO()
    row = (str(unit), unit.seed, n, models, f"{seconds['degrade']:.4f}", f"{seconds['forward']:.4f}")
    csv.writer(line, lineterminator="\n").writerow(row)
    write_text(path, text + line.getvalue())
