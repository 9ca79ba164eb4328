"""What a training learns from, and what it chooses its best epoch on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from robench.datasets._contract import Dataset, Names
from robench.datasets._load import load
from robench.datasets._spec import parse, with_split
from robench.datasets._splits import VAL_OF_TRAIN, cut_positions

ChosenOn = Literal["held-back", "evaluated"]


def for_training(
    spec: str,
    *,
    view: str | None = None,
    chosen_on: ChosenOn = "held-back",
    class_order: str | None = None,
    learned: Sequence[Names] = (),
) -> tuple[Dataset, Dataset]:
    """The splits train and val of `NAME[:PATH]`; view, class_order and learned are those of `load`, which raises.

    chosen_on: where val is what `load` gives by default, and so what networks are evaluated on, "held-back" takes a
    tenth of each class out of train in its place; "evaluated" leaves both as they are.

    >>> [len(part) for part in for_training("digits")]
    [1210, 136]
    """

    def read(text: str) -> Dataset:
        return load(text, view=view, class_order=class_order, learned=learned)

    train, val = (read(with_split(spec, split)) for split in ("train", "val"))
    entry = parse(spec).entry
    evaluated = entry.default_split or read(spec).split
    if chosen_on == "evaluated" or evaluated != "val":
        return train, val
    kept, held = (cut_positions(entry.name, train.ids, train.labels, VAL_OF_TRAIN, split) for split in ("train", "val"))
    return train.at(kept), train.at(held)
