"""What is committed under leaderboards/, and in the README, is whole, consistent and fresh."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from robench import leaderboard

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_nothing_committed_is_stale_incomplete_or_edited() -> None:
    assert leaderboard.check(ROOT / "leaderboards", ROOT / "docs" / "results.md") == []


def test_the_folder_says_what_its_boards_are() -> None:
    record = (ROOT / "leaderboards" / "README.md").read_text(encoding="utf-8")
    found = {board.dataset["name"] for board in leaderboard.boards(ROOT / "leaderboards")}
    assert set(re.findall(r"^\| `([^`]+)`", record, re.MULTILINE)) == found
