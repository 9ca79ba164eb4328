"""The sets of weights in a checkpoint, and the one that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from corruptions import unknown
from robench.errors import CheckpointError

State = Mapping[str, Tensor]
WRAPPERS = re.compile(r"^(module|model|_orig_mod|net)\.")
COUNTERS = ("num_batches_tracked", "n_averaged")
"""Of batch norm, which old files lack, and of torch's AveragedModel; evaluation reads neither."""
STATISTICS = ("running_mean", "running_var")
WHOLE = "."
"""What the set is called whose tensors stand in the file without anything around them."""
MOST_SHOWN = 8


def is_counter(name: str) -> bool:
    """Whether a tensor counts steps, so that evaluation does not read it."""
    return name.rpartition(".")[2] in COUNTERS


def states_in(content: Any, at: str = "", seen: frozenset[int] = frozenset()) -> Iterator[tuple[str, State]]:
    """Every container of named tensors in a checkpoint, with the names that lead to it, dots between them."""
    if id(content) in seen:  # it holds itself
        return
    if isinstance(content, Mapping):
        own = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
        if own:
            yield at, own
        inner = [(name, value) for name, value in content.items() if isinstance(name, str)]
    elif isinstance(content, list | tuple):
        inner = [(str(place), value) for place, value in enumerate(content)]
    else:
        return
    for name, value in inner:
        yield from states_in(value, f"{at}.{name}" if at else name, seen | {id(content)})


@dataclass(frozen=True)
class WeightSet:
    """Tensors that have every name of a network behind a prefix; `state` is the container that they stand in."""

    name: str
    state: State
    prefix: str
    fits: bool

    @property
    def own(self) -> dict[str, Tensor]:
        """What stands behind the prefix, without it."""
        return {name.removeprefix(self.prefix): value for name, value in self.state.items() if self._holds(name)}

    def among(self, others: Sequence[WeightSet], *, alone: bool) -> dict[str, Tensor]:
        """Its tensors, without those of the other sets; what belongs to none is there too, unless it is taken alone."""
        beside = [one for one in others if one.state is self.state and one != self and self._is_outside(one)]
        return {
            name.removeprefix(self.prefix): value
            for name, value in self.state.items()
            if not any(one._holds(name) for one in beside) and (self._holds(name) or not (alone or is_counter(name)))
        }

    def _is_outside(self, other: WeightSet) -> bool:
        return not self.prefix.startswith(other.prefix)

    def _holds(self, name: str) -> bool:
        return name.startswith(self.prefix)


def chosen(
    states: Mapping[str, State], network: State, *, source: str, asked: str | None, may_lack: Sequence[str] | None
) -> tuple[dict[str, Tensor], str]:
    """The tensors to fill a network with, by its own names as far as they fit, and what their set is called.

    states: of `states_in`. asked: the set that the user names; without one, `CheckpointError` lists those that fit
    where there are several. may_lack: parts of the network, by name, that the weights may lack, and of which the head
    may be another; None where all must fit. The name is empty where there is no other set.
    """
    needed = [name for name in network if not is_counter(name) and not _is_of(name, may_lack or ())]
    sets = [one for at, state in states.items() for one in _sets(at, state, needed, network)]
    if asked is not None:
        return _asked(states, sets, network, source, asked)
    fitting = [one for one in sets if one.fits]
    _check_averages(states, fitting, needed, network, source)
    candidates = fitting or (sets if may_lack is not None else sets[:1])
    if len(candidates) > 1 and not _are_equal(candidates):
        names = ", ".join(one.name for one in candidates[:MOST_SHOWN])
        raise CheckpointError(
            f"{source}: expected one set of weights for the network, got {len(candidates)}: {names}; "
            f"choose one, as in {source}#{candidates[0].name}"
        )
    if not candidates:
        return _nearest(states, network), ""
    return candidates[0].among(fitting, alone=False), candidates[0].name if len(sets) > 1 else ""


def _check_averages(
    states: Mapping[str, State], fitting: Sequence[WeightSet], needed: Sequence[str], network: State, source: str
) -> None:
    """Raise CheckpointError where, beside the one set that fits, another lacks nothing but statistics of batch norm.

    Moving averages are often kept of parameters alone.
    """
    weights = [name for name in needed if name.rpartition(".")[2] not in STATISTICS]
    if len(fitting) != 1 or not weights or weights == list(needed):
        return
    [own] = fitting
    for at, state in states.items():
        for one in _sets(at, state, weights, network):
            is_other = (one.state is not own.state or one.prefix != own.prefix) and one.fits
            if is_other and not all(_same(one.own[name], own.own[name]) for name in weights):
                raise CheckpointError(
                    f"{source}: expected one set of weights for the network, got {own.name}, and {one.name} without "
                    f"statistics of batch norm; choose one, as in {source}#{own.name}"
                )


def _asked(
    states: Mapping[str, State], sets: Sequence[WeightSet], network: State, source: str, asked: str
) -> tuple[dict[str, Tensor], str]:
    named = {one.name: one for one in sets}
    every = [*named, *(at or WHOLE for at in states if (at or WHOLE) not in named)]
    found = [name for name in every if name == asked] or [name for name in every if f".{asked}." in f".{name}."]
    fitting = [name for name in found if name in named] or found
    if len(fitting) != 1:
        said = f"'{asked}' stands for {', '.join(fitting)}" if fitting else unknown("set of weights", asked, every)
        raise CheckpointError(f"{source}: {said}; it holds {', '.join(every[:MOST_SHOWN])}")
    name = fitting[0]
    if name in named:
        return named[name].among(sets, alone=True), name
    return _nearest({name: states["" if name == WHOLE else name]}, network), name


def _sets(at: str, state: State, needed: Sequence[str], network: State) -> list[WeightSet]:
    """The sets in one container; where it has several, each is called by its prefix too."""
    prefixes = _prefixes(state, needed)
    several = len(prefixes) > 1
    made = []
    for prefix in prefixes:
        name = ".".join(filter(None, (at, prefix.rstrip(".") if several else ""))) or WHOLE
        fits = all(state[prefix + one].shape == network[one].shape for one in needed)
        made.append(WeightSet(name, state, prefix, fits))
    return made


def _prefixes(state: State, needed: Sequence[str]) -> list[str]:
    """What stands before the names of the network, wherever the state has all of them."""
    if not needed:
        return [""]
    last = max(needed, key=len)
    before = [name.removesuffix(last) for name in state if name == last or name.endswith(f".{last}")]
    return [prefix for prefix in before if all(prefix + name in state for name in needed)]


def _are_equal(sets: Sequence[WeightSet]) -> bool:
    """Whether it makes no difference which is taken."""
    first, *others = (one.own for one in sets)
    return all(_same(first[name], other.get(name)) for other in others for name in first if not is_counter(name))


def _same(one: Tensor, other: Tensor | None) -> bool:
    if other is None or (one.dtype, one.shape) != (other.dtype, other.shape) or oddity(one) or oddity(other):
        return False
    return torch.equal(one, other)


def oddity(value: Tensor) -> str:
    """What a tensor is that holds no plain array of numbers; empty for one that does."""
    if value.is_quantized:
        return "a quantised one"
    if value.is_meta:
        return "one without numbers, of the meta device"
    if value.is_nested or value.layout != torch.strided:
        return f"a {'nested' if value.is_nested else str(value.layout).removeprefix('torch.')} one"
    return ""


def _nearest(states: Mapping[str, State], network: State) -> dict[str, Tensor]:
    """The container with the most names of the network, to say what is wrong with it."""
    forms = [_unwrapped(state, network) for state in states.values()]
    return max(forms, key=lambda form: len(form.keys() & network.keys()))


def _unwrapped(state: State, network: State) -> dict[str, Tensor]:
    """The state with as many wrapper prefixes off its names as make the most of them names of the network."""
    forms = [dict(state)]
    while any(WRAPPERS.match(name) for name in forms[-1]):
        shorter = {WRAPPERS.sub("", name): value for name, value in forms[-1].items()}
        if len(shorter) < len(forms[-1]):  # two networks in one file, of which neither is meant more
            break
        forms.append(shorter)
    return max(forms, key=lambda form: len(form.keys() & network.keys()))


def _is_of(name: str, parts: Sequence[str]) -> bool:
    return any(name.startswith(f"{part}.") for part in parts)
