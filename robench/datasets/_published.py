"""Which arrays of a downloaded CIFAR-10-C or CIFAR-100-C are the published ones, by the md5 of their files."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from robench.datasets._contract import Ints

LABELS = "labels"
PUBLISHED, ALTERED = "published", "altered"


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """By set the md5 of each published file, by its stem, the labels among them."""
    text = files(__package__).joinpath("published.csv").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        found.setdefault(row["set"], {})[row["corruption"]] = row["md5"]
    return found


def published_set(tiled: Ints) -> str:
    """The published set that has these labels, (N,) as in its labels.npy, whatever their type; empty for none."""
    if tiled.min() < 0 or tiled.max() > np.iinfo(np.uint8).max:
        return ""
    file = io.BytesIO()
    np.save(file, tiled.astype(np.uint8))
    digest = hashlib.md5(file.getvalue(), usedforsecurity=False).hexdigest()
    return next((name for name, md5s in table().items() if md5s[LABELS] == digest), "")


def state_of(name: str, corruption: str, md5: str) -> str:
    """Whether a file of a published set is `published` or `altered`; empty for a corruption that the set lacks."""
    expected = table()[name].get(corruption)
    return "" if expected is None else PUBLISHED if md5 == expected else ALTERED


def published_facts(name: str, states: Mapping[str, str]) -> dict[str, Any]:
    """What a run records: `set`, and `arrays` by corruption; empty where no array has a published counterpart."""
    arrays = {corruption: state for corruption, state in states.items() if state}
    return {"set": name, "arrays": arrays} if arrays else {}


def published_note(facts: Iterable[Mapping[str, Any]]) -> str:
    """The recorded facts of one run or more as a sentence; empty where there are none.

    >>> published_note([{"set": "CIFAR-10-C", "arrays": {"fog": "altered", "snow": "published"}}])
    'CIFAR-10-C: 1 of 2 arrays are the published ones; altered: fog.'
    """
    some = [one for one in facts if one]
    arrays = {corruption: state for one in some for corruption, state in one["arrays"].items()}
    if not arrays:
        return ""
    altered = sorted(corruption for corruption, state in arrays.items() if state != PUBLISHED)
    count = f"{some[0]['set']}: {len(arrays) - len(altered)} of {len(arrays)} arrays are the published ones"
    return count + (f"; altered: {', '.join(altered)}." if altered else ".")
