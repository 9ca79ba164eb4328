"""Networks that come for three input sides, built on torchvision's: names, card fields, published weights. No torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from robench.models._registry import model

if TYPE_CHECKING:
    from torch import Tensor, nn

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
# Side -> the data set that stands for it: ImageNet, Tiny ImageNet, CIFAR-10.
DATA: Mapping[int, Mapping[str, Any]] = {
    224: {"classes": 1000, **IMAGENET},
    64: {"classes": 200, **IMAGENET},
    32: {"classes": 10, **CIFAR},
}


def register(
    name: str, build: Callable[[int, int], nn.Module], params: Mapping[int, int], words: tuple[str, ...], **fields: Any
) -> None:
    """Register `name` for 224 pixels, `name_64` and `name_32`; each card has the classes of its side's data set.

    build: (side, classes) -> network. params: by side, with that many classes. words: the published weights of
    torchvision's network of that name, for 224. fields: of the cards, in place of their data set's.
    """
    for input_size, count in params.items():
        weights = {word: Published(name, word) for word in words if input_size == 224}
        card = {
            "input_size": input_size,
            "channels": 3,
            **DATA[input_size],
            "params": count,
            "weights": weights,
            **fields,
        }
        model(name if input_size == 224 else f"{name}_{input_size}", **card)(partial(build, input_size))


@dataclass(frozen=True)
class Published:
    """Weights of torchvision, fetched by calling it."""

    name: str
    word: str

    def __call__(self) -> Mapping[str, Tensor]:
        state: Mapping[str, Tensor] = self._entry.get_state_dict(progress=False, check_hash=True)
        return state

    @property
    def address(self) -> str:
        """Where torchvision fetches them from."""
        return str(self._entry.url)

    @property
    def _entry(self) -> Any:
        from torchvision import models

        weights: Any = models.get_model_weights(self.name)
        return weights[self.word]
