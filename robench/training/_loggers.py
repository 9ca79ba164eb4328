"""What hears of every epoch: TensorBoard or Weights & Biases, through Lightning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger

from robench.trackers import not_installed, taken_apart


def logger(text: str | None, out: Path, facts: Mapping[str, str]) -> Logger | None:
    """Lightning's logger for `tensorboard=FOLDER` or `wandb=PROJECT`; the run is called as the checkpoint is."""
    if text is None:
        return None
    kind, place = taken_apart(text)
    try:
        made: Logger
        if kind == "tensorboard":
            made = TensorBoardLogger(place, name="", version=out.stem)
        else:
            made = WandbLogger(project=place, name=out.stem, job_type="train")
    except ImportError:
        raise not_installed(kind) from None
    made.log_hyperparams(dict(facts))
    return made
