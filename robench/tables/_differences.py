"""Two models side by side: clean, each corruption, and the mean over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from robench.tables._cell_scores import AccuracyGrid, CellScores, Floats, by_place, estimate
from robench.tables._metrics import MEAN
from robench.tables._scored import CLEAN, Scored

DIFFERENCE_COLUMNS = ("what", "n_cells", "n_corruptions", "a", "b", "diff", "ci_low", "ci_high", "better", "note")


def differences(measured: CellScores, model_a: str, model_b: str) -> pd.DataFrame:
    """Accuracies of two models over the cells that both have, and `diff`, a less b, with its 95 % paired interval.

    A row for clean, one a corruption (the mean over its strengths), one for the mean over corruptions. better: "a",
    "b", or "open" where the interval of the paired image bootstrap holds 0; the intervals are not adjusted for the
    number of rows. note: how many cells only one of them has.
    """
    done = [one for one in measured.found if one.correct is not None]
    both = [by_place([one for one in done if one.cell.model == model]) for model in (model_a, model_b)]
    shared = [place for place in both[0] if place in both[1]]
    lacking = len({*both[0], *both[1]} - set(shared))
    rows = []
    for what, places in _parts(shared):
        row = _row(measured, what, [[some[place] for place in places] for some in both])
        rows.append(
            row | {"note": f"cells of one model alone are left out: {lacking}" if lacking and what == MEAN else ""}
        )
    return pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS))


Place = tuple[str, str, int]


def _parts(places: Sequence[Place]) -> Iterator[tuple[str, list[Place]]]:
    """Clean, each corruption, and all corruptions, as far as they are there."""
    for name in sorted(dict.fromkeys(corruption for corruption, _, _ in places), key=lambda name: name != CLEAN):
        yield name, [place for place in places if place[0] == name]
    corrupted = [place for place in places if place[0] != CLEAN]
    if corrupted:
        yield MEAN, corrupted


def _row(measured: CellScores, what: str, sides: Sequence[list[Scored]]) -> dict[str, Any]:
    value: Callable[[AccuracyGrid], Floats] = _clean if what == CLEAN else AccuracyGrid.mean
    a, b = (float(value(measured.grid(side))[0]) for side in sides)
    found = estimate(measured, lambda one, other: value(one) - value(other), *sides, ends=(-1, 1))
    low, high = found["ci_low"], found["ci_high"]
    sure = low is not None and high is not None and (low > 0 or high < 0)
    better = ("a" if found["value"] > 0 else "b") if sure else "open"
    numbers = {"a": a, "b": b, "diff": found["value"], "ci_low": low, "ci_high": high}
    counts = {"n_cells": len(sides[0]), "n_corruptions": len({one.cell.corruption for one in sides[0]} - {CLEAN})}
    return {"what": what} | counts | numbers | {"better": better}


def _clean(grid: AccuracyGrid) -> Floats:
    return np.asarray(grid.clean)
