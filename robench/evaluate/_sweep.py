"""The sweep: each batch is degraded once, ahead of the forward passes, and scored by every model that needs it."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

import corruptions
from robench import tables
from robench.datasets import Dataset, GeneratedSet, stored
from robench.errors import DatasetError, RunError
from robench.evaluate._plan import Asked, Unit, manifest, merged, plan
from robench.evaluate._scoring import Scorer, error_line
from robench.files import reason, whole_file, write_text
from robench.models import Classifier
from robench.progress import tracked
from robench.store import Cell, Run

EXAMPLES = 6
Images = NDArray[np.uint8]
Item = TypeVar("Item")
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


def evaluate(
    dataset: Dataset | GeneratedSet,
    classifiers: Sequence[Classifier],
    asked: Asked,
    folder: Path,
    *,
    batch_size: int = 256,
    progress: bool = False,
) -> Outcome:
    """Sweep `classifiers` over `dataset` into the run `folder`; cells that are there are not computed again.

    A data set is degraded on the fly; of a generated set the stored images are read, which gives the same predictions.
    A cell that fails is recorded with its error and does not stop the sweep. Raises RunError where the folder holds
    another run or cannot be written.
    """
    run = Run(folder)
    try:
        with run.alone() as work:
            return _sweep(run, work, dataset, classifiers, asked, batch_size, progress)
    except OSError as fault:
        raise RunError(f"{fault.filename or folder}: cannot be written: {reason(fault)}") from fault


def _sweep(
    run: Run,
    work: Path,
    dataset: Dataset | GeneratedSet,
    classifiers: Sequence[Classifier],
    asked: Asked,
    batch_size: int,
    progress: bool,
) -> Outcome:
    clean = stored(_clean(dataset), work / "clean.npy", progress=progress)
    _refuse_damaged(dataset, clean)
    planned = plan(asked, clean, classifiers)
    run.write_manifest(merged(run, manifest(asked, clean, planned)))
    missing = {unit: [pair for pair in pairs if not run.is_done(pair[1])] for unit, pairs in planned.items()}
    todo = {unit: pairs for unit, pairs in missing.items() if pairs}
    outcome = Outcome(found=sum(map(len, planned.values())) - sum(map(len, todo.values())))
    shown = _shown(run.cells())
    images = sum(len(clean) * len(pairs) for pairs in todo.values())
    with tracked(images, "evaluate", show=progress and bool(todo)) as advance, ThreadPoolExecutor(1) as ahead:
        begun = ((unit, _batches(dataset, clean, unit, asked, batch_size, ahead)) for unit in todo)
        for unit, batches in _one_ahead(begun):
            pairs = todo[unit]
            examples = run.folder / "examples" if (unit.corruption, str(unit.strength), unit.seed) in shown else None
            _unit(run, clean, unit, pairs, batches, examples, advance, outcome)
    outcome.cells, outcome.metrics = tables.write(run)
    return outcome


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


def _reader(dataset: Dataset | GeneratedSet, clean: Dataset, unit: Unit, asked: Asked) -> Callable[[int, int], Images]:
    """start, stop -> the unit's images."""
    if unit.strength.is_clean:
        return clean.images
    if isinstance(dataset, GeneratedSet):
        return dataset.cell(unit.corruption, str(unit.strength)).images
    chosen = corruptions.get(unit.corruption)

    def degraded(start: int, stop: int) -> Images:
        part = slice(start, stop)
        return corruptions.apply_strength(
            clean.images(start, stop),
            chosen,
            unit.strength,
            seed=unit.seed,
            ids=clean.ids[part],
            boxes=None if clean.boxes is None else clean.boxes[part],
            textures=asked.textures,
            native=asked.native,
        )

    return degraded


def _batches(
    dataset: Dataset | GeneratedSet,
    clean: Dataset,
    unit: Unit,
    asked: Asked,
    size: int,
    ahead: ThreadPoolExecutor,
) -> Iterator[tuple[int, Images, float]]:
    """(start, images, seconds to make them) of every batch; the next is made while the caller works on this one.

    The first is under way when this returns.
    """
    reader = cache(lambda: _reader(dataset, clean, unit, asked))
    n = len(clean)

    def make(start: int) -> tuple[int, Images, float]:
        began = time.perf_counter()
        images = reader()(start, min(start + size, n))
        return start, images, time.perf_counter() - began

    def rest(waiting: Future[tuple[int, Images, float]]) -> Iterator[tuple[int, Images, float]]:
        for start in range(0, n, size):
            batch = waiting.result()
            if start + size < n:
                waiting = ahead.submit(make, start + size)
            yield batch

    return rest(ahead.submit(make, 0))


def _one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The items, each when the one after it has been asked for."""
    ready: list[Item] = []
    for item in items:
        yield from ready
        ready = [item]
    yield from ready


def _unit(
    run: Run,
    clean: Dataset,
    unit: Unit,
    pairs: Pairs,
    batches: Iterator[tuple[int, Images, float]],
    examples_folder: Path | None,
    advance: Callable[[int, str], None],
    outcome: Outcome,
) -> None:
    scorers = [Scorer(classifier, clean) for classifier, _ in pairs]
    seconds = {"degrade": 0.0, "forward": 0.0}
    shown = np.linspace(0, len(clean) - 1, min(EXAMPLES, len(clean))).astype(np.int64)
    examples: list[Images] = []
    try:
        for start, images, took in batches:
            began = time.perf_counter()
            tensor = torch.from_numpy(np.ascontiguousarray(images))
            for scorer in scorers:
                scorer.score(start, tensor)
                advance(len(images), str(unit))
            seconds["degrade"] += took
            seconds["forward"] += time.perf_counter() - began
            examples += [images[at - start] for at in shown if start <= at < start + len(images)]
    except Exception as fault:  # models keep their own; this one is of the data or of the corruption
        for _, cell in pairs:
            _failed(run, cell, error_line(fault), outcome)
        return
    if examples_folder is not None:  # before the cells: a unit whose cells are there is not visited again
        _write_examples(examples_folder, unit, examples)
    for scorer, (_, cell) in zip(scorers, pairs, strict=True):
        if scorer.error:
            _failed(run, cell, scorer.error, outcome)
        else:
            run.write(cell, scorer.predictions())
            outcome.computed += 1
    _add_timing(run.folder / "timings.csv", unit, len(clean), len(pairs), seconds)


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
