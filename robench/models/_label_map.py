"""Which output of a network stands for which class of the data set, from a file."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from robench.errors import ModelError
from robench.files import reading, reason

HEADER = ["class", "index"]


@dataclass(frozen=True)
class LabelMap:
    """One output of a network for each class of a data set.

    indices: the output of each class, in the data set's order. sha256: of the file.
    source: the file's path, for the lines of errors; it is recorded nowhere.
    """

    indices: tuple[int, ...]
    sha256: str
    source: Path

    def check(self, outputs: int, label: str) -> None:
        """An index that a network of that many outputs does not have raises `ModelError`."""
        beyond = [index for index in self.indices if index >= outputs]
        if beyond:
            raise ModelError(
                f"{self.source}: expected indices 0..{outputs - 1}, the outputs of {label}, got {beyond[0]}"
            )


def read_label_map(path: Path, classes: Sequence[str]) -> LabelMap:
    """The map of a CSV file with the header `class,index`, or of a JSON object {class: index}.

    classes: the names that the data set has, all of which must be in the file; it may hold others.
    Raises `ModelError`: a class is missing or there twice, an index is no number from 0 up or serves two classes.
    """
    try:
        with reading(path, f"a label map, {','.join(HEADER)}", ModelError):
            content = path.read_bytes()
            text = content.decode("utf-8-sig")
            pairs = _of_json(path, text) if path.suffix.lower() == ".json" else _of_csv(path, text)
    except FileNotFoundError as fault:
        raise ModelError(f"label map {path}: cannot be read: {reason(fault)}") from None
    known = _unique(path, pairs)
    if absent := [name for name in classes if name not in known]:
        near = difflib.get_close_matches(absent[0], known, n=1) or sorted(known)[:1]
        nearest = f"; the nearest is '{near[0]}'" if near else ""
        raise ModelError(f"{path}: expected an index for class '{absent[0]}' of the data set, got none{nearest}")
    return LabelMap(tuple(known[name] for name in classes), hashlib.sha256(content).hexdigest(), path)


def _of_csv(path: Path, text: str) -> list[tuple[str, str]]:
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows or [cell.strip() for cell in rows[0]] != HEADER:
        got = ",".join(rows[0]) if rows else "nothing"
        raise ModelError(f"{path}: expected the header '{','.join(HEADER)}', got '{got}'")
    for row in rows[1:]:
        if len(row) != len(HEADER):
            raise ModelError(f"{path}: expected a class and an index, got '{','.join(row)}'")
    return [(name.strip(), index.strip()) for name, index in rows[1:]]


def _of_json(path: Path, text: str) -> list[tuple[str, str]]:
    pairs = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    if not text.lstrip().startswith("{"):
        raise ModelError(f"{path}: expected an object of classes and indices, got {type(pairs).__name__}")
    return [(name, str(index)) for name, index in pairs]


def _unique(path: Path, pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    known: dict[str, int] = {}
    taken: dict[int, str] = {}
    for name, text in pairs:
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ModelError(f"{path}: {name}: expected an index from 0 up, got '{text}'")
        if name in known:
            raise ModelError(f"{path}: class '{name}' is there twice")
        index = int(text)
        if index in taken:
            raise ModelError(f"{path}: expected one class for an index, got {index} for '{taken[index]}' and '{name}'")
        known[name], taken[index] = index, name
    return known
