"""Files of torch, read without running what they hold."""

from __future__ import annotations

import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from robench.errors import CheckpointError
from robench.models._other_kinds import is_torchscript, to_weights

SETTINGS = (
    *("argparse", "builtins", "collections", "datetime", "decimal", "fractions", "numpy", "pathlib", "typing", "uuid"),
    *("lightning", "lightning_fabric", "omegaconf", "pytorch_lightning"),
)
"""Packages of what training scripts leave beside weights: options, paths, times, numbers, counts."""
BUILTINS = ("bool", "dict", "float", "frozenset", "int", "list", "object", "str", "tuple", "type")
PYTHON_2 = {"__builtin__.long": "builtins.int", "__builtin__.unicode": "builtins.str"}
"""What pickles call types whose name has changed since."""
HOLDERS: dict[str, type] = {"defaultdict": dict, "AttributeDict": dict, "deque": list}
"""Containers in which weights may lie, and what they are read as."""
ADVICE = re.compile(r"weights[-_ ]only|safe_globals|trust", re.IGNORECASE)


class Inert:
    """Stands where a file has a thing of SETTINGS: it takes what the thing was made of, and is nothing."""

    def __new__(cls, *made_of: object) -> Inert:
        return super().__new__(cls)

    def __init__(self, *made_of: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def read_torch_file(path: Path) -> Any:
    """What a file of torch holds: tensors, plain containers, and `Inert` for settings; `CheckpointError` otherwise.

    Nothing that the file names is called but what makes tensors; a file that names anything else is refused.
    """
    if is_torchscript(path):
        raise CheckpointError(
            f"{path}: not a checkpoint: expected a file of torch.save, got one of TorchScript, which would run code; "
            f"take its weights: {to_weights(path)}"
        )
    named = list(_named(path))
    try:
        with torch.serialization.safe_globals(_stand_ins(named)), warnings.catch_warnings():
            # That a file has another pickle protocol is no news to its user: it is read, or refused with a line.
            warnings.simplefilter("ignore")
            with path.open("rb") as opened:  # torch takes what a name says for what the file is
                return torch.load(opened, map_location="cpu", weights_only=True)
    except Exception as fault:  # whatever torch trips over in a file that is none of its own
        metadata = re.search(r"GLOBAL ([\w.]+)", str(fault)) if isinstance(fault, pickle.UnpicklingError) else None
        foreign = (
            [metadata[1]] if metadata else [name for name in named if name.split(".")[0] not in (*SETTINGS, "torch")]
        )
        if foreign and isinstance(fault, pickle.UnpicklingError):
            raise CheckpointError(f"{path}: refused: would run code: {foreign[0]}") from None
        raise CheckpointError(f"{path}: not a checkpoint: expected a file of torch.save, got {_why(fault)}") from fault


def _stand_ins(named: list[str]) -> list[Any]:
    """Of what a file names, what is read as something else than it was."""
    settings = {name for name in named if name.split(".")[0] in SETTINGS and not _is_torchs_own(name)}
    return [(_holder(name), name) for name in sorted(settings)]


def _is_torchs_own(name: str) -> bool:
    """Whether torch reads it as it is, or nothing may stand in for it."""
    package, _, rest = name.partition(".")
    return (package == "builtins" and rest not in BUILTINS) or rest in ("OrderedDict", "Counter")


def _holder(name: str) -> type:
    """What stands in for a setting: `Inert`, or for a container a class that makes an empty one that torch fills."""
    kind = HOLDERS.get(name.rpartition(".")[2])
    return Inert if kind is None else type(kind.__name__, (), {"__new__": lambda cls, *made_of: kind()})


def _named(path: Path) -> Iterator[str]:
    """What the pickles of a file name, such as `os.system`, in their order. Nothing is run.

    An old file of torch is several pickles, one after the other, then the numbers.
    """
    strings: list[str] = []
    with suppress(Exception), _pickles(path) as stream:  # what is no pickle names nothing; torch says what it is
        while True:
            for opcode, argument, _ in pickletools.genops(stream):
                if isinstance(argument, str):
                    strings = [*strings[-1:], argument]
                if opcode.name in ("GLOBAL", "STACK_GLOBAL"):
                    name = ".".join(" ".join(strings[-1:] if opcode.name == "GLOBAL" else strings).split())
                    yield PYTHON_2.get(name) or re.sub(r"^__builtin__\.", "builtins.", name)


def _pickles(path: Path) -> Any:
    if not zipfile.is_zipfile(path):
        return path.open("rb")
    archive = zipfile.ZipFile(path)
    return archive.open(next(name for name in archive.namelist() if name.endswith("data.pkl")))


def _why(fault: Exception) -> str:
    """What torch said, without its advice to switch its safety off."""
    said = re.search(r"WeightsUnpickler error: (.*)", str(fault))
    line = said[1] if said else next((text for text in str(fault).splitlines() if not ADVICE.search(text)), "")
    sentences = [one for one in re.split(r"(?<=[.!?]) ", " ".join(line.split())) if not ADVICE.search(one)]
    return " ".join(sentences).rstrip(". ") or f"what torch refuses to read ({type(fault).__name__})"
