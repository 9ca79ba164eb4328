"""The counts of a board: SUITE.cells.csv.

The columns are those of schema robench-board/1, whatever columns the tables of a run have. Further ones may stand
behind them: they are read, kept and checked, and no row must have them.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from robench.leaderboard._csv_reader import read_rows
from robench.tables import from_csv, to_csv

COLUMNS = (
    *("entry", "model", "weights_sha256", "dataset", "split", "view", "data_digest", "suite"),
    *("corruption", "corruption_version", "group", "severity", "strength", "level_name", "level", "seed", "native"),
    *("n", "n_correct", "n_correct_top5", "nll", "brier", "ece15", "mean_conf", "fit", "normalize", "precision"),
)
WHOLE = ("corruption_version", "severity", "seed", "native", "n", "n_correct", "n_correct_top5")
AVERAGES = ("nll", "brier", "ece15", "mean_conf")
NUMBERS = ("level", *AVERAGES)
CLOSE = 1e-5  # what two machines may make of one average, as a share of it
MAY_BE_EMPTY = ("severity", "level")
OWN = (
    *("corruption", "corruption_version", "group", "severity", "strength", "level_name", "level", "seed", "native"),
    *("n_correct", "n_correct_top5", *AVERAGES),
)
"""What differs between the rows of an entry."""


def table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a frame with the columns of the schema."""
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(WHOLE, "Int64") | dict.fromkeys(NUMBERS, "float64"))


def further(frame: pd.DataFrame) -> list[str]:
    """The columns that stand behind those of the schema."""
    return [str(name) for name in frame.columns if name not in COLUMNS]


def text(frame: pd.DataFrame) -> str:
    """The text of the file."""
    return to_csv(frame[[*COLUMNS, *further(frame)]])


def fields(content: str) -> pd.DataFrame:
    """The fields of the file's text, as they stand in it."""
    return pd.read_csv(io.StringIO(content), dtype=str, keep_default_na=False).map(from_csv)


def agree(some: pd.DataFrame, others: pd.DataFrame) -> bool:
    """Whether these are the same cells with the same counts; averages may differ in their last digits."""
    one, other = (frame.reset_index(drop=True) for frame in (some, others))
    exact = [name for name in COLUMNS if name not in AVERAGES]
    if not one[exact].equals(other[exact]):
        return False
    return bool(np.allclose(one[list(AVERAGES)], other[list(AVERAGES)], rtol=CLOSE, atol=CLOSE**2))


def read(path: Path) -> pd.DataFrame:
    """The rows of the file; BoardError names a wrong row and column."""
    kinds = dict.fromkeys(WHOLE, int) | dict.fromkeys(NUMBERS, float)
    rows = read_rows(path, COLUMNS, kinds, MAY_BE_EMPTY)
    more = {name: [row[name] for row in rows] for name in rows[0] if name not in COLUMNS} if rows else {}
    return table(rows).assign(**more)
