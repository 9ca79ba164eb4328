"""What a network is trained to do: loss and score on a batch as `Batches` makes it, in training and on validation.

Images are uint8 (n, H, W, C); for data "both" the first half is clean and the second the same images perturbed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robench.models import Classifier, Restorer, match_channels, unit
from robench.models.fidelity import distance
from robench.training._losses import auxiliary_loss, classification_loss
from robench.training._recipes import Recipe


class BatchMetrics(NamedTuple):
    """Loss and score summed over n images; of scores more is better."""

    loss: Tensor
    score: Tensor
    n: int


class Step(NamedTuple):
    """A training batch: its mean loss, with gradients, and its score summed over n images, without."""

    loss: Tensor
    score: Tensor
    n: int


class Task(ABC):
    """One network in training.

    score: the name of its score on validation in the log; more is better. by_loss: its best epoch has the least loss.
    has_classes: its network answers the classes of the data set.
    """

    score = "val_accuracy"
    by_loss = False
    has_classes = False

    def __init__(self, network: nn.Module, device: torch.device, recipe: Recipe) -> None:
        self.network, self.device, self.recipe = network, device, recipe

    @abstractmethod
    def step(self, images: Tensor, labels: Tensor) -> Step:
        """What a training batch comes to, from one forward pass."""

    @abstractmethod
    def marks(self, images: Tensor, labels: Tensor) -> BatchMetrics:
        """What a validation batch comes to, without gradients."""

    @abstractmethod
    def to_dict(self) -> dict[str, object]:
        """What to note of the network beside its weights."""

    def pairs(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Clean and degraded images, (n/2, C, H, W) in [0, 1]."""
        clean, degraded = unit(images.to(self.device, non_blocking=True)).chunk(2)
        return clean, degraded


class Classification(Task):
    """Classes from images; a restorer in front is left as it is."""

    has_classes = True

    def __init__(self, classifier: Classifier, recipe: Recipe) -> None:
        super().__init__(classifier.module, classifier.device, recipe)
        self.classifier = classifier
        if classifier.restorer is not None:
            classifier.restorer.module.requires_grad_(False)

    def step(self, images: Tensor, labels: Tensor) -> Step:
        answer = self.classifier.training_logits(images)
        auxiliary = (auxiliary_loss(self.recipe, logits.float(), labels) for logits in answer.auxiliary)
        loss = sum(auxiliary, start=classification_loss(self.recipe, answer.main.float(), labels))
        return Step(loss, _right(answer.main, labels), len(labels))

    def marks(self, images: Tensor, labels: Tensor) -> BatchMetrics:
        return _marks(self.classifier.logits(images), labels)

    def to_dict(self) -> dict[str, object]:
        one = self.classifier
        names = {"model": one.card.name, "start": one.label, "classes": one.classes}
        return names | {"fit": one.resize_policy, "normalize": one.normalize}


class Calibration(Classification):
    """Classes from degraded images by a fidelity-calibrated classifier, whose oracle sees the clean ones."""

    def step(self, images: Tensor, labels: Tensor) -> Step:
        logits, own = self._logits(images, labels)
        loss = F.cross_entropy(logits, own, label_smoothing=self.recipe.label_smoothing)
        return Step(loss, _right(logits, own), len(own))

    def marks(self, images: Tensor, labels: Tensor) -> BatchMetrics:
        return _marks(*self._logits(images, labels))

    def _logits(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Of the degraded images, with their labels."""
        clean, degraded = images.chunk(2)
        return self.classifier.forward(degraded, clean).float(), labels[: len(degraded)]


class Restoration(Task):
    """Clean images from degraded ones, with the l1 distance as loss and the peak signal-to-noise ratio as score.

    The loss decides: the mean over images in dB is mostly that of those that were not degraded, up to 100 dB each.
    """

    score = "val_psnr"
    by_loss = True

    def __init__(self, restorer: Restorer, recipe: Recipe) -> None:
        super().__init__(restorer.module, restorer.device, recipe)
        self.restorer = restorer

    def step(self, images: Tensor, labels: Tensor) -> Step:
        clean, degraded = map(self.restorer.prepare, self.pairs(images))
        restored = self.network(degraded).float()
        return Step(F.l1_loss(restored, clean), _psnr(restored, clean), len(clean))

    def marks(self, images: Tensor, labels: Tensor) -> BatchMetrics:
        clean, degraded = map(self.restorer.prepare, self.pairs(images))
        restored = self.network(degraded).float()
        loss = (restored - clean).abs().mean(dim=(1, 2, 3)).sum()
        return BatchMetrics(loss, _psnr(restored, clean), len(clean))

    def to_dict(self) -> dict[str, object]:
        return {"model": self.restorer.card.name, "start": self.restorer.label}


class Estimation(Task):
    """The fidelity map of a frozen restorer's images, with the l1 distance as loss and its negative as score."""

    score = "val_negative_l1"

    def __init__(self, estimator: nn.Module, restorer: Restorer, recipe: Recipe) -> None:
        super().__init__(estimator, restorer.device, recipe)
        self.restorer = restorer

    def step(self, images: Tensor, labels: Tensor) -> Step:
        degraded, target = self._target(images)
        loss = F.l1_loss(self.network(degraded).float(), target)
        return Step(loss, -loss.detach() * len(target), len(target))

    def marks(self, images: Tensor, labels: Tensor) -> BatchMetrics:
        degraded, target = self._target(images)
        loss = (self.network(degraded).float() - target).abs().mean(dim=(1, 2, 3)).sum()
        return BatchMetrics(loss, -loss, len(target))

    def to_dict(self) -> dict[str, object]:
        return {"model": "fidelity-estimator", "start": "fidelity-estimator", "restorer": self.restorer.weights_sha256}

    def _target(self, images: Tensor) -> tuple[Tensor, Tensor]:
        clean, degraded = (match_channels(some, 3) for some in self.pairs(images))
        with torch.no_grad():
            return degraded, distance(self.recipe.fidelity_map, self.restorer.restore(degraded), clean)


def _marks(logits: Tensor, labels: Tensor) -> BatchMetrics:
    return BatchMetrics(F.cross_entropy(logits, labels, reduction="sum"), _right(logits, labels), len(labels))


def _right(logits: Tensor, labels: Tensor) -> Tensor:
    """How many images are classified as labelled."""
    return (logits.argmax(1) == labels).sum()


@torch.no_grad()
def _psnr(restored: Tensor, clean: Tensor) -> Tensor:
    """The sum of the images' peak signal-to-noise ratios, dB, of (n, C, H, W) in [0, 1]; 100 for equal ones."""
    squared = (restored.clamp(0, 1) - clean).square().mean(dim=(1, 2, 3))
    return (-10 * squared.clamp(min=1e-10).log10()).sum()
