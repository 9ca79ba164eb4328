"""`timm:NAME` and `timm:hf-hub:ORG/NAME`: the classification networks of timm, with the facts of its own cards."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from corruptions import unknown
from robench.errors import ConfigError, ModelError
from robench.files import one_line
from robench.models._registry import Card, family

if TYPE_CHECKING:
    from torch import Tensor, nn

HUB = "hf-hub"


@family("timm")
def card(name: str) -> Card:
    """The card of a timm network: side, channels, normalisation and classes as `resolve_data_config` gives them.

    `timm:NAME=pretrained` has timm fetch the weights of its card. A name of the hub fetches the card itself.
    Raises `ConfigError` for an unknown name or without timm, `ModelError` where the card cannot be had or used.
    """
    timm = _timm()
    known, facts = _hub(timm, name) if ":" in name else _own(timm, name)
    data = timm.data.resolve_data_config(pretrained_cfg=facts)
    channels, height, width = data["input_size"]
    if height != width:
        raise ModelError(f"timm:{known}: expected a network for square images, got one for {height}x{width}")
    mean, std = (_spread(data[key], channels) for key in ("mean", "std"))
    return Card(
        name=f"timm:{known}",
        input_size=height,
        channels=channels,
        mean=mean,
        std=std,
        params=None,
        classes=int(facts.get("num_classes", 1000)),
        view=_view(data),
        source=str(facts.get("paper_ids") or facts.get("origin_url") or facts.get("hf_hub_id") or "timm"),
        weights={"pretrained": _fetcher(known)},
        build=_builder(known),
    )


def _view(data: Mapping[str, Any]) -> str:
    """How timm resizes and crops a photograph for evaluation; empty for its other ways to crop."""
    if data["crop_mode"] != "center":
        return ""
    input_size = data["input_size"][1]
    form = f"resize{math.floor(input_size / data['crop_pct'])}-crop{input_size}"
    return form if data["interpolation"] == "bilinear" else f"{form}-{data['interpolation']}"


def _timm() -> Any:
    try:
        import timm
        import timm.data
    except ImportError:
        raise ConfigError("timm: not installed; expected the extra: pip install 'robench[timm]'") from None
    return timm


def _own(timm: Any, name: str) -> tuple[str, Mapping[str, Any]]:
    arch, dot, tag = name.partition(".")
    if not timm.is_model(arch):
        raise ConfigError(unknown("timm model", arch, timm.list_models()))
    tags = [one.partition(".")[2] for one in timm.list_pretrained(f"{arch}.*")]
    if dot and tag not in tags:
        raise ConfigError(unknown(f"weights of timm:{arch}", tag, tags))
    facts = timm.get_pretrained_cfg(name)
    return name, facts.to_dict() if facts else {}


def _hub(timm: Any, name: str) -> tuple[str, Mapping[str, Any]]:
    source, _, place = name.partition(":")
    if source.replace("_", "-") != HUB or not place:
        raise ConfigError(f"model 'timm:{name}': expected timm:NAME or timm:{HUB}:ORG/NAME")
    try:
        facts, _, _ = timm.models.load_model_config_from_hf(place)
    except Exception as fault:
        raise ModelError(f"timm:{HUB}:{place}: its card cannot be downloaded: {one_line(fault)}") from fault
    return f"{HUB}:{place}", facts


def _fetcher(name: str) -> Callable[[], Mapping[str, Tensor]]:
    def fetch() -> Mapping[str, Tensor]:
        state: Mapping[str, Tensor] = _timm().create_model(name, pretrained=True).state_dict()
        return state

    return fetch


def _builder(name: str) -> Callable[[int], nn.Module]:
    def build(classes: int) -> nn.Module:
        try:
            net: nn.Module = _timm().create_model(name, pretrained=False, num_classes=classes)
        except Exception as fault:
            raise ModelError(f"timm:{name}: cannot be built for {classes} classes: {one_line(fault)}") from fault
        return net

    return build


def _spread(values: Any, channels: int) -> tuple[float, ...]:
    given = tuple(float(value) for value in values)
    return given * channels if len(given) == 1 else given
