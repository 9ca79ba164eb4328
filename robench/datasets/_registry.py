"""The data sets by name: what one reader gives, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from corruptions import Registry
from robench.datasets._contract import Dataset, Images, Ints
from robench.datasets._files import Files
from robench.datasets._splits import SplitFractions
from robench.errors import ConfigError

BoxReader = Callable[[Ints], tuple[Ints, Ints] | None]
"""Positions (n,) -> boxes (n, 4), and heights and widths (n, 2) of the images in which they are given; or no boxes."""


@dataclass(frozen=True, eq=False)
class RawDataset:
    """What a reader gives: N labelled images at their own size, before view, split and limit.

    `images` is one uint8 array (N, H, W, C), C in {1, 3}, or `Files` that are decoded on demand.
    `labels` are int64 (N,), in 0..len(classes)-1. `boxes` are int64 (N, 4): x0, y0, x1, y1, half-open, in pixels of
    the image's own size; or a function that reads them, where they stand in files of their own. `ids` are 0..N-1
    unless given. `cut` says how the images are shared out when they hold more than the split that was asked for.
    `split` and `name` speak for data sets named by their folder. `of_folders`: the classes are names of folders, sorted
    as text. `left_out`: what `left_out_facts` gives of files beside the images.
    """

    classes: tuple[str, ...]
    labels: Ints
    images: Images | Files
    boxes: Ints | BoxReader | None = None
    stems: tuple[str, ...] | None = None
    ids: Ints | None = None
    split_fractions: SplitFractions | None = None
    split: str | None = None
    name: str | None = None
    of_folders: bool = False
    left_out: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetSpec:
    """One data set: how it is read, and its facts.

    `read` is called as read(path, split), or read(split) where `needs_path` is False; `split` is the one asked
    for, else `default_split` (None: the reader decides). A FileNotFoundError it raises is told to the user together
    with `layout` and `source`.
    """

    name: str
    read: Callable[..., RawDataset | Dataset] = field(repr=False)
    needs_path: bool
    splits: tuple[str, ...]
    default_split: str | None
    default_view: str
    about: str
    layout: str = field(repr=False)
    source: str = field(repr=False)

    @property
    def example(self) -> str:
        """A spec of the right form."""
        return f"{self.name}:path/to/{self.name}" if self.needs_path else self.name


registry: Registry[DatasetSpec] = Registry("data set", "robench.datasets", ConfigError)


def dataset(
    name: str,
    *,
    about: str,
    source: str,
    splits: tuple[str, ...] = ("train", "val", "test"),
    default_split: str | None = "test",
    default_view: str = "native",
    needs_path: bool = False,
    layout: str = "",
) -> Callable[[Callable[..., RawDataset | Dataset]], Callable[..., RawDataset | Dataset]]:
    """Register a reader under `name`.

    about: one line for `robench list datasets`. source: citation or where to get it. layout: what PATH must be.

    >>> @dataset("stripes", about="two images", source="this example", splits=("test",))
    ... def stripes(split):
    ...     return Raw(("a", "b"), np.arange(2), np.zeros((2, 8, 8, 1), np.uint8))  # doctest: +SKIP
    """

    def register(read: Callable[..., RawDataset | Dataset]) -> Callable[..., RawDataset | Dataset]:
        entry = DatasetSpec(name, read, needs_path, splits, default_split, default_view, about, layout, source)
        registry.add(name, entry)
        return read

    return register


def names() -> tuple[str, ...]:
    """The names of all data sets, in order of the alphabet."""
    return tuple(sorted(registry.names()))


def get(name: str) -> DatasetSpec:
    """The definition of a data set; an unknown name is a ConfigError with the nearest one."""
    return registry.get(name)
