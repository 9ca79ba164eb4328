"""The loop, on Lightning: loss, optimizer, schedule, the best epoch, and a process left as it was found."""

from __future__ import annotations

import logging
import math
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import lightning
import torch
import torch.nn.functional as F
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from robench.datasets import Dataset
from robench.errors import TrainError
from robench.models import Classifier
from robench.train._data import Batches
from robench.train._recipes import Recipe

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}
EXPECTED_WARNINGS = (  # of Lightning on what it does itself or what is meant here
    r".*isinstance\(treespec, LeafSpec\).*",  # its use of a part of torch that is on its way out
)


@dataclass(frozen=True)
class Epoch:
    """One line of the log; epoch from 1, losses per image, accuracy a fraction, lr at the start."""

    epoch: int
    train_loss: float
    val_loss: float
    val_acc: float
    lr: float


@dataclass
class Mean:
    """Over images; the sum stays on the device until it is read."""

    total: Tensor | float = 0.0
    count: int = 0

    def add(self, total: Tensor, count: int) -> None:
        self.total = self.total + total.detach()
        self.count += count

    def value(self) -> float:
        return float(self.total) / self.count


@dataclass
class Tally:
    """What an epoch adds up."""

    train_loss: Mean = field(default_factory=Mean)
    val_loss: Mean = field(default_factory=Mean)
    val_acc: Mean = field(default_factory=Mean)
    lr: float = 0.0


class Fit(lightning.LightningModule):
    """A classifier in training: keeps the log and the state of the best epoch (accuracy, then loss, then earliest)."""

    def __init__(self, classifier: Classifier, recipe: Recipe, train: Dataset, val: Dataset, seed: int) -> None:
        super().__init__()
        self.net = classifier.module
        self.classifier = classifier
        self.recipe, self.seed = recipe, seed
        self.train_set, self.val_set = train, val
        self.history: list[Epoch] = []
        self.best: Epoch | None = None
        self.best_state: dict[str, Tensor] = {}
        self.tally = Tally()
        self.says_lines = False

    def train_dataloader(self) -> Batches:
        return Batches(self.train_set, self.recipe, self.seed, self.current_epoch)

    def val_dataloader(self) -> Batches:
        return Batches(self.val_set, self.recipe, self.seed)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        recipe = self.recipe
        optimizer = make_optimizer(recipe, [value for value in self.net.parameters() if value.requires_grad])
        steps = recipe.epochs * len(self.train_dataloader())

        def factor(step: int) -> float:
            return (1 + math.cos(math.pi * step / steps)) / 2 if recipe.schedule == "cosine" else 1.0

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        self.tally = Tally(lr=self.trainer.optimizers[0].param_groups[0]["lr"])

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        images, labels = batch
        logits = self.classifier.forward(images).float()
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        self.tally.train_loss.add(loss * len(labels), len(labels))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        images, labels = batch
        logits = self.classifier.logits(images)
        self.tally.val_loss.add(F.cross_entropy(logits, labels, reduction="sum"), len(labels))
        self.tally.val_acc.add((logits.argmax(1) == labels).sum(), len(labels))

    def on_train_epoch_end(self) -> None:
        tally = self.tally
        means = (tally.train_loss.value(), tally.val_loss.value(), tally.val_acc.value())
        epoch = Epoch(self.current_epoch + 1, *means, tally.lr)
        if not math.isfinite(epoch.train_loss):
            raise TrainError(
                f"recipe '{self.recipe.name}': training diverged: the loss of epoch {epoch.epoch} is "
                f"{epoch.train_loss}; try a lower lr than {self.recipe.lr:g}"
            )
        self.history.append(epoch)
        if self.says_lines:
            announce(epoch, self.recipe.epochs)
        if self.best is None or (epoch.val_acc, -epoch.val_loss) > (self.best.val_acc, -self.best.val_loss):
            self.best = epoch
            self.best_state = {name: value.detach().cpu().clone() for name, value in self.net.state_dict().items()}


def make_optimizer(recipe: Recipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The recipe's optimizer over these parameters."""
    lr, decay = recipe.lr, recipe.weight_decay
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=lr, weight_decay=decay)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=lr, weight_decay=decay)
    nesterov = recipe.optimizer == "nag"
    return torch.optim.SGD(parameters, lr=lr, weight_decay=decay, momentum=recipe.momentum, nesterov=nesterov)


def announce(epoch: Epoch, epochs: int) -> None:
    """One plain line on stderr, for where a bar cannot move."""
    sys.stderr.write(
        f"epoch {epoch.epoch}/{epochs}: train loss {epoch.train_loss:.4f}, "
        f"val loss {epoch.val_loss:.4f}, val accuracy {100 * epoch.val_acc:.2f} %\n"
    )


def run(fit: Fit, *, precision: str, progress: bool) -> Epoch:
    """Train in place; afterwards the network holds the state of the best epoch, which is returned."""
    bar = progress and sys.stderr.isatty()
    device = fit.classifier.device
    with _as_found(device, fit.seed):
        trainer = lightning.Trainer(
            accelerator={"cuda": "gpu"}.get(device.type, device.type),
            devices=[device.index or 0] if device.type == "cuda" else 1,
            precision=PRECISIONS[precision],
            max_epochs=fit.recipe.epochs,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=bar,
        )
        fit.says_lines = progress and not bar
        fit.net.train()
        try:
            trainer.fit(fit)
        except SystemExit as stop:  # what Lightning makes of Ctrl-C
            raise stop.__context__ or stop from None
    assert fit.best is not None
    fit.net.load_state_dict(fit.best_state)
    fit.net.eval()
    return fit.best


@contextmanager
def _as_found(device: torch.device, seed: int) -> Iterator[None]:
    """Seeded and deterministic inside; generators, switches, filters and loggers are as before at the end."""
    on_gpu = device.type == "cuda"
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    switches = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    with torch.random.fork_rng(devices=[device] if on_gpu else []), warnings.catch_warnings():
        torch.default_generator.manual_seed(seed)
        for message in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message)
        try:
            logger.setLevel(logging.ERROR)
            if on_gpu:
                torch.cuda.manual_seed(seed)
                os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
                torch.use_deterministic_algorithms(True, warn_only=True)
            yield
        finally:
            logger.setLevel(level)
            torch.use_deterministic_algorithms(switches[0], warn_only=switches[1])
            if workspace is None:
                os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
