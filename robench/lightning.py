"""A callback for Lightning: evaluate a module on corrupted images at the end of a test."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import Callback

from robench.api import evaluate, load_dataset, wrap_dataset, wrap_model
from robench.datasets import Dataset
from robench.errors import ConfigError
from robench.selection import Chosen

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from robench.results import Results


class RobustnessCallback(Callback):
    """Evaluate the module on clean and corrupted images when `Trainer.test` ends, and log the metrics.

    The module's `forward` receives images (N, C, H, W), normalised by `mean` and `std`, and returns logits. Logged are
    `robustness/clean`, `robustness/mean` and `robustness/NAME` of every corruption, accuracies in [0, 1].

    Args:
        data: As for `robench.evaluate`: a data set of `wrap_dataset`, a name, or a source of samples.
        corruptions: As for `robench.evaluate`.
        suite: As for `robench.evaluate`.
        mean: Mean of the inputs in [0, 1]; None without normalisation.
        std: Standard deviation of the inputs in [0, 1].
        name: Label of the module in tables.
        out: Folder of the run; None for a temporary one.
        options: Further options of `robench.evaluate`.

    Attributes:
        results: The results of the last test.
    """

    def __init__(
        self,
        data: Any,
        corruptions: Chosen | None = None,
        *,
        suite: str | Sequence[str] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        name: str = "module",
        out: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        if corruptions is None and suite is None:
            raise ConfigError("RobustnessCallback: expected corruptions or a suite, got neither")
        self.data = data if isinstance(data, str | Dataset) else wrap_dataset(data)
        self.chosen: dict[str, Any] = {"corruptions": corruptions, "suite": suite}
        self.normalization: dict[str, Any] = {"mean": mean, "std": std}
        self.name, self.out, self.options = name, out, options
        self.results: Results | None = None

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Evaluate on the first process."""
        if not trainer.is_global_zero:
            return
        data = load_dataset(self.data) if isinstance(self.data, str) else self.data
        classes = len(data.classes if isinstance(data, Dataset) else data.base.classes)
        model = wrap_model(pl_module, num_classes=classes, **self.normalization)
        place = None if self.out is None else Path(self.out)
        self.results = evaluate({self.name: model}, data, **self.chosen, out=place, progress=False, **self.options)
        if trainer.logger is not None:
            trainer.logger.log_metrics(_logged(self.results), step=trainer.global_step)


def _logged(results: Results) -> dict[str, float]:
    names = {"clean_accuracy": "clean", "mean_corruption_accuracy": "mean"}
    rows = results.metrics.dropna(subset=["value"])
    found: dict[str, float] = {}
    for metric, value in zip(rows["metric"], rows["value"], strict=True):
        name = names.get(
            metric, metric.removeprefix("mean_accuracy[").rstrip("]") if "mean_accuracy[" in metric else ""
        )
        if name:
            found.setdefault(f"robustness/{name}", float(value))
    return found
