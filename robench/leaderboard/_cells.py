"""The counts of a board: SUITE.cells.csv, read so that a wrong field is named by row and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from robench.errors import BoardError
from robench.files import reason
from robench.tables import CELL_COLUMNS, to_csv

LEFT_OUT = ("top1", "top1_ci_low", "top1_ci_high", "status", "error")
COLUMNS = ("entry", *(name for name in CELL_COLUMNS if name not in LEFT_OUT))
WHOLE = ("corruption_version", "severity", "seed", "native", "n", "n_correct", "n_correct_top5")
NUMBERS = ("level", "nll", "brier", "ece15", "mean_conf")
MAY_BE_EMPTY = ("severity", "level")


def table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a frame with the columns of the file."""
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(WHOLE, "Int64") | dict.fromkeys(NUMBERS, "float64"))


def text(frame: pd.DataFrame) -> str:
    """The text of the file."""
    return to_csv(frame[list(COLUMNS)])


def read(path: Path) -> pd.DataFrame:
    """The rows of the file; BoardError names the row, counted as an editor counts lines, and the column."""
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError) as fault:
        raise BoardError(f"{path}: cannot be read: {reason(fault)}") from fault
    check_header(path, lines[0] if lines else [], COLUMNS)
    return table([_row(path, number, line) for number, line in enumerate(lines[1:], start=2)])


def check_header(path: Path, got: Sequence[str], expected: Sequence[str]) -> None:
    """That the first line has these columns in this order."""
    for place, name in enumerate(expected):
        if place >= len(got) or got[place] != name:
            found = f"'{got[place]}'" if place < len(got) else "none"
            raise BoardError(f"{path}: row 1: expected column {place + 1} to be {name}, got {found}")
    if len(got) > len(expected):
        raise BoardError(f"{path}: row 1: unknown column '{got[len(expected)]}'")


def _row(path: Path, number: int, line: Sequence[str]) -> dict[str, Any]:
    where = f"{path}: row {number}"
    row = {}
    for name, field in zip(COLUMNS, line, strict=False):
        row[name] = _value(f"{where}, column {name}", name, field)
    if len(line) != len(COLUMNS):
        raise BoardError(f"{where}: expected {len(COLUMNS)} columns, got {len(line)}")
    return row


def _value(where: str, name: str, field: str) -> Any:
    kind: Callable[[str], Any] = int if name in WHOLE else float if name in NUMBERS else str
    if field == "" and name in MAY_BE_EMPTY:
        return None
    try:
        return kind(field)
    except ValueError:
        raise BoardError(f"{where}: expected a {'whole ' if kind is int else ''}number, got '{field}'") from None
