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
from robench.leaderboard._rank import Standing

MARKED = re.compile(r"(<!-- board: (?P<name>[^\n]*?)( first (?P<first>[0-9]+))? -->\n).*?(<!-- /board -->)", re.DOTALL)


def with_tables(path: Path, standings: Sequence[Standing]) -> str:
    """The text of the file, every marked table made anew; BoardError for a marker of no board."""
    by_name = {f"{one.board.dataset['name']} {one.board.suite}": one for one in standings}

    def filled(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in by_name:
            raise BoardError(f"{path}: {unknown('board', name, by_name)}")
        return match[1] + markdown(by_name[name], int(match["first"] or sys.maxsize)) + match[5]

    return MARKED.sub(filled, path.read_text(encoding="utf-8"))


def markdown(standing: Standing, first: int = sys.maxsize) -> str:
    """The models in order, or the first of them, as a table in Markdown."""
    rows = [_fields(row) for row in standing.frame.itertuples()]
    more = f"\nand {len(rows) - first} more\n" if len(rows) > first else ""
    return tables.markdown(pd.DataFrame(rows[:first])) + "\n" + more


def _fields(row: Any) -> dict[str, str]:
    return {
        "rank": plots.rank_text(row.rank_low, row.rank_high),
        "model": str(row.model),
        "trained on": str(row.training_data),
        "clean": f"{row.clean:.2f}",
        "mean over corruptions [95 %]": f"{row.mean:.2f} [{row.mean_ci_low:.2f}, {row.mean_ci_high:.2f}]",
    }
