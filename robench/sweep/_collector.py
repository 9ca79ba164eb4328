"""From images to what a cell keeps of one model's answers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from corruptions import CorruptionError
from robench.datasets import Dataset
from robench.errors import RobenchError
from robench.models import Classifier
from robench.store import MOST_CLASSES_STORED, Predictions
from robench.sweep._precision import mixed


def error_line(fault: BaseException) -> str:
    """What to record of a failure: its first line, with its kind where it was not raised on purpose."""
    line = (str(fault).strip().splitlines() or [""])[0]
    return line if isinstance(fault, (RobenchError, CorruptionError)) else f"{type(fault).__name__}: {line}"


class Forward:
    """One model's forward passes in some precision; a batch that does not fit into memory goes in halves from then on.

    `most`: the images that go at once. whole: a batch goes as it is, or fails.
    """

    def __init__(
        self, classifier: Classifier, precision: str = "fp32", most: int = 1 << 30, *, whole: bool = False
    ) -> None:
        self.classifier = classifier
        self.most = most
        self._precision = precision
        self._whole = whole

    def __call__(self, images: Tensor, clean: Tensor | None = None) -> Tensor:
        """Logits of uint8 images (B, H, W, C), float32 (B, classes), on the CPU; clean: for an oracle."""
        while True:
            try:
                with mixed(self._precision, self.classifier.device):
                    parts = (slice(start, start + self.most) for start in range(0, len(images), self.most))
                    return torch.cat([self._logits(images, clean, part).cpu() for part in parts])
            except Exception as fault:
                if self._whole or min(self.most, len(images)) == 1 or not is_out_of_memory(fault):
                    raise
                self.most = min(self.most, len(images)) // 2
            if self.classifier.device.type == "cuda":
                torch.cuda.empty_cache()

    def _logits(self, images: Tensor, clean: Tensor | None, part: slice) -> Tensor:
        return self.classifier.logits(images[part], None if clean is None else clean[part])


def is_out_of_memory(fault: Exception) -> bool:
    """Whether torch ran out of memory, of a GPU or of the machine."""
    of_the_machine = isinstance(fault, RuntimeError) and "DefaultCPUAllocator" in str(fault)
    return isinstance(fault, torch.OutOfMemoryError) or of_the_machine


class PredictionCollector:
    """Collects one model's predictions on one unit. A model that fails keeps its error and is not asked again."""

    def __init__(self, forward: Forward, dataset: Dataset) -> None:
        n, classes = len(dataset), forward.classifier.classes
        self.error = ""
        self._forward = forward
        self._labels = torch.from_numpy(dataset.labels)
        self._kept = Predictions(
            ids=dataset.ids,
            labels=dataset.labels.astype(np.int32),
            pred=np.empty(n, np.int32),
            top5=np.empty((n, min(5, classes)), np.int32),
            confidence=np.empty(n, np.float32),
            log_p_true=np.empty(n, np.float32),
            sum_p_squared=np.empty(n, np.float32),
            probabilities=np.empty((n, classes), np.float16) if classes <= MOST_CLASSES_STORED else None,
        )

    def score(self, start: int, images: Tensor, clean: Tensor | None = None) -> None:
        """Predict a batch, uint8 (B, H, W, C), which stands at `start` of the data set; clean: for an oracle."""
        if self.error:
            return
        try:
            logits = self._forward(images, clean).double()
        except (Exception, SystemExit) as fault:  # whatever a model trips over is its own result
            self.error = error_line(fault)
            return
        if not torch.isfinite(logits).all():
            self.error = "the model's logits hold values that are not finite"
            return
        self._keep(slice(start, start + len(images)), logits)

    def _keep(self, part: slice, logits: Tensor) -> None:
        log_p = torch.log_softmax(logits, dim=1)
        p = log_p.exp()
        # A stable sort: of equal logits the lower class comes first, on every device.
        order = torch.sort(logits, dim=1, descending=True, stable=True).indices[:, : self._kept.top5.shape[1]]
        kept = self._kept
        kept.top5[part] = order.numpy()
        kept.pred[part] = order[:, 0].numpy()
        kept.confidence[part] = p.gather(1, order[:, :1])[:, 0].numpy()
        kept.log_p_true[part] = log_p.gather(1, self._labels[part, None])[:, 0].numpy()
        kept.sum_p_squared[part] = p.square().sum(dim=1).numpy()
        if kept.probabilities is not None:
            kept.probabilities[part] = p.numpy()

    def predictions(self) -> Predictions:
        """All images' predictions, after the last batch."""
        return self._kept
