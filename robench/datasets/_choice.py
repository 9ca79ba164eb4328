"""Some images of a data set, chosen by a list of ids or of file names."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from robench.datasets._contract import Dataset
from robench.errors import DatasetError
from robench.files import at_home, reason

Ids = str | os.PathLike[str] | Sequence[int | str]
"""A text file with one id or one file name a line, or the ids or file names themselves."""

MOST_COMPARED = 2000
ID = re.compile("[0-9]{1,19}")


@dataclass(frozen=True)
class Candidate:
    """One entry of a list, and where it stands, as in `list.txt:3`."""

    where: str
    text: str


def read_items(ids: Ids) -> list[Candidate]:
    """The entries of a list; blank lines of a file, and those that begin with #, are none.

    A file that cannot be read, and a list without entries, are a DatasetError.
    """
    if not isinstance(ids, str | os.PathLike):
        items = [Candidate(f"ids[{place}]", str(value)) for place, value in enumerate(ids)]
        source = "ids"
    else:
        source, path = os.fspath(ids), at_home(ids)
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as fault:
            raise DatasetError(f"{source}: expected a text file of ids or file names: {reason(fault)}") from fault
        texts = ((number, line.strip().removeprefix("./")) for number, line in enumerate(lines, start=1))
        items = [Candidate(f"{source}:{number}", text) for number, text in texts if text and not text.startswith("#")]
    if not items:
        raise DatasetError(f"{source}: expected ids or file names, one a line, got none")
    return items


def choose(dataset: Dataset, items: Sequence[Candidate]) -> Dataset:
    """The images of the list, in the order of the data set, with the ids that they have there.

    The first entry decides what the list holds: ids if it is a whole number, else names. A name is a file's name or
    stem, also with its class or the folders above it, as in `n01440764/ILSVRC2012_val_00000293.JPEG`. An unknown id or
    name, a name of several images, and an image that is listed twice are a DatasetError.
    """
    find = _by_id if ID.fullmatch(items[0].text) else _by_name
    first: dict[int, Candidate] = {}
    for item, position in zip(items, find(dataset, items), strict=True):
        held = first.setdefault(position, item)
        if held is not item:
            raise DatasetError(f"{item.where}: '{item.text}' is the image of {held.where}; list each image once")
    return dataset.at(np.array(sorted(first), dtype=np.int64))


def _by_id(dataset: Dataset, items: Iterable[Candidate]) -> Iterator[int]:
    positions = {int(one): position for position, one in enumerate(dataset.ids)}
    for item in items:
        if not ID.fullmatch(item.text):
            raise DatasetError(f"{item.where}: expected an id, a whole number as in the first entry, got '{item.text}'")
        if int(item.text) not in positions:
            nearest = min(positions, key=lambda one: abs(one - int(item.text)))
            raise DatasetError(f"{item.where}: {_title(dataset)} has no id {item.text}; the nearest is {nearest}")
        yield positions[int(item.text)]


def _by_name(dataset: Dataset, items: Sequence[Candidate]) -> Iterator[int]:
    if dataset.files is None and dataset.stems is None:
        raise DatasetError(
            f"{items[0].where}: {_title(dataset)} has no file names; expected ids, got '{items[0].text}'"
        )
    depths = {item.text.count("/") + 1 for item in items}
    found: dict[str, list[int]] = {}
    for position in range(len(dataset)):
        for name in _names(dataset, position, depths):
            found.setdefault(name, []).append(position)
    for item in items:
        positions = found.get(item.text, [])
        if not positions:
            raise DatasetError(f"{item.where}: {_title(dataset)} has no image '{item.text}'{_hint(dataset, item.text)}")
        if len(positions) > 1:
            some = " and ".join(_shown(dataset, position) for position in positions[:2])
            raise DatasetError(f"{item.where}: '{item.text}' fits {len(positions)} images, such as {some}; name one")
        yield positions[0]


def _names(dataset: Dataset, position: int, depths: Iterable[int]) -> set[str]:
    """What the image at a position may be called."""
    label = dataset.classes[dataset.labels[position]]
    own = [] if dataset.stems is None else [dataset.stems[position]]
    longer: list[str] = []
    if dataset.files is not None:
        parts = dataset.files[position].replace(os.sep, "/").split("/")
        own += [parts[-1], os.path.splitext(parts[-1])[0]]
        paths = ["/".join(parts[-depth:]) for depth in depths if depth > 1]
        longer = [*paths, *(os.path.splitext(path)[0] for path in paths)]
    return {*own, *(f"{label}/{name}" for name in own), *longer}


def _shown(dataset: Dataset, position: int) -> str:
    name = dataset.stems[position] if dataset.stems else ""
    name = os.path.basename(dataset.files[position]) if dataset.files else name
    return f"{dataset.classes[dataset.labels[position]]}/{name}"


def _hint(dataset: Dataset, text: str) -> str:
    """The nearest name of its class, or of all where it is of none; of many, those near it in the alphabet."""
    shown = [_shown(dataset, position) for position in range(len(dataset))]
    known = sorted(shown if "/" in text else (name.rpartition("/")[2] for name in shown))
    inner, slash, _ = text.rpartition("/")
    known = [name for name in known if slash and name.startswith(f"{inner}/")] or known
    middle = bisect_left(known, text)
    near = get_close_matches(text, known[max(middle - MOST_COMPARED, 0) : middle + MOST_COMPARED], n=1)
    return f"; did you mean {near[0]}" if near else f"; its images are called as in {known[0]}"


def _title(dataset: Dataset) -> str:
    return f"{dataset.name}@{dataset.split}"
