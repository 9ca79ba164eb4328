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

import corruptions
from robench.datasets import published_facts, published_note
from robench.errors import BoardError
from robench.files import file_name, reason, sha256_text, write_json
from robench.tables import superseded_note

SCHEMA = "robench-board/1"
KINDS = {"dataset": dict, "suite": str, "corruptions": dict, "seeds": list, "textures": str, "entries": list}
SEAL = "sha256"
"""Of all other fields of the file, so that what is edited by hand is found."""
DATASET = {"name": str, "split": str, "view": str, "n": int, "classes": list, "digest": str}
CORRUPTION = {"version": int, "native": int, "group": str, "strengths": list}
NOTES = "notes"
"""What must be known of an entry beside its numbers, a list of texts; absent where there is nothing."""
ENTRY = {"id": str, "file": str, "sha256": str, "model": dict, "precision": str, "environment": dict, "link": str}
MODEL = {"label": str, "name": str, "parameters": int, "weights_sha256": str, "normalize": str, "fit": str}
LINKS = ("http://", "https://")


@dataclass(frozen=True)
class Entry:
    """One model. model: its facts as in a run's manifest; sha256: of the file.

    notes: what must be known of it beside its numbers, as its run's manifest says.
    """

    id: str
    file: str
    sha256: str
    model: Mapping[str, Any]
    precision: str
    environment: Mapping[str, str]
    link: str = ""
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What tables call it."""
        return str(self.model["label"])


def entry_id(model: Mapping[str, Any]) -> str:
    """What an entry is called: by label and weights."""
    return f"{file_name(model['label'])}-{model['weights_sha256'][:12]}"


@dataclass(frozen=True)
class Board:
    """One suite on one data set. folder: of the data set, below the boards'.

    dataset: as in a run's manifest; corruptions: facts by name in the suite's order, each with its `strengths` and
    `native`, and of a downloaded set with `files_sha256` and, where they are known, `published_set` and `published`;
    seeds: of what draws; textures: digest of the pictures of frost, empty for robench's own.
    """

    folder: Path
    dataset: Mapping[str, Any]
    suite: str
    corruptions: Mapping[str, Any]
    seeds: tuple[int, ...]
    textures: str = ""
    entries: tuple[Entry, ...] = field(default=())
    seal: str = field(default="", compare=False)

    @property
    def is_as_written(self) -> bool:
        """Whether no field of the file was edited since it was written."""
        return self.seal == _seal(self._told())

    @property
    def stem(self) -> str:
        """What its files are called."""
        return file_name(self.suite)

    @property
    def classes(self) -> int:
        """How many classes its images have."""
        return len(self.dataset["classes"])

    @property
    def published_note(self) -> str:
        """Which arrays of a downloaded set are the published ones; empty where nobody recorded it."""
        facts = ((name, fact) for name, fact in self.corruptions.items() if "published" in fact)
        return published_note(
            [published_facts(fact["published_set"], {name: fact["published"]}) for name, fact in facts]
        )

    @property
    def superseded(self) -> dict[str, tuple[int, int]]:
        """The corruptions that it was measured with an older version of: that version and the installed one."""
        return corruptions.superseded(self._versions)

    @property
    def superseded_note(self) -> str:
        """The same in words; empty for a board of today's versions."""
        return superseded_note(self._versions)

    @property
    def _versions(self) -> dict[str, int]:
        return {name: fact["version"] for name, fact in self.corruptions.items()}

    @property
    def title(self) -> str:
        """Data set and suite."""
        return f"{self.dataset['name']}, {self.suite}"

    def path(self, suffix: str) -> Path:
        """One of its files, as in `.cells.csv`."""
        return self.folder / f"{self.stem}{suffix}"

    def file_of(self, entry: str) -> str:
        """Where the answers of an entry are, below the folder."""
        return f"entries/{self.stem}-{entry}.npz"

    def with_entry(self, entry: Entry) -> Board:
        """With one more entry, in the order of identifiers."""
        return replace(self, entries=tuple(sorted((*self.entries, entry), key=lambda one: one.id)))

    def write(self) -> None:
        """The JSON file."""
        record = self._told()
        write_json(self.path(".json"), record | {SEAL: _seal(record)})

    def _told(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in ("dataset", "suite", "corruptions", "textures")}
        entries = [
            {name: getattr(entry, name) for name in ENTRY} | ({NOTES: list(entry.notes)} if entry.notes else {})
            for entry in self.entries
        ]
        names = list(self.corruptions)
        more = {"schema": SCHEMA, "seeds": list(self.seeds), "entries": entries, "order": names}
        return fields | more


def _seal(record: Mapping[str, Any]) -> str:
    return sha256_text(json.dumps(record, sort_keys=True))


def boards(root: Path) -> list[Board]:
    """All boards below a folder, in the order of their files; BoardError for one that cannot be read."""
    return [read(path) for path in sorted(root.glob("*/*.json"))]


def read(path: Path) -> Board:
    """The board of a JSON file."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise BoardError(f"{path}: cannot be read: {reason(fault)}") from fault
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        got = record.get("schema") if isinstance(record, dict) else record
        raise BoardError(f"{path}: expected schema {SCHEMA}, got {got!r}")
    _check_form(path, record)
    if sorted(record["order"]) != sorted(record["corruptions"]):
        raise BoardError(f"{path}: expected order to name the corruptions, got {record['order']}")
    board = Board(
        path.parent,
        record["dataset"],
        record["suite"],
        {name: record["corruptions"][name] for name in record["order"]},
        tuple(record["seeds"]),
        record["textures"],
        tuple(
            Entry(**{name: entry[name] for name in ENTRY}, notes=tuple(entry.get(NOTES, ())))
            for entry in record["entries"]
        ),
        record[SEAL],
    )
    _check_names(path, board)
    return board


def _check_form(path: Path, record: Mapping[str, Any]) -> None:
    """Every field that other code relies on, by its kind."""
    _check_kinds(path, record, KINDS | {"order": list, SEAL: str})
    _check_kinds(path, record["dataset"], DATASET, "dataset.")
    for name, fact in record["corruptions"].items():
        _check_kinds(path, fact, CORRUPTION, f"corruptions.{name}.")
    for number, entry in enumerate(record["entries"]):
        at = f"entries[{number}]."
        _check_kinds(path, entry, ENTRY, at)
        _check_kinds(path, entry["model"], MODEL, f"{at}model.")
        _check_inside(path, entry["file"])
        notes = entry.get(NOTES, [])
        if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
            raise BoardError(f"{path}: expected {at}{NOTES} as a list of texts, got {notes!r}")
        check_link(f"{path}: {at}link", entry["link"])


def _check_names(path: Path, board: Board) -> None:
    """That every name is the one that follows from what it names, and stands for one thing."""
    if board.path(".json") != path:
        raise BoardError(f"{path}: its suite is {board.suite}, whose file is {board.path('.json').name}")
    if path.parent.name != (folder := file_name(board.dataset["name"])):
        raise BoardError(f"{path}: its data set is {board.dataset['name']}, whose folder is {folder}")
    labels = [entry.label for entry in board.entries]
    for number, entry in enumerate(board.entries):
        expected = entry_id(entry.model)
        for what, got, wanted in (("id", entry.id, expected), ("file", entry.file, board.file_of(expected))):
            if got != wanted:
                raise BoardError(f"{path}: expected entries[{number}].{what} to be '{wanted}', got '{got}'")
        if entry.label in labels[:number]:
            raise BoardError(f"{path}: entries[{number}]: '{entry.label}' is entries[{labels.index(entry.label)}] too")


def check_link(where: str, link: str) -> None:
    """Raise BoardError, which begins with `where`, for what is not an address on the web; an empty one is fine."""
    if link and not link.startswith(LINKS):
        raise BoardError(f"{where}: expected an address that begins with {' or '.join(LINKS)}, got '{link}'")


def _check_kinds(path: Path, record: Any, kinds: Mapping[str, type], at: str = "") -> None:
    for key, kind in kinds.items():
        if not isinstance(record, dict) or not isinstance(record.get(key), kind):
            got = record.get(key) if isinstance(record, dict) else record
            raise BoardError(f"{path}: expected {at}{key} as {kind.__name__}, got {got!r}")


def _check_inside(path: Path, file: str) -> None:
    folder = path.parent.resolve()
    if Path(file).is_absolute() or folder not in (folder / file).resolve().parents:
        raise BoardError(f"{path}: expected a file below {path.parent}, got '{file}'")
