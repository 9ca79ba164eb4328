"""Which outputs of a network stand for which class of the data set, from a file."""

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
from typing import Any

from robench.errors import ModelError
from robench.files import reading, reason

HEADER = ["class", "index"]
ID2LABEL = "id2label"
"""The key under which a config.json of Hugging Face names a network's outputs."""
NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class LabelMap:
    """The outputs of a network for each class of a data set.

    indices: the outputs of each class, in the data set's order; no output serves two classes. sha256: of the file.
    source: the file's path, for the lines of errors; it is recorded nowhere. named: how many outputs the file names,
    from 0 up without a gap; 0 where it gives outputs to classes instead.
    """

    indices: tuple[tuple[int, ...], ...]
    sha256: str
    source: Path
    named: int = 0

    @property
    def sums(self) -> bool:
        """Whether a class has several outputs, whose probabilities are summed."""
        return any(len(outputs) > 1 for outputs in self.indices)

    def check(self, outputs: int, label: str) -> None:
        """Raise `ModelError` where a network of that many outputs lacks an index, or the file names other outputs."""
        if self.named not in (0, outputs):
            is_background = outputs == self.named + 1
            way_out = (
                'if output 0 is the background, add 1 to every key, so that the names begin at "1"'
                if is_background
                else f"give the output of each class instead, as CSV {','.join(HEADER)}"
            )
            raise ModelError(
                f"{self.source}: expected names of the {outputs} outputs of {label}, got {self.named}; {way_out}"
            )
        beyond = [index for group in self.indices for index in group if index >= outputs]
        if beyond:
            raise ModelError(
                f"{self.source}: expected indices 0..{outputs - 1}, the outputs of {label}, got {beyond[0]}"
            )


class Object(tuple[tuple[str, Any], ...]):
    """A JSON object with all its keys, also those that are there twice."""


def read_label_map(path: Path, classes: Sequence[str]) -> LabelMap:
    """The map of a CSV file with the header `class,index`, or of a JSON file.

    A class with several rows in the CSV, or with a list of indices in JSON {class: index}, has several outputs. JSON
    may also name the outputs: {index: name}, alone or under `id2label`, or {index: [name, other name]}.
    classes: the names that the data set has, all of which must be in the file; it may hold others.
    Raises `ModelError`: a class is missing, or a name is there twice; an index is no number from 0 up, or serves two
    classes.
    """
    try:
        with reading(path, f"a label map, {','.join(HEADER)}", ModelError):
            content = path.read_bytes()
            text = content.decode("utf-8-sig")
            read = _of_json if path.suffix.lower() == ".json" else _of_csv
            known, named = read(path, text, classes)
    except FileNotFoundError as fault:
        raise ModelError(f"label map {path}: cannot be read: {reason(fault)}") from None
    if absent := [name for name in classes if name not in known]:
        near = difflib.get_close_matches(absent[0], known, n=1) or sorted(known)[:1]
        nearest = f"; the nearest is '{near[0]}'" if near else ""
        raise ModelError(f"{path}: expected an index for class '{absent[0]}' of the data set, got none{nearest}")
    return LabelMap(tuple(known[name] for name in classes), hashlib.sha256(content).hexdigest(), path, named)


Outputs = dict[str, tuple[int, ...]]
"""The outputs of each name in a file."""


def _of_csv(path: Path, text: str, classes: Sequence[str]) -> tuple[Outputs, int]:
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows or [cell.strip() for cell in rows[0]] != HEADER:
        got = ",".join(rows[0]) if rows else "nothing"
        raise ModelError(f"{path}: expected the header '{','.join(HEADER)}', got '{got}'")
    for row in rows[1:]:
        if len(row) != len(HEADER):
            raise ModelError(f"{path}: expected a class and an index, got '{','.join(row)}'")
    return _grouped(path, [(name.strip(), index.strip()) for name, index in rows[1:]]), 0


def _of_json(path: Path, text: str, classes: Sequence[str]) -> tuple[Outputs, int]:
    value = json.loads(text, object_pairs_hook=Object)
    if not isinstance(value, Object):
        raise ModelError(f"{path}: expected an object of classes and indices, got {type(value).__name__}")
    inner = dict(value).get(ID2LABEL)
    if isinstance(inner, Object):
        return _of_names(path, inner, classes)
    if value and all(NUMBER.fullmatch(key) for key, _ in value):
        if any(_is_name(entry) for _, entry in value):
            return _of_names(path, value, classes)
        if any(isinstance(entry, str) and entry != key for key, entry in value):
            raise ModelError(f'{path}: expected indices as numbers, as in {{"0": 1}}, got texts, which may be names')
    _check_keys(path, value, "class")
    listed = [(name, entry if isinstance(entry, list) else [entry]) for name, entry in value]
    return _grouped(path, [(name, str(index)) for name, indices in listed for index in indices]), 0


def _is_name(entry: object) -> bool:
    """Whether an entry of a JSON object is one name or several, none of which may be meant as an index."""
    texts: list[Any] = entry if isinstance(entry, list) and entry else [entry]
    return all(isinstance(text, str) for text in texts) and not all(NUMBER.fullmatch(text) for text in texts)


def _of_names(path: Path, names: Object, classes: Sequence[str]) -> tuple[Outputs, int]:
    """{index: name} or {index: [name, other name]}; of the other names the first kind that has every class counts."""
    _check_keys(path, names, "index")
    kinds: list[Outputs] = []
    for key, entry in names:
        texts = entry if isinstance(entry, list) else [entry]
        if not NUMBER.fullmatch(key) or not texts or not all(isinstance(text, str) for text in texts):
            raise ModelError(f"{path}: expected an index and the name of its class, got '{key}' and {entry!r:.40}")
        kinds += [{} for _ in texts[len(kinds) :]]
        for kind, text in zip(kinds, texts, strict=False):
            kind[text] = (*kind.get(text, ()), int(key))
    numbers = {int(key) for key, _ in names}
    best = max(kinds, key=lambda kind: sum(name in kind for name in classes), default={})
    _check_one_output(path, classes, best)
    return best, len(names) if numbers == set(range(len(names))) else 0


def _check_keys(path: Path, pairs: Object, what: str) -> None:
    known = set()
    for key, _ in pairs:
        if key in known:
            raise ModelError(f"{path}: {what} '{key}' is there twice")
        known.add(key)


def _check_one_output(path: Path, classes: Sequence[str], known: Outputs) -> None:
    """A name that two outputs have, as `crane` of ImageNet, does not say whether one is meant or both."""
    for name in classes:
        outputs = known.get(name, ())
        if len(outputs) > 1:
            raise ModelError(
                f"{path}: expected one output called '{name}', got {' and '.join(map(str, outputs))}; "
                f"choose one, or both, as CSV {','.join(HEADER)}"
            )


def _grouped(path: Path, pairs: Sequence[tuple[str, str]]) -> Outputs:
    known: Outputs = {}
    taken: dict[int, str] = {}
    for name, text in pairs:
        if not NUMBER.fullmatch(text):
            raise ModelError(f"{path}: {name}: expected an index from 0 up, got '{text}'")
        index = int(text)
        if taken.get(index) == name:
            raise ModelError(f"{path}: index {index} of class '{name}' is there twice")
        if index in taken:
            raise ModelError(f"{path}: expected one class for an index, got {index} for '{taken[index]}' and '{name}'")
        known[name], taken[index] = (*known.get(name, ()), index), name
    return known
