"""The whole: restorer, estimator, frozen classifier and calibration in one network with one state."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from robench.errors import ModelError
from robench.models._checkpoints import state_sha256
from robench.models._classifier import Classifier, Restorer
from robench.models._normalize import Normalization
from robench.models._registry import get
from robench.models.families.dncnn import WIDTH, dncnn
from robench.models.fidelity._calibration import Calibration, changed
from robench.models.fidelity._maps import confidence, distance
from robench.models.fidelity._options import DEFAULT, PREFIX, Options
from robench.models.fidelity._places import Places, places_of

DEPTH = 20  # of the estimator, as of the restorer for RGB images


class Estimator(nn.Module):
    """The map of an image that is not there: degraded (N, 3, H, W) in [0, 1] to (N, 1, H, W), any H and W.

    Its target is `distance(kind, restored, clean)`, with l1 as the loss. Sections 4.1 and 5.1: the architecture of
    DnCNN, trained as the restorer is except for the output, so it sees the degraded image. The last convolution has
    one output, and the image is not added to it: both open in the paper.
    """

    def __init__(self) -> None:
        super().__init__()
        last = nn.Conv2d(WIDTH, 1, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(last.weight)
        self.dncnn = cast("nn.Sequential", dncnn(3, DEPTH).dncnn)
        self.dncnn[-1] = last

    def forward(self, degraded: Tensor) -> Tensor:
        estimate: Tensor = self.dncnn(degraded)
        return estimate


class FidelityClassifier(nn.Module):
    """A pre-trained classifier whose features are corrected by a fidelity map: (N, 3, H, W) in [0, 1] -> (N, classes).

    Restorer and classifier are frozen, and so is a "pretrained" estimator: their parameters get no gradients, and they
    are in evaluation mode for good, where GoogLeNet leaves its auxiliary heads out. What is left with `requires_grad`
    is trained. The state holds everything, the classifier's normalisation too.
    normalization: of the classifier. estimator: none for the oracle, which needs the clean images.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        classifier: nn.Module,
        normalization: Normalization,
        places: Places,
        restorer: Restorer,
        estimator: nn.Module | None,
        options: Options,
    ) -> None:
        super().__init__()
        if (estimator is None) != (options.estimator == "oracle"):
            expected, got = ("an", "none") if estimator is None else ("no", "one")
            raise ModelError(f"fidelity: '{options.estimator}': expected {expected} estimator, got {got}")
        self.options, self.places = options, places
        self.classifier, self.restorer, self.estimator = classifier, restorer.module, estimator
        self.takes_gray = restorer.card.channels == 1
        self.calibration = Calibration(places, options)
        self.register_buffer("mean", torch.tensor(normalization.mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(normalization.std).view(1, -1, 1, 1))
        for part in self._frozen:
            part.requires_grad_(False)
        self.train()

    def forward(self, x: Tensor, clean: Tensor | None = None) -> Tensor:
        """Logits of degraded images. clean: the same images undegraded, which the oracle alone reads.

        Raises `ModelError` for an oracle without them or with others.
        """
        restored = self.restore(x)
        fidelity = confidence(self.options.map, self.fidelity_map(x, restored, clean))
        inputs = (restored - self.mean) / self.std
        original = self.features(inputs) if self.calibration.ensemble is not None else None
        with changed(self.classifier, self.calibration.changes(fidelity, original)):
            logits: Tensor = self.classifier(inputs)
        return logits

    @property
    def needs_clean(self) -> bool:
        """Whether the map is measured, which takes the clean images."""
        return self.estimator is None

    def restore(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to the same; a gray restorer takes the channels one by one."""
        given = x.reshape(-1, 1, *x.shape[2:]) if self.takes_gray else x
        restored: Tensor = self.restorer(given)
        return restored.clamp(0, 1).reshape(x.shape)

    def fidelity_map(self, x: Tensor, restored: Tensor, clean: Tensor | None = None) -> Tensor:
        """The map (N, 1, H, W) of degraded and restored images, estimated or, by the oracle, measured."""
        if self.estimator is not None:
            estimate: Tensor = self.estimator(x)
            return estimate
        if clean is None or clean.shape != x.shape:
            got = "none" if clean is None else f"{tuple(clean.shape)}"
            raise ModelError(f"fidelity: the oracle needs the clean images {tuple(x.shape)} as clean=..., got {got}")
        return distance(self.options.map, restored, clean)

    def features(self, inputs: Tensor) -> Tensor:
        """The frozen network's own features (N, channels, ...) of normalised images."""
        kept: list[Tensor] = []

        def keep(features: Tensor) -> Tensor:
            kept.append(features)
            return features

        with changed(self.classifier, [(self.places.features, keep)]):
            self.classifier(inputs)
        return kept[0]

    def train(self, mode: bool = True) -> FidelityClassifier:
        """Training mode for what is trained; the frozen parts stay in evaluation mode."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    @property
    def _frozen(self) -> list[nn.Module]:
        parts = [self.restorer, self.classifier]
        if self.estimator is not None and self.options.estimator == "pretrained":
            parts.append(self.estimator)
        return parts


def assemble(
    parts: Classifier, options: Options = DEFAULT, estimator: nn.Module | None = None, *, seed: int = 0
) -> Classifier:
    """A fidelity-calibrated classifier of loaded parts, for training; its calibration is drawn from the seed.

    parts: a classifier with a restorer in front, as of `load("cdncnn=D+resnet20=R", classes=10)`. Its networks become
        part of the new one, and are frozen.
    options: the restorer is that of `parts`.
    estimator: pre-trained, or a new `Estimator()`; none for the oracle.
    What `save` writes of its module is loaded as `MODEL=CHECKPOINT`, MODEL being its label. Raises `ModelError`.
    """
    if parts.restorer is None:
        raise ModelError(f"fidelity: expected a restorer in front, RESTORER+MODEL, got {parts.label}")
    options = replace(options, restorer=parts.restorer.card.name)
    card = get(",".join((f"{PREFIX}{parts.card.name}", *options.words)))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        net = FidelityClassifier(
            parts.module, parts.normalization, places_of(parts.card.name), parts.restorer, estimator, options
        )
    net.to(parts.device)
    net.to(memory_format=torch.channels_last)
    return replace(
        parts,
        card=card,
        label=card.name,
        module=net,
        normalization=Normalization(card.mean, card.std),
        weights_sha256=state_sha256(net),
        training={},
        restorer=None,
    )
