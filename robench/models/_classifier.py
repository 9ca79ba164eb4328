"""What stands between images as they are and a network's input: scale, channels, size, normalisation."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robench.errors import ConfigError, ModelError
from robench.models._label_map import LabelMap
from robench.models._normalize import Normalization
from robench.models._outputs import LOGITS, as_logits, of_classes, recognised
from robench.models._registry import Card
from robench.models._restorers import RestorerCard
from robench.models._user_code import is_users

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, of R, G, B


@dataclass(frozen=True, eq=False)
class Restorer:
    """A network from image to image with its weights, always in evaluation mode.

    label: `NAME` or `NAME=STEM` of the checkpoint. weights_sha256: as a classifier's, of this network alone.
    """

    card: RestorerCard
    label: str
    module: nn.Module = field(repr=False)
    weights_sha256: str
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def prepare(self, x: Tensor) -> Tensor:
        """The network's input: (N, 1 or 3, H, W) in [0, 1] as (M, card.channels, H, W); a gray one has M = N C."""
        return x.reshape(-1, 1, *x.shape[2:]) if self.card.channels == 1 else match_channels(x, 3)

    def restore(self, x: Tensor) -> Tensor:
        """(N, 1 or 3, H, W) in [0, 1] to the same; a gray one takes channels one by one, one of RGB gives RGB."""
        self.module.eval()
        given = self.prepare(x)
        restored = self.module(given)
        if not isinstance(restored, Tensor) or restored.shape != given.shape:
            got = tuple(restored.shape) if isinstance(restored, Tensor) else type(restored).__name__
            raise ModelError(f"{self.label}: expected images {tuple(given.shape)} as it was given, got {got}")
        return restored.float().clamp(0, 1).reshape(len(x), -1, *x.shape[2:])


class TrainingLogits(NamedTuple):
    """What a network answers while it trains: its logits (N, classes), and those of each auxiliary head, if any."""

    main: Tensor
    auxiliary: tuple[Tensor, ...] = ()


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network with its weights and everything between uint8 images and its logits.

    label: `NAME`, `NAME@ACTIVATION`, either with `=STEM` of the checkpoint, or the stem of an archive, never a path;
        `RESTORER+MODEL` with a restorer in front.
    size: (H, W) of the images that will come, where it was said; others then raise.
    fit: what is done to their size: "none", "resize32", "pad28", …
    weights_sha256: over the sorted (name, dtype, shape, bytes) of the loaded state; of an archive over its bytes;
        with a restorer in front over both digests.
    training: what the checkpoint says of its training; empty where it says nothing. class_names: the classes that it
        was trained on, in the order of its outputs; empty where they are unknown.
    restorer: what images pass first, before their size and channels are changed.
    label_map: the outputs of each class, where the network has others besides. outputs: how many the network has.
    answers: what these outputs are, one of `robench.models.OUTPUTS`. normalize_from: where the normalisation is from.
    mapped: what the label map does, in words. is_live: the network came from memory, so that no file tells of its code.
    about: citation and extra data, to record.
    """

    card: Card
    label: str
    module: nn.Module = field(repr=False)
    classes: int
    normalization: Normalization
    weights_sha256: str
    size: tuple[int, int] | None = None
    training: Mapping[str, str] = field(default_factory=dict, repr=False)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    restorer: Restorer | None = None
    label_map: LabelMap | None = field(default=None, repr=False)
    outputs: int | None = None
    answers: str = LOGITS
    normalize_from: str = "its card"
    mapped: str = ""
    class_names: tuple[str, ...] = field(default=(), repr=False)
    is_live: bool = field(default=False, repr=False)
    about: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def label_map_sha256(self) -> str:
        """sha256 of the label map's file; empty where the outputs are the classes."""
        return self.label_map.sha256 if self.label_map else ""

    def to_dict(self) -> dict[str, Any]:
        """What to record of the model beside its predictions: JSON values, no paths."""
        front = self.restorer
        modules = [self.module, *([front.module] if front else [])]
        return {
            "label": self.label,
            "name": self.card.name,
            "source": self.card.source,
            "side": self.card.input_size,
            "width": self.card.width,
            "form": self.card.form,
            "output": self.card.output,
            "channels": self.card.channels,
            "parameters": sum(weight.numel() for module in modules for weight in module.parameters()),
            "weights_sha256": self.weights_sha256,
            "code_sha256": self.card.code_sha256,
            "file_sha256": self.card.file_sha256,
            "fit": self.resize_policy,
            "normalize": self.normalize,
            "training": dict(self.training),
            "class_names": list(self.class_names),
            "label_map_sha256": self.label_map_sha256,
            "outputs": self.answers,
            "mapped": self.mapped,
            "restorer": {"name": front.card.name, "source": front.card.source, "weights_sha256": front.weights_sha256}
            if front
            else None,
        }

    @property
    def is_of_torch(self) -> bool:
        """Whether torch computes the network, so that its precision and compilation can be chosen; not so for ONNX."""
        return all(getattr(part, "is_of_torch", True) for part in self.module.modules())

    @property
    def is_users(self) -> bool:
        """Whether code of the user's computes a part of it, which can do more than its digest tells."""
        modules = [self.module, *([self.restorer.module] if self.restorer else [])]
        kinds = {type(part).__module__ for module in modules for part in module.modules()}
        return self.is_live or bool(self.card.code_sha256) or any(is_users(sys.modules.get(kind)) for kind in kinds)

    @property
    def resize_policy(self) -> str:
        """What `prepare` does to the images' size, to record; where `size` is unsaid, to one that differs."""
        return fit_text(self.card, self.size)

    @property
    def normalize(self) -> str:
        """The normalisation as a text to record, in the form that the option takes."""
        return str(self.normalization)

    def preprocessing(self) -> str:
        """What is done to images of `size`, in words: channels, size and normalisation, and whose choice that is."""
        sizes = {
            "n": "as they are",
            "r": f"resized to {_across(self.card.size or (0, 0))}",
            "p": f"{self.resize_policy} by zeros",
        }
        into = f"{_across(self.size)}, {sizes[self.resize_policy[0]]}" if self.size else self.resize_policy
        kind = ", ".join(filter(None, ("gray" if self.card.channels == 1 else "RGB", self.card.form)))
        chosen = f"normalisation {self.normalize}, of {self.normalize_from}"
        normalised = "no normalisation" if self.card.takes_bytes else chosen
        output = f"; output '{self.card.output}'" if self.card.output else ""
        return f"input {into}, {kind}; {normalised}{output}"

    @property
    def needs_clean(self) -> bool:
        """Whether the network asks for the clean images beside the degraded ones, as an oracle of fidelity does."""
        return bool(getattr(self.module, "needs_clean", False))

    def logits(self, images: Tensor, clean: Tensor | None = None) -> Tensor:
        """Logits (N, classes), float32, on the classifier's device: evaluation mode, no gradients.

        images: uint8 (N, H, W, C), or float (N, C, H, W) in [0, 1]; C 1 or 3. Others raise `ModelError`. clean: the
        same images before they were degraded, for a network that `needs_clean`.
        """
        self.module.eval()
        with torch.inference_mode():
            return self.forward(images, clean).float()

    def forward(self, images: Tensor, clean: Tensor | None = None) -> Tensor:
        """The network's answer in the mode that it is in, with gradients: for training and for attacks."""
        return self.training_logits(images, clean).main

    def training_logits(self, images: Tensor, clean: Tensor | None = None) -> TrainingLogits:
        """As `forward`, and with the logits of the auxiliary heads that a network has in training mode.

        There its module answers a tuple, as torchvision's GoogLeNet and Inception v3 do: the logits first, then those
        of the heads; None counts for nothing. In evaluation mode every module answers one tensor (N, classes).
        """
        beside = {"clean": self.prepare(clean)} if self.needs_clean and clean is not None else {}
        answer = self.module(self.prepare(images), **beside)
        heads = answer if isinstance(answer, tuple) and answer and self.module.training else (answer,)
        main, *auxiliary = (self._checked(logits, len(images)) for logits in heads if logits is not None)
        return TrainingLogits(main, tuple(auxiliary))

    def patch_logits(self, images: Tensor) -> Tensor:
        """Logits of each patch (N, classes, h, w), whose mean over the patches are the logits; as `logits` otherwise.

        A network has them where its module has a method `patch_logits`, as the BagNets; others raise `ModelError`, and
        so does a label map that sums outputs, since the mean of sums of exponentials is no sum of their means.
        """
        of_patches = getattr(self.module, "patch_logits", None)
        if of_patches is None:
            raise ModelError(f"{self.label}: expected a network with logits of patches, such as bagnet33")
        if self.label_map and self.label_map.sums:
            raise ModelError(f"{self.label}: expected a label map with one output for each class, got several for one")
        self.module.eval()
        with torch.inference_mode():
            patches: Tensor = of_patches(self.prepare(images)).float()
        return self._of_classes(patches)

    def _checked(self, logits: Any, n: int) -> Tensor:
        wanted = (n, self.classes if self.outputs is None else self.outputs)
        if not isinstance(logits, Tensor) or logits.shape != wanted:
            got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ModelError(f"{self.label}: expected logits {wanted}, got {got}")
        if logits.is_complex():
            raise ModelError(f"{self.label}: expected real logits, got {str(logits.dtype).removeprefix('torch.')}")
        made = as_logits(logits, self.answers)
        return self._of_classes(made)

    def recognised(self, images: Tensor, clean: Tensor | None = None, asked: str | None = None) -> Classifier:
        """The same with `answers` as these images show them; images, clean: as for `logits`. asked: what they shall be.

        A network that fails on them stays as it is. Raises ModelError for outputs that are neither logits nor
        probabilities.
        """
        every = replace(self, answers=LOGITS, label_map=None, classes=self.outputs or self.classes)
        try:
            outputs = every.logits(images, clean)
        except (Exception, SystemExit):
            return self
        return replace(self, answers=recognised(outputs, self.label, asked))

    def prepare(self, images: Tensor) -> Tensor:
        """The network's input: float32 (N, card.channels, side, side), restored, fitted, then normalised."""
        x = self._unit(images)
        if self.size is not None and x.shape[2:] != self.size:
            raise ModelError(f"{self.label}: expected images of {_by(self.size)} pixels, got {_by(x.shape[2:])}")
        if self.restorer is not None:
            x = self.restorer.restore(x)
        x = resized(match_channels(x, self.card.channels), self.card.size, self.card.resize_policy)
        mean, std = self._shift_scale
        return (x - mean) / std

    def _unit(self, images: Tensor) -> Tensor:
        is_bytes = images.dtype == torch.uint8
        channels = images.shape[3 if is_bytes else 1] if images.ndim == 4 else None
        if channels not in (1, 3) or not (is_bytes or images.is_floating_point()):
            raise ModelError(
                f"{self.label}: expected uint8 (N, H, W, C) or float (N, C, H, W) images of 1 or 3 channels, "
                f"got {str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
            )
        images = images.to(self.device, non_blocking=True)
        return unit(images) if is_bytes else images.float()

    def _of_classes(self, logits: Tensor) -> Tensor:
        return of_classes(logits, self.label_map.indices) if self.label_map else logits

    @cached_property
    def _shift_scale(self) -> tuple[Tensor, Tensor]:
        mean, std = (torch.tensor(values, device=self.device).view(1, -1, 1, 1) for values in self.normalization)
        return mean, std


def unit(images: Tensor) -> Tensor:
    """uint8 (N, H, W, C) to float32 (N, C, H, W) in [0, 1]."""
    return images.permute(0, 3, 1, 2).float() / 255


def match_channels(x: Tensor, channels: int) -> Tensor:
    """(N, 1 or 3, H, W) to (N, channels, H, W): gray is repeated, colour becomes its luminance."""
    if x.shape[1] == channels:
        return x
    if channels == 3:
        return x.expand(-1, 3, -1, -1)
    red, green, blue = LUMINANCE
    return red * x[:, 0:1] + green * x[:, 1:2] + blue * x[:, 2:3]


def resized(x: Tensor, size: tuple[int, int] | None, how: str) -> Tensor:
    """(N, C, H, W) to (N, C, *size): `resize` bilinear with antialiasing, `pad` with zeros, centred; None keeps it.

    Images that padding cannot bring to the size, because they are larger, are resized.
    """
    height, width = x.shape[2:]
    if size is None or (height, width) == size:
        return x
    if how == "pad" and height <= size[0] and width <= size[1]:
        top, left = (size[0] - height) // 2, (size[1] - width) // 2
        return F.pad(x, (left, size[1] - width - left, top, size[0] - height - top))
    return F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)


def fit_text(card: Card, size: tuple[int, int] | None) -> str:
    """What `fit` does to images of that size, as a text to record."""
    own = card.size
    if own is None or size == own:
        return "none"
    pads = card.resize_policy == "pad" and (size is None or (size[0] <= own[0] and size[1] <= own[1]))
    return f"{'pad' if pads else 'resize'}{card.input_size}" + (f"x{card.width}" if card.width else "")


def placed(module: nn.Module, where: torch.device) -> nn.Module:
    """The network on its device in evaluation mode, convolutions with the channels last."""
    convolutional = any(isinstance(part, nn.Conv2d) for part in module.modules())
    module.to(where)
    if convolutional:
        module.to(memory_format=torch.channels_last)
    return module.eval()


def pick_device(name: str) -> torch.device:
    """`auto` (cuda, mps, else cpu), `cpu`, `cuda`, `cuda:1` or `mps`; an absent one raises `ConfigError`."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    kind, _, index = name.partition(":")
    if kind not in there or not ((index.isascii() and index.isdecimal()) or index == ""):
        raise ConfigError(f"device must be auto, cpu, cuda or mps, got '{name}'")
    if not there[kind] or (kind == "cuda" and int(index or 0) >= torch.cuda.device_count()):
        raise ConfigError(f"device '{name}' is not available on this machine")
    return torch.device(name)


def _by(size: tuple[int, ...]) -> str:
    return "x".join(str(edge) for edge in size)


def _across(size: tuple[int, int]) -> str:
    """Width before height, as people say it."""
    return f"{size[1]} x {size[0]}"
