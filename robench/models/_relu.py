"""Another activation wherever a network has a ReLU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from robench.errors import ConfigError, ModelError
from robench.files import one_line
from robench.models._activations import ActivationCard


def replace_relu(module: nn.Module, card: ActivationCard, label: str, example: Tensor) -> tuple[str, ...]:
    """Put the activation in the place of every `nn.ReLU`, in place; gives the places by name.

    Each module gets parameters of its own. One that a network calls several times, as the blocks of torchvision's
    ResNets do, is one place. example: an input, with which the network is run once, in evaluation mode.
    Raises `ConfigError` where no module is a ReLU, or where some ReLU is called as a function and would stay.
    """
    module.eval()
    found = [(name, part) for name, part in module.named_modules(remove_duplicate=False) if isinstance(part, nn.ReLU)]
    if not found:
        raise ConfigError(f"{label}: expected a network with ReLU modules, nn.ReLU, got none to replace")
    instead = {part: card.build() for part in dict.fromkeys(part for _, part in found)}
    for name, part in found:
        owner, _, own_name = name.rpartition(".")
        setattr(module.get_submodule(owner), own_name, instead[part])
    left = _relus_outside(module, set(instead.values()), label, example)
    if left:
        raise ConfigError(f"{label}: expected every ReLU to be a module, nn.ReLU, got {left} called as functions")
    return tuple(name for name, _ in found)


def _relus_outside(module: nn.Module, activations: set[nn.Module], label: str, example: Tensor) -> int:
    """How many ReLUs the network computes itself, apart from those of its activations."""
    counter = _Relus()
    hooks = [part.register_forward_pre_hook(counter.enter) for part in activations]
    hooks += [part.register_forward_hook(counter.leave) for part in activations]
    try:
        with torch.no_grad(), counter:
            module(example)
    except Exception as fault:
        raise ModelError(f"{label}: cannot be run on {tuple(example.shape)}: {one_line(fault)}") from fault
    finally:
        for hook in hooks:
            hook.remove()
    return counter.outside


class _Relus(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the ReLUs that run while it is on and nothing has entered; torch has no types for its base."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.inside = False
        self.outside = 0

    def enter(self, *_: Any) -> None:
        self.inside = True

    def leave(self, *_: Any) -> None:
        self.inside = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        is_relu = func.overloadpacket in (torch.ops.aten.relu, torch.ops.aten.relu_)
        self.outside += is_relu and not self.inside
        return func(*args, **(kwargs or {}))
