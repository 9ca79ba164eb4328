"""The options of a sweep, typed and checked, before anything is loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corruptions import unknown
from robench.errors import ConfigError
from robench.precision import precision_text

ENGINES = ("local", "ray")
AUTO = "auto"
KINDS_OF_OUTPUTS = (AUTO, "logits", "probabilities")


@dataclass(frozen=True)
class SweepConfig:
    """Which models are swept over which images and corruptions, and how. A value that cannot be is a ConfigError.

    models: MODEL arguments. dataset: `NAME[@SPLIT][:PATH]` or `generated:PATH`. folder: of the run. Of
        `robench.sweep.evaluate`, which is given networks and images, models and dataset are empty.
    suites, or chosen with severity or level: as `robench.selection.select` takes them.
    native: the side of the published severity table, 32, 64 or 224. seeds: of the corruptions.
    batch_size: images that go through a network at once. workers: threads that make images, None for one on a CPU and
        up to eight for a GPU. shard: (i, n), of all units only the i-th of every n, i from 1.
    device: `auto`, `cpu`, `cuda`, `mps`, or several with commas between, which share the work.
    class_order: as for `datasets.load`; the class names in the models' checkpoints decide where all have them.
    baseline: a name for `metrics.baseline`, by which metrics.csv has corruption errors.
    tracker: `tensorboard=FOLDER` or `wandb=PROJECT`, which hears of every cell that is computed.
    outputs: what the models' outputs are, `logits` or `probabilities`; `auto` recognises it.
    stateful: also run models whose answers depend on the batch, on earlier calls or on chance: in one process, in one
        order, from the first cell to the last.
    """

    models: tuple[str, ...]
    dataset: str
    folder: Path
    suites: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    severity: str | None = None
    level: str | None = None
    severity_table: int | None = None
    frost_dir: Path | None = None
    view: str | None = None
    limit: int | None = None
    ids: Path | None = None
    dataset_name: str | None = None
    class_order: str | None = None
    clean: str | None = None
    normalize: str | None = None
    label_map: Path | None = None
    random_weights: bool = False
    baseline: str = ""
    seeds: tuple[int, ...] = (0,)
    device: str = "auto"
    batch_size: int = 256
    workers: int | None = None
    shard: tuple[int, int] | None = None
    engine: str = "local"
    precision: str = "fp32"
    compiled: bool = False
    tracker: str | None = None
    outputs: str = AUTO
    stateful: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "workers", "limit"):
            _check_count(name.replace("_", "-"), getattr(self, name))
        for name in ("models", "suites", "chosen"):
            _check_all(name, getattr(self, name), str, "texts")
        _check_all("seeds", self.seeds, int, "whole numbers")
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            raise ConfigError(f"--shard must be i/n with i from 1 to n, such as 1/4, got {self.shard}")
        if self.engine not in ENGINES:
            raise ConfigError(unknown("engine", self.engine, ENGINES))
        if self.engine == "ray" and "," in self.device:
            raise ConfigError(
                f"--engine ray gives every worker a device of its own; expected one kind, got {self.device}"
            )
        precision_text(self.precision, self.compiled)
        if self.outputs not in KINDS_OF_OUTPUTS:
            raise ConfigError(unknown("kind of outputs", self.outputs, KINDS_OF_OUTPUTS))
        self._check_stateful()

    def _check_stateful(self) -> None:
        given = {
            "--shard": self.shard is not None,
            "--engine ray": self.engine == "ray",
            f"--device {self.device}": "," in self.device,
        }
        for option, is_given in given.items():
            if self.stateful and is_given:
                raise ConfigError(f"--stateful runs in one process on one device; got {option}")

    @classmethod
    def from_cli(
        cls, *, severity_table: str | None = None, seeds: str = "0", shard: str | None = None, **options: Any
    ) -> SweepConfig:
        """From the options of `robench evaluate`, by the names of the fields; these three come as texts."""
        side = None if severity_table is None else int(severity_table)
        return cls(severity_table=side, seeds=_parse_seeds(seeds), shard=_parse_shard(shard), **options)


def _parse_seeds(text: str) -> tuple[int, ...]:
    """`0,1,2` as (0, 1, 2), each once; other texts raise ConfigError."""
    if not re.fullmatch(r"\s*-?[0-9]+\s*(,\s*-?[0-9]+\s*)*", text):
        raise ConfigError(f"--seed must be whole numbers such as 0 or 0,1,2, got '{text}'")
    return tuple(dict.fromkeys(int(part) for part in text.split(",")))


def _parse_shard(text: str | None) -> tuple[int, int] | None:
    """`2/8` as (2, 8); other texts raise ConfigError."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ConfigError(f"--shard must be i/n with i from 1 to n, such as 1/4, got '{text}'")
    return int(found[1]), int(found[2])


def _check_all(name: str, values: object, kind: type, what: str) -> None:
    if not isinstance(values, tuple) or not all(isinstance(one, kind) and not isinstance(one, bool) for one in values):
        raise ConfigError(f"{name} must be a tuple of {what}, got {values!r}")


def _check_count(name: str, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigError(f"{name} must be a whole number of at least 1, got {value!r}")
