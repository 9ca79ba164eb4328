"""One dictionary of named things: a name is taken once, and an unknown name is answered with the nearest one."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Generic, TypeVar

Registered = TypeVar("Registered")


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The line for a name that is not known: the nearest known names, or all of them where none is near.

    >>> unknown("corruption", "gausian_noise", ["awgn", "gaussian_noise"])
    "unknown corruption 'gausian_noise'; did you mean gaussian_noise?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"unknown {kind} '{name}'; did you mean {' or '.join(near)}?"
    return f"unknown {kind} '{name}'; known: {', '.join(names) or 'none'}"


class Registry(Generic[Registered]):
    """Names and what they stand for; other packages add theirs through the entry-point group `entry_points`.

    An entry point is a module that registers on import. One that fails is a warning of one line, not an error.
    """

    def __init__(self, kind: str, group: str, error: type[Exception]) -> None:
        self.kind = kind
        self._group = group
        self._error = error
        self._items: dict[str, Registered] = {}
        self._plugins_loaded = False

    def add(self, name: str, item: Registered) -> None:
        """Register `item`; a second use of a name raises."""
        if name in self._items:
            raise self._error(f"{self.kind} '{name}' is registered already, by {self._items[name]!r}")
        self._items[name] = item

    def get(self, name: str) -> Registered:
        """The thing of that name; an unknown name raises with the nearest one."""
        if name not in self._items:
            self._load_plugins()
        if name not in self._items:
            raise self._error(unknown(self.kind, name, self._items))
        return self._items[name]

    def names(self) -> tuple[str, ...]:
        """All names, in the order they were registered: built-in ones first."""
        self._load_plugins()
        return tuple(self._items)

    def __contains__(self, name: str) -> bool:
        return name in self.names()

    @contextmanager
    def with_entry(self, name: str, item: Registered) -> Iterator[Registered]:
        """Register for the length of a `with` block: for tests and for trying things out."""
        self.add(name, item)
        try:
            yield item
        finally:
            del self._items[name]

    def _load_plugins(self) -> None:
        if self._plugins_loaded:
            return
        self._plugins_loaded = True
        for entry in entry_points(group=self._group):
            try:
                entry.load()
            except Exception as fault:
                warnings.warn(
                    f"{self._group}: plug-in '{entry.name}' left out: {' '.join(str(fault).split())}", stacklevel=3
                )
