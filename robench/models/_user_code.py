"""A user's Python file, run as `python file.py` would, and everything of the user's that it rests on."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from robench.errors import UsageError
from robench.files import sha256_file, sha256_text

OURS = ("robench", "corruptions")
"""Packages whose version stands in every manifest, also where they are installed as editable."""
LEFT_OUT = ("__pycache__", ".git")
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
        raise UsageError(f"{path}: no such file")
    folder = str(path.resolve().parent)
    private = f"_robench_file_{sha256_text(str(path.resolve()))[:16]}"
    spec = importlib.util.spec_from_file_location(private, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: expected a Python file")
    _put_first(folder)
    _forget(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module  # where dataclasses, among others, look for it
    with _no_bytecode():
        spec.loader.exec_module(module)
    return module


@contextmanager
def recorded(folder: Path) -> Iterator[set[Path]]:
    """Within, the files below `folder` that Python opens for reading are collected: modules, configurations, weights.

    The set is filled when the block ends.
    """
    _watch_files()
    found: set[str] = set()
    below: set[Path] = set()
    before = set(sys.modules)
    _opened.append(found)
    try:
        yield below
    finally:
        _opened.remove(found)
        _brought.update(name for name in set(sys.modules) - before if is_users(sys.modules[name]))
        root = folder.resolve()
        below |= {path for path in map(_resolved, found) if path.is_relative_to(root) and _counts(path, root)}


def digest(file: Path, module: ModuleType, things: Iterable[object], read: Iterable[Path] = ()) -> str:
    """sha256 of the user's code behind a network: of the file alone where it rests on no other.

    module: of that file. things: what it made, such as the network's layers, whose classes may be of other modules.
    read: further files that it read. Installed packages and the standard library do not count; editable installs do.
    """
    files = {_resolved(str(path)) for path in (*read, *_module_files(module, things))} | {file.resolve()}
    if len(files) == 1:
        return sha256_file(file)
    root = file.resolve().parent
    lines = sorted(f"{os.path.relpath(path, root)} {sha256_file(path)}" for path in files if path.is_file())
    return sha256_text("\n".join(lines))


def is_users(module: ModuleType | None) -> bool:
    """Whether a module is of neither an installed package nor the standard library nor robench itself."""
    file = getattr(module, "__file__", None)
    if module is None or not isinstance(file, str) or module.__name__.partition(".")[0] in OURS:
        return False
    return not any(_resolved(file).is_relative_to(place) for place in _installed())


def _module_files(module: ModuleType, things: Iterable[object]) -> Iterator[Path]:
    """The files of the user's modules that a module rests on: by what it holds, in turn, and by their packages."""
    waiting, seen = [module, *(_module_of(thing) for thing in things)], {""}
    while waiting:
        one = waiting.pop()
        if one is None or one.__name__ in seen or not (one is module or is_users(one)):
            continue
        seen.add(one.__name__)
        if isinstance(file := getattr(one, "__file__", None), str):
            yield Path(file)
        package = one.__name__.rpartition(".")[0]
        waiting += [sys.modules.get(package), *(_module_of(value) for value in list(vars(one).values()))]


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


def _counts(path: Path, root: Path) -> bool:
    return path.is_file() and not set(LEFT_OUT) & set(path.relative_to(root).parts)


def _resolved(path: str) -> Path:
    return Path(path).resolve()


@cache
def _installed() -> tuple[Path, ...]:
    """The folders of the standard library and of installed packages."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    folders = [*map(sysconfig.get_path, names), *site.getsitepackages(prefixes), site.getusersitepackages()]
    return tuple(dict.fromkeys(Path(one).resolve() for one in folders))
