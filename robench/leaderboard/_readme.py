"""Tables of boards in a Markdown file, between markers: <!-- board: DATASET SUITE --> and <!-- /board -->."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corruptions import unknown
from robench.errors import BoardError
from robench.leaderboard._rank import Standing

MARKED = re.compile(r"(<!-- board: (?P<name>[^\n]*?) -->\n).*?(<!-- /board -->)", re.DOTALL)


def with_tables(path: Path, standings: Sequence[Standing]) -> str:
    """The text of the file, every marked table made anew; BoardError for a marker of no board."""
    by_name = {f"{one.board.dataset['name']} {one.board.suite}": one for one in standings}

    def filled(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in by_name:
            raise BoardError(f"{path}: {unknown('board', name, by_name)}")
        return match[1] + markdown(by_name[name]) + match[3]

    return MARKED.sub(filled, path.read_text(encoding="utf-8"))


def markdown(standing: Standing) -> str:
    """The models in order as a table in Markdown."""
    lines = ["| rank | model | trained on | clean | mean over corruptions [95 %] |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(_fields(row))} |" for row in standing.frame.itertuples()]
    return "\n".join(lines) + "\n"


def _fields(row: Any) -> list[str]:
    ranks = f"{row.rank_low}" if row.rank_low == row.rank_high else f"{row.rank_low} to {row.rank_high}"
    mean = f"{row.mean:.2f} [{row.mean_ci_low:.2f}, {row.mean_ci_high:.2f}]"
    return [ranks, str(row.model), str(row.training_data), f"{row.clean:.2f}", mean]
