"""A board on disk, schema robench-board/1: the models measured by one suite on one data set.

leaderboards/DATASET/SUITE.json          the data set, the suite with versions, and of each entry what it rests on
leaderboards/DATASET/SUITE.cells.csv     the source: counts, a row a cell of an entry
leaderboards/DATASET/entries/ID.npz      of each image and corruption how many strengths were answered right
leaderboards/DATASET/SUITE.reported.csv  numbers that others report; never ranked
leaderboards/DATASET/SUITE.csv           derived: the models in order
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from robench.errors import BoardError
from robench.files import file_name, reason, write_json

SCHEMA = "robench-board/1"
KINDS = {"dataset": dict, "suite": str, "corruptions": dict, "seeds": list, "textures": str, "entries": list}
ENTRY = {"id": str, "file": str, "sha256": str, "model": dict, "precision": str, "environment": dict, "link": str}


@dataclass(frozen=True)
class Entry:
    """One model. model: its facts as in a run's manifest; sha256: of the file."""

    id: str
    file: str
    sha256: str
    model: Mapping[str, Any]
    precision: str
    environment: Mapping[str, str]
    link: str = ""

    @property
    def label(self) -> str:
        """What tables call it."""
        return str(self.model["label"])


@dataclass(frozen=True)
class Board:
    """One suite on one data set. folder: of the data set, below the boards'.

    dataset: as in a run's manifest; corruptions: facts by name in the suite's order, each with its `strengths` and
    `native`; seeds: of what draws; textures: digest of the pictures of frost, empty for robench's own.
    """

    folder: Path
    dataset: Mapping[str, Any]
    suite: str
    corruptions: Mapping[str, Any]
    seeds: tuple[int, ...]
    textures: str = ""
    entries: tuple[Entry, ...] = field(default=())

    @property
    def stem(self) -> str:
        """What its files are called."""
        return file_name(self.suite)

    @property
    def classes(self) -> int:
        """How many classes its images have."""
        return len(self.dataset["classes"])

    @property
    def title(self) -> str:
        """Data set and suite."""
        return f"{self.dataset['name']}, {self.suite}"

    def path(self, suffix: str) -> Path:
        """One of its files, as in `.cells.csv`."""
        return self.folder / f"{self.stem}{suffix}"

    def with_entry(self, entry: Entry) -> Board:
        """With one more entry, in the order of identifiers."""
        return replace(self, entries=tuple(sorted((*self.entries, entry), key=lambda one: one.id)))

    def write(self) -> None:
        """The JSON file."""
        fields = {name: getattr(self, name) for name in ("dataset", "suite", "corruptions", "textures")}
        entries = [{name: getattr(entry, name) for name in ENTRY} for entry in self.entries]
        names = list(self.corruptions)
        more = {"schema": SCHEMA, "seeds": list(self.seeds), "entries": entries, "order": names}
        write_json(self.path(".json"), fields | more)


def boards(root: Path) -> list[Board]:
    """All boards below a folder, in the order of their files; BoardError for one that cannot be read."""
    return [read(path) for path in sorted(root.glob("*/*.json"))]


def read(path: Path) -> Board:
    """The board of a JSON file."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise BoardError(f"{path}: cannot be read: {reason(fault)}") from fault
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        got = told.get("schema") if isinstance(told, dict) else told
        raise BoardError(f"{path}: expected schema {SCHEMA}, got {got!r}")
    _check_kinds(path, told, KINDS | {"order": list})
    for number, entry in enumerate(told["entries"]):
        _check_kinds(path, entry, ENTRY, f"entries[{number}].")
        _check_inside(path, entry["file"])
    if sorted(told["order"]) != sorted(told["corruptions"]):
        raise BoardError(f"{path}: expected order to name the corruptions, got {told['order']}")
    board = Board(
        path.parent,
        told["dataset"],
        told["suite"],
        {name: told["corruptions"][name] for name in told["order"]},
        tuple(told["seeds"]),
        told["textures"],
        tuple(Entry(**{name: entry[name] for name in ENTRY}) for entry in told["entries"]),
    )
    if board.path(".json") != path:
        raise BoardError(f"{path}: its suite is {board.suite}, whose file is {board.path('.json').name}")
    return board


def _check_kinds(path: Path, told: Any, kinds: Mapping[str, type], at: str = "") -> None:
    for key, kind in kinds.items():
        if not isinstance(told, dict) or not isinstance(told.get(key), kind):
            got = told.get(key) if isinstance(told, dict) else told
            raise BoardError(f"{path}: expected {at}{key} as {kind.__name__}, got {got!r}")


def _check_inside(path: Path, file: str) -> None:
    folder = path.parent.resolve()
    if Path(file).is_absolute() or folder not in (folder / file).resolve().parents:
        raise BoardError(f"{path}: expected a file below {path.parent}, got '{file}'")
