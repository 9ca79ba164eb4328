"""What a model is on paper: its card, how one is registered, and the two registries. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from corruptions import Registry
from robench.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

Build = Callable[[int], "nn.Module"]
Weights = str | Callable[[], "Mapping[str, Tensor]"]
FITS = ("resize", "pad")


@dataclass(frozen=True)
class Card:
    """One network: what it takes, how large it is, where it is from.

    name: as in `robench evaluate -m NAME`.
    input_size: input height and width in pixels; None takes any. width: the width, where it is another than the height.
    channels: 1 gray, 3 RGB.
    mean, std: per channel, of inputs in [0, 1].
    params: parameters of `build(classes)`; None where not known before it is built.
    classes: the classes of the original.
    source: paper or code, in one line.
    resize_policy: for images of another side: "resize" bilinear with antialiasing, "pad" zeros around smaller ones.
    view: how photographs are brought to its side as its authors do it, as for `robench evaluate --view`; empty where
        nothing is known of that. views: the same by the words of weights that differ in it.
    weights: word -> safetensors file in `robench/models/weights`, an absolute path, an https address, or a function
        that fetches the tensors by name.
    form: how the input differs from float32 (N, C, H, W), in words; empty where it does not. takes_bytes: whether its
        pixels are bytes in 0..255, so that the network normalises by itself. output: which of several outputs of a file
        is meant, by name.
    code_sha256, file_sha256: of the user's code that builds it, if some does, and of its file alone.
    build: classes -> network from (N, channels, side, side) to (N, classes), in training mode also to a tuple, with
        the logits of auxiliary heads after them; it imports torch in its body.
    """

    name: str
    input_size: int | None
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    params: int | None
    classes: int
    source: str
    resize_policy: str = "resize"
    view: str = ""
    views: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    weights: Mapping[str, Weights] = field(default_factory=lambda: MappingProxyType({}))
    width: int | None = None
    form: str = ""
    takes_bytes: bool = False
    output: str = ""
    code_sha256: str = ""
    file_sha256: str = ""
    build: Build = field(repr=False, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        if "=" in self.name:
            raise ModelError(f"model '{self.name}': a name holds no '=', which sets off the checkpoint")
        if self.channels not in (1, 3):
            raise ModelError(f"model '{self.name}': channels must be 1 or 3, got {self.channels}")
        if self.input_size is not None and self.input_size < 1:
            raise ModelError(f"model '{self.name}': input_size must be at least 1 pixel, got {self.input_size}")
        if not len(self.mean) == len(self.std) == self.channels or min(self.std) <= 0:
            raise ModelError(
                f"model '{self.name}': expected {self.channels} means and positive deviations, "
                f"got {self.mean} and {self.std}"
            )
        if self.resize_policy not in FITS:
            raise ModelError(
                f"model '{self.name}': resize_policy must be {' or '.join(FITS)}, got '{self.resize_policy}'"
            )

    @property
    def size(self) -> tuple[int, int] | None:
        """Input height and width in pixels; None takes any."""
        return None if self.input_size is None else (self.input_size, self.width or self.input_size)


registry: Registry[Card] = Registry("model", "robench.models", ConfigError)
families: Registry[Callable[[str], Card]] = Registry("model family", "robench.models", ConfigError)


def model(name: str, **fields: Any) -> Callable[[Build], Build]:
    """Register the decorated builder under `name`; `fields` are the other fields of its `Card`.

    A name taken already raises `ConfigError`, one with an '@', which sets off an activation, `ModelError`.
    """
    if "@" in name:
        raise ModelError(f"model '{name}': a name holds no '@', which sets off the activation")

    def register(build: Build) -> Build:
        registry.add(name, Card(name=name, build=build, **fields))
        return build

    return register


def family(prefix: str) -> Callable[[Callable[[str], Card]], Callable[[str], Card]]:
    """Register the decorated function as the maker of cards for the names `prefix:NAME`; it takes NAME."""

    def register(card_of: Callable[[str], Card]) -> Callable[[str], Card]:
        families.add(prefix, card_of)
        return card_of

    return register


def names() -> tuple[str, ...]:
    """The registered models, those of robench first. `prefix:NAME` models come on top of these."""
    return registry.names()


def get(name: str) -> Card:
    """The card of `NAME` or `prefix:NAME`; an unknown one raises `ConfigError` with the nearest."""
    prefix, colon, rest = name.partition(":")
    return families.get(prefix)(rest) if colon else registry.get(name)
