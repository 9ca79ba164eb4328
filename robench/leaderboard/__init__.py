"""Leaderboards: tidy counts in git, and what is derived from them.

`add` puts a finished run on its boards, `build` makes ranked tables, the site and the tables of a README, `check` says
what is stale, incomplete or edited by hand.
"""

from robench.leaderboard._add import add
from robench.leaderboard._board import Board, Entry, boards
from robench.leaderboard._build import build, outputs
from robench.leaderboard._check import check, superseded
from robench.leaderboard._further import Further, run_suite
from robench.leaderboard._rank import Ranking, standing
from robench.leaderboard._robustbench import export, import_

__all__ = [
    "Board",
    "Entry",
    "Further",
    "Ranking",
    "add",
    "boards",
    "build",
    "check",
    "export",
    "import_",
    "outputs",
    "run_suite",
    "standing",
    "superseded",
]
