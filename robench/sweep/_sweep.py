"""The sweep: each batch is degraded once, ahead of the forward passes, and scored by every model that needs it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from robench import metrics, tables
from robench.datasets import Dataset, GeneratedSet, published_note
from robench.errors import DatasetError, RunError
from robench.files import reason, whole_file, write_text
from robench.models import Classifier
from robench.progress import tracked
from robench.store import Cell, FolderLock, Predictions, Run
from robench.sweep._admission import admitted, with_held_outputs
from robench.sweep._config import SweepConfig
from robench.sweep._image_loader import Images
from robench.sweep._plan import Condition, SweepPlan, manifest, merged, model_facts, planned_cells
from robench.sweep._precision import exact_float32
from robench.sweep._probe import probe_of, seeded_generators
from robench.sweep._runner import Advance, ConditionResult, Runner, clean_of, stored_clean
from robench.sweep._work import Work, work_of
from robench.trackers import Tracker, track

Labels = Mapping[Condition, Sequence[str]]
Elsewhere = Callable[[Runner, Labels], Iterator[tuple[Condition, ConditionResult]]]


@dataclass
class SweepSummary:
    """What a sweep came to: both tables, how many cells it computed, found and failed, and notes on the images."""

    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    metrics: pd.DataFrame = field(default_factory=pd.DataFrame)
    computed: int = 0
    found: int = 0
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The counts, the notes and both tables, as JSON values."""
        counts = {"computed": self.computed, "found": self.found, "failed": self.failed, "notes": self.notes}
        both = {"cells": self.cells, "metrics": self.metrics}
        return counts | {name: json.loads(frame.to_json(orient="records")) for name, frame in both.items()}

    def text(self) -> str:
        """The summary table, what is missing in it, notes on the images, and how much of it is new."""
        done = f"{self.computed} cells computed, {self.found} found, {len(self.failed)} failed"
        gaps = tables.gaps(self.cells)
        return "\n\n".join(filter(None, (tables.summary(self.cells, self.metrics), gaps, *self.notes, done)))


def evaluate(
    dataset: Dataset | GeneratedSet,
    classifiers: Sequence[Classifier],
    plan: SweepPlan,
    config: SweepConfig,
    *,
    copies: Sequence[Sequence[Classifier]] = (),
    elsewhere: Elsewhere | None = None,
    said: Sequence[str] = (),
    progress: bool = False,
) -> SweepSummary:
    """Sweep `classifiers` over `dataset` into the run `config.out`; cells that are there are not computed again.

    A data set is degraded on the fly; of a generated set the stored images are read, which gives the same predictions.
    A set without clean images has no clean cell. A cell that fails is recorded with its error and does not stop the
    sweep. Processes with other shards may fill the folder at the same time.
    copies: the models once more on each further device, which share the work. elsewhere: gives each unit with its
    result, computed by other processes, in place of this one. said: lines for stderr before the first forward pass of
    the sweep, shown with the progress. Raises RunError where the folder holds another run or cannot be written,
    ModelError for a model that is no function of its image.
    """
    run = Run(config.out)
    compared = _baseline(run, config.baseline, clean_of(dataset).name, classifiers, plan)
    part = None if config.shard is None else "{}-of-{}".format(*config.shard)
    labels = [classifier.label for classifier in classifiers]
    try:
        with run.workplace(part) as place, exact_float32():
            clean = stored_clean(dataset, place.folder / "clean.npy", progress=progress)
            _refuse_damaged(dataset, clean)
            known = with_held_outputs(run, classifiers)
            planned = planned_cells(plan, clean, known)
            order = {"batch_size": config.batch_size, "models": labels} if config.stateful else None
            wanted = manifest(plan, clean, planned, stateful=order) | {"configs": [config.to_dict()]}
            merged(run, wanted, computing=False)  # what does not fit is refused before a model is asked
            work = work_of(run, planned, config)
            _check_files(dataset, work)
            probe = probe_of(clean, plan.precision, config.batch_size)
            models = admitted(run, probe, config, known, copies, work.stored, work.labels)
            bench = Runner(
                dataset,
                clean,
                models.classifiers,
                plan,
                config.batch_size,
                config.workers,
                models.copies,
                models.fingerprints,
                config.stateful,
            )
            if progress and said:
                print("\n".join(said), file=sys.stderr)
            wanted |= {"models": [model_facts(one) for one in models.classifiers]}
            facts = {"dataset": clean.name, "n": len(clean), "models": labels, "precision": plan.precision}
            generators = seeded_generators(0) if config.stateful else nullcontext()
            with track(config.logger, config.out.name, facts) as followed, generators:
                return _sweep(run, place, bench, work, wanted, elsewhere, compared, followed, progress)
    except OSError as fault:
        raise RunError(f"{fault.filename or config.out}: cannot be written: {reason(fault)}") from fault


def _baseline(
    run: Run, name: str, dataset: str, classifiers: Sequence[Classifier], plan: SweepPlan
) -> metrics.Baseline | None:
    """The baseline of that name: published, or one of the models of the run and of those that come."""
    if not name:
        return None
    held = [model["label"] for model in run.manifest()["models"]] if run.manifest_path.exists() else []
    found = metrics.baseline(name, dataset=dataset, models=[*held, *(one.label for one in classifiers)])
    if not plan.made_elsewhere:
        tables.check_baseline(found, (str(one) for strengths in plan.cells.values() for one in strengths))
    return found


def _sweep(
    run: Run,
    place: FolderLock,
    bench: Runner,
    work: Work,
    wanted: dict[str, Any],
    elsewhere: Elsewhere | None,
    baseline: metrics.Baseline | None,
    tracker: Tracker | None,
    progress: bool,
) -> SweepSummary:
    clean = bench.clean
    todo = work.missing
    with place.together():
        facts = merged(run, wanted, computing=bool(todo))
        tables.check_forms(Cell(**cell) for cell in facts["cells"])
        run.write_manifest(facts)
    outcome = SweepSummary(found=work.found)
    cells = run.cells()
    shown, steps = _shown(cells), _steps(cells)
    labels = {condition: [*cells] for condition, cells in todo.items()}
    images = len(clean) * sum(map(len, todo.values()))
    with tracked(images, "evaluate", show=progress and bool(todo)) as advance:
        for condition, result in _results(bench, labels, elsewhere, advance):
            if result.examples and (condition.corruption, str(condition.strength), condition.seed) in shown:
                # before the cells: a unit whose cells are there is not visited again
                _write_examples(run.folder / "examples", condition, result.examples)
            for cell, answer in _kept(run, todo[condition], result, bench.fingerprints, outcome):
                if tracker is not None:
                    tracker.cell(tables.cell_row(cell, answer), steps[cell.corruption, cell.strength])
            if result.seconds:
                with place.together():
                    _add_timing(run.folder / "timings.csv", condition, len(clean), len(todo[condition]), result.seconds)
    with place.together():
        outcome.cells, outcome.metrics = tables.write(run, baseline)
    notes = (published_note([facts["published"]]), tables.clean_note(outcome.cells["corruption"]))
    outcome.notes += [*filter(None, notes), *tables.run_notes(facts)]
    outcome.notes += tables.chance_notes(outcome.cells, len(clean.classes))
    if tracker is not None:
        tracker.end(outcome.cells, outcome.metrics)
    return outcome


def _results(
    bench: Runner, todo: Labels, elsewhere: Elsewhere | None, advance: Advance
) -> Iterator[tuple[Condition, ConditionResult]]:
    if elsewhere is None:
        yield from bench.results(todo, advance)
        return
    for condition, result in elsewhere(bench, todo):
        advance(len(bench.clean) * len(todo[condition]), str(condition))
        yield condition, result


def _kept(
    run: Run,
    cells: Mapping[str, Cell],
    result: ConditionResult,
    fingerprints: Mapping[str, Mapping[str, Any]],
    outcome: SweepSummary,
) -> Iterator[tuple[Cell, Predictions]]:
    """Write every model's cell of a unit: its predictions, which are handed on, or why there are none."""
    for label, cell in cells.items():
        answer = result.answers[label]
        if isinstance(answer, str):
            run.write_error(cell, answer)
            outcome.failed.append(f"{cell.model}, {cell.corruption} {cell.strength}: {answer}")
        else:
            run.write(cell, answer, fingerprints.get(label))
            outcome.computed += 1
            yield cell, answer


def _refuse_damaged(dataset: Dataset | GeneratedSet, clean: Dataset) -> None:
    """The clean images of a generated set must be those of its manifest."""
    if isinstance(dataset, GeneratedSet) and dataset.manifest.get("data_digest", clean.digest) != clean.digest:
        raise DatasetError(f"{dataset.path}: its clean images are not those of its manifest; see robench verify")


def _check_files(dataset: Dataset | GeneratedSet, work: Work) -> None:
    """The arrays and lists of a generated set that the sweep will read must be those of its manifest."""
    if isinstance(dataset, GeneratedSet):
        for condition in {
            condition.corruption: condition for condition in work.missing if not condition.strength.is_clean
        }.values():
            dataset.cell(condition.corruption, str(condition.strength), checked=True)


def _shown(cells: Iterable[Cell]) -> set[tuple[str, str, int]]:
    """Of every corruption and strength of the run the lowest seed: examples are of this one."""
    lowest: dict[tuple[str, str], int] = {}
    for cell in cells:
        place = (cell.corruption, cell.strength)
        lowest[place] = min(cell.seed, lowest.get(place, cell.seed))
    return {(*place, seed) for place, seed in lowest.items()}


def _steps(cells: Iterable[Cell]) -> dict[tuple[str, str], int]:
    """A place for every strength on the axis of its corruption: its severity, or a level's number from 1."""
    steps: dict[tuple[str, str], int] = {}
    levels: Counter[str] = Counter()
    for cell in cells:
        if (cell.corruption, cell.strength) not in steps:
            levels[cell.corruption] += cell.severity is None
            step = levels[cell.corruption] if cell.severity is None else cell.severity
            steps[cell.corruption, cell.strength] = step
    return steps


def _write_examples(folder: Path, condition: Condition, examples: Sequence[Images]) -> None:
    """The unit's example images side by side in one PNG."""
    from PIL import Image

    strip = np.concatenate(examples, axis=1)
    path = folder / condition.corruption / f"{condition.strength}.png"
    with whole_file(path) as partial:
        Image.fromarray(strip[..., 0] if strip.shape[-1] == 1 else strip).save(partial, format="PNG")


def _add_timing(path: Path, condition: Condition, n: int, models: int, seconds: Mapping[str, Any]) -> None:
    """One more row of timings.csv, which is rewritten whole."""
    text = path.read_text() if path.exists() else "unit,seed,images,models,degrade_seconds,forward_seconds\n"
    line = io.StringIO()
    row = (str(condition), condition.seed, n, models, f"{seconds['degrade']:.4f}", f"{seconds['forward']:.4f}")
    csv.writer(line, lineterminator="\n").writerow(row)
    write_text(path, text + line.getvalue())
