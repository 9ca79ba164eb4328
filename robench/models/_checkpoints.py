"""Weights from and to files: safetensors, or torch files read without running what they hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from robench.errors import CheckpointError, ModelError
from robench.files import reading, whole_file
from robench.models._torch_file import read_torch_file
from robench.models._weight_sets import State, is_counter, oddity, states_in

SHOWN = 3
HEADER = 100_000_000
"""The longest header that safetensors reads, in bytes."""
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SCHEMA = "robench-weights/1"
"""What `robench train` writes beside weights."""


def read(path: Path) -> dict[str, State]:
    """Every container of named tensors of a checkpoint, by the names that lead to it, dots between them.

    That a file is safetensors is told by its content. Raises `CheckpointError`; code in the file is never run.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    if _is_safetensors(path):
        with reading(path, "a safetensors file", CheckpointError):
            return {"": load_file(path)}
    with reading(path, "a checkpoint of torch", CheckpointError):
        content = read_torch_file(path)
        states = dict(states_in(content))
    if not states:
        raise CheckpointError(f"{path}: not a checkpoint: expected named tensors, got {type(content).__name__}")
    return states


def _is_safetensors(path: Path) -> bool:
    """By the length of the header, in the first 8 bytes, and its first letter; where neither fits, by the suffix."""
    with reading(path, "a checkpoint", CheckpointError), path.open("rb") as opened:
        start = opened.read(9)
    length = int.from_bytes(start[:8], "little")
    if start[8:] == b"{" and length <= min(HEADER, path.stat().st_size - 8):
        return True
    return path.suffix == ".safetensors" and not start.startswith((b"PK\x03\x04", b"\x80"))


def save(path: Path, module: nn.Module, metadata: Mapping[str, str]) -> None:
    """Write the network's state as safetensors; equal states and metadata are equal bytes."""
    state = {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}
    content = _sorted_header(to_bytes(state, dict(metadata)))
    with whole_file(path) as partial:
        partial.write_bytes(content)


def metadata(path: Path) -> dict[str, str]:
    """What `save` wrote beside the weights: empty for files that carry none, torch files among them."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    if not _is_safetensors(path):
        return {}
    with reading(path, "a safetensors file", CheckpointError), safetensors.safe_open(path, "pt") as opened:
        return dict(sorted((opened.metadata() or {}).items()))


def fill(module: nn.Module, state: State, *, classes: int, source: str, model: str) -> None:
    """Put the state, which has the network's own names, into it; numbers are rounded to the network's floats.

    source, model: for the text of the `CheckpointError` that is raised when they do not fit.
    """
    own = module.state_dict()
    given = {name: value for name, value in state.items() if name in own or not is_counter(name)}
    missing = [name for name in own if name not in given and not is_counter(name)]
    unexpected = [name for name in given if name not in own]
    shapes = _other_shapes(own, given)
    if shapes and not missing and not unexpected and (got := _other_classes(shapes, classes)):
        raise CheckpointError(f"{source}: expected weights for {classes} classes, got {got}: {_shape_texts(shapes)}")
    faults = [
        f"missing {_some(missing)}" if missing else "",
        f"unexpected {_some(unexpected)}" if unexpected else "",
        _shape_texts(shapes),
    ]
    if any(faults):
        raise CheckpointError(f"{source}: not weights of {model}: {'; '.join(filter(None, faults))}")
    if odd := [text for name, value in given.items() if (text := _other_kind(name, value, own[name]))]:
        raise CheckpointError(f"{source}: {_some(odd)}; save the network's numbers as floats")
    module.load_state_dict(given, strict=False)


def other_head(state: State, module: nn.Module, *, classes: int) -> tuple[str, ...]:
    """What the state has for another number of classes: names of the network's tensors, those of its last layers."""
    shapes = _other_shapes(module.state_dict(), state)
    return tuple(shapes) if _other_classes(shapes, classes) else ()


def completed(state: State, module: nn.Module, *, head: Sequence[str], parts: Sequence[str]) -> State:
    """The state to train on from: with the network's own values for the tensors of its head.

    parts: modules of the network, by name, that the state may lack; it gets their values too.
    """
    own = module.state_dict()
    lacked = [name for part in parts for name in own if name.startswith(f"{part}.") and name not in state]
    return {**state, **{name: own[name] for name in (*lacked, *head)}}


def state_sha256(module: nn.Module) -> str:
    """sha256 over the sorted (name, dtype, shape, bytes) of the network's state."""
    whole = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        if not isinstance(value, Tensor):
            raise ModelError(f"state '{name}': expected a tensor, got {type(value).__name__}; a network without it")
        array = value.detach().cpu().contiguous()
        dtype = str(array.dtype).removeprefix("torch.")
        whole.update(f"{name}|{dtype}|{tuple(array.shape)}|".encode())
        whole.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def _other_kind(name: str, value: Tensor, own: Tensor) -> str:
    """What is wrong with numbers that would be cast without a word; empty where they keep their values.

    Floats are rounded to floats, and whole numbers may have another width that holds them.
    """
    if odd := oddity(value):
        return f"{name} expected a dense tensor, got {odd}"
    wanted, got = (str(one.dtype).removeprefix("torch.") for one in (own, value))
    if is_counter(name):
        fine = True
    elif own.is_floating_point():
        fine = value.dtype in FLOATS
    else:
        whole = not (
            value.is_floating_point() or value.is_complex() or (value.dtype == torch.bool) != (wanted == "bool")
        )
        fine = whole and torch.equal(value.to(own.dtype).to(value.dtype), value)
    return "" if fine else f"{name} expected {wanted}, got {got}"


def _other_shapes(own: State, given: State) -> dict[str, tuple[tuple[int, ...], ...]]:
    """(expected, got) of what both have in different shapes."""
    return {
        name: (tuple(own[name].shape), tuple(given[name].shape))
        for name in own
        if name in given and own[name].shape != given[name].shape
    }


def _other_classes(shapes: Mapping[str, tuple[tuple[int, ...], ...]], classes: int) -> int | None:
    """The class count of the checkpoint, where only the length of the network's output differs."""
    pairs = list(shapes.values())
    counts = {got[0] for wanted, got in pairs if wanted and got}
    only_output = all(wanted[:1] == (classes,) and wanted[1:] == got[1:] for wanted, got in pairs)
    return counts.pop() if only_output and len(counts) == 1 else None


def _shape_texts(shapes: Mapping[str, tuple[tuple[int, ...], ...]]) -> str:
    return _some([f"{name} expected {wanted}, got {got}" for name, (wanted, got) in shapes.items()])


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


def _sorted_header(content: bytes) -> bytes:
    """The same safetensors file with its metadata in order: the library writes them in a random one."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + length :]
