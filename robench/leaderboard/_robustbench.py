"""To and from the result files of RobustBench: model_info JSON, and its wide CSV of accuracies.

https://github.com/RobustBench/robustbench: a JSON file a model, all numbers as strings in percent; the CSV has two
header rows, corruption and severity, and accuracies in 0..1.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import corruptions
from robench.errors import BoardError, ConfigError
from robench.files import file_name, reason, sha256_text, write_text
from robench.leaderboard import _external
from robench.leaderboard._board import Board, boards
from robench.leaderboard._csv_reader import number
from robench.leaderboard._rank import standing

SUITE = "cifar10-c/1"
SUITES = {"imagenet": "imagenet-c/1"}
"""The suite of a data set's numbers; of every other data set it is `SUITE`."""
FOLDER = "corruptions"
DATASETS = ("cifar10", "cifar100", "imagenet")
"""The folders of RobustBench, DATASET/corruptions, of which each holds the numbers of one data set."""
EMPTY = ("", "null", None)
ROUNDED = 0.0151
"""By how many points two files of one model differ: one mean is rounded or cut to two decimals, the other is not."""
MOST_IMAGES = 50_000
ONE_RATE = "one rate"
EXACT = Fraction(1, 10**12)
TEXTS = ("architecture", "venue", "link")


def import_(file: Path, root: Path, dataset: str = "", suite: str = "") -> list[dict[str, Any]]:
    """Put the models of a RobustBench file beside a board, as reported by others; their rows.

    file: a model_info JSON, or the wide CSV. dataset, suite: of the board; without them the data set is that of the
    folder DATASET/corruptions that holds the file, and the suite that of the data set. A model has one row, whichever
    files it stands in: what this file gave before is replaced. Raises ConfigError for a board that is not there, or a
    file in the folder of another data set; BoardError for a file of another form, without all cells of the suite, or
    with other numbers than another file gave.
    """
    dataset = _dataset(file, dataset)
    suite = suite or SUITES.get(dataset, SUITE)
    by_name = {f"{board.dataset['name']} {board.suite}": board for board in boards(root)}
    if f"{dataset} {suite}" not in by_name:
        raise ConfigError(corruptions.unknown("board", f"{dataset} {suite}", by_name))
    board = by_name[f"{dataset} {suite}"]
    read = {".json": _of_json, ".csv": _of_csv}.get(file.suffix)
    if read is None:
        raise ConfigError(f"{file}: expected a .json or a .csv file of RobustBench")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as fault:
        raise BoardError(f"{file}: cannot be read: {reason(fault)}") from fault
    source = {"source": f"RobustBench, {file.name}", "source_sha256": sha256_text(text)}
    held = {_external.known_as(row["model"]): row for row in _external.reported(board)}
    joined = {}
    for row in read(file, text, board):
        key = _external.known_as(row["model"])
        joined[key] = _joined(file, held.get(key), row | source)
    _external.write(board, list((held | joined).values()))
    return list(joined.values())


def _dataset(file: Path, named: str) -> str:
    """The data set of the numbers: the one that is named, or that of the folder, which must not be two."""
    folder = file.resolve().parent
    of_folder = folder.parent.name if folder.name == FOLDER and folder.parent.name in DATASETS else ""
    if not named and not of_folder:
        raise ConfigError(
            f"{file}: expected a file below DATASET/{FOLDER}, or the data set of its numbers: --dataset NAME"
        )
    if named and of_folder and named != of_folder:
        raise ConfigError(f"{file}: expected numbers of {named}, got a file of {of_folder}; give -d {of_folder}")
    return named or of_folder


def _joined(file: Path, held: dict[str, Any] | None, row: dict[str, Any]) -> dict[str, Any]:
    """One row of what another file gave of a model and what this one gives."""
    if held is None or held["source"] == row["source"]:
        return row
    for name in _external.MOST:
        both = [one[name] for one in (held, row)]
        if None not in both and abs(both[0] - both[1]) > ROUNDED:
            raise BoardError(
                f"{file}: {row['model']}: {name}: expected {both[0]:.2f} as {held['source']} has, got {both[1]:.2f}; "
                f"remove the row of {held['model']} from the board's .reported.csv to import it anew"
            )
    first, second = (held, row) if held["architecture"] or held["clean"] is not None else (row, held)
    known = {name: second[name] if first[name] in EMPTY else first[name] for name in first}
    counted = min((held, row), key=lambda one: (one[_external.IMAGES] is None, one["images_from"].endswith(ONE_RATE)))
    record = {name: counted[name] for name in (_external.IMAGES, "images_from")}
    texts = {name: _both(held[name], row[name]) for name in ("source", "source_sha256", "note")}
    return known | record | texts


def _both(one: str, other: str) -> str:
    """Two texts, each of their parts once."""
    return "; ".join(dict.fromkeys(part for text in (one, other) for part in text.split("; ") if part))


def _of_json(file: Path, text: str, board: Board) -> Iterator[dict[str, Any]]:
    try:
        record = json.loads(text)
    except ValueError as fault:
        raise BoardError(f"{file}: cannot be read: {reason(fault)}") from fault
    if not isinstance(record, dict) or "corruptions_acc" not in record:
        got = ", ".join(list(record)[:4]) if isinstance(record, dict) else type(record).__name__
        raise BoardError(f"{file}: expected model_info JSON with corruptions_acc, got {got}")
    name = board.dataset["name"]
    keys = {"clean": "clean_acc", "mean": "corruptions_acc", "mce": "corruptions_mce"}
    given = {name: key for name, key in keys.items() if record.get(key) not in EMPTY}
    for key in keys.values():
        if isinstance(record.get(key), bool):
            raise BoardError(f"{file}: {key}: expected a number, got {record[key]}")
    values = {name: _percent(f"{file}: {key}", name, record[key]) for name, key in given.items()}
    notes = [f"{given[name]} {record[given[name]]} taken as {one[0]:.2f} %" for name, one in values.items() if one[1]]
    if record.get("dataset") not in (*EMPTY, name):
        notes.append(f"the file calls its data set {record['dataset']}")
    more = record.get("additional_data")
    yield {
        "model": file.stem,
        **dict.fromkeys(keys),
        **{name: value for name, (value, _) in values.items()},
        **{name: "" if record.get(name) in EMPTY else str(record[name]) for name in TEXTS},
        "additional_data": "" if more in EMPTY else "yes" if more else "no",
        **_images([record["clean_acc"]] if "clean" in given else [], percent=not values.get("clean", (0, True))[1]),
        "note": "; ".join(notes),
    }


def _percent(where: str, name: str, field: Any) -> tuple[float, bool]:
    """A number in percent, and whether the file has an accuracy as a fraction: no network is right in less than 1 %."""
    value = number(where, field)
    fraction = name != "mce" and 0 <= value <= 1
    return _between(where, 100 * value if fraction else field, _external.MOST[name], "percent"), fraction


def _of_csv(file: Path, text: str, board: Board) -> Iterator[dict[str, Any]]:
    lines = list(csv.reader(io.StringIO(text)))
    if len(lines) < 3 or len(lines[0]) != len(lines[1]):
        raise BoardError(f"{file}: expected two header rows, corruptions and severities, and a row a model")
    places = list(zip(lines[0][1:], lines[1][1:], strict=True))
    wanted = {name: [key.partition("@")[0] for key in fact["strengths"]] for name, fact in board.corruptions.items()}
    for name, keys in wanted.items():
        lacking = [key for key in keys if places.count((name, key)) != 1]
        if lacking:
            raise BoardError(f"{file}: expected one column {name} {lacking[0]}, got {places.count((name, lacking[0]))}")
    names: dict[str, tuple[int, str]] = {}
    for row, line in enumerate(lines[2:], start=3):
        if len(line) != len(places) + 1:
            raise BoardError(f"{file}: row {row}: expected {len(places) + 1} columns, got {len(line)}")
        first, name = names.setdefault(_external.known_as(line[0]), (row, line[0]))
        if first != row:
            also = "" if name == line[0] else f", {name}"
            raise BoardError(f"{file}: row {row}: '{line[0]}' is row {first} too{also}")
        rates = {
            place: _between(f"{file}: row {row}, column {' '.join(place)}", field, 1, "an accuracy")
            for place, field in zip(places, line[1:], strict=True)
        }
        means = [np.mean([rates[name, key] for key in keys]) for name, keys in wanted.items()]
        empty = dict.fromkeys((*TEXTS, "additional_data", "note"), "") | dict.fromkeys(("clean", "mce"))
        yield {"model": line[0], "mean": 100 * float(np.mean(means))} | empty | _images(line[1:])


def _images(fields: Sequence[Any], percent: bool = False) -> dict[str, Any]:
    """How many images are behind these rates: the smallest n so that each is a multiple of 1/n, if it is not too large.

    The rates of RobustBench are quotients, so a rate of 0.9344 is of 625 images, or of a multiple of them.
    """
    n = 1
    for field in fields:
        rate = Fraction(str(field)) / (100 if percent else 1)
        nearest = rate.limit_denominator(MOST_IMAGES)
        n = math.lcm(n, nearest.denominator)
        if abs(nearest - rate) > EXACT or n > MOST_IMAGES:
            return {_external.IMAGES: None, "images_from": ""}
    if not fields:
        return {_external.IMAGES: None, "images_from": ""}
    rates = ONE_RATE if len(fields) == 1 else f"{len(fields)} rates"
    return {_external.IMAGES: n, "images_from": f"or a multiple, by the grid of 1/n of {rates}"}


def _between(where: str, field: Any, most: float, what: str) -> float:
    value = number(where, field)
    _external.check_between(where, value, most, what)
    return value


def export(root: Path, folder: Path) -> list[Path]:
    """Write a model_info JSON for every entry of every board of cifar10-c/1; the files. ConfigError for no board."""
    chosen = [board for board in boards(root) if board.suite == SUITE]
    if not chosen:
        raise ConfigError(f"{root}: expected a board of {SUITE}, got none")
    return [path for board in chosen for path in _exported(board, folder)]


def _exported(board: Board, folder: Path) -> Sequence[Path]:
    rows = standing(board).frame.to_dict("records")
    made = []
    for row in rows:
        own = row["training_data"].partition(" (")[0]
        record = {
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
            record["corruptions_mce"] = f"{row['mce']:.2f}"
        path = folder / file_name(str(board.dataset["name"])) / "corruptions" / f"{row['entry']}.json"
        write_text(path, json.dumps(record, indent=2) + "\n")
        made.append(path)
    return made
