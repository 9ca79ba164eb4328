"""A further suite for the models of the boards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import corruptions
from robench import models
from robench.errors import BoardError
from robench.leaderboard._add import add
from robench.leaderboard._board import boards
from robench.models import label_of

if TYPE_CHECKING:
    from robench.sweep import SweepConfig


class Further(NamedTuple):
    """What was added: the files of new entries, and labels on the boards that the zoo lacks."""

    files: list[Path]
    lacking: Sequence[str]


def run_suite(suite: str, config: SweepConfig, root: Path, *, link: str = "", progress: bool = False) -> Further:
    """Evaluate all models of the boards under a further suite, and add them to its board.

    Args:
        suite: Name of the suite.
        config: Models of a zoo file, of which those on the boards are taken by their labels, data set and run folder.
        root: Folder of the boards.
        link: Where the models come from.
        progress: Whether to show progress on stderr.

    Raises:
        BoardError: No model of the zoo is on a board, or the board does not take the run; what `run` raises.
    """
    from robench.sweep import run  # not above: tables and sites are made without torch

    corruptions.suite(suite)
    labels = list(dict.fromkeys(entry.label for board in boards(root) for entry in board.entries))
    zoo, _ = models.expand(config.model_configs, config.weights)
    chosen = [model for model in zoo if label_of(model) in labels]
    lacking = [label for label in labels if label not in {label_of(model) for model in chosen}]
    if not chosen:
        known = ", ".join(labels) or "none"
        raise BoardError(
            f"{root}: expected models of its boards in the zoo, {known}, got {', '.join(map(label_of, zoo))}"
        )
    wanted = replace(config, models=tuple(chosen), weights=None, suites=(suite,), corruptions=())
    summary = run(wanted, progress=progress)
    if summary.failed:
        raise BoardError(f"{config.out}: {len(summary.failed)} cells failed; the first: {summary.failed[0]}")
    return Further(
        add(config.out, root, suites=[suite], models=[label_of(model) for model in chosen], link=link), lacking
    )
