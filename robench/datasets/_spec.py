"""`NAME[@SPLIT][:PATH]`, the way a data set is named on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from robench.datasets._registry import DatasetSpec, registry
from robench.errors import ConfigError
from robench.files import at_home

SPLIT_FOLDERS = {"train": "train", "test": "test", "val": "val", "validation": "val"}
"""Folder names that name a split rather than a data set."""


@dataclass(frozen=True)
class Spec:
    """A data set as asked for: its definition, the split if one was named, the path if it needs one."""

    entry: DatasetSpec
    split: str | None
    path: Path | None


def parse(text: str) -> Spec:
    """Take a spec apart and check it against the data set's definition; what is wrong is a ConfigError."""
    head, colon, path = text.partition(":")
    name, at, split = head.partition("@")
    if not name or (at and not split) or (colon and not path):
        raise ConfigError(f"data set must be NAME[@SPLIT][:PATH], e.g. cifar10@val:path/to/cifar10, got '{text}'")
    entry = registry.get(name)
    if entry.needs_path and not colon:
        raise ConfigError(f"data set {name} needs a path, e.g. {entry.example} ({entry.layout}), got '{text}'")
    if colon and not entry.needs_path:
        raise ConfigError(f"data set {name} takes no path: write '{head}', got '{text}'")
    if at and split not in entry.splits:
        known = f"the splits {', '.join(entry.splits)}" if entry.splits else "no splits to choose from"
        raise ConfigError(f"data set {name} has {known}, got '{split}'")
    return Spec(entry, split or None, at_home(path) if colon else None)


def with_split(text: str, split: str) -> str:
    """`NAME[:PATH]` with a split, NAME@SPLIT[:PATH].

    >>> with_split("cifar10:data", "val")
    'cifar10@val:data'
    """
    name, colon, path = text.partition(":")
    return f"{name}@{split}{colon}{path}"


def label_of(path: Path) -> tuple[str, str | None]:
    """What a data set at this path is called in tables, and the split that its path names.

    >>> label_of(Path("data/cifar10-jpeg/test"))
    ('cifar10-jpeg', 'test')
    >>> label_of(Path("data/flowers.npz"))
    ('flowers', None)
    """
    whole = path.absolute()
    whole = whole.resolve() if ".." in whole.parts else whole
    own = whole.name if whole.is_dir() else whole.stem
    split = SPLIT_FOLDERS.get(own)
    return (whole.parent.name if split else own) or "root", split
