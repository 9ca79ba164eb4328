"""From a request to a finished sweep, in this process or in many."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from corruptions import unknown
from robench.engines import run_ray
from robench.errors import RunError, UsageError
from robench.evaluate._bench import Bench, UnitResult, failed, stored_clean
from robench.evaluate._plan import Unit
from robench.evaluate._precision import exact_float32
from robench.evaluate._request import Request, opened, shard
from robench.evaluate._sweep import Outcome, Way, evaluate

ENGINES = ("local", "ray")


def run(request: Request, *, progress: bool = False) -> Outcome:
    """Do what is asked. Whatever does not fit raises RobenchError or CorruptionError before the first forward pass."""
    if request.engine not in ENGINES:
        raise UsageError(unknown("engine", request.engine, ENGINES))
    part = shard(request.shard)
    if request.engine == "ray" and "," in request.device:
        raise UsageError(
            f"--engine ray gives every worker a device of its own; expected one kind, got {request.device}"
        )
    data, classifiers, asked, copies = opened(request)
    elsewhere = partial(_on_ray, request) if request.engine == "ray" else None
    way = Way(request.batch_size, request.workers, part, elsewhere, copies)
    baseline, tracker = request.baseline, request.tracker
    return evaluate(
        data, classifiers, asked, request.folder, way, baseline=baseline, tracker=tracker, progress=progress
    )


class _Task(NamedTuple):
    """A unit, and the labels of the models that it is for."""

    unit: Unit
    labels: tuple[str, ...]


class _Place(NamedTuple):
    """A request, and the folder that its paths start from."""

    request: Request
    folder: str


class _Node:
    """A bench of another process's own, and what it loaded, to be compared with the driver's."""

    def __init__(self, place: _Place) -> None:
        request = place.request
        os.chdir(place.folder)
        data, classifiers, asked, _ = opened(request)
        self._folder = TemporaryDirectory(prefix="robench-")
        clean = stored_clean(data, Path(self._folder.name) / "clean.npy")
        self.bench = Bench(data, clean, classifiers, asked, request.batch_size, request.workers)
        self.facts = _facts(self.bench)


def _facts(bench: Bench) -> dict[str, str]:
    """What all processes must have alike: digests of the data, the weights, and what else predictions rest on."""
    weights = {f"weights of {one.label}": one.weights_sha256 for one in bench.classifiers}
    code = {f"code of {one.label}": one.card.code_sha256 for one in bench.classifiers}
    maps = {f"label map of {one.label}": one.label_map_sha256 for one in bench.classifiers}
    files = {f"files of {name}": digest for name, digest in bench.asked.files_sha256.items()}
    pictures = {"pictures of frost": bench.asked.textures_digest}
    return {"images": bench.clean.digest} | pictures | files | weights | code | maps


def _computed(node: _Node, task: _Task) -> tuple[dict[str, str], UnitResult]:
    with exact_float32():
        ((_, result),) = node.bench.results({task.unit: task.labels})
    return node.facts, result


def _on_ray(request: Request, bench: Bench, todo: Mapping[Unit, Sequence[str]]) -> Iterator[tuple[Unit, UnitResult]]:
    """Each unit with what an actor of a Ray cluster made of it; an actor loads what the request names by itself."""
    wanted = _facts(bench)
    on_gpu = any(one.device.type == "cuda" for one in bench.classifiers)
    tasks = [_Task(unit, tuple(labels)) for unit, labels in todo.items()]
    for task, answer in run_ray(_Node, _Place(request, os.getcwd()), _computed, tasks, on_gpu=on_gpu):
        if isinstance(answer, Exception):
            yield task.unit, failed(task.labels, answer)
            continue
        facts, result = answer
        for what, digest in wanted.items():
            if facts.get(what) != digest:
                raise RunError(f"a node has other {what} than this process: {facts.get(what)}, expected {digest}")
        yield task.unit, result
