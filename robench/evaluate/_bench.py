"""What computes the units of a sweep: the images, the models, and the threads between them. It writes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

import numpy as np

from robench.datasets import Dataset, GeneratedSet
from robench.evaluate._making import Batch, Images, batches
from robench.evaluate._plan import Asked, Unit
from robench.evaluate._scoring import Forward, Scorer, error_line
from robench.models import Classifier
from robench.store import Predictions

EXAMPLES = 6
MOST_WORKERS = 8
Advance = Callable[[int, str], None]


@dataclass(frozen=True)
class UnitResult:
    """What came of a unit: each model's predictions or its error, a few of the images, and the seconds it took."""

    answers: Mapping[str, Predictions | str]
    examples: Sequence[Images] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


def failed(labels: Iterable[str], fault: Exception) -> UnitResult:
    """A unit that came to nothing, for every model."""
    return UnitResult(dict.fromkeys(labels, error_line(fault)))


def clean_of(dataset: Dataset | GeneratedSet) -> Dataset:
    """The images without corruption."""
    return dataset.clean() if isinstance(dataset, GeneratedSet) else dataset


@dataclass(frozen=True)
class Bench:
    """A data set, its clean images read from memory or disk, and the models.

    workers: threads that make images, None for one beside a network on the CPU and up to eight beside a GPU.
    """

    dataset: Dataset | GeneratedSet
    clean: Dataset
    classifiers: Sequence[Classifier]
    asked: Asked
    batch_size: int = 256
    workers: int | None = None

    def results(
        self, todo: Mapping[Unit, Sequence[str]], advance: Advance = lambda count, note: None
    ) -> Iterator[tuple[Unit, UnitResult]]:
        """Each unit with what came of it, for the models of these labels; images are made ahead of the networks."""
        on_gpu = any(one.device.type == "cuda" for one in self.classifiers)
        workers = self.workers or (min(MOST_WORKERS, os.cpu_count() or 1) if on_gpu else 1)
        made = batches(self.dataset, self.clean, todo, self.asked, self.batch_size, workers=workers, pinned=on_gpu)
        with closing(made):
            for unit, its in groupby(made, key=lambda item: item[0].unit):
                yield unit, self._scored(unit, todo[unit], (future for _, future in its), advance)

    @cached_property
    def _passes(self) -> dict[str, Forward]:
        return {one.label: Forward(one, self.asked.precision) for one in self.classifiers}

    def _scored(self, unit: Unit, labels: Sequence[str], made: Iterable[Future[Batch]], advance: Advance) -> UnitResult:
        scorers = {label: Scorer(self._passes[label], self.clean) for label in labels}
        seconds = {"degrade": 0.0, "forward": 0.0}
        shown = np.linspace(0, len(self.clean) - 1, min(EXAMPLES, len(self.clean))).astype(np.int64)
        examples: list[Images] = []
        try:
            for future in made:
                start, images, took = future.result()
                began = time.perf_counter()
                for scorer in scorers.values():
                    scorer.score(start, images)
                    advance(len(images), str(unit))
                seconds["degrade"] += took
                seconds["forward"] += time.perf_counter() - began
                examples += [images[at - start].numpy() for at in shown if start <= at < start + len(images)]
        except Exception as fault:  # models keep their own; this one is of the data or of the corruption
            return failed(labels, fault)
        answers = {label: scorer.error or scorer.predictions() for label, scorer in scorers.items()}
        return UnitResult(answers, examples, seconds)
