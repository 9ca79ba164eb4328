"""What is committed under leaderboards/, and in the README, is whole, consistent and fresh."""

from __future__ import annotations

from pathlib import Path

from robench import leaderboard

ROOT = Path(__file__).parents[2]


def test_nothing_committed_is_stale_incomplete_or_edited() -> None:
    assert leaderboard.check(ROOT / "leaderboards", ROOT / "README.md") == []
