"""Weights from and to files: safetensors, or torch files read without running what they hold."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import pickletools
import re
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from robench.errors import CheckpointError, ModelError
from robench.files import reason, whole_file

State = Mapping[str, Tensor]
NESTS = ("state_dict", "model_state_dict", "model", "net", "ema", "ema_state_dict", "weights")
PREFIX = re.compile(r"^(module|model|_orig_mod|net)\.")
COUNTER = "num_batches_tracked"  # of batch norm; old files lack it and evaluation does not read it
SHOWN = 3
SCHEMA = "robench-weights/1"
"""What `robench train` writes beside weights."""


def read(path: Path) -> State:
    """All tensors of a checkpoint by name. Raises `CheckpointError`; code in the file is never run."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        return load_file(path) if path.suffix == ".safetensors" else _tensors(_torch_file(path), path)
    except safetensors.SafetensorError as fault:
        raise CheckpointError(f"{path}: not a safetensors file: {_first_line(fault)}") from fault
    except OSError as fault:
        raise CheckpointError(f"{path}: cannot be read: {reason(fault)}") from fault


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
    if path.suffix != ".safetensors":
        return {}
    try:
        with safetensors.safe_open(path, "pt") as opened:
            return dict(sorted((opened.metadata() or {}).items()))
    except safetensors.SafetensorError as fault:
        raise CheckpointError(f"{path}: not a safetensors file: {_first_line(fault)}") from fault


def fill(module: nn.Module, state: State, *, classes: int, source: str, model: str) -> None:
    """Put the state into the network, prefixes of wrappers taken off.

    source, model: for the text of the `CheckpointError` that is raised when they do not fit.
    """
    own = module.state_dict()
    given = {name: value for name, value in _unwrapped(state, own).items() if name in own or not _is_counter(name)}
    missing = [name for name in own if name not in given and not _is_counter(name)]
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
    module.load_state_dict(given, strict=False)


def other_head(state: State, module: nn.Module, *, classes: int) -> tuple[str, ...]:
    """What the state has for another number of classes: names of the network's tensors, those of its last layers."""
    own = module.state_dict()
    shapes = _other_shapes(own, _unwrapped(state, own))
    return tuple(shapes) if _other_classes(shapes, classes) else ()


def completed(state: State, module: nn.Module, *, head: Sequence[str], parts: Sequence[str]) -> State:
    """The state to train on from: with the network's own values for the tensors of its head.

    parts: modules of the network, by name, that the state may lack; it gets their values too.
    """
    own = module.state_dict()
    given = _unwrapped(state, own)
    lacked = [name for part in parts for name in own if name.startswith(f"{part}.") and name not in given]
    return {**given, **{name: own[name] for name in (*lacked, *head)}}


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


def _torch_file(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals(_harmless()), warnings.catch_warnings():
            # That a file has another pickle protocol is no news to its user: it is read, or refused with a line.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as fault:
        if called := _called(path, str(fault)):
            raise CheckpointError(f"{path}: refused: would run code: {called[0]}") from None
        raise CheckpointError(f"{path}: not a checkpoint: {_first_line(fault)}") from None
    except Exception as fault:  # whatever torch trips over in a file that is none of its own
        raise CheckpointError(f"{path}: not a checkpoint: {_first_line(fault)}") from fault


def _called(path: Path, said: str) -> list[str]:
    """What the file would call beyond tensors, containers and numpy's scalars: as torch said, else as its pickles say.

    Nothing is run. An old file of torch is several pickles, one after the other.
    """
    names: list[str] = re.findall(r"GLOBAL ([\w.]+)", said)
    strings: list[str] = []
    stream = io.BytesIO(_pickles(path))
    with suppress(ValueError, IndexError):
        while not names:
            for opcode, argument, _ in pickletools.genops(stream):
                if isinstance(argument, str):
                    strings.append(argument)
                if opcode.name in ("GLOBAL", "STACK_GLOBAL"):
                    name = " ".join(strings[-1:] if opcode.name == "GLOBAL" else strings[-2:]).replace(" ", ".")
                    names += [name] if name.split(".")[0] not in ("torch", "collections", "numpy") else []
    return names


def _pickles(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        inner = [name for name in archive.namelist() if name.endswith("data.pkl")]
        return archive.read(inner[0]) if inner else b""


def _harmless() -> list[Any]:
    """What training scripts leave beside the weights and what only makes numbers: numpy's scalars."""
    scalar = np.float64(0).__reduce__()[0]
    kinds: list[type] = [type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int32, np.int64)]
    return [
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
        np.dtype,
        *kinds,
    ]  # the second: its name in numpy 1


def _tensors(content: Any, path: Path) -> State:
    for _ in range(len(NESTS)):
        inner = [content[key] for key in NESTS if isinstance(content, Mapping) and _holds_tensors(content.get(key))]
        if not inner:
            break
        content = inner[0]
    if not isinstance(content, Mapping) or not _holds_tensors(content):
        raise CheckpointError(f"{path}: not a checkpoint: expected named tensors, got {type(content).__name__}")
    return OrderedDict((str(name), value) for name, value in content.items() if isinstance(value, Tensor))


def _holds_tensors(content: Any) -> bool:
    return isinstance(content, Mapping) and any(
        isinstance(value, Tensor) or _holds_tensors(value) for value in content.values()
    )


def _unwrapped(state: State, own: State) -> State:
    """The state with as many wrapper prefixes off its names as make the most of them names of the network."""
    forms = [state]
    while any(PREFIX.match(name) for name in forms[-1]):
        shorter = {PREFIX.sub("", name): value for name, value in forms[-1].items()}
        if len(shorter) < len(forms[-1]):  # two networks in one file, of which neither is meant more
            break
        forms.append(shorter)
    return max(forms, key=lambda form: len(form.keys() & own.keys()))


def _other_shapes(own: State, given: State) -> dict[str, tuple[tuple[int, ...], ...]]:
    """(expected, got) of what both have in different shapes."""
    return {
        name: (tuple(own[name].shape), tuple(given[name].shape))
        for name in own
        if name in given and own[name].shape != given[name].shape
    }


def _is_counter(name: str) -> bool:
    return name.rpartition(".")[2] == COUNTER


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


def _first_line(fault: BaseException) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0]
