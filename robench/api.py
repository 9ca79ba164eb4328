"""The functions of `import robench`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import corruptions as corruptions_
from corruptions import Textures
from corruptions import corruption as register_corruption
from robench import datasets, models
from robench.comparison import Comparison
from robench.comparison import compare as compare_runs
from robench.datasets import Dataset, GeneratedSet, wrap_dataset
from robench.datasets import dataset as register_dataset
from robench.errors import ConfigError
from robench.export import generate
from robench.files import at_home
from robench.models import Classifier, ModelConfig, wrap_model
from robench.models import model as register_model
from robench.results import Results
from robench.selection import Chosen, check_geometry, corruption_texts, numbers_text, select, texts
from robench.sweep import SweepConfig, run
from robench.training import train

__all__ = [
    "compare",
    "evaluate",
    "generate_dataset",
    "list_corruptions",
    "list_datasets",
    "list_models",
    "list_recipes",
    "list_suites",
    "load_dataset",
    "load_model",
    "load_results",
    "register_corruption",
    "register_dataset",
    "register_model",
    "register_suite",
    "train",
    "wrap_dataset",
    "wrap_model",
]
PathLike = str | os.PathLike[str]
register_suite = corruptions_.add_suite


@contextmanager
def _config_errors() -> Iterator[None]:
    """Unknown corruptions, suites and strengths as ConfigError, as all mistakes of a call."""
    try:
        yield
    except (corruptions_.StrengthError, corruptions_.UnknownName) as fault:
        raise ConfigError(str(fault)) from fault


@_config_errors()
def evaluate(
    models: Any,
    dataset: str | Dataset | GeneratedSet | Any,
    corruptions: Chosen | None = None,
    *,
    suite: str | Sequence[str] | None = None,
    severities: int | str | Sequence[int] | None = None,
    levels: float | str | Sequence[float] | None = None,
    seeds: int | Sequence[int] = 0,
    out: PathLike | None = None,
    baseline: str = "",
    view: str | None = None,
    limit: int | None = None,
    device: str = "auto",
    batch_size: int = 256,
    workers: int | None = None,
    precision: str = "fp32",
    compile: bool = False,  # noqa: A002
    shard: tuple[int, int] | None = None,
    executor: str = "local",
    logger: str | None = None,
    progress: bool = True,
    **options: Any,
) -> Results:
    """Evaluate models on clean and corrupted images.

    A call with `out` resumes: cells that the folder holds are not computed again, and more models, corruptions or seeds
    may be added. Predictions are equal to those of `robench evaluate` for the same weights, images and corruptions.

    Args:
        models: A MODEL argument such as `resnet20=best.pt`, a `Classifier`, an `nn.Module` or a function from float32
            images (N, C, H, W) in [0, 1] to logits (N, classes); a list of these, or a dict {label: model}. Networks in
            memory receive images without normalisation; `wrap_model` adds it.
        dataset: Name such as `cifar10:data`, a data set of `wrap_dataset` or `load_dataset`, or what `wrap_dataset`
            takes without labels.
        corruptions: Names, as in `"fog"`, `["fog", "awgn@0.1"]`, or a dict {name: strengths}. Whole numbers are
            severities 1 to 5 of corruptions that have them; other numbers are levels.
        suite: Name of a suite such as `cifar10-c/1`, or a list of names.
        severities: For corruptions without strengths of their own, such as 3, [1, 3, 5] or "1-5".
        levels: For corruptions without strengths of their own.
        seeds: Seed of the corruptions, or a list.
        out: Folder of the run; without one predictions are kept in a temporary folder that `Results.save` copies.
        baseline: Model for mCE: `alexnet`, or the label of one of the models.
        view: Geometry before corruption, such as `resize256-crop224`.
        limit: Number of images, spread evenly.
        device: `auto`, `cpu`, `cuda`, `mps`, or several separated by commas.
        batch_size: Images per forward pass.
        workers: Threads that make images.
        precision: `fp32`, `bf16` or `fp16`.
        compile: Whether to compile the networks first.
        shard: (i, n): only the i-th of every n conditions; needs `out`.
        executor: `local` or `ray`.
        logger: `tensorboard=FOLDER` or `wandb=PROJECT`.
        progress: Whether to show progress on stderr.
        options: Further fields of `robench.sweep.SweepConfig`, such as `normalize`, `label_map` or `outputs`.

    Returns:
        The results.

    Raises:
        ConfigError: A name or a value is wrong; other subclasses of `RobenchError` for data, models and runs.
    """
    if out is None and shard is not None:
        raise ConfigError("shard: expected out, the folder that the shards share, got none")
    config = SweepConfig(
        models=_entries(models),
        dataset=_dataset(dataset),
        out=Path() if out is None else at_home(Path(os.fspath(out))),
        suites=texts(suite, "suite"),
        corruptions=corruption_texts(corruptions),
        severities=numbers_text(severities, "severities"),
        levels=numbers_text(levels, "levels"),
        seeds=tuple(seeds) if isinstance(seeds, Sequence) else (seeds,),
        baseline=baseline,
        view=view,
        limit=limit,
        device=device,
        batch_size=batch_size,
        workers=workers,
        precision=precision,
        compile=compile,
        shard=shard,
        executor=executor,
        logger=logger,
        **_known(options),
    )
    return _evaluated(config, progress) if out is not None else _evaluated_in_memory(config, progress)


def _evaluated(config: SweepConfig, progress: bool, *, in_memory: bool = False) -> Results:
    done = run(config, progress=progress)
    counts = {"computed": done.computed, "found": done.found}
    return Results([config.out], baseline=config.baseline, in_memory=in_memory, **counts)


def _evaluated_in_memory(config: SweepConfig, progress: bool) -> Results:
    """The same in a temporary folder, which goes with the results."""
    folder = mkdtemp(prefix="robench-")
    try:
        return _evaluated(replace(config, out=Path(folder) / "run"), progress, in_memory=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def load_results(run: PathLike, *more: PathLike, baseline: str = "") -> Results:
    """Load the results of one run or of several.

    Args:
        run: Folder of a run, as `evaluate` or `robench evaluate` writes it.
        more: Further run folders.
        baseline: Model for mCE.

    Raises:
        RunError: A folder holds no run.
    """
    return Results([at_home(Path(os.fspath(one))) for one in (run, *more)], baseline=baseline).read()


def compare(a: Results | PathLike, b: Results | PathLike, model_a: str = "", model_b: str = "") -> list[Comparison]:
    """Compare models of two runs image by image: differences with 95 % intervals and McNemar tests.

    Args:
        a: Results of one run, or its folder.
        b: The same of another run, or of the same one.
        model_a: Label of one model of `a`, to compare it alone.
        model_b: Label of one model of `b`.

    Returns:
        One comparison per pair of models; `print(comparison.text)` shows it.

    Raises:
        RunError: The runs are not of the same images.
    """
    return compare_runs(_folder(a), _folder(b), model_a, model_b)


def load_model(
    spec: str,
    *,
    num_classes: int | None = None,
    input_size: int | tuple[int, int] | None = None,
    normalize: str | None = None,
    random_weights: bool = False,
    device: str = "cpu",
) -> Classifier:
    """Load the classifier that a MODEL argument names.

    Args:
        spec: As for `robench evaluate -m`, such as `resnet20=best.pt` or `torchvision:resnet50=IMAGENET1K_V2`.
        num_classes: Number of classes; by default that of the network's card.
        input_size: Height and width of the images that it will be given; by default any.
        normalize: As `--normalize`.
        random_weights: Whether a model without a checkpoint gets random weights.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ConfigError: The name is unknown or incomplete; ModelError or CheckpointError where it cannot be loaded.
    """
    classes = models.get(models.parse(spec).name).classes if num_classes is None else num_classes
    options: dict[str, Any] = {"normalize": normalize, "random_weights": random_weights, "device": device}
    return models.load(spec, classes=classes, input_size=input_size, **options)


def load_dataset(spec: str, *, view: str | None = None, limit: int | None = None) -> Dataset | GeneratedSet:
    """Load the data set that `NAME[@SPLIT][:PATH]` or `generated:PATH` names.

    Args:
        spec: As for `robench evaluate -d`.
        view: Geometry, such as `resize256-crop224`.
        limit: Number of images, spread evenly.

    Raises:
        ConfigError: The name is unknown; DatasetError where files are missing or broken.
    """
    kind, _, path = spec.partition(":")
    if kind == "generated":
        return datasets.open_generated(Path(path), limit=limit)
    return datasets.load(spec, view=view, limit=limit)


@_config_errors()
def generate_dataset(
    dataset: str | Dataset,
    out: PathLike,
    corruptions: Chosen | None = None,
    *,
    suite: str | Sequence[str] | None = None,
    severities: int | str | Sequence[int] | None = None,
    levels: float | str | Sequence[float] | None = None,
    seed: int = 0,
    format: str = "npy",  # noqa: A002
    view: str | None = None,
    limit: int | None = None,
    textures: Textures | None = None,
    workers: int = 1,
    progress: bool = True,
) -> list[Path]:
    """Write a corrupted data set; a call that was interrupted is completed by the next.

    Args:
        dataset: Name such as `cifar10:data`, or a data set of `wrap_dataset` or `load_dataset`.
        out: Folder to write.
        corruptions: As for `evaluate`.
        suite: As for `evaluate`.
        severities: As for `evaluate`.
        levels: As for `evaluate`.
        seed: Seed of the corruptions.
        format: `npy` as CIFAR-10-C, `folder` of PNG files, or `imagenet-c`, a tree of JPEG files.
        view: Geometry before corruption.
        limit: Number of images, spread evenly.
        textures: Pictures for `frost`, uint8 (h, w, 3).
        workers: Processes.
        progress: Whether to show progress on stderr.

    Returns:
        The files and folders that were made.

    Raises:
        ConfigError: A name or a value is wrong; SetError where the folder holds another set.
    """
    suites = texts(suite, "suite")
    cells = select(
        suites, corruption_texts(corruptions), numbers_text(severities, "severities"), numbers_text(levels, "levels")
    )
    if not cells:
        raise ConfigError("expected a suite or corruptions, got neither")
    data = dataset if isinstance(dataset, Dataset) else datasets.load(dataset, view=view)
    data = data.limited(limit)
    check_geometry(suites, data.name, data.view, data.shape)
    place = at_home(Path(os.fspath(out)))
    return generate(data, cells, place, form=format, seed=seed, textures=textures, workers=workers, progress=progress)


def list_models(pattern: str = "*") -> list[str]:
    """Names of registered models that match a pattern such as `resnet*`."""
    return [name for name in models.names() if fnmatchcase(name, pattern)]


def list_datasets() -> list[str]:
    """Names of data sets."""
    return list(datasets.names())


def list_suites() -> list[str]:
    """Names of suites, with their versions."""
    return list(corruptions_.suites())


def list_corruptions() -> list[str]:
    """Names of corruptions."""
    return list(corruptions_.names())


def list_recipes() -> list[str]:
    """Names of training recipes."""
    from robench import training

    return list(training.names())


def _entries(given: Any) -> tuple[ModelConfig, ...]:
    """Models as entries; several networks of one name need a dict with labels."""
    if isinstance(given, Mapping):
        if wrong := [label for label in given if not isinstance(label, str) or not label]:
            raise ConfigError(f"models: expected labels as texts, got {wrong[0]!r}")
        entries = tuple(ModelConfig(model, label) for label, model in given.items())
    else:
        several = given if isinstance(given, list | tuple) else [given]
        entries = tuple(_entry(one) for one in several)
    if not entries:
        raise ConfigError("models: expected at least one, got none")
    return entries


def _entry(given: Any) -> ModelConfig:
    if isinstance(given, ModelConfig):
        return given
    if isinstance(given, os.PathLike):
        return ModelConfig(os.fspath(given))
    return ModelConfig.parse(given) if isinstance(given, str) else ModelConfig(given)


def _dataset(given: Any) -> str | Dataset | GeneratedSet:
    return given if isinstance(given, str | Dataset | GeneratedSet) else wrap_dataset(given)


def _known(options: Mapping[str, Any]) -> Mapping[str, Any]:
    known = SweepConfig.__dataclass_fields__
    if wrong := [name for name in options if name not in known]:
        raise ConfigError(corruptions_.unknown("option", wrong[0], [*known]))
    return options


def _folder(given: Results | PathLike) -> Path:
    if not isinstance(given, Results):
        return at_home(Path(os.fspath(given)))
    if len(given.folders) != 1:
        raise ConfigError(f"compare: expected results of one run, got {len(given.folders)}")
    return given.folders[0]
