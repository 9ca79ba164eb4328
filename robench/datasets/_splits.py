"""Splits that a data set lacks: a fixed shuffle per class, keyed by the data set and the image's id."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from robench.datasets._contract import Ints
from robench.errors import ConfigError

SplitFractions = Mapping[str, float | int | None]
"""Split -> share of each class (float), images of each class (int) or what is left (None, which stands last)."""

VAL_OF_TRAIN: SplitFractions = {"val": 0.1, "train": None}
"""Of a train part without validation images: 10 % of each class."""

TENTHS: SplitFractions = {"test": 0.1, "val": 0.1, "train": None}
"""Of one pool: 8:1:1."""


Part = TypeVar("Part")


def own_part(parts: Mapping[str, Part], split: str | None, source: str) -> tuple[Part, str, SplitFractions | None]:
    """Of what stands for each split the part that is asked for, its split, and how it is cut.

    Without a split it is test, else val, else train; val is cut from train where it is missing. A split that is not
    there raises ConfigError. source: for its line.
    """
    chosen = split or next(name for name in ("test", "val", "train") if name in parts)
    if chosen in parts:
        return parts[chosen], chosen, VAL_OF_TRAIN if chosen == "train" and "val" not in parts else None
    if chosen == "val" and "train" in parts:
        return parts["train"], chosen, VAL_OF_TRAIN
    raise ConfigError(f"{source} has the splits {', '.join(sorted(parts))}, got '{chosen}'")


def cut_positions(dataset: str, ids: Ints, labels: Ints, split_fractions: SplitFractions, split: str) -> Ints:
    """Where the images of `split` stand among those with these ids and labels, ascending.

    Within a class the order is that of sha256("DATASET|split|ID"), so that a split depends on nothing else.
    """
    chosen: list[int] = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label).tolist()
        members.sort(key=lambda position: _key(dataset, int(ids[position])))
        chosen += members[_part(len(members), split_fractions, split)]
    return np.array(sorted(chosen), dtype=np.int64)


def _key(dataset: str, sample: int) -> bytes:
    return hashlib.sha256(f"{dataset}|split|{sample}".encode()).digest()


def _part(count: int, split_fractions: SplitFractions, split: str) -> slice:
    start = 0
    for name, size in split_fractions.items():
        number = int(count * size + 0.5) if isinstance(size, float) else size
        stop = count if number is None else min(start + number, count)
        if name == split:
            return slice(start, stop)
        start = stop
    raise KeyError(split)
