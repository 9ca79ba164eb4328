"""From a recipe, a data set and a model to a checkpoint with its history."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import robench
from robench import datasets
from robench.datasets import Dataset, stored
from robench.errors import DivergedError, TrainError, UsageError
from robench.files import sha256_text, write_text
from robench.train._recipes import Recipe, get

if TYPE_CHECKING:
    from robench.models import Classifier
    from robench.train._fit import Epoch

PRECISIONS = ("fp32", "bf16", "fp16")
MOST_STORED = 8 << 30


@dataclass(frozen=True)
class Trained:
    """What a training has written.

    path: the weights of the best epoch, safetensors; log: one row per epoch, CSV. best_epoch counts from 1;
    val_accuracy is its fraction right, on validation images made as the training images are (clean, perturbed, both).
    """

    path: Path
    log: Path
    epochs: int
    best_epoch: int
    val_accuracy: float
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
    seed: int = 0,
    train_n: int | None = None,
    view: str | None = None,
    normalize: str | None = None,
    precision: str = "fp32",
    device: str = "auto",
    progress: bool = True,
    init: str | None = None,
    log: str | None = None,
) -> Trained:
    """Train a network and write the weights of its best epoch on validation; the same call gives the same bytes.

    recipe: a name or a `Recipe`; corruption, strength (a level: 0.1 or "0..0.5"), epochs, batch_size, lr override it.
    data: `NAME[:PATH]`, of which the splits train and val are read, or such a pair of data sets.
    model: as for `robench.models.load`; with a checkpoint, or with `init`, training goes on from there.
    out: a path that ends in .safetensors; the log stands beside it as .log.csv.
    train_n: train on that many images, spread evenly. precision: fp32, bf16 or fp16. normalize: of the inputs, instead
        of the recipe's. log: `tensorboard=FOLDER` or `wandb=PROJECT`, which hears of every epoch.
    A training that was killed goes on from its last epoch when it is called again, with the same result; its state
    stands beside `out` as .ckpt until it is done.
    Raises `UsageError` for what cannot be right, `TrainError` for a training that fails; then nothing is written.
    """
    if importlib.util.find_spec("lightning") is None:
        raise TrainError("training needs Lightning: pip install 'robench[train]'")
    asked = get(recipe) if isinstance(recipe, str) else recipe
    used = asked.with_changes(corruption=corruption, strength=strength, epochs=epochs, batch_size=batch_size, lr=lr)
    path = _checked(Path(out), seed, precision)
    train_set, val_set = _pair(data, view)
    with TemporaryDirectory(prefix="robench-") as folder:
        train_set = _near(train_set.limited(train_n), Path(folder) / "train.npy", progress)
        val_set = _near(val_set, Path(folder) / "val.npy", progress)
        classifier = _start(model, init, train_set, normalize or used.normalize, seed, device)
        facts = _facts(classifier, used, asked, train_set, val_set) | {"seed": str(seed), "precision": precision}
        return _trained(path, classifier, used, (train_set, val_set), facts, log, progress)


def _trained(
    path: Path,
    classifier: Classifier,
    recipe: Recipe,
    sets: tuple[Dataset, Dataset],
    facts: dict[str, str],
    logged: str | None,
    progress: bool,
) -> Trained:
    """Fit, and write the weights and the log."""
    from robench.models import save
    from robench.models._checkpoints import state_sha256
    from robench.train._fit import Fit, run
    from robench.train._loggers import logger

    train_set, val_set = sets
    state = path.with_suffix(".ckpt")
    identity = sha256_text(json.dumps(facts | {"weights": classifier.weights_sha256}, sort_keys=True))
    fit = Fit(classifier, recipe, train_set, val_set, int(facts["seed"]), identity)
    try:
        best = run(
            fit, precision=facts["precision"], progress=progress, state=state, logger=logger(logged, path, facts)
        )
    except DivergedError:
        state.unlink(missing_ok=True)
        raise
    log = path.with_suffix(".log.csv")
    write_text(log, _csv(fit.history))
    told = {"epochs_run": len(fit.history), "best_epoch": best.epoch, "val_accuracy": f"{best.val_acc:.6f}"}
    save(path, classifier.module, facts | {key: str(value) for key, value in told.items()})
    state.unlink(missing_ok=True)
    return Trained(
        path=path,
        log=log,
        epochs=len(fit.history),
        best_epoch=best.epoch,
        val_accuracy=best.val_acc,
        train_n=len(train_set),
        val_n=len(val_set),
        weights_sha256=state_sha256(classifier.module),
    )


def _checked(out: Path, seed: int, precision: str) -> Path:
    if out.suffix != ".safetensors" or out.is_dir():
        raise UsageError(f"output must be a file that ends in .safetensors, got '{out}'")
    there = next(folder for folder in out.absolute().parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise TrainError(f"{out}: cannot be written in {there}")
    if not 0 <= seed < 2**63:
        raise UsageError(f"seed must be 0 or more and below 2^63, got {seed}")
    if precision not in PRECISIONS:
        raise UsageError(f"precision must be {', '.join(PRECISIONS)}, got '{precision}'")
    return out


def _pair(data: str | tuple[Dataset, Dataset], view: str | None) -> tuple[Dataset, Dataset]:
    if isinstance(data, str):
        name, colon, path = data.partition(":")
        if "@" in name:
            raise UsageError(
                f"data set '{data}': training reads the splits train and val; leave out @{name.split('@')[1]}"
            )
        train_set, val_set = (datasets.load(f"{name}@{split}{colon}{path}", view=view) for split in ("train", "val"))
    else:
        train_set, val_set = data
    for what in ("classes", "shape"):
        ours, theirs = getattr(train_set, what), getattr(val_set, what)
        if ours != theirs:
            raise TrainError(f"data set {train_set.name}: {what} of train and val differ: {ours} and {theirs}")
    return train_set, val_set


def _near(dataset: Dataset, path: Path, progress: bool) -> Dataset:
    """The images decoded once, where they are not too many."""
    return stored(dataset, path, progress=progress) if len(dataset) * prod(dataset.shape) <= MOST_STORED else dataset


def _start(
    model: str, init: str | None, train_set: Dataset, normalize: str | None, seed: int, device: str
) -> Classifier:
    from robench import models

    if init is not None and models.parse(model).checkpoint is not None:
        raise UsageError(f"model '{model}' names its checkpoint already; leave out init '{init}'")
    return models.load(
        model if init is None else f"{model}={init}",
        classes=len(train_set.classes),
        side=train_set.shape[:2],
        normalize=normalize,
        random_weights=True,
        seed=seed,
        device=device,
    )


def _facts(
    classifier: Classifier, recipe: Recipe, asked: Recipe, train_set: Dataset, val_set: Dataset
) -> dict[str, str]:
    """What travels with the weights: all that is needed to train them again; `recipe_epochs` are the recipe's own."""
    import torch

    from robench.models._checkpoints import SCHEMA

    facts: dict[str, object] = {
        "schema": SCHEMA,
        "model": classifier.card.name,
        "start": classifier.label,
        "classes": classifier.classes,
        "fit": classifier.fit,
        "normalize": classifier.normalize,
        "dataset": train_set.name,
        "view": train_set.view,
        "train_n": len(train_set),
        "train_digest": train_set.digest,
        "val_n": len(val_set),
        "val_digest": val_set.digest,
        "recipe": recipe.name,
        "recipe_epochs": asked.epochs,
        "robench": robench.__version__,
        "torch": torch.__version__,
    }
    told = {name: text for name, text in recipe.facts().items() if name not in ("name", "about", "source")}
    return told | {key: str(value) for key, value in facts.items()}


def _csv(history: Sequence[Epoch]) -> str:
    """One row per epoch and no times, so that the same training is the same bytes."""
    rows = [f"{e.epoch},{e.train_loss:.6g},{e.val_loss:.6g},{e.val_acc:.6g},{e.lr:.6g}" for e in history]
    return "\n".join(["epoch,train_loss,val_loss,val_acc,lr", *rows, ""])
