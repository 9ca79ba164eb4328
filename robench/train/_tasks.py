"""What a network is trained to do: its loss on a batch as `Batches` makes it, and its marks on validation.

Images are uint8 (n, H, W, C); for data "both" the first half is clean and the second the same images perturbed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robench.models import Classifier, Restorer
from robench.models._adapter import match_channels
from robench.models.fidelity import distance
from robench.train._losses import auxiliary_loss, classification_loss
from robench.train._recipes import Recipe


class Marks(NamedTuple):
    """Loss and score summed over n images; of scores more is better."""

    loss: Tensor
    score: Tensor
    n: int


class Task(ABC):
    """One network in training. score: the name of its score in the log."""

    score = "val_accuracy"

    def __init__(self, network: nn.Module, device: torch.device, recipe: Recipe) -> None:
        self.network, self.device, self.recipe = network, device, recipe

    @abstractmethod
    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """The mean loss of a training batch, with gradients."""

    @abstractmethod
    def marks(self, images: Tensor, labels: Tensor) -> Marks:
        """What a validation batch comes to, without gradients."""

    @abstractmethod
    def facts(self) -> dict[str, object]:
        """What to note of the network beside its weights."""

    def pairs(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Clean and degraded images, (n/2, C, H, W) in [0, 1]."""
        unit = images.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float() / 255
        clean, degraded = unit.chunk(2)
        return clean, degraded


class Classification(Task):
    """Classes from images; a restorer in front is left as it is."""

    def __init__(self, classifier: Classifier, recipe: Recipe) -> None:
        super().__init__(classifier.module, classifier.device, recipe)
        self.classifier = classifier
        if classifier.restorer is not None:
            classifier.restorer.module.requires_grad_(False)

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        answer = self.classifier.training_logits(images)
        auxiliary = (auxiliary_loss(self.recipe, logits.float(), labels) for logits in answer.auxiliary)
        return sum(auxiliary, start=classification_loss(self.recipe, answer.main.float(), labels))

    def marks(self, images: Tensor, labels: Tensor) -> Marks:
        return _marks(self.classifier.logits(images), labels)

    def facts(self) -> dict[str, object]:
        one = self.classifier
        names = {"model": one.card.name, "start": one.label, "classes": one.classes}
        return names | {"fit": one.fit, "normalize": one.normalize}


class Calibration(Classification):
    """Classes from degraded images by a fidelity-calibrated classifier, whose oracle sees the clean ones."""

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        logits = self._logits(images)
        return F.cross_entropy(logits, labels[: len(logits)], label_smoothing=self.recipe.label_smoothing)

    def marks(self, images: Tensor, labels: Tensor) -> Marks:
        logits = self._logits(images)
        return _marks(logits, labels[: len(logits)])

    def _logits(self, images: Tensor) -> Tensor:
        clean, degraded = images.chunk(2)
        return self.classifier.forward(degraded, clean).float()


class Restoration(Task):
    """Clean images from degraded ones, with the l1 distance as loss and the peak signal-to-noise ratio as score."""

    score = "val_psnr"

    def __init__(self, restorer: Restorer, recipe: Recipe) -> None:
        super().__init__(restorer.module, restorer.device, recipe)
        self.restorer = restorer

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        clean, degraded = map(self.restorer.prepare, self.pairs(images))
        return F.l1_loss(self.network(degraded).float(), clean)

    def marks(self, images: Tensor, labels: Tensor) -> Marks:
        clean, degraded = map(self.restorer.prepare, self.pairs(images))
        restored = self.network(degraded).float()
        loss = (restored - clean).abs().mean(dim=(1, 2, 3)).sum()
        squared = (restored.clamp(0, 1) - clean).square().mean(dim=(1, 2, 3))
        return Marks(loss, (-10 * squared.clamp(min=1e-10).log10()).sum(), len(clean))

    def facts(self) -> dict[str, object]:
        return {"model": self.restorer.card.name, "start": self.restorer.label}


class Estimation(Task):
    """The fidelity map of a frozen restorer's images, with the l1 distance as loss and its negative as score."""

    score = "val_negative_l1"

    def __init__(self, estimator: nn.Module, restorer: Restorer, recipe: Recipe) -> None:
        super().__init__(estimator, restorer.device, recipe)
        self.restorer = restorer

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        degraded, target = self._target(images)
        return F.l1_loss(self.network(degraded).float(), target)

    def marks(self, images: Tensor, labels: Tensor) -> Marks:
        degraded, target = self._target(images)
        loss = (self.network(degraded).float() - target).abs().mean(dim=(1, 2, 3)).sum()
        return Marks(loss, -loss, len(target))

    def facts(self) -> dict[str, object]:
        return {"model": "fidelity-estimator", "start": "fidelity-estimator", "restorer": self.restorer.weights_sha256}

    def _target(self, images: Tensor) -> tuple[Tensor, Tensor]:
        clean, degraded = (match_channels(some, 3) for some in self.pairs(images))
        with torch.no_grad():
            return degraded, distance(self.recipe.fidelity_map, self.restorer.restore(degraded), clean)


def _marks(logits: Tensor, labels: Tensor) -> Marks:
    loss = F.cross_entropy(logits, labels, reduction="sum")
    return Marks(loss, (logits.argmax(1) == labels).sum(), len(labels))
