"""Boards in a folder, and what damages them."""

from __future__ import annotations

import csv
import io
import json

from robench import leaderboard


def board_of(folder):
    [one] = leaderboard.boards(folder / "boards")
    return one


def check(folder):
    return leaderboard.check(folder / "boards", folder / "README.md")


def edit(path, row, column, value):
    """Change one field of a table; row as an editor counts."""
    lines = list(csv.reader(io.StringIO(path.read_text())))
    place = lines[0].index(column)
    before = lines[row - 1][place]
    lines[row - 1][place] = value
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    path.write_text(text.getvalue())
    return before


def rewrite(path, change):
    """Change the board's file as a text editor would."""
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
