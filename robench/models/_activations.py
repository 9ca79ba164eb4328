"""Activations that stand in for ReLU, as in `NAME@ACTIVATION`: their cards and their registry. No torch here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corruptions import Registry
from robench.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from torch import nn

BuildActivation = Callable[[], "nn.Module"]


@dataclass(frozen=True)
class ActivationCard:
    """One activation, element by element: floats of any shape to the same shape.

    name: as in `robench evaluate -m NAME@ACTIVATION`.
    params: trainable numbers of each of its places.
    source: paper or code, in one line.
    build: makes one, at its starting values; it imports torch in its body.
    """

    name: str
    params: int
    source: str
    build: BuildActivation = field(repr=False, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w+", self.name):
            raise ModelError(f"activation '{self.name}': a name holds letters, digits and '_' only")


activations: Registry[ActivationCard] = Registry("activation", "robench.models", ConfigError)


def activation(name: str, **fields: Any) -> Callable[[BuildActivation], BuildActivation]:
    """Register the decorated builder under `name`; `fields` are the other fields of its `ActivationCard`.

    A name taken already raises `ConfigError`.
    """

    def register(build: BuildActivation) -> BuildActivation:
        activations.add(name, ActivationCard(name=name, build=build, **fields))
        return build

    return register
