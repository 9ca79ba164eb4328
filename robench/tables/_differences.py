"""Two models side by side: clean, each corruption, and the mean over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from robench.tables._cell_scores import AccuracyGrid, CellScores, Floats, by_place, estimate
from robench.tables._metrics import MEAN
from robench.tables._scored import CLEAN, Scored
from robench.tables._suites import NO_SUITE

Place = tuple[str, str, int]
"""Corruption, strength and seed."""
DIFFERENCE_COLUMNS = (
    "what",
    "n_cells",
    "n_corruptions",
    "a",
    "b",
    "diff",
    "ci_low",
    "ci_high",
    "better",
    "note",
    "suite",
)


def differences(
    measured: CellScores, model_a: str, model_b: str, suites: Mapping[Place, Sequence[str]] = MappingProxyType({})
) -> pd.DataFrame:
    """Accuracies of two models over the cells that both have, and `diff`, a less b, with its 95 % paired interval.

    A row for clean, one a corruption (the mean over its strengths), one for the mean over corruptions, or where the
    cells are of several suites, by `suites`, one for the mean over each. better: "a",
    "b", or "open" where the interval of the paired image bootstrap holds 0; the intervals are not adjusted for the
    number of rows. note: how many cells only one of them has.
    """
    done = [one for one in measured.found if one.correct is not None]
    both = [by_place([one for one in done if one.cell.model == model]) for model in (model_a, model_b)]
    shared = [place for place in both[0] if place in both[1]]
    lacking = len({*both[0], *both[1]} - set(shared))
    rows = []
    note = f"cells of one model alone are left out: {lacking}" if lacking else ""
    for what, suite, places in _parts(shared, suites):
        row = _row(measured, what, [[some[place] for place in places] for some in both])
        rows.append(row | {"note": note if what == MEAN else "", "suite": suite})
    return pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS))


def _parts(places: Sequence[Place], suites: Mapping[Place, Sequence[str]]) -> Iterator[tuple[str, str, list[Place]]]:
    """Clean, each corruption, and all corruptions of a suite, as far as they are there; the suite where it matters."""
    for name in sorted(dict.fromkeys(corruption for corruption, _, _ in places), key=lambda name: name != CLEAN):
        yield name, "", [place for place in places if place[0] == name]
    corrupted = [place for place in places if place[0] != CLEAN]
    of_suite: dict[str, list[Place]] = {}
    for place in corrupted:
        for suite in suites.get(place, ("",)):
            of_suite.setdefault(suite, []).append(place)
    for suite, members in of_suite.items():
        yield MEAN, (suite or NO_SUITE) if len(of_suite) > 1 else "", members


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
