"""Networks from image to image that stand before a classifier: their cards and their registry. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from corruptions import Registry
from robench.errors import ConfigError, ModelError
from robench.models._registry import Weights

if TYPE_CHECKING:
    from torch import nn

BuildRestorer = Callable[[], "nn.Module"]


@dataclass(frozen=True)
class RestorerCard:
    """One restorer: (N, channels, H, W) in [0, 1] to the same; what leaves [0, 1] is clipped.

    name: as in `robench evaluate -m NAME=CHECKPOINT+MODEL`.
    channels: 1 takes the channels of an image one by one, 3 takes RGB.
    params: parameters of `build()`.
    source: paper or code, in one line.
    weights: as on a model's card.
    build: makes the network, for any H and W; it imports torch in its body.
    """

    name: str
    channels: int
    params: int
    source: str
    weights: Mapping[str, Weights] = field(default_factory=lambda: MappingProxyType({}))
    build: BuildRestorer = field(repr=False, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        if strange := [sign for sign in "=+:" if sign in self.name]:
            raise ModelError(f"restorer '{self.name}': a name holds no '{strange[0]}'")
        if self.channels not in (1, 3):
            raise ModelError(f"restorer '{self.name}': channels must be 1 or 3, got {self.channels}")


restorers: Registry[RestorerCard] = Registry("restorer", "robench.models", ConfigError)


def restorer(name: str, **fields: Any) -> Callable[[BuildRestorer], BuildRestorer]:
    """Register the decorated builder under `name`; `fields` are the other fields of its `RestorerCard`.

    A name taken already raises `ConfigError`.
    """

    def register(build: BuildRestorer) -> BuildRestorer:
        restorers.add(name, RestorerCard(name=name, build=build, **fields))
        return build

    return register
