"""Numbers that others report, in SUITE.reported.csv: shown beside a board, marked so, and never ranked with it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from robench.errors import BoardError
from robench.files import sha256_text, write_text
from robench.leaderboard._board import Board
from robench.leaderboard._csv_reader import read_rows
from robench.tables import to_csv

MOST = {"clean": 100.0, "mean": 100.0, "mce": math.inf}
"""The columns that are numbers, in percent from 0, and the most that they can be."""
COLUMNS = ("model", *MOST, "architecture", "additional_data", "venue", "link", "source", "source_sha256")
SEAL = "sha256"
"""Of the row's other fields, so that one that is edited by hand is found."""
IMAGES = "images"
"""How many images are behind the numbers, None where nothing says it; `images_from` says how that is known."""
MORE = (IMAGES, "images_from", "note")
"""Columns behind the seal, which a file of an older version does not have."""
NONE = {IMAGES: None, "images_from": "", "note": ""}


def reported(board: Board) -> list[dict[str, Any]]:
    """The rows of the file; empty where there is none. BoardError names a wrong row and column."""
    path = board.path(".reported.csv")
    if not path.exists():
        return []
    numbers = dict.fromkeys(MOST, float) | {IMAGES: int}
    rows = [NONE | row for row in read_rows(path, (*COLUMNS, SEAL), numbers, numbers)]
    there: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}: row {number}"
        for name, most in MOST.items():
            if row[name] is not None:
                check_between(f"{where}, column {name}", row[name], most, "percent")
        same = there.setdefault(known_as(row["model"]), number)
        if same != number:
            raise BoardError(f"{where}: {row['model']} is row {same} too, {rows[same - 2]['model']}")
        if row.pop(SEAL) != _seal(row):
            raise BoardError(f"{where}: edited by hand, its sha256 is another's; import {row['source']} again")
    return rows


def known_as(name: str) -> str:
    """What two spellings of one model's name have in common: its letters and digits."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def check_between(where: str, value: float, most: float, what: str) -> None:
    """Raise BoardError, which begins with `where`, for a number that is not in 0..most."""
    if not 0 <= value <= most:
        raise BoardError(f"{where}: expected {what} in 0..{most:g}, got {value:g}")


def write(board: Board, rows: Sequence[dict[str, Any]]) -> None:
    """The file with these rows, in the order of names."""
    ordered = sorted(rows, key=lambda row: (str(row["model"]), str(row["source"])))
    frame = pd.DataFrame([row | {SEAL: _seal(row)} for row in ordered], columns=[*COLUMNS, SEAL, *MORE])
    frame = frame.astype(dict.fromkeys(MOST, "float64") | {IMAGES: "Int64"})
    write_text(board.path(".reported.csv"), to_csv(frame, "%.2f"))


def _seal(row: Mapping[str, Any]) -> str:
    """Of the fields as the file has them."""
    texts = ["" if row[name] is None else f"{row[name]:.2f}" if name in MOST else str(row[name]) for name in COLUMNS]
    more = ["" if row[name] is None else str(row[name]) for name in MORE]
    return sha256_text(json.dumps(texts + (more if any(more) else [])))
