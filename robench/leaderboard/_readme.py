"""Tables of boards in a Markdown file, between markers: <!-- board: DATASET SUITE --> and <!-- /board -->.

<!-- board: DATASET SUITE first 5 --> shows the first five models alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from corruptions import unknown
from robench import plots, tables
from robench.errors import BoardError
from robench.leaderboard._rank import Ranking

OPEN = re.compile(r"<!-- board: (?P<name>.+?)( first (?P<first>[0-9]+))? -->")
CLOSE = "<!-- /board -->"
LIKE_ONE = re.compile(r"<!--\s*/?\s*board\b")


def with_tables(path: Path, standings: Sequence[Ranking]) -> str:
    """The text of the file, every marked table made anew.

    BoardError names the line of a marker that is of no board, of another form, or without its other end.
    """
    by_name = {f"{one.board.dataset['name']} {one.board.suite}": one for one in standings}
    kept, opened = [], 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), start=1):
        marker, where = line.strip(), f"{path}: line {number}"
        opening = _opening(marker, opened, where)
        if marker == CLOSE or not opened:
            kept.append(line)
        if opening:
            name = opening["name"]
            if name not in by_name:
                raise BoardError(f"{where}: {unknown('board', name, by_name)}; another file: --readme")
            kept.append(markdown(by_name[name], int(opening["first"] or sys.maxsize)))
            opened = number
        elif marker == CLOSE:
            opened = 0
    if opened:
        raise BoardError(f"{path}: line {opened}: expected {CLOSE} after it, got none")
    return "".join(kept)


def _opening(marker: str, opened: int, where: str) -> re.Match[str] | None:
    """The parts of a line that opens a table; BoardError for a marker of another form, or in the wrong place.

    opened: the line of the marker that is open, 0 for none.
    """
    opening = OPEN.fullmatch(marker)
    if LIKE_ONE.match(marker) and not opening and marker != CLOSE:
        raise BoardError(f"{where}: expected <!-- board: DATASET SUITE --> or {CLOSE}, got {marker[:60]}")
    if (opening and opened) or (marker == CLOSE and not opened):
        expected = f"{CLOSE} for line {opened}" if opened else "<!-- board: DATASET SUITE --> before it"
        raise BoardError(f"{where}: expected {expected}, got {marker}")
    return opening


def markdown(standing: Ranking, first: int = sys.maxsize) -> str:
    """The models in order, or the first of them, as a table in Markdown; above it that the board is superseded."""
    count = standing.superseded_count
    note = f"**Superseded:** measured with older pixels of {count}; the board's page names them.\n\n" if count else ""
    rows = [_csv_reader(row, len(standing.board.corruptions)) for row in standing.frame.itertuples()]
    more = f"\nand {len(rows) - first} more\n" if len(rows) > first else ""
    return note + tables.markdown(pd.DataFrame(rows[:first])) + "\n" + more


def _csv_reader(row: Any, corruptions: int) -> dict[str, str]:
    mean = f"{row.mean:.2f} [{row.mean_ci_low:.2f}, {row.mean_ci_high:.2f}]"
    record = {
        "rank": plots.rank_text(row.rank_low, row.rank_high),
        "model": str(row.model),
        "trained on": str(row.training_data),
        "clean": f"{row.clean:.2f}",
        f"mean over {tables.counted(corruptions)} [95 %]": mean,
    }
    return record | ({"notes": str(row.notes)} if hasattr(row, "notes") else {})
