"""A run on disk, schema robench-run/1: a manifest, and one file of predictions for every finished cell.

manifest.json                       what was asked, of which models and data, with which versions
predictions/MODEL/CORRUPTION/KEY    one Parquet file a cell, whole or not at all, its record in its metadata
cells.csv, metrics.csv              derived from the predictions alone
timings.csv                         the only file that holds times
examples/                           a few degraded images per strength
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robench.errors import RunError
from robench.files import read_json, write_json
from robench.store import _parquet
from robench.store._cells import Cell, Predictions, cell_of, misfit
from robench.store._folder_lock import FolderLock, shared_workplace, workplace

SCHEMA = "robench-run/1"
MANIFEST = "manifest.json"
FORM: dict[str, Any] = {
    "dataset": {"name": str, "split": str, "view": str, "digest": str, "n": int, "shape": [int], "classes": [str]},
    "models": [{"label": str, "weights_sha256": str, "normalize": str, "fit": str}],
    "corruptions": {...: {"version": int}},
    "environment": {...: str},
    "cells": list,
}
"""What a manifest must have; see `misfit`."""


def joined_versions(environment: Mapping[str, str], later: Mapping[str, str]) -> dict[str, str]:
    """The versions under which some cells were computed and others later; where they differ, all of them.

    >>> joined_versions({"python": "3.11.1", "torch": "2.13.0"}, {"python": "3.11.1", "torch": "2.14.1"})
    {'python': '3.11.1', 'torch': '2.13.0, 2.14.1'}
    """
    both = {name: [one for at in (environment, later) if (one := at.get(name))] for name in {**environment, **later}}
    return {name: ", ".join(dict.fromkeys(", ".join(versions).split(", "))) for name, versions in both.items()}


ONE_NETWORK = ("weights_sha256", "code_sha256", "normalize", "fit", "label_map_sha256", "outputs", "output")
"""The facts that two models of one label must share."""
OLDER = {"outputs": "logits"}
"""What manifests of older runs took for granted."""


def unlike(model: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Of two models of one label, as manifests have them, the facts in which they are not one network.

    The code of a factory was known by its file alone in older runs.

    >>> unlike({"code_sha256": "a", "fit": "none"}, {"code_sha256": "c", "file_sha256": "a", "fit": "pad28"})
    {'fit': ('none', 'pad28')}
    """
    one, two = (dict(some) for some in (model, other))
    if ("file_sha256" in one) != ("file_sha256" in two):
        for some in (one, two):
            some["code_sha256"] = some.get("file_sha256", some.get("code_sha256", ""))
    pairs = {name: (one.get(name, OLDER.get(name, "")), two.get(name, OLDER.get(name, ""))) for name in ONE_NETWORK}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True)
class Run:
    """The folder of a run."""

    folder: Path

    @property
    def manifest_path(self) -> Path:
        """The manifest's file."""
        return self.folder / MANIFEST

    def manifest(self) -> dict[str, Any]:
        """What was asked; RunError where the folder holds no run, or one of another schema."""
        try:
            manifest = read_json(self.manifest_path, "the manifest of a run", RunError)
        except FileNotFoundError:
            raise RunError(f"{self.folder}: expected a run folder with a {MANIFEST}, found none") from None
        schema = manifest.get("schema") if isinstance(manifest, dict) else None
        if schema != SCHEMA:
            raise RunError(
                f"{self.manifest_path}: expected schema {SCHEMA}, got {schema!r}; written by another robench"
            )
        for key, form in FORM.items():
            if fault := misfit(manifest.get(key), form, key):
                raise RunError(f"{self.manifest_path}: {fault}; written by another robench, or edited")
        return dict(manifest)

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """The manifest as a whole file."""
        write_json(self.manifest_path, manifest)

    def cells(self) -> list[Cell]:
        """The cells that were asked for, in the order of the tables."""
        try:
            return [cell_of(record) for record in self.manifest()["cells"]]
        except (TypeError, ValueError) as fault:
            raise RunError(f"{self.manifest_path}: its cells cannot be read: {fault}") from fault

    def path(self, cell: Cell) -> Path:
        """The file of a cell."""
        return self.folder / "predictions" / cell.place

    def record(self, cell: Cell) -> dict[str, Any] | None:
        """What is recorded with the cell's predictions, or with the error in their place; None where there is neither.

        Among it `error`, empty for predictions, and `fingerprint` of the network, None in cells of older runs.
        """
        return _parquet.read_record(self.path(cell), cell) if self.path(cell).exists() else None

    def is_done(self, cell: Cell) -> bool:
        """Whether the cell's predictions are there; a recorded error is not."""
        record = self.record(cell)
        return record is not None and not record["error"]

    def error(self, cell: Cell) -> str:
        """The error recorded for a cell, empty where there is none."""
        return str((self.record(cell) or {"error": ""})["error"])

    def states(self) -> list[tuple[Cell, str, str]]:
        """Each cell that was asked for, whether it is "ok", "error" or "missing", and the error."""
        return [(cell, *self._state(cell)) for cell in self.cells()]

    def counts(self) -> dict[str, int]:
        """How many cells were asked for, and how many of them are done, failed and missing."""
        states = [state for _, state, _ in self.states()]
        words = {"done": "ok", "failed": "error", "missing": "missing"}
        return {"asked": len(states)} | {name: states.count(state) for name, state in words.items()}

    def _state(self, cell: Cell) -> tuple[str, str]:
        if not self.path(cell).exists():
            return "missing", ""
        error = self.error(cell)
        return ("error" if error else "ok"), error

    def write(self, cell: Cell, predictions: Predictions, fingerprint: Mapping[str, Any] | None = None) -> None:
        """Store a finished cell; fingerprint: JSON values that its network is known by."""
        _parquet.write(self.path(cell), cell, SCHEMA, predictions, fingerprint=fingerprint)

    def write_error(self, cell: Cell, error: str) -> None:
        """Store why a cell could not be computed."""
        _parquet.write(self.path(cell), cell, SCHEMA, None, error)

    def read(self, cell: Cell) -> Predictions | str | None:
        """The predictions of a cell, the error recorded in their place, or None where it was not computed yet.

        RunError where the file is damaged, or is another cell's.
        """
        return _parquet.read(self.path(cell), cell) if self.path(cell).exists() else None

    @contextmanager
    def workplace(self, part: str | None = None) -> Iterator[FolderLock]:
        """A place for unfinished files; RunError where another process is in the folder.

        The folder is this process's alone, or with `part` shared with processes that are at other parts.
        """
        what = (self.folder, MANIFEST, "run", RunError)
        deeper = ("predictions/*/*", "examples/*")
        if part is None:
            with workplace(*what, *deeper) as work:
                yield FolderLock(work)
        else:
            with shared_workplace(*what, part, *deeper) as place:
                yield place
