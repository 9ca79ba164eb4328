"""What computes the units of a sweep: the images, the models, and the threads between them. It writes nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from robench.datasets import Dataset, GeneratedSet, stored
from robench.engines import run_lanes
from robench.models import Classifier
from robench.store import Predictions
from robench.sweep._collector import Forward, PredictionCollector, error_line
from robench.sweep._image_loader import Batch, Images, batches
from robench.sweep._plan import Condition, SweepPlan
from robench.sweep._probe import Watch, probe_of

EXAMPLES = 6
MOST_WORKERS = 8
Advance = Callable[[int, str], None]


class _Stopped(BaseException):
    """Nobody waits for this unit any more."""


@dataclass(frozen=True)
class ConditionResult:
    """What came of a unit: each model's predictions or its error, a few of the images, and the seconds it took."""

    answers: Mapping[str, Predictions | str]
    examples: Sequence[Images] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


def failed(labels: Iterable[str], fault: Exception) -> ConditionResult:
    """A unit that came to nothing, for every model."""
    return ConditionResult(dict.fromkeys(labels, error_line(fault)))


def clean_of(dataset: Dataset | GeneratedSet) -> Dataset:
    """The images without corruption; of a downloaded set that has none, their ids and labels."""
    return dataset.base if isinstance(dataset, GeneratedSet) else dataset


def stored_clean(dataset: Dataset | GeneratedSet, path: Path, *, progress: bool = False) -> Dataset:
    """As `clean_of`, with the images decoded once into the file at `path`."""
    clean = clean_of(dataset)
    return stored(clean, path, progress=progress) if clean.has_images else clean


@dataclass(frozen=True)
class Runner:
    """A data set, its clean images as `stored_clean` gives them, and the models.

    workers: threads that make images, None for one beside a network on the CPU and up to eight beside a GPU.
    copies: the same models on other devices, which take their share of the units.
    fingerprints: of the models, by label. stateful: models may answer the same image otherwise later.
    """

    dataset: Dataset | GeneratedSet
    clean: Dataset
    classifiers: Sequence[Classifier]
    plan: SweepPlan
    batch_size: int = 256
    workers: int | None = None
    copies: Sequence[Sequence[Classifier]] = ()
    fingerprints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stateful: bool = False

    def results(
        self, todo: Mapping[Condition, Sequence[str]], advance: Advance = lambda count, note: None
    ) -> Iterator[tuple[Condition, ConditionResult]]:
        """Each unit with what came of it, for the models of these labels; images are made ahead of the networks."""
        lanes = [partial(self._lane, number, todo, advance) for number in range(len(self._passes))]
        return run_lanes(lanes, todo)

    @cached_property
    def _passes(self) -> list[dict[str, Forward]]:
        """Of each device its models by their labels."""
        precision = self.plan.precision
        every = (self.classifiers, *self.copies)
        return [{one.label: Forward(one, precision, whole=self.stateful) for one in its} for its in every]

    @cached_property
    def _watches(self) -> list[dict[str, Watch]]:
        """Of each device the models that were asked about the probe before their first unit."""
        return [{} for _ in self._passes]

    def _watch(self, number: int, todo: Mapping[Condition, Sequence[str]]) -> Mapping[str, Watch]:
        """The models with units to do on a device, with their answers before the first of them."""
        watches, labels = self._watches[number], {label for some in todo.values() for label in some}
        if not self.stateful and (new := labels - watches.keys()):
            probe = probe_of(self.clean, self.plan.precision)
            watches |= {label: Watch(probe, self._passes[number][label], len(self.clean)) for label in sorted(new)}
        return watches

    def _lane(
        self,
        number: int,
        todo: Mapping[Condition, Sequence[str]],
        advance: Advance,
        conditions: Iterable[Condition],
        stop: threading.Event,
    ) -> Iterator[tuple[Condition, ConditionResult]]:
        """The units by one device's models."""
        passes = self._passes[number]

        def advance_or_stop(count: int, note: str) -> None:
            if stop.is_set():
                raise _Stopped
            advance(count, note)

        on_gpu = any(one.classifier.device.type == "cuda" for one in passes.values())
        workers = self.workers or (min(MOST_WORKERS, os.cpu_count() or 1) if on_gpu else 1)
        how = {"pinned": on_gpu, "with_clean": any(one.classifier.needs_clean for one in passes.values())}
        made = batches(self.dataset, self.clean, conditions, self.plan, self.batch_size, workers=workers, **how)
        watches = self._watch(number, todo)
        with closing(made):
            for condition, its in groupby(made, key=lambda item: item[0].condition):
                scorers = {label: PredictionCollector(passes[label], self.clean) for label in todo[condition]}
                result = self._scored(condition, scorers, (future for _, future in its), advance_or_stop)
                yield condition, _watched(result, watches)

    def _scored(
        self,
        condition: Condition,
        scorers: Mapping[str, PredictionCollector],
        made: Iterable[Future[Batch]],
        advance: Advance,
    ) -> ConditionResult:
        seconds = {"degrade": 0.0, "forward": 0.0}
        shown = np.linspace(0, len(self.clean) - 1, min(EXAMPLES, len(self.clean))).astype(np.int64)
        examples: list[Images] = []
        try:
            for future in made:
                start, images, took, clean = future.result()
                began = time.perf_counter()
                for scorer in scorers.values():
                    scorer.score(start, images, clean)
                    advance(len(images), str(condition))
                seconds["degrade"] += took
                seconds["forward"] += time.perf_counter() - began
                examples += [images[at - start].numpy() for at in shown if start <= at < start + len(images)]
        except Exception as fault:  # models keep their own; this one is of the data or of the corruption
            return failed(scorers, fault)
        answers = {label: scorer.error or scorer.predictions() for label, scorer in scorers.items()}
        return ConditionResult(answers, examples, seconds)


def _watched(result: ConditionResult, watches: Mapping[str, Watch]) -> ConditionResult:
    """The result, with an error in place of predictions of a model that answers otherwise than before the unit."""
    answers = {
        label: answer if isinstance(answer, str) or label not in watches else watches[label].fault() or answer
        for label, answer in result.answers.items()
    }
    return replace(result, answers=answers)
