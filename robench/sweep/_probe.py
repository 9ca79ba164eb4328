"""Before a sweep: is each model a function of its image? And after each unit: is it still the same function?"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from robench.datasets import Dataset
from robench.errors import ModelError
from robench.models import Classifier
from robench.precision import COMPILED
from robench.store import LOWEST
from robench.sweep._collector import Forward

PROBED = 8
EPSILON = {"fp32": 4e-6, "fp16": 4e-3, "bf16": 3e-2}
"""Rounding of a logit, as a part of it: some units in the last place."""
NOISE = {"fp32": 1e-3, "fp16": 1e-2, "bf16": 5e-2}
"""How far float noise may go, by precision, as a part of the distance between two classes. Another batch size chooses
other kernels: on a CPU the answers of ResNet-20 move by 1.3e-7 of their range, those of EfficientNet-Lite0 at 224 by
3.0e-7, in bf16 by 4.5e-5. The bounds leave room for kernels of GPUs."""

REMEDY = {
    "chance": "dropout and noise must heed evaluation mode; mend the model",
    "the batch": "batch norm must be in evaluation mode and ranges of quantisation fixed; give --batch-size 1",
    "earlier calls": "a forward pass must leave weights, buffers and attributes as they are; mend the model",
}


@dataclass(frozen=True)
class Probe:
    """A few images, uint8 (8, H, W, C), the same for every sweep of a data set, and how much answers may differ."""

    images: Tensor
    precision: str
    largest: int = 2 * PROBED
    """Images of the largest batch that a model is asked about."""
    batch_size: int = 1 << 30
    """Of the sweep: no more images go through a network at once."""

    def forward(self, classifier: Classifier) -> Forward:
        """A model's forward passes as the probe asks for them."""
        return Forward(classifier, self.precision, most=self.batch_size)

    def answers(self, forward: Forward, images: Tensor | None = None) -> Tensor:
        """Logits (N, classes), of all images or of these."""
        shown = self.images if images is None else images
        return forward(shown, shown if forward.classifier.needs_clean else None)

    def answers_if_any(self, forward: Forward, images: Tensor | None = None) -> Tensor | None:
        """As `answers`; None for a model that cannot be asked, whose cells will say why."""
        try:
            logits = self.answers(forward, images)
        except (Exception, SystemExit):
            return None
        return logits if bool(logits.isfinite().all()) else None

    def same(self, one: Tensor, other: Tensor) -> bool:
        """Whether answers to the same images agree up to float noise; those that are no numbers are not compared."""
        off = (_log_p(one) - _log_p(other)).abs().max()
        return bool(off <= self.tolerance(one)) or bool(off.isnan())

    def tolerance(self, logits: Tensor) -> float:
        """By how much log probabilities may differ.

        Float noise is a part of the distance between the two best classes of the surest image, which masked classes do
        not stretch, and of the best logit, where all of them are large.
        """
        best = logits.double().topk(min(2, logits.shape[1]), dim=1).values
        precision = self.precision.removesuffix(COMPILED)
        margin, size = float((best[:, 0] - best[:, -1]).max()), float(best.abs().max())
        return max(NOISE[precision] * margin, EPSILON[precision] * size)

    def check(self, forward: Forward) -> None:
        """Raise ModelError where a model's answers depend on more than the image.

        A model that cannot be asked, or whose answers are not finite, passes: its cells will say what is wrong.
        """
        try:
            fault = self._fault(forward)
        except (Exception, SystemExit):  # whatever a model trips over is its own result, in every cell
            return
        if fault:
            what, detail = fault
            raise ModelError(
                f"model '{forward.classifier.label}': expected answers that depend on the image alone, got answers "
                f"that depend on {what}: {detail}; {REMEDY[what]}, or --stateful to run it all the same"
            )

    def _fault(self, forward: Forward) -> tuple[str, str] | None:
        first = self.answers(forward)
        if _log_p(first).isnan().any():
            return None
        before = _state(forward)
        for _ in range(2):
            if not self.same(first, again := self.answers(forward)):
                return self._of_chance_or_calls(forward, again)
        for size in self._sizes():
            for shown in self._batches(size):
                if not self.same(first[shown], self.answers(forward, self.images[shown])):
                    return self._of_batch_or_calls(forward, first, size)
        if changed := sorted(name for name, digest in _state(forward).items() if before.get(name, digest) != digest):
            return "earlier calls", f"'{changed[0]}' changes in the forward pass"
        if not self.same(first, self.answers(forward)):
            return "earlier calls", "the same images are answered otherwise later"
        return None

    def _of_chance_or_calls(self, forward: Forward, last: Tensor) -> tuple[str, str]:
        with seeded_generators(0):
            one = self.answers(forward)
        with seeded_generators(0):
            other = self.answers(forward)
        if self.same(one, other) and not self.same(last, other):
            return "chance", "the same images are answered otherwise the second time"
        return "earlier calls", "the same images are answered otherwise the second time"

    def _of_batch_or_calls(self, forward: Forward, first: Tensor, size: int) -> tuple[str, str]:
        if self.same(first, self.answers(forward)):
            return "the batch", f"the same image is answered otherwise in a batch of {size}"
        return "earlier calls", "the same images are answered otherwise later"

    def _sizes(self) -> list[int]:
        """Batches of other sizes than the first; one image alone only where that compiles nothing anew."""
        few = [PROBED, PROBED // 2, PROBED // 2 + 1, self.largest]
        return few if self.precision.endswith(COMPILED) else [*few, 1]

    def _batches(self, size: int) -> Iterator[Tensor]:
        """Places of images in batches of that size, in another order than the first: the dark ones come first."""
        order = torch.cat([torch.arange(PROBED - 1, 0, -2), torch.arange(PROBED - 2, -1, -2)])
        if size >= PROBED:
            yield order.repeat(-(-size // PROBED))[:size]
        else:
            yield from torch.split(order, size)[: PROBED if size > 1 else 1]


class Watch:
    """One model's answers to some of the probe's images before a sweep, to be asked for again after each unit."""

    def __init__(self, probe: Probe, forward: Forward, n: int) -> None:
        self._probe = probe
        self._forward = forward
        self._shown = probe.images[: min(PROBED, max(2, n // 400))]
        self._first = probe.answers_if_any(forward, self._shown)

    def fault(self) -> str:
        """What is wrong with the answers since; empty where they are as before."""
        again = self._probe.answers_if_any(self._forward, self._shown)
        if self._first is None or again is None or self._probe.same(self._first, again):
            return ""
        return "answers depend on earlier calls: after this unit the same images are answered otherwise than before it"


def _log_p(logits: Tensor) -> Tensor:
    return torch.log_softmax(logits.double(), dim=1).clamp_min(LOWEST)


def probe_of(clean: Dataset, precision: str, batch_size: int = 2 * PROBED) -> Probe:
    """The probe of a data set: images spread over it; smooth random ones where it has no clean images.

    Every second one is half as bright, for a network that looks at the range of a whole batch; half of these are noisy,
    for one that is unsure of degraded images. batch_size: of the sweep.
    """
    if clean.has_images:
        positions = np.linspace(0, len(clean) - 1, PROBED).astype(np.int64)
        images = clean.read(positions)
    else:
        height, width, channels = clean.shape
        coarse = np.random.Generator(np.random.Philox(0)).integers(0, 256, (PROBED, 4, 4, channels), dtype=np.uint8)
        images = coarse[:, np.arange(height) * 4 // height][:, :, np.arange(width) * 4 // width]
    images[1::2] //= 2
    noise = np.random.Generator(np.random.Philox(1)).integers(0, 128, images[3::4].shape, dtype=np.uint8)
    images[3::4] += noise
    largest = min(max(batch_size, PROBED), max(len(clean), 2 * PROBED))
    return Probe(torch.from_numpy(np.ascontiguousarray(images)), precision, largest, batch_size)


@contextmanager
def seeded_generators(seed: int) -> Iterator[None]:
    """Within, the generators of torch, numpy and Python start from the seed; after it they are as before."""
    python, arrays = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)


def _state(forward: Forward) -> dict[str, str]:
    """sha256 of every parameter and buffer of floats, those too that no checkpoint holds; whole numbers may count."""
    classifier = forward.classifier
    modules = [classifier.module, *([classifier.restorer.module] if classifier.restorer else [])]
    tensors = [pair for module in modules for pair in (*module.named_parameters(), *module.named_buffers())]
    return {name: _digest(tensor) for name, tensor in tensors if tensor.is_floating_point() or tensor.is_complex()}


def _digest(tensor: Tensor) -> str:
    data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.sha256(data.numpy().tobytes()).hexdigest()
