"""From a configuration to a finished sweep, in this process or in many."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from robench.engines import run_ray
from robench.errors import RunError
from robench.sweep._admission import check_same_network, fingerprint_of, with_outputs
from robench.sweep._config import SweepConfig
from robench.sweep._open import opened
from robench.sweep._plan import Condition
from robench.sweep._precision import exact_float32
from robench.sweep._probe import probe_of
from robench.sweep._runner import ConditionResult, Runner, failed, stored_clean
from robench.sweep._sweep import SweepSummary, evaluate


def run(config: SweepConfig, *, progress: bool = False) -> SweepSummary:
    """Do what is asked. Whatever does not fit raises RobenchError or CorruptionError before the first forward pass."""
    data, classifiers, plan, copies, said = opened(config)
    elsewhere = partial(_on_ray, config) if config.executor == "ray" else None
    return evaluate(data, classifiers, plan, config, copies=copies, elsewhere=elsewhere, said=said, progress=progress)


class _Task(NamedTuple):
    """A unit, and the labels of the models that it is for."""

    condition: Condition
    labels: tuple[str, ...]


class _Place(NamedTuple):
    """A configuration, and the folder that its paths start from."""

    config: SweepConfig
    folder: str


class _Loaded(NamedTuple):
    """What a node works with: digests, and its models' fingerprints, by label."""

    facts: dict[str, str]
    fingerprints: dict[str, dict[str, Any]]

    def check(self, bench: Runner) -> None:
        """Raise RunError where a bench of this process works with something else."""
        for what, digest in _facts(bench).items():
            if self.facts.get(what) != digest:
                raise RunError(f"a node has other {what} than this process: {self.facts.get(what)}, expected {digest}")
        for label, known in bench.fingerprints.items():
            if label in self.fingerprints:
                check_same_network(label, self.fingerprints[label], known, "a node gives")


class _Node:
    """A bench of another process's own, and what it loaded, to be compared with the driver's."""

    def __init__(self, place: _Place) -> None:
        config = place.config
        os.chdir(place.folder)
        data, classifiers, plan, *_ = opened(config)
        self._folder = TemporaryDirectory(prefix="robench-")
        clean = stored_clean(data, Path(self._folder.name) / "clean.npy")
        probe = probe_of(clean, plan.precision, config.batch_size)
        with exact_float32():
            known = [with_outputs(one, probe, config.outputs) for one in classifiers]
            prints = {one.label: fingerprint_of(probe, one) for one in known}
        self.bench = Runner(data, clean, known, plan, config.batch_size, config.workers)
        self.loaded = _Loaded(_facts(self.bench), {label: one for label, one in prints.items() if one})


def _facts(bench: Runner) -> dict[str, str]:
    """What all processes must have alike: digests of the data, the weights, and what else predictions rest on."""
    weights = {f"weights of {one.label}": one.weights_sha256 for one in bench.classifiers}
    code = {f"code of {one.label}": one.card.code_sha256 for one in bench.classifiers}
    maps = {f"label map of {one.label}": one.label_map_sha256 for one in bench.classifiers}
    files = {f"files of {name}": digest for name, digest in bench.plan.files_sha256.items()}
    pictures = {"pictures of frost": bench.plan.textures_digest}
    return {"images": bench.clean.digest} | pictures | files | weights | code | maps


def _computed(node: _Node, task: _Task) -> tuple[_Loaded, ConditionResult]:
    with exact_float32():
        ((_, result),) = node.bench.results({task.condition: task.labels})
    return node.loaded, result


def _on_ray(
    config: SweepConfig, bench: Runner, todo: Mapping[Condition, Sequence[str]]
) -> Iterator[tuple[Condition, ConditionResult]]:
    """Each unit with what an actor of a Ray cluster made of it; an actor loads what `config` names by itself."""
    on_gpu = any(one.device.type == "cuda" for one in bench.classifiers)
    tasks = [_Task(condition, tuple(labels)) for condition, labels in todo.items()]
    for task, answer in run_ray(_Node, _Place(config, os.getcwd()), _computed, tasks, on_gpu=on_gpu):
        if isinstance(answer, Exception):
            yield task.condition, failed(task.labels, answer)
            continue
        loaded, result = answer
        loaded.check(bench)
        yield task.condition, result
