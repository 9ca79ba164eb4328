"""The loop, on Lightning: loss, optimizer, schedule, the best epoch, and a process left as it was found."""

from __future__ import annotations

import io
import logging
import math
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from robench.datasets import Dataset
from robench.errors import DivergedError, TrainError
from robench.files import one_line, whole_file
from robench.precision import COMPILED
from robench.training._data import Batches
from robench.training._layers import freeze_after
from robench.training._optimization import lr_factor, make_optimizer
from robench.training._recipes import Recipe, score_text
from robench.training._tasks import Task

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}
EXPECTED_WARNINGS = (  # of Lightning on what it does itself or what is meant here
    r".*isinstance\(treespec, LeafSpec\).*",  # its use of a part of torch that is on its way out
    r"Found \d+ module\(s\) in eval mode.*",  # what is frozen stays so
    r"Checkpoint directory .* exists and is not empty.*",  # other checkpoints stand in the same folder
)


@dataclass(frozen=True)
class Epoch:
    """One line of the log; epoch from 1, losses and scores per image, accuracies fractions, lr at the start.

    Those of training are of the batches as they were seen, perturbed and augmented, each before its step. Its loss is
    the one that was minimised, with label smoothing, auxiliary heads and pivots; that of validation is the plain one.
    """

    epoch: int
    train_loss: float
    train_score: float
    val_loss: float
    val_score: float
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
    train_score: Mean = field(default_factory=Mean)
    val_loss: Mean = field(default_factory=Mean)
    val_score: Mean = field(default_factory=Mean)
    lr: float = 0.0


class Fit(lightning.LightningModule):
    """A network in training: keeps the log and the state of the best epoch.

    That is the one of the highest score, of equal ones the least loss, then the earliest; by loss where the task says.
    """

    def __init__(self, task: Task, recipe: Recipe, train: Dataset, val: Dataset, seed: int, identity: str = "") -> None:
        super().__init__()
        self.net, self.task = task.network, task
        self.recipe, self.seed, self.identity = recipe, seed, identity
        self.train_set, self.val_set = train, val
        self.frozen = freeze_after(self.net, recipe.first_layers)
        self.history: list[Epoch] = []
        self.best_state: dict[str, Tensor] = {}
        self.tally = Tally()
        self.says_lines = False
        self.state: Path | None = None

    @property
    def best(self) -> Epoch:
        """Of the epochs so far; of equal ones the first."""
        if self.task.by_loss:
            return min(self.history, key=lambda epoch: epoch.val_loss)
        return max(self.history, key=lambda epoch: (epoch.val_score, -epoch.val_loss))

    def train_dataloader(self) -> Batches:
        return Batches(self.train_set, self.recipe, self.seed, self.current_epoch)

    def val_dataloader(self) -> Batches:
        return Batches(self.val_set, self.recipe, self.seed)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        optimizer = make_optimizer(self.recipe, [value for value in self.net.parameters() if value.requires_grad])
        factor = lr_factor(self.recipe, len(self.train_dataloader()))
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        # what the network draws, in dropout say, is a function of seed and epoch, so that a resumed training is equal
        torch.manual_seed((self.seed * 1_000_003 + self.current_epoch) % 2**63)
        for part in self.frozen:
            part.eval()
        self.tally = Tally(lr=self.trainer.optimizers[0].param_groups[0]["lr"])

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        images, labels = batch
        loss, score, count = self.task.step(images, labels)
        self.tally.train_loss.add(loss * count, count)
        self.tally.train_score.add(score, count)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        images, labels = batch
        loss, score, count = self.task.marks(images, labels)
        self.tally.val_loss.add(loss, count)
        self.tally.val_score.add(score, count)

    def on_train_epoch_end(self) -> None:
        tally = self.tally
        epoch = Epoch(
            self.current_epoch + 1,
            tally.train_loss.value(),
            tally.train_score.value(),
            tally.val_loss.value(),
            tally.val_score.value(),
            tally.lr,
        )
        losses = {"": epoch.train_loss, "validation ": epoch.val_loss}
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise DivergedError(
                    f"recipe '{self.recipe.name}': training diverged: the {name}loss of epoch {epoch.epoch} is {loss}; "
                    f"try a lower lr than {self.recipe.lr:g}"
                )
        self.history.append(epoch)
        self.log_dict({name: value for name, value in asdict(epoch).items() if name != "epoch"})
        if self.says_lines:
            announce(epoch, self.recipe.epochs, self.task.score)
        if self.best is epoch:
            self.best_state = {name: value.detach().cpu().clone() for name, value in self.net.state_dict().items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        rows = [asdict(epoch) for epoch in self.history]
        checkpoint["robench"] = {"identity": self.identity, "history": rows, "best_state": self.best_state}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        kept = checkpoint["robench"]
        if kept["identity"] != self.identity:
            raise TrainError(f"{self.state}: holds the state of another training; remove it, or write to another place")
        self.history = [Epoch(**row) for row in kept["history"]]
        self.best_state = kept["best_state"]


def announce(epoch: Epoch, epochs: int, score: str) -> None:
    """One plain line on stderr, for where a bar cannot move."""
    sys.stderr.write(
        f"epoch {epoch.epoch}/{epochs}: train loss {epoch.train_loss:.4f}, "
        f"val loss {epoch.val_loss:.4f}, {score_text(score, epoch.val_score)}\n"
    )


def run(fit: Fit, *, precision: str, progress: bool, state: Path, logger: Logger | None = None) -> Epoch:
    """Train in place; afterwards the network holds the state of the best epoch, which is returned.

    state: a file that holds the training after every epoch, from which it goes on where there is one.
    """
    bar = progress and sys.stderr.isatty()
    device, fit.state = fit.task.device, state
    with _as_found(device, fit.seed):
        trainer = lightning.Trainer(
            accelerator={"cuda": "gpu"}.get(device.type, device.type),
            devices=[device.index or 0] if device.type == "cuda" else 1,
            precision=PRECISIONS[precision.removesuffix(COMPILED)],
            max_epochs=fit.recipe.epochs,
            gradient_clip_val=fit.recipe.clip,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            logger=logger or False,
            log_every_n_steps=1,
            callbacks=[_kept_in(state)],
            plugins=[WholeFiles()],
            enable_model_summary=False,
            enable_progress_bar=bar,
        )
        fit.says_lines = progress and not bar
        fit.net.train()
        try:
            trainer.fit(fit, ckpt_path=state if state.exists() else None)
        except SystemExit as stop:
            if isinstance(stop.__context__, KeyboardInterrupt):  # what Lightning makes of Ctrl-C
                raise stop.__context__ from None
            raise TrainError(
                f"recipe '{fit.recipe.name}': the network or its loss ended the training, sys.exit({stop.code!r})"
            ) from stop
    fit.net.load_state_dict(fit.best_state)
    fit.net.eval()
    return fit.best


class WholeFiles(TorchCheckpointIO):
    """Lightning's checkpoints as files that are whole or not there, read without unpickling code."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        content = io.BytesIO()  # torch's own writer answers a full disk with no error of the system
        torch.save(checkpoint, content)
        with whole_file(Path(path)) as partial:
            partial.write_bytes(content.getbuffer())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        try:
            loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as fault:
            raise TrainError(f"{path}: not the state of a training: {one_line(fault)}") from fault
        return loaded


def _kept_in(state: Path) -> ModelCheckpoint:
    """After every epoch the whole training goes to that file, whose name ends in .ckpt."""
    return ModelCheckpoint(
        dirpath=state.parent, filename=state.stem, save_on_train_epoch_end=True, enable_version_counter=False
    )


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
