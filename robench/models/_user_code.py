"""A user's Python file, run as `python file.py` would, and everything of the user's that it rests on."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from torch import nn

from robench.errors import ConfigError
from robench.files import sha256_file, sha256_text
from robench.models._registry import Card

OURS = ("robench", "corruptions")
"""Packages whose version stands in every manifest, also where they are installed as editable."""
LEFT_OUT = ("__pycache__", ".git")
CODE = (".py", ".pyc")
PRIVATE = "_robench_file_"
EMPTY: Mapping[str, Path] = MappingProxyType({})
WRITES = os.O_WRONLY | os.O_RDWR

_opened: list[set[str]] = []
"""A set of paths for every `recorded` block that is open: the files that were opened for reading within."""
_brought: set[str] = set()
"""Names of the modules that `recorded` blocks imported."""


def import_file(path: Path) -> ModuleType:
    """The module of a Python file, run anew; its folder is the first that its imports are looked for in.

    What earlier such files imported is imported anew, and so is a module that the folder has under the name of one
    from elsewhere.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    folder = str(path.resolve().parent)
    private = f"{PRIVATE}{sha256_text(str(path.resolve()))[:16]}"
    spec = importlib.util.spec_from_file_location(private, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: expected a Python file")
    _put_first(folder)
    _forget(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module  # where dataclasses, among others, look for it
    with _no_bytecode():
        spec.loader.exec_module(module)
    return module


@contextmanager
def recorded(folder: Path) -> Iterator[dict[str, Path]]:
    """Within, the user's modules that are imported are collected, and the files below `folder` that are read.

    Modules by their names, files by their paths from the folder. The mapping is filled when the block ends.
    """
    _watch_files()
    found: set[str] = set()
    collected: dict[str, Path] = {}
    before = dict(sys.modules)
    _opened.append(found)
    try:
        yield collected
    finally:
        _opened.remove(found)
        new = {name: one for name, one in list(sys.modules.items()) if one is not before.get(name) and is_users(one)}
        _brought.update(new)
        collected |= {name: Path(str(one.__file__)) for name, one in new.items() if not name.startswith(PRIVATE)}
        collected |= _data_below(folder, found)


def digest(file: Path, module: ModuleType, things: Iterable[object], read: Mapping[str, Path] = EMPTY) -> str:
    """sha256 of the user's code behind a network: of the file alone where it rests on no other.

    module: of that file. things: what it made, such as the network's layers, whose classes may be of other modules.
    read: of `recorded`. Installed packages and the standard library do not count; editable installs do.
    """
    parts = {name: path for name, path in {**_modules(module, things), **read}.items() if path.is_file()}
    if not parts:
        return sha256_file(file)
    lines = [f" {sha256_file(file)}", *sorted(f"{name} {sha256_file(path)}" for name, path in parts.items())]
    return sha256_text("\n".join(lines))


def with_code(card: Card, module: nn.Module) -> Card:
    """With the digest of its code, where that is of no installed package but the user's own."""
    owner = sys.modules.get(getattr(card.build, "__module__", None) or "")
    if owner is None or not is_users(owner):
        return card
    file = Path(str(owner.__file__))
    return replace(card, code_sha256=digest(file, owner, module.modules()), file_sha256=sha256_file(file))


def is_users(module: ModuleType | None) -> bool:
    """Whether a module is of neither an installed package nor the standard library nor robench itself."""
    file = getattr(module, "__file__", None)
    if module is None or not isinstance(file, str) or module.__name__.partition(".")[0] in OURS:
        return False
    return not any(_resolved(file).is_relative_to(place) for place in _installed())


def _modules(module: ModuleType, things: Iterable[object]) -> dict[str, Path]:
    """The user's modules that a module rests on, by name: by what it holds, in turn, and by their packages."""
    waiting, seen = [module, *(_module_of(thing) for thing in things)], {""}
    found = {}
    while waiting:
        one = waiting.pop()
        if one is None or one.__name__ in seen or not (one is module or is_users(one)):
            continue
        seen.add(one.__name__)
        if one is not module and not one.__name__.startswith(PRIVATE):
            found[one.__name__] = Path(str(one.__file__))
        package = one.__name__.rpartition(".")[0]
        waiting += [sys.modules.get(package), *(_module_of(value) for value in list(vars(one).values()))]
    return found


def _module_of(thing: object) -> ModuleType | None:
    if isinstance(thing, ModuleType):
        return thing
    name = getattr(thing, "__module__", None) or getattr(type(thing), "__module__", None)
    return sys.modules.get(name) if isinstance(name, str) else None


def _put_first(folder: str) -> None:
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)


def _forget(folder: str) -> None:
    """Drop what earlier files imported, which may have changed, and what the folder has another file for.

    A package that something else imported stays, so that what it registers is not registered twice.
    """
    own = {path.stem for path in Path(folder).iterdir() if path.suffix == ".py" or path.is_dir()}
    for name, module in list(sys.modules.items()):
        if name == "__main__" or not is_users(module):
            continue
        is_elsewhere = not _resolved(str(module.__file__)).is_relative_to(folder)
        if name in _brought or (name.partition(".")[0] in own and is_elsewhere):
            del sys.modules[name]


@contextmanager
def _no_bytecode() -> Iterator[None]:
    """Nothing is cached beside the user's files: a cache is told from a changed file by whole seconds and its size."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@cache
def _watch_files() -> None:
    """Let Python tell of every file that is opened; this cannot be undone, and does nothing outside of `recorded`."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if not _opened or event != "open":
        return
    path, mode, flags = arguments
    writes = set(mode) & set("wax") if isinstance(mode, str) else isinstance(flags, int) and flags & WRITES
    if isinstance(path, str | bytes | os.PathLike) and not writes:
        for found in list(_opened):
            found.add(os.fsdecode(path))


def _data_below(folder: Path, opened: Iterable[str]) -> dict[str, Path]:
    """Of the opened files those below a folder that are no code, which modules stand for, by their paths from it."""
    root = Path(os.path.abspath(folder))
    paths = (Path(os.path.abspath(name)) for name in opened)
    below = {path.relative_to(root).as_posix(): path for path in paths if path.is_relative_to(root)}
    return {
        name: path
        for name, path in below.items()
        if path.suffix not in CODE and path.is_file() and not set(LEFT_OUT) & set(path.relative_to(root).parts)
    }


def _resolved(path: str) -> Path:
    return Path(path).resolve()


@cache
def _installed() -> tuple[Path, ...]:
    """The folders of the standard library and of installed packages."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    folders = [*map(sysconfig.get_path, names), *site.getsitepackages(prefixes), site.getusersitepackages()]
    return tuple(dict.fromkeys(Path(one).resolve() for one in folders))
