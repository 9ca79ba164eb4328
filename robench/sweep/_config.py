"""The options of a sweep, typed and checked, before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from corruptions import unknown
from robench.errors import ConfigError
from robench.models import ModelConfig
from robench.precision import precision_text

EXECUTORS = ("local", "ray")
AUTO = "auto"
REQUIRED = {"models": "a model (-m)", "dataset": "a data set (-d)", "out": "a folder for the run (-o)"}
RECORDED = (
    *("suites", "corruptions", "severities", "levels", "severity_table", "seeds", "view", "limit", "class_order"),
    *("normalize", "baseline", "precision", "compile", "outputs", "stateful"),
)
"""Fields that a run's manifest records."""
KINDS_OF_OUTPUTS = (AUTO, "logits", "probabilities")


@dataclass(frozen=True)
class SweepConfig:
    """Which models are evaluated on which images and corruptions, and how.

    Attributes:
        models: MODEL arguments, `LABEL::MODEL`, or `ModelConfig` objects, which also hold networks in memory.
        dataset: `NAME[@SPLIT][:PATH]`, `generated:PATH`, or a data set in memory.
        out: Folder of the run.
        suites: Names of suites.
        corruptions: `NAME` or `NAME@STRENGTHS`, beside the suites or without them.
        severities: As in `1,3` or `1-5`, for corruptions without strengths of their own.
        levels: As in `0.1,0.2`, for corruptions without strengths of their own.
        severity_table: Image size of the published severities: 32, 64 or 224; None for the nearest.
        frost_dir: Folder of pictures for `frost`.
        view: Geometry before corruption, such as `resize256-crop224`.
        limit: Number of images, spread evenly.
        ids: File that lists the images to use.
        dataset_name: Name of the data set in tables.
        class_order: `text` or `number`; the class names in the models' checkpoints decide where all have them.
        clean: Clean images of a downloaded set.
        normalize: Normalisation of all models without one of their own.
        label_map: File that says which output is whose class.
        weights: Folder of weights for the model `all`.
        random_weights: Whether a model without a checkpoint gets random weights.
        baseline: Name for `metrics.baseline`, by which metrics.csv has corruption errors.
        seeds: Seeds of the corruptions.
        device: `auto`, `cpu`, `cuda`, `mps`, or several separated by commas, which share the work.
        batch_size: Images per forward pass.
        workers: Threads that make images; None for one on a CPU and up to eight for a GPU.
        shard: (i, n): the i-th of every n conditions, i from 1.
        executor: `local` or `ray`.
        precision: `fp32`, `bf16` or `fp16`.
        compile: Whether networks are compiled with torch.compile.
        logger: `tensorboard=FOLDER` or `wandb=PROJECT`.
        outputs: What the models return: `logits`, `probabilities`, or `auto` to recognise it.
        output: Name of the output of ONNX files with several; one that a MODEL names goes first.
        stateful: Whether to evaluate models whose predictions depend on the batch, on earlier calls or on chance.

    Raises:
        ConfigError: A value is of another type or outside its range.
    """

    models: tuple[ModelConfig | str, ...]
    dataset: Any
    out: Path
    suites: tuple[str, ...] = ()
    corruptions: tuple[str, ...] = ()
    severities: str | None = None
    levels: str | None = None
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
    weights: Path | None = None
    random_weights: bool = False
    baseline: str = ""
    seeds: tuple[int, ...] = (0,)
    device: str = "auto"
    batch_size: int = 256
    workers: int | None = None
    shard: tuple[int, int] | None = None
    executor: str = "local"
    precision: str = "fp32"
    compile: bool = False
    logger: str | None = None
    outputs: str = AUTO
    output: str | None = None
    stateful: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "workers", "limit"):
            _check_count(name.replace("_", "-"), getattr(self, name))
        for name in ("suites", "corruptions"):
            _check_all(name, getattr(self, name), str, "texts")
        _check_all("models", self.models, (str, ModelConfig), "texts")
        _check_all("seeds", self.seeds, int, "whole numbers")
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            raise ConfigError(f"--shard must be i/n with i from 1 to n, such as 1/4, got {self.shard}")
        if self.executor not in EXECUTORS:
            raise ConfigError(unknown("executor", self.executor, EXECUTORS))
        if self.executor == "ray" and "," in self.device:
            raise ConfigError(
                f"--engine ray gives every worker a device of its own; expected one kind, got {self.device}"
            )
        precision_text(self.precision, self.compile)
        if self.outputs not in KINDS_OF_OUTPUTS:
            raise ConfigError(unknown("kind of outputs", self.outputs, KINDS_OF_OUTPUTS))
        if self.output == "":
            raise ConfigError("--output must be the name of an output, got none")
        self._check_stateful()

    def _check_stateful(self) -> None:
        given = {
            "--shard": self.shard is not None,
            "--engine ray": self.executor == "ray",
            f"--device {self.device}": "," in self.device,
        }
        for option, is_given in given.items():
            if self.stateful and is_given:
                raise ConfigError(f"--stateful runs in one process on one device; got {option}")

    @property
    def model_configs(self) -> tuple[ModelConfig, ...]:
        """The models, each as an entry."""
        return tuple(ModelConfig.parse(one) if isinstance(one, str) else one for one in self.models)

    @classmethod
    def from_cli(cls, from_file: Mapping[str, Any] = MappingProxyType({}), **options: Any) -> SweepConfig:
        """From the options of `robench evaluate` that were given, of which numbers and lists of them come as texts.

        from_file: fields, of which options take the place.
        """
        read: dict[str, Callable[[str], Any]] = {"severity_table": int, "seeds": _parse_seeds, "shard": _parse_shard}
        fields = {
            name: read[name](value) if name in read and isinstance(value, str) else value
            for name, value in options.items()
        }
        every = {**from_file, **fields}
        for name, option in REQUIRED.items():
            if not every.get(name):
                raise ConfigError(f"expected {option}, on the command line or in the file of --config, got none")
        return cls(**every)

    def to_dict(self) -> dict[str, Any]:
        """What was asked for, as JSON values: all that numbers depend on, no paths and no execution options."""
        values = {name: getattr(self, name) for name in RECORDED}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


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


def _check_all(name: str, values: object, kind: Any, what: str) -> None:
    if not isinstance(values, tuple) or not all(isinstance(one, kind) and not isinstance(one, bool) for one in values):
        raise ConfigError(f"{name} must be a tuple of {what}, got {values!r}")


def _check_count(name: str, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigError(f"{name} must be a whole number of at least 1, got {value!r}")
