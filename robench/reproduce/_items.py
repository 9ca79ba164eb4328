"""The tables and figures that can be made, by paper and name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corruptions import Registry, unknown
from robench.errors import ConfigError

if TYPE_CHECKING:
    from robench.reproduce._experiments import ExperimentRunner

Make = Callable[["ExperimentRunner"], Sequence[Path]]


@dataclass(frozen=True)
class PaperItem:
    """A table or figure of a paper. make: writes it with the means of a workshop and says which files it wrote.

    data: the data sets it needs, as they are called in `--data NAME=DATASET`; small_data: those that only the small
    budget needs.
    """

    paper: str
    name: str
    about: str
    data: tuple[str, ...]
    make: Make
    small_data: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """`PAPER/NAME`."""
        return f"{self.paper}/{self.name}"


registry: Registry[PaperItem] = Registry("table or figure", "robench.papers", ConfigError)


def item(
    paper: str, name: str, about: str, data: tuple[str, ...], small_data: tuple[str, ...] = ()
) -> Callable[[Make], Make]:
    """Register the decorated function as the maker of a paper's table or figure."""

    def register(make: Make) -> Make:
        one = PaperItem(paper, name, about, data, make, small_data)
        registry.add(one.key, one)
        return make

    return register


def names() -> tuple[str, ...]:
    """`PAPER/NAME` of all tables and figures."""
    return registry.names()


def get(paper: str, name: str | None = None) -> list[PaperItem]:
    """One table or figure of a paper, or all of them; an unknown one raises `ConfigError` with the nearest."""
    known = [registry.get(key) for key in names()]
    of_paper = [one for one in known if one.paper == paper]
    if not of_paper:
        raise ConfigError(unknown("paper", paper, {one.paper for one in known}))
    if name is None:
        return of_paper
    chosen = [one for one in of_paper if one.name == name]
    if not chosen:
        raise ConfigError(unknown(f"table or figure of {paper}", name, [one.name for one in of_paper]))
    return chosen
