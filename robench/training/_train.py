"""From a recipe, a data set and a model to a checkpoint with its history."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import robench
from robench import datasets
from robench.datasets import Dataset, stored
from robench.errors import ConfigError, DivergedError, TrainError
from robench.files import sha256_text, write_text
from robench.leftout import left_out_note
from robench.precision import precision_text
from robench.training._initial_weights import InitialWeights, began_from
from robench.training._recipes import Recipe, get

if TYPE_CHECKING:
    from robench.training._fit import Epoch
    from robench.training._tasks import Task

MOST_STORED = 8 << 30
VERSIONS = ("robench", "torch")
"""Facts in which a finished training may differ from one that is asked for."""


@dataclass(frozen=True)
class Trained:
    """What a training has written.

    path: the weights of the best epoch, safetensors; log: one row per epoch, CSV, with loss and score of the training
    batches as they were seen and of validation. best_epoch counts from 1; val_score is what it reached, on validation
    images made as the training images are (clean, perturbed, both), and score says what that is: val_accuracy, a
    fraction, of classifiers, val_psnr in dB of restorers, val_negative_l1 of estimators.
    """

    path: Path
    log: Path
    epochs: int
    best_epoch: int
    score: str
    val_score: float
    train_n: int
    val_n: int
    weights_sha256: str


def train(
    recipe: str | Recipe,
    data: str | tuple[Dataset, Dataset],
    model: str,
    out: str | Path,
    *,
    corruption: str | None = None,
    strength: float | str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    warmup_epochs: float | None = None,
    seed: int = 0,
    train_n: int | None = None,
    view: str | None = None,
    normalize: str | None = None,
    precision: str = "fp32",
    compiled: bool = False,
    device: str = "auto",
    progress: bool = True,
    init: str | None = None,
    parts: str | None = None,
    estimator: str | Path | None = None,
    log: str | None = None,
    class_order: str | None = None,
) -> Trained:
    """Train a network and write the weights of its best epoch on validation; the same call gives the same bytes.

    recipe: a name or a `Recipe`; corruption, strength (a level: 0.1 or "0..0.5"), epochs, batch_size, lr and
        warmup_epochs override it; fewer epochs warm up for the same share of them.
    data: `NAME[:PATH]`, of which the splits train and val are read, or such a pair of data sets; where val is what
        `evaluate` reads, a tenth of train stands in for it, but in a recipe whose epoch is chosen on what is evaluated.
    model: as for `robench.models.load`; with a checkpoint, or with `init`, training goes on from there. To restore it
        is a restorer; to estimate the restorer whose images are judged; to calibrate `fidelity:NAME[,OPTION...]`.
    parts, estimator: for calibration RESTORER=CHECKPOINT+NAME=CHECKPOINT, both frozen, and an estimator's checkpoint.
        Calibration and estimation begin from these and from `model`, and take no `init`.
    out: a path that ends in .safetensors; the log stands beside it as .log.csv.
    train_n: train on that many images, spread evenly. precision: fp32, bf16 or fp16. compiled: by torch.compile, which
        takes its time first; fp16 needs a GPU. normalize: of a classifier's inputs, instead of the recipe's.
    log: `tensorboard=FOLDER` or `wandb=PROJECT`, which hears of every epoch. class_order: as for `datasets.load`; the
        class names of the model that training goes on from decide where they are known.
    A training that was killed goes on from its last epoch when it is called again, with the same result; its state
    stands beside `out` as .ckpt until it is done.
    Raises `ConfigError` for what cannot be right, `TrainError` for a training that fails; then nothing is written.
    """
    if importlib.util.find_spec("lightning") is None:
        raise TrainError("training needs Lightning: pip install 'robench[train]'")
    asked = get(recipe) if isinstance(recipe, str) else recipe
    changes = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "warmup_epochs": warmup_epochs}
    used = asked.with_changes(corruption=corruption, strength=strength, **changes)
    path, arithmetic = _checked(Path(out), seed), precision_text(precision, compiled)
    initial = InitialWeights(model, init, parts, estimator, normalize, seed, device)
    initial.check(used)
    _check_precision(precision, device)
    train_set, val_set = _pair(data, view, used, class_order, initial)
    if progress:
        _say_left_out(train_set, val_set)
    with TemporaryDirectory(prefix="robench-") as folder:
        train_set = _near(train_set.limited(train_n), Path(folder) / "train.npy", progress)
        val_set = _near(val_set, Path(folder) / "val.npy", progress)
        task = initial.task(used, train_set)
        if compiled:
            task.network.compile()
        facts = _facts(task, asked, train_set, val_set) | {"seed": str(seed), "precision": arithmetic}
        facts |= began_from(model, init, parts, estimator)
        _refuse_other(path, facts)
        return _trained(path, task, (train_set, val_set), facts, log, progress)


def _trained(
    path: Path,
    task: Task,
    sets: tuple[Dataset, Dataset],
    facts: dict[str, str],
    logged: str | None,
    progress: bool,
) -> Trained:
    """Fit, and write the weights and the log."""
    from robench.models import save, state_sha256
    from robench.training._fit import Fit, run
    from robench.training._loggers import logger

    train_set, val_set = sets
    state = path.with_suffix(".ckpt")
    identity = sha256_text(json.dumps(facts | {"weights": state_sha256(task.network)}, sort_keys=True))
    fit = Fit(task, task.recipe, train_set, val_set, int(facts["seed"]), identity)
    try:
        best = run(
            fit, precision=facts["precision"], progress=progress, state=state, logger=logger(logged, path, facts)
        )
    except DivergedError:
        state.unlink(missing_ok=True)
        raise
    log = path.with_suffix(".log.csv")
    write_text(log, _csv(fit.history, task.score))
    metadata = {"epochs_run": len(fit.history), "best_epoch": best.epoch, task.score: f"{best.val_score:.6f}"}
    save(path, task.network, facts | {key: str(value) for key, value in metadata.items()})
    state.unlink(missing_ok=True)
    return Trained(
        path=path,
        log=log,
        epochs=len(fit.history),
        best_epoch=best.epoch,
        score=task.score,
        val_score=best.val_score,
        train_n=len(train_set),
        val_n=len(val_set),
        weights_sha256=state_sha256(task.network),
    )


def _checked(out: Path, seed: int) -> Path:
    if out.suffix != ".safetensors" or out.is_dir():
        raise ConfigError(f"output must be a file that ends in .safetensors, got '{out}'")
    there = next(folder for folder in out.absolute().parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise TrainError(f"{out}: cannot be written in {there}")
    if not 0 <= seed < 2**63:
        raise ConfigError(f"seed must be 0 or more and below 2^63, got {seed}")
    return out


def _refuse_other(out: Path, facts: Mapping[str, str]) -> None:
    """A finished checkpoint of another training, or a file that is none, is not written over."""
    from robench.models import SCHEMA, metadata

    if not out.exists():
        return
    held = metadata(out)
    if held.get("schema") != SCHEMA:
        raise TrainError(f"{out}: expected a checkpoint of this training or no file, got another file; choose another")
    names = [name for name in {**held, **facts} if name in facts and name not in VERSIONS]
    if other := next((name for name in names if held.get(name) != facts[name]), None):
        got, asked = (_shortened(values.get(other, "none")) for values in (held, facts))
        raise TrainError(f"{out}: holds a training with {other} {got}, asked for {asked}; choose another file")


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _check_precision(precision: str, device: str) -> None:
    """Lightning would train in bf16 where there is no GPU."""
    from robench.models import pick_device

    if precision == "fp16" and pick_device(device).type == "cpu":
        raise ConfigError("precision fp16: expected a GPU, got the CPU, which has bf16")


def _pair(
    data: str | tuple[Dataset, Dataset],
    view: str | None,
    recipe: Recipe,
    class_order: str | None,
    initial: InitialWeights,
) -> tuple[Dataset, Dataset]:
    if isinstance(data, str):
        name = data.partition(":")[0]
        if "@" in name:
            raise ConfigError(
                f"data set '{data}': training reads the splits train and val; leave out @{name.split('@')[1]}"
            )
        train_set, val_set = datasets.for_training(
            data, view=view, chosen_on=recipe.chosen_on, class_order=class_order, learned=initial.class_names(recipe)
        )
    else:
        if view is not None:
            raise ConfigError(f"view '{view}': is for a data set by its name; leave it out with a pair of data sets")
        if class_order is not None:
            raise ConfigError(
                f"class order '{class_order}': is for a data set by its name; a pair of data sets has one"
            )
        train_set, val_set = data
    for what in ("classes", "shape"):
        ours, theirs = getattr(train_set, what), getattr(val_set, what)
        if ours != theirs:
            raise TrainError(f"data set {train_set.name}: {what} of train and val differ: {ours} and {theirs}")
    return train_set, val_set


def _say_left_out(*sets: Dataset) -> None:
    """A line for each folder with files that are no images; a split that is cut from another has the same."""
    notes = {note: one for one in reversed(sets) if (note := left_out_note(one.left_out))}
    for note, one in notes.items():
        print(f"{one.name}@{one.split}: {note}", file=sys.stderr)


def _near(dataset: Dataset, path: Path, progress: bool) -> Dataset:
    """The images decoded once, where they are not too many."""
    return stored(dataset, path, progress=progress) if len(dataset) * prod(dataset.shape) <= MOST_STORED else dataset


def _facts(task: Task, asked: Recipe, train_set: Dataset, val_set: Dataset) -> dict[str, str]:
    """What travels with the weights of a training, `recipe_epochs` being the recipe's own."""
    import torch

    from robench.models import SCHEMA, class_facts

    facts: dict[str, object] = {
        "schema": SCHEMA,
        "dataset": train_set.name,
        "view": train_set.view,
        "train_n": len(train_set),
        "train_digest": train_set.digest,
        "val_n": len(val_set),
        "val_digest": val_set.digest,
        "recipe": task.recipe.name,
        "recipe_epochs": asked.epochs,
        "robench": robench.__version__,
        "torch": torch.__version__,
    }
    names = class_facts(train_set.classes, train_set.class_order) if task.has_classes else {}
    return task.recipe.settings() | {key: str(value) for key, value in (facts | task.to_dict() | names).items()}


def _csv(history: Sequence[Epoch], score: str) -> str:
    """One row per epoch and no times, so that the same training is the same bytes."""
    rows = [
        f"{e.epoch},{e.train_loss:.6g},{e.train_score:.6g},{e.val_loss:.6g},{e.val_score:.6g},{e.lr:.6g}"
        for e in history
    ]
    train_score = score.replace("val_", "train_")
    return "\n".join([f"epoch,train_loss,{train_score},val_loss,{score},lr", *rows, ""])
