"""Numbers that others report, in SUITE.reported.csv: shown beside a board, marked so, and never ranked with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import pandas as pd

from robench.errors import BoardError
from robench.files import write_text
from robench.leaderboard._board import Board
from robench.leaderboard._cells import check_header

COLUMNS = ("model", "clean", "mean", "mce", "architecture", "additional_data", "venue", "link", "source")
NUMBERS = ("clean", "mean", "mce")


def reported(board: Board) -> list[dict[str, Any]]:
    """The rows of the file, numbers in percent; empty where there is none. BoardError names a wrong row and column."""
    path = board.path(".reported.csv")
    if not path.exists():
        return []
    lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    check_header(path, lines[0] if lines else [], COLUMNS)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(COLUMNS):
            raise BoardError(f"{path}: row {number}: expected {len(COLUMNS)} columns, got {len(line)}")
        row: dict[str, Any] = dict(zip(COLUMNS, line, strict=True))
        for name in NUMBERS:
            row[name] = _percent(f"{path}: row {number}, column {name}", row[name])
        rows.append(row)
    return rows


def _percent(where: str, field: str) -> float | None:
    if field == "":
        return None
    try:
        return float(field)
    except ValueError:
        raise BoardError(f"{where}: expected a number, got '{field}'") from None


def write(board: Board, rows: Sequence[dict[str, Any]]) -> None:
    """The file with these rows, in the order of names."""
    ordered = sorted(rows, key=lambda row: (str(row["model"]), str(row["source"])))
    frame = pd.DataFrame(ordered, columns=list(COLUMNS))
    frame = frame.astype(dict.fromkeys(NUMBERS, "float64"))
    text = frame.to_csv(index=False, float_format="%.2f", lineterminator="\n")
    write_text(board.path(".reported.csv"), str(text))
