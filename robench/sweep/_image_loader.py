"""The images of a sweep: every unit's batches in order, made by threads ahead of the forward passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import corruptions
from robench.datasets import Dataset, GeneratedSet
from robench.engines import run_ahead
from robench.sweep._plan import Condition, SweepPlan

Images = NDArray[np.uint8]
Reader = Callable[[int, int], Images]


class Batch(NamedTuple):
    """Images of a unit, uint8 (B, H, W, C), from `start` of the data set on, and the seconds it took to make them.

    clean: the same before they were degraded, where they are wanted.
    """

    start: int
    images: Tensor
    seconds: float
    clean: Tensor | None = None


class Job(NamedTuple):
    """Which images of a unit make a batch."""

    condition: Condition
    start: int
    stop: int


def batches(
    dataset: Dataset | GeneratedSet,
    clean: Dataset,
    conditions: Iterable[Condition],
    plan: SweepPlan,
    size: int,
    *,
    workers: int = 1,
    pinned: bool = False,
    with_clean: bool = False,
) -> Generator[tuple[Job, Future[Batch]]]:
    """All batches of the units, in order, each as the future of what a thread makes.

    clean: the images without corruption, read from memory or disk. pinned: in memory that a GPU can copy from.
    """
    opened = lru_cache(maxsize=workers + 2)(lambda condition: _reader(dataset, clean, condition, plan))

    def make(job: Job) -> Batch:
        began = time.perf_counter()
        images = placed(opened(job.condition)(job.start, job.stop))
        beside = placed(clean.images(job.start, job.stop)) if with_clean else None
        return Batch(job.start, images, time.perf_counter() - began, beside)

    def placed(images: Images) -> Tensor:
        made = torch.from_numpy(np.ascontiguousarray(images))
        return made.pin_memory() if pinned else made

    n = len(clean)
    jobs = (Job(condition, start, min(start + size, n)) for condition in conditions for start in range(0, n, size))
    return run_ahead(make, jobs, workers)


def _reader(dataset: Dataset | GeneratedSet, clean: Dataset, condition: Condition, plan: SweepPlan) -> Reader:
    """start, stop -> the unit's images."""
    if condition.strength.is_clean:
        return clean.images
    if isinstance(dataset, GeneratedSet):
        return dataset.cell(condition.corruption, str(condition.strength), checked=True).images
    chosen = corruptions.get(condition.corruption)

    def degraded(start: int, stop: int) -> Images:
        part = slice(start, stop)
        return corruptions.apply_strength(
            clean.images(start, stop),
            chosen,
            condition.strength,
            seed=condition.seed,
            ids=clean.ids[part],
            boxes=None if clean.boxes is None else clean.boxes[part],
            textures=plan.textures,
            severity_table=plan.severity_table,
        )

    return degraded
