"""Tables that people may have edited, read so that a wrong field is named by row and column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from robench.errors import BoardError
from robench.files import reason
from robench.tables import from_csv

Number = type[int] | type[float]


def read_rows(
    path: Path, columns: Sequence[str], numbers: Mapping[str, Number], may_be_empty: Collection[str]
) -> list[dict[str, Any]]:
    """The rows of a CSV of these columns and any further ones: text, but for `numbers`, which are None where empty.

    may_be_empty: the numbers that may be. Further columns stand behind the others, as another version of robench may
    have written them. BoardError names the file, the row, counted as an editor counts lines, and the column.
    """
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, csv.Error) as fault:
        raise BoardError(f"{path}: cannot be read: {reason(fault)}") from fault
    _check_header(path, lines[0] if lines else [], columns)
    header = lines[0]
    rows = []
    for place, line in enumerate(lines[1:], start=2):
        where = f"{path}: row {place}"
        row: dict[str, Any] = dict(zip(header, map(from_csv, line), strict=False))
        for name, text in row.items():
            if name in numbers:
                empty = text == "" and name in may_be_empty
                row[name] = None if empty else number(f"{where}, column {name}", text, numbers[name])
        if len(line) != len(header):
            raise BoardError(f"{where}: expected {len(header)} columns, got {len(line)}")
        rows.append(row)
    return rows


def _check_header(path: Path, got: Sequence[str], expected: Sequence[str]) -> None:
    """That the first line begins with these columns in this order, and names none twice."""
    for place, name in enumerate(expected):
        if place >= len(got) or got[place] != name:
            found = f"'{got[place]}'" if place < len(got) else "none"
            raise BoardError(f"{path}: row 1: expected column {place + 1} to be {name}, got {found}")
    for place, name in enumerate(got):
        if not name or name in got[:place]:
            raise BoardError(f"{path}: row 1: expected column {place + 1} to have a name of its own, got '{name}'")


def number(where: str, field: Any, kind: Number = float) -> float:
    """The field as a finite number; BoardError, which begins with `where`."""
    try:
        value = kind(field)
        if math.isfinite(value):
            return value
    except (TypeError, ValueError, OverflowError):
        pass
    raise BoardError(f"{where}: expected a {'whole ' if kind is int else ''}number, got {field!r}")
