"""Cells with chosen numbers of right answers, without a run on disk."""

from __future__ import annotations

import numpy as np
import pytest

from robench import metrics
from robench.store import Cell
from robench.tables import Scored


def scored_cell(corruption="clean", strength="clean", correct=None, **facts):
    """A cell in which the images of `correct` (N,) were answered right; None stands for a missing cell."""
    key = strength.partition("@")[0]
    severity = int(key) if key.isdecimal() else 0 if corruption == "clean" else None
    right = None if correct is None else np.asarray(correct, bool)
    known = {"model": "net", "dataset": "made", "suite": "", "seed": 0, "group": "", "level": None, "native": 0}
    known |= {"n": 4 if right is None else len(right), "weights_sha256": "0" * 64, "data_digest": "1" * 64}
    known |= {"split": "test", "view": "native", "corruption_version": 1, "level_name": "", "fit": "none"}
    known |= {"normalize": "none", "precision": "fp32"} | facts
    cell = Cell(corruption=corruption, strength=strength, severity=severity, **known)
    row = {"model": cell.model}
    if right is not None:
        low, high = metrics.wilson(int(right.sum()), len(right))
        row |= {"top1": float(right.mean()), "top1_ci_low": low, "top1_ci_high": high}
    return Scored(cell, row, right)


def first_right(share, n):
    """(n,), the first `share` of the images right."""
    return np.arange(n) < round(share * n)


@pytest.fixture(scope="session")
def cell():
    """cell(corruption, strength, correct, model=…, seed=…) -> Scored"""
    return scored_cell


@pytest.fixture(scope="session")
def right():
    """right(share, n) -> bool (n,)"""
    return first_right


@pytest.fixture(scope="session")
def whole_suite():
    """whole_suite(clean error, {corruption: number wrong in all five severities}, n, …) -> the 76 cells

    stored: the form in which images are stored, as in a key.
    """

    def make(clean, wrong, n, stored="", **facts):
        cells = [scored_cell(correct=first_right(1 - clean, n), **facts)]
        for corruption, total in wrong.items():
            for severity in range(5):
                errors = total // 5 + (severity < total % 5)
                cells.append(scored_cell(corruption, f"{severity + 1}{stored}", np.arange(n) >= errors, **facts))
        return cells

    return make
