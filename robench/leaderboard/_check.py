"""Whether what is committed is whole, consistent and fresh."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import corruptions
from robench.errors import BoardError
from robench.files import sha256_file
from robench.leaderboard import _cells, _correct_counts
from robench.leaderboard._board import Board, Entry, boards, read
from robench.leaderboard._build import left_over, outputs
from robench.tables import CLEAN

NO_SEED = 0
ROW = re.compile(r"(.*: row )(\d+)(, column .*)", re.DOTALL)
SOURCES = (".cells.csv", ".reported.csv")
OF_BOARD = {"dataset": "name", "split": "split", "view": "view", "data_digest": "digest", "n": "n"}


def check(root: Path, readme: Path | None = None) -> list[str]:
    """Everything that is wrong with the boards below `root`, each with file, row and column; empty where nothing is.

    Rows are counted as an editor counts lines; those with the same fault are one complaint. What is derived is made
    anew and compared.
    """
    found = []
    for path in sorted(root.glob("*/*.json")):
        try:
            found += list(_of_board(read(path)))
        except BoardError as fault:
            found.append(str(fault))
    found += list(_strays(root)) if not found else []
    if found:
        return found
    try:
        made = outputs(root, readme)
    except BoardError as fault:
        return [str(fault)]
    found = [complaint for path, text in made.items() for complaint in _stale(path, text)]
    return found + [f"{path}: nothing makes it; run `robench leaderboard build`" for path in left_over(root, made)]


def superseded(root: Path) -> list[str]:
    """The boards below `root` that were measured with older versions of corruptions, each with file and versions."""
    return [f"{board.path('.json')}: {board.superseded_note}" for board in boards(root) if board.superseded]


def _of_board(board: Board) -> Iterator[str]:
    path = board.path(".cells.csv")
    cells = _cells.read(path)
    if not board.entries:
        yield f"{board.path('.json')}: expected an entry at least, found none; add one, or remove the board's files"
    fields = _cells.fields(path.read_text(encoding="utf-8"))
    found = [*_of_suite(board), *_rows(board, path, cells)]
    for entry in board.entries:
        own = fields["entry"] == entry.id
        found += [*_of_entry(board, path, entry, cells[own], fields[own])]
    if not found and not board.is_as_written:
        found.append(f"{board.path('.json')}: edited by hand: its sha256 is not that of its other fields")
    yield from _folded(dict.fromkeys(found))


def _folded(complaints: Iterable[str]) -> Iterator[str]:
    """Complaints that differ in the row alone as one, at the place of the first."""
    rows: dict[tuple[str, str], list[str]] = {}
    for complaint in complaints:
        found = ROW.fullmatch(complaint)
        file, row, rest = found.groups() if found else (complaint, "", "")
        rows.setdefault((file, rest), []).append(row)
    for (file, rest), [first, *more] in rows.items():
        others = f" and {len(more)} more, the last {more[-1]}" if more else ""
        yield f"{file}{first}{others}{rest}"


def _of_suite(board: Board) -> Iterator[str]:
    """Where the suite of that name has other strengths today; one that is not installed is taken as it stands."""
    if board.suite not in corruptions.suites():
        return
    keys = corruptions.suite(board.suite).keys
    for name in dict.fromkeys((*keys, *board.corruptions)):
        wanted, got = list(keys.get(name, ())), board.corruptions.get(name, {}).get("strengths", [])
        if got != wanted:
            where = f"{board.path('.json')}: corruptions.{name}.strengths"
            yield f"{where}: expected {wanted} as {board.suite} has, got {got}"


def _rows(board: Board, path: Path, cells: pd.DataFrame) -> Iterator[str]:
    """Each row by itself, then whether they are the rows of the entries in their order."""
    entries = {entry.id: entry for entry in board.entries}
    seen: dict[tuple[Any, ...], int] = {}
    for number, row in enumerate(cells.to_dict("records"), start=2):
        where = f"{path}: row {number}"
        if row["entry"] not in entries:
            yield f"{where}, column entry: '{row['entry']}' is not in {board.path('.json').name}"
            continue
        place = tuple(row[name] for name in ("entry", "corruption", "strength", "seed"))
        if place in seen:
            yield f"{where}: the same cell as row {seen[place]}: {' '.join(map(str, place))}"
        seen[place] = number
        for column, expected in _expected(board, entries[str(row["entry"])], row).items():
            if row[column] != expected:
                yield f"{where}, column {column}: expected {expected}, got {row[column]}"
        if not 0 <= row["n_correct"] <= row["n_correct_top5"] <= row["n"]:
            yield f"{where}, column n_correct: expected 0 <= n_correct <= n_correct_top5 <= n, got {row['n_correct']}"


def _expected(board: Board, entry: Entry, row: Mapping[Any, Any]) -> dict[str, Any]:
    """What a row must say, column by column."""
    of_entry = {"model": entry.label, "weights_sha256": entry.model["weights_sha256"], "precision": entry.precision}
    of_entry |= {"normalize": entry.model["normalize"], "fit": entry.model["fit"], "suite": board.suite}
    of_dataset = {column: board.dataset[fact] for column, fact in OF_BOARD.items()}
    fact = board.corruptions.get(str(row["corruption"]))
    of_corruption = (
        {}
        if fact is None
        else {"corruption_version": fact["version"], "native": fact["native"], "group": fact["group"]}
    )
    return of_entry | of_dataset | of_corruption


def _of_entry(board: Board, path: Path, entry: Entry, cells: pd.DataFrame, fields: pd.DataFrame) -> Iterator[str]:
    yield from _complete(board, path, entry, cells)
    file = board.folder / entry.file
    if not file.is_file():
        yield f"{file}: expected the answers of {entry.id}, found none"
        return
    if sha256_file(file) != entry.sha256:
        yield f"{file}: its sha256 is not that of {board.path('.json').name}"
        return
    answers = _correct_counts.read(file)
    if answers.corruptions != (CLEAN, *board.corruptions) or len(answers.right) != board.dataset["n"]:
        yield f"{file}: expected {board.dataset['n']} images of {board.suite}, got {answers.right.shape}"
        return
    said = _correct_counts.facts_of(board, entry.model, entry.precision, entry.environment, entry.notes)
    yield from _differences(board.path(".json"), entry.id, answers.facts, said)
    if len(answers.rows) != len(fields):
        yield f"{path}: {entry.id}: expected {len(answers.rows)} rows as {file.name} has, got {len(fields)}"
        return
    yield from _csv_reader(path, answers.rows, fields)
    yield from _counts(file, answers)


def _differences(path: Path, at: str, expected: Any, got: Any) -> Iterator[str]:
    """Where the board's file says other than the answers, of images and network."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*expected, *got)):
            yield from _differences(path, f"{at}, {name}", expected.get(name), got.get(name))
    elif expected != got:
        yield f"{path}: {at}: expected {expected}, got {got}"


def _csv_reader(path: Path, expected: pd.DataFrame, got: pd.DataFrame) -> Iterator[str]:
    """Field by field as the file of answers says, which may have further columns, as the board's file may."""
    for name in dict.fromkeys((*_cells.OWN, *_cells.further(got), *_cells.further(expected))):
        ours, theirs = (frame[name] if name in frame else [""] * len(got) for frame in (got, expected))
        for place, field, wanted in zip(got.index, ours, theirs, strict=True):
            if field != wanted:
                where = f"{path}: row {int(place) + 2}, column {name}"
                yield f"{where}: expected {wanted or 'nothing'}, got {field or 'nothing'}"


def _complete(board: Board, path: Path, entry: Entry, cells: pd.DataFrame) -> Iterator[str]:
    there = list(cells[["corruption", "strength", "seed"]].itertuples(index=False, name=None))
    wanted = [(CLEAN, CLEAN)] + [(name, key) for name, fact in board.corruptions.items() for key in fact["strengths"]]
    for name, key in wanted:
        seeds = [int(seed) for corruption, strength, seed in there if (corruption, strength) == (name, key)]
        draws = name != CLEAN and board.corruptions[name].get("stochastic", False)
        if seeds != list(board.seeds) and (draws or seeds != [NO_SEED]):
            yield f"{path}: {entry.id}: {board.suite} is incomplete: {name} {key} has seeds {seeds or 'none'}"
    for name, key, _ in there:
        if (name, key) not in wanted:
            yield f"{path}: {entry.id}: {name} {key} is not of {board.suite}"


def _counts(file: Path, answers: _correct_counts.CorrectCounts) -> Iterator[str]:
    """Whether the images add up to the rows, within the file of answers itself."""
    of_rows = answers.rows["n_correct"].astype("int64").groupby(answers.rows["corruption"]).agg(["size", "sum"])
    sums = answers.right.sum(axis=0, dtype=np.int64)
    for name, cells, right in zip(answers.corruptions, answers.of, sums, strict=True):
        rows, counted = of_rows.loc[name]
        if (rows, counted) != (cells, right):
            yield f"{file}: {name}: expected {counted} right in {rows} rows, got {right} in {cells} of the images"


def _strays(root: Path) -> Iterator[str]:
    """Files that no board names."""
    found = boards(root)
    named = {board.folder / entry.file for board in found for entry in board.entries}
    named |= {board.path(suffix) for board in found for suffix in SOURCES}
    sources = [path for suffix in SOURCES for path in root.glob(f"*/*{suffix}")]
    for path in sorted([*root.glob("*/entries/*"), *sources]):
        if path not in named:
            yield f"{path}: no board names it"


def _stale(path: Path, expected: str) -> Iterator[str]:
    if not path.exists():
        yield f"{path}: expected the file that `robench leaderboard build` makes, found none"
        return
    try:
        got = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        yield f"{path}: is not text; run `robench leaderboard build`"
        return
    if got != expected:
        yield f"{path}: {_first_difference(path, got, expected)}; run `robench leaderboard build`"


def _first_difference(path: Path, got: str, expected: str) -> str:
    """Where two texts differ first: row and column of a table, the line of another file."""
    one, other = (
        [*csv.reader(io.StringIO(text))] if path.suffix == ".csv" else text.split("\n") for text in (got, expected)
    )
    for number, (line, wanted) in enumerate(zip(one, other, strict=False), start=1):
        if line == wanted:
            continue
        if path.suffix != ".csv":
            return f"stale or edited by hand in line {number}"
        for place, (field, right) in enumerate(zip(line, wanted, strict=False)):
            if field != right:
                return f"row {number}, column {other[0][place]}: expected {right}, got {field}"
        return f"row {number}: expected {len(wanted)} columns, got {len(line)}"
    return f"expected {len(other)} rows, got {len(one)}"
