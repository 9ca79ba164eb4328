"""To and from the result files of RobustBench: model_info JSON, and its wide CSV of accuracies.

https://github.com/RobustBench/robustbench: a JSON file a model, all numbers as strings in percent; the CSV has two
header rows, corruption and severity, and accuracies in 0..1.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import corruptions
from robench.errors import BoardError, UsageError
from robench.files import file_name, reason, sha256_text, write_text
from robench.leaderboard import _reported
from robench.leaderboard._board import Board, boards
from robench.leaderboard._fields import number
from robench.leaderboard._rank import standing

SUITE = "cifar10-c/1"
EMPTY = ("", "null", None)
TEXTS = ("architecture", "venue", "link")


def import_(file: Path, root: Path, dataset: str, suite: str = SUITE) -> list[str]:
    """Put the models of a RobustBench file beside a board, as reported by others; their names.

    file: a model_info JSON, or the wide CSV. A model that the same file gave before is replaced. Raises UsageError for
    a board that is not there, BoardError for a file of another form, or without all cells of the suite.
    """
    by_name = {f"{board.dataset['name']} {board.suite}": board for board in boards(root)}
    if f"{dataset} {suite}" not in by_name:
        raise UsageError(corruptions.unknown("board", f"{dataset} {suite}", by_name))
    board = by_name[f"{dataset} {suite}"]
    read = {".json": _of_json, ".csv": _of_csv}.get(file.suffix)
    if read is None:
        raise UsageError(f"{file}: expected a .json or a .csv file of RobustBench")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as fault:
        raise BoardError(f"{file}: cannot be read: {reason(fault)}") from fault
    source = {"source": f"RobustBench, {file.name}", "source_sha256": sha256_text(text)}
    rows = [row | source for row in read(file, text, board)]
    taken = {(row["model"], row["source"]) for row in rows}
    kept = [row for row in _reported.reported(board) if (row["model"], row["source"]) not in taken]
    _reported.write(board, [*kept, *rows])
    return [str(row["model"]) for row in rows]


def _of_json(file: Path, text: str, board: Board) -> Iterator[dict[str, Any]]:
    try:
        told = json.loads(text)
    except ValueError as fault:
        raise BoardError(f"{file}: cannot be read: {reason(fault)}") from fault
    if not isinstance(told, dict) or "corruptions_acc" not in told:
        got = ", ".join(list(told)[:4]) if isinstance(told, dict) else type(told).__name__
        raise BoardError(f"{file}: expected model_info JSON with corruptions_acc, got {got}")
    name = board.dataset["name"]
    if told.get("dataset") not in (*EMPTY, name):
        raise BoardError(f"{file}: dataset: expected {name} as {board.path('.json')} has, got {told['dataset']}")
    keys = {"clean": "clean_acc", "mean": "corruptions_acc", "mce": "corruptions_mce"}
    given = {name: key for name, key in keys.items() if told.get(key) not in EMPTY}
    more = told.get("additional_data")
    yield {
        "model": file.stem,
        **dict.fromkeys(keys),
        **{name: _between(f"{file}: {key}", told[key], _reported.MOST[name], "percent") for name, key in given.items()},
        **{name: "" if told.get(name) in EMPTY else str(told[name]) for name in TEXTS},
        "additional_data": "" if more in EMPTY else "yes" if more else "no",
    }


def _of_csv(file: Path, text: str, board: Board) -> Iterator[dict[str, Any]]:
    lines = list(csv.reader(io.StringIO(text)))
    if len(lines) < 3 or len(lines[0]) != len(lines[1]):
        raise BoardError(f"{file}: expected two header rows, corruptions and severities, and a row a model")
    places = list(zip(lines[0][1:], lines[1][1:], strict=True))
    for name, fact in board.corruptions.items():
        lacking = [key for key in fact["strengths"] if places.count((name, key)) != 1]
        if lacking:
            raise BoardError(f"{file}: expected one column {name} {lacking[0]}, got {places.count((name, lacking[0]))}")
    names: dict[str, int] = {}
    for row, line in enumerate(lines[2:], start=3):
        if len(line) != len(places) + 1:
            raise BoardError(f"{file}: row {row}: expected {len(places) + 1} columns, got {len(line)}")
        if names.setdefault(line[0], row) != row:
            raise BoardError(f"{file}: row {row}: '{line[0]}' is row {names[line[0]]} too")
        rates = {
            place: _between(f"{file}: row {row}, column {' '.join(place)}", field, 1, "an accuracy")
            for place, field in zip(places, line[1:], strict=True)
        }
        means = [np.mean([rates[name, key] for key in fact["strengths"]]) for name, fact in board.corruptions.items()]
        empty = dict.fromkeys((*TEXTS, "additional_data"), "") | dict.fromkeys(("clean", "mce"))
        yield {"model": line[0], "mean": 100 * float(np.mean(means))} | empty


def _between(where: str, field: Any, most: float, what: str) -> float:
    value = number(where, field)
    _reported.check_between(where, value, most, what)
    return value


def export(root: Path, folder: Path) -> list[Path]:
    """Write a model_info JSON for every entry of every board of cifar10-c/1; the files. UsageError for no board."""
    chosen = [board for board in boards(root) if board.suite == SUITE]
    if not chosen:
        raise UsageError(f"{root}: expected a board of {SUITE}, got none")
    return [path for board in chosen for path in _exported(board, folder)]


def _exported(board: Board, folder: Path) -> Sequence[Path]:
    rows = standing(board).frame.to_dict("records")
    made = []
    for row in rows:
        own = row["training_data"].partition(" (")[0]
        told = {
            "link": row["link"],
            "name": row["model"],
            "authors": "",
            "additional_data": None if own == "not stated" else own != board.dataset["name"],
            "number_forward_passes": 1,
            "dataset": board.dataset["name"],
            "venue": "",
            "architecture": row["architecture"],
            "eps": None,
            "clean_acc": f"{row['clean']:.2f}",
            "reported": "",
            "corruptions_acc": f"{row['mean']:.2f}",
        }
        if row["mce"] == row["mce"]:
            told["corruptions_mce"] = f"{row['mce']:.2f}"
        path = folder / file_name(str(board.dataset["name"])) / "corruptions" / f"{row['entry']}.json"
        write_text(path, json.dumps(told, indent=2) + "\n")
        made.append(path)
    return made
