"""`torchvision:NAME[:SIDE]`: every classification network of torchvision, with its published weights by word."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from corruptions import unknown
from robench.errors import ConfigError
from robench.files import one_line
from robench.models._registry import Card, family

if TYPE_CHECKING:
    from torch import nn

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
# The published weights of the first two want inputs in [-1, 1]: torchvision rescales inside the network.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "googlenet": {"transform_input": True, "init_weights": True},
    "inception_v3": {"transform_input": True, "init_weights": True},
    "vit_h_14": {"image_size": 518},
}
MAX_SIDE = 4096
PARAMS = {"googlenet": 13_004_888}  # with its auxiliary heads, which torchvision's own count leaves out


@family("torchvision")
def card(name: str) -> Card:
    """The card of a torchvision network; facts from its newest published weights where it has any.

    DEFAULT, IMAGENET1K_V1, … are words for `torchvision:NAME=WORD`, fetched when used. `NAME:SIDE` is the same
    network, unchanged, for inputs of that side. Raises `ConfigError`.
    """
    from torchvision import models

    name, colon, input_size = name.partition(":")
    known = models.list_models(module=models)
    if name not in known:
        raise ConfigError(unknown("torchvision model", name, known))
    if colon:
        _check_side(name, input_size)
    published = models.get_model_weights(name)
    newest = getattr(published, "DEFAULT", None)
    preset = newest.transforms() if newest else None
    words = {word: one.url for word, one in published.__members__.items()}
    return Card(
        name=f"torchvision:{name}{colon}{input_size}",
        input_size=int(input_size) if colon else preset.crop_size[0] if preset else 224,
        channels=3,
        mean=tuple(preset.mean) if preset else IMAGENET["mean"],
        std=tuple(preset.std) if preset else IMAGENET["std"],
        params=PARAMS.get(name, newest.meta["num_params"] if newest else None),
        classes=len(newest.meta["categories"]) if newest else 1000,
        view=_view(preset) if preset and not colon else "",
        views={} if colon else {word: _view(one.transforms()) for word, one in published.__members__.items()},
        source=newest.meta.get("recipe", "torchvision") if newest else "torchvision",
        weights=words | ({"DEFAULT": newest.url} if newest else {}),
        build=_builder(name),
    )


def _view(preset: Any) -> str:
    """How torchvision's preset resizes and crops a photograph."""
    form = f"resize{preset.resize_size[0]}-crop{preset.crop_size[0]}"
    return form if preset.interpolation.value == "bilinear" else f"{form}-{preset.interpolation.value}"


def _check_side(name: str, input_size: str) -> None:
    """Refuse a side that is no number, or that the network cannot take: it is tried without numbers."""
    import torch

    if not re.fullmatch("[0-9]+", input_size) or not 1 <= int(input_size) <= MAX_SIDE:
        raise ConfigError(f"torchvision:{name}: expected a side of 1..{MAX_SIDE} pixels after it, got '{input_size}'")
    try:
        with torch.device("meta"):
            _builder(name)(10).eval()(torch.zeros(1, 3, int(input_size), int(input_size)))
    except Exception as fault:
        raise ConfigError(
            f"torchvision:{name}: cannot take images of {input_size}x{input_size}: {one_line(fault)}"
        ) from fault


def _builder(name: str) -> Callable[[int], nn.Module]:
    def build(classes: int) -> nn.Module:
        from torchvision import models

        net: nn.Module = models.get_model(name, weights=None, num_classes=classes, **OPTIONS.get(name, {}))
        return net

    return build
