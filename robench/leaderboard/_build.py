"""What is derived from the boards: ranked tables, the site, and the tables in the README."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from robench import web
from robench.files import write_text
from robench.leaderboard import _readme, _site
from robench.leaderboard._board import boards
from robench.leaderboard._rank import FIRST, standing

SITE = "site"
BEGINNING = 1000  # bytes


def build(root: Path, readme: Path | None = None) -> list[Path]:
    """Write every derived file below `root`, and the tables in `readme`; what was made. The same bytes each time."""
    made = outputs(root, readme)
    for path, text in made.items():
        write_text(path, text)
    for path in left_over(root, made):
        path.unlink()
    return list(made)


def left_over(root: Path, made: Mapping[Path, str]) -> list[Path]:
    """Pages of the site, and ranked tables, that robench made and nothing makes any more; no one else's files."""
    tables = [*root.glob("*/*.csv"), *(root / SITE).rglob("*.csv")]
    marks = {web.MADE_BY: (root / SITE).rglob("*.html"), f"{','.join(FIRST)},": dict.fromkeys(tables)}
    return sorted(path for mark, paths in marks.items() for path in paths if path not in made and _begins(path, mark))


def _begins(path: Path, mark: str) -> bool:
    """Whether the mark stands in the first lines of a file."""
    with path.open("rb") as opened:
        return mark.encode() in opened.read(BEGINNING)


def outputs(root: Path, readme: Path | None = None) -> dict[Path, str]:
    """The text of every derived file. BoardError where a board cannot be read."""
    standings = [standing(board) for board in boards(root)]
    made = {one.board.path(".csv"): one.text for one in standings}
    if standings:
        made |= {root / SITE / name: text for name, text in _site.pages(standings).items()}
    if readme is not None and readme.exists():
        made[readme] = _readme.with_tables(readme, standings)
    return made
