"""A network that is in memory as a classifier of images."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from robench.errors import ConfigError, RobenchError
from robench.models._checkpoints import state_sha256
from robench.models._classifier import Classifier, pick_device, placed
from robench.models._normalize import Normalization, check_plausible
from robench.models._registry import Card

LIVE = "a network in memory"


class FunctionModule(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        """Call the function."""
        return self.function(images)


def wrap_model(
    module: Any,
    *,
    num_classes: int | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    input_size: int | None = None,
    name: str | None = None,
    channels: int | None = None,
    device: str = "cpu",
) -> Classifier:
    """Make a classifier of a network that is in memory.

    The network is copied and put into evaluation mode; the original stays as it is. It receives float32 images
    (N, channels, H, W), which are in [0, 1] before normalisation, and returns logits or probabilities (N, num_classes).

    Args:
        module: An `nn.Module`, or a function from images to logits.
        num_classes: Number of outputs, at least 2.
        mean: Mean of the inputs in [0, 1], one number or one per channel; 0 without normalisation.
        std: Standard deviation of the inputs in [0, 1], one number or one per channel; 1 without normalisation.
        input_size: Height and width in pixels to which images are resized (bilinear, antialiased); None leaves them.
        name: Name in tables; by default the name of the class or function.
        channels: 1 for gray, 3 for RGB; by default those of the first convolution, of `mean`, or else 3.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    Returns:
        The classifier, whose `logits` takes uint8 images (N, H, W, C).

    Raises:
        ConfigError: An argument is of another type or outside its range.

    Examples:
        >>> import torch
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10))
        >>> wrap_model(net, num_classes=10).logits(torch.zeros(2, 8, 8, 3, dtype=torch.uint8)).shape
        torch.Size([2, 10])
    """
    if not isinstance(module, nn.Module) and (isinstance(module, type) or not callable(module)):
        raise ConfigError(f"wrap_model: expected an nn.Module or a function, got {_shown(module)}")
    label = name or getattr(module, "__name__", None) or type(module).__name__
    if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 2:
        raise ConfigError(f"model '{label}': expected num_classes as a whole number of at least 2, got {num_classes!r}")
    if input_size is not None and (isinstance(input_size, bool) or not isinstance(input_size, int) or input_size < 1):
        raise ConfigError(f"model '{label}': expected input_size in pixels, at least 1, or None, got {input_size!r}")
    own = _copied(module) if isinstance(module, nn.Module) else FunctionModule(module)
    count = channels or channels_of(own) or (len(mean) if isinstance(mean, Sequence) else 3)
    if count not in (1, 3):
        raise ConfigError(f"model '{label}': expected 1 or 3 channels, got {count}")
    values = Normalization(_each(mean, 0.0, count, label, "mean"), _each(std, 1.0, count, label, "std"))
    check_plausible(values, f"model '{label}'", ConfigError)
    where = pick_device(device)
    try:
        digest = state_sha256(own)
    except RobenchError as fault:
        raise ConfigError(f"model '{label}': {fault}") from fault
    params = sum(parameter.numel() for parameter in own.parameters())
    card = Card(label, input_size, count, *values, params, num_classes, LIVE, build=lambda classes: own)
    return Classifier(
        card,
        label,
        placed(own, where),
        num_classes,
        values,
        digest,
        device=where,
        normalize_from="wrap_model",
        is_live=True,
    )


def _copied(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module)
    except (RuntimeError, TypeError) as fault:
        raise ConfigError(f"model '{type(module).__name__}': cannot be copied: {fault}") from fault


def channels_of(module: object) -> int | None:
    """The channels of a network's images, 1 or 3, by its first convolution; None where that does not tell them."""
    layers = module.modules() if isinstance(module, nn.Module) else ()
    first = next((layer.in_channels for layer in layers if isinstance(layer, nn.Conv2d)), None)
    return first if first in (1, 3) else None


def _each(values: Any, default: float, channels: int, label: str, what: str) -> tuple[float, ...]:
    given: Any = default if values is None else values
    try:
        numbers = tuple(float(value) for value in (given if hasattr(given, "__len__") else [given] * channels))
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != channels or (what == "std" and min(numbers) <= 0):
        kind = "positive numbers" if what == "std" else "numbers"
        raise ConfigError(f"model '{label}': expected {what} as {channels} {kind}, got {values!r}")
    return numbers


def _shown(value: object) -> str:
    return f"the class {value.__name__}; call it" if isinstance(value, type) else type(value).__name__
