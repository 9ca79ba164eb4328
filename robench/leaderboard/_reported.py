"""Numbers that others report, in SUITE.reported.csv: shown beside a board, marked so, and never ranked with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from robench.files import write_text
from robench.leaderboard._board import Board
from robench.leaderboard._fields import read_rows

COLUMNS = ("model", "clean", "mean", "mce", "architecture", "additional_data", "venue", "link", "source")
NUMBERS = ("clean", "mean", "mce")


def reported(board: Board) -> list[dict[str, Any]]:
    """The rows of the file, numbers in percent; empty where there is none. BoardError names a wrong row and column."""
    path = board.path(".reported.csv")
    return read_rows(path, COLUMNS, dict.fromkeys(NUMBERS, float), NUMBERS) if path.exists() else []


def write(board: Board, rows: Sequence[dict[str, Any]]) -> None:
    """The file with these rows, in the order of names."""
    ordered = sorted(rows, key=lambda row: (str(row["model"]), str(row["source"])))
    frame = pd.DataFrame(ordered, columns=list(COLUMNS))
    frame = frame.astype(dict.fromkeys(NUMBERS, "float64"))
    text = frame.to_csv(index=False, float_format="%.2f", lineterminator="\n")
    write_text(board.path(".reported.csv"), str(text))
