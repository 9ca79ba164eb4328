"""What is derived from the boards: ranked tables, the site, and the tables in the README."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from robench.files import write_text
from robench.leaderboard import _readme, _site
from robench.leaderboard._board import boards
from robench.leaderboard._rank import standing

SITE = "site"


def build(root: Path, readme: Path | None = None) -> list[Path]:
    """Write every derived file below `root`, and the tables in `readme`; what was made. The same bytes each time."""
    made = outputs(root, readme)
    for path, text in made.items():
        write_text(path, text)
    for path in left_over(root, made):
        path.unlink()
    return list(made)


def left_over(root: Path, made: Mapping[Path, str]) -> list[Path]:
    """Files of the site, and ranked tables, that nothing makes any more."""
    derived = [*(root / SITE).rglob("*"), *root.glob("*/*.csv")]
    sources = (".cells.csv", ".reported.csv")
    return [path for path in sorted(derived) if path.is_file() and path not in made and not path.name.endswith(sources)]


def outputs(root: Path, readme: Path | None = None) -> dict[Path, str]:
    """The text of every derived file. BoardError where a board cannot be read."""
    standings = [standing(board) for board in boards(root)]
    made = {one.board.path(".csv"): one.text for one in standings}
    if standings:
        made |= {root / SITE / name: text for name, text in _site.pages(standings).items()}
    if readme is not None and readme.exists():
        made[readme] = _readme.with_tables(readme, standings)
    return made
