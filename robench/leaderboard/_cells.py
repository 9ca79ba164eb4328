"""The counts of a board: SUITE.cells.csv."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from robench.leaderboard._fields import read_rows
from robench.tables import CELL_COLUMNS, to_csv

LEFT_OUT = ("top1", "top1_ci_low", "top1_ci_high", "status", "error")
COLUMNS = ("entry", *(name for name in CELL_COLUMNS if name not in LEFT_OUT))
WHOLE = ("corruption_version", "severity", "seed", "native", "n", "n_correct", "n_correct_top5")
NUMBERS = ("level", "nll", "brier", "ece15", "mean_conf")
MAY_BE_EMPTY = ("severity", "level")
SCORES = ("n_correct", "n_correct_top5", *NUMBERS[1:])
OWN = (
    *("corruption", "corruption_version", "group", "severity", "strength", "level_name", "level", "seed", "native"),
    *SCORES,
)
"""What differs between the rows of an entry."""


def table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a frame with the columns of the file."""
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(WHOLE, "Int64") | dict.fromkeys(NUMBERS, "float64"))


def text(frame: pd.DataFrame) -> str:
    """The text of the file."""
    return to_csv(frame[list(COLUMNS)])


def fields(frame: pd.DataFrame) -> pd.DataFrame:
    """The fields of the file, all of them text."""
    return _as_text(io.StringIO(text(frame)))


def fields_of(path: Path) -> pd.DataFrame:
    """The fields of a file that `read` takes."""
    return _as_text(path)


def _as_text(source: Path | io.StringIO) -> pd.DataFrame:
    return pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8")


def read(path: Path) -> pd.DataFrame:
    """The rows of the file; BoardError names a wrong row and column."""
    kinds = dict.fromkeys(WHOLE, int) | dict.fromkeys(NUMBERS, float)
    return table(read_rows(path, COLUMNS, kinds, MAY_BE_EMPTY))
