"""Two models on the same images, cell by cell and in the mean."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pandas as pd

from robench import metrics
from robench.tables._cell_scores import AccuracyGrid, CellScores, Floats, by_place, estimate
from robench.tables._metrics import MEAN
from robench.tables._scored import CLEAN, Scored
from robench.tables._suites import mean_note

PAIR_COLUMNS = (
    *("model_a", "model_b", "dataset", "corruption", "strength", "seed", "diff", "ci_low", "ci_high"),
    *("n01", "n10", "p_mcnemar", "p_holm", "suite", "note"),
)
CONSISTENCY_COLUMNS = (
    *("model_a", "model_b", "dataset", "corruption", "strength", "seed"),
    *("c_obs", "c_exp", "kappa", "suite", "note"),
)
Couple = tuple[Scored | None, Scored | None]


def pairs(measured: CellScores) -> pd.DataFrame:
    """Every two models: a row a cell and one for the mean corruption accuracy, in every suite.

    diff: accuracy of model_a less that of model_b, with the 95 % interval of the paired image bootstrap. n01, n10:
    images that only b, only a answers right. p_mcnemar: exact, two-sided; p_holm: adjusted over the cells of the two
    models in the suite, a missing one counting as p = 1.
    """
    rows: list[dict[str, Any]] = []
    for names, couples in _couples(measured):
        found = [_cell_row(measured, names, couple) for couple in couples]
        adjusted = metrics.holm([row.get("p_mcnemar", float("nan")) for row in found])
        rows += [row | {"p_holm": p} for row, p in zip(found, adjusted, strict=True)]
        rows += _mean_row(measured, names, couples)
    return _frame(rows, PAIR_COLUMNS, ("n01", "n10"))


def error_consistency(measured: CellScores) -> pd.DataFrame:
    """Every two models, every cell: observed and expected consistency, and kappa; see `metrics.error_consistency`."""
    rows: list[dict[str, Any]] = []
    for names, couples in _couples(measured):
        for a, b in couples:
            row, note = _head(names, a, b), _note([(a, b)])
            if not note and a and b and a.correct is not None and b.correct is not None:
                found = metrics.error_consistency(a.correct, b.correct)
                row |= dict(zip(("c_obs", "c_exp", "kappa"), found, strict=True))
            rows.append(row | {"note": note})
    return _frame(rows, CONSISTENCY_COLUMNS)


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...], counts: tuple[str, ...] = ()) -> pd.DataFrame:
    names = ("model_a", "model_b", "dataset", "corruption", "strength", "suite", "note")
    numbers = {name: "float64" for name in columns if name not in names}
    whole = dict.fromkeys(("seed", *counts), "Int64")
    return pd.DataFrame(rows, columns=list(columns)).astype(numbers | whole)


def _couples(measured: CellScores) -> Iterator[tuple[dict[str, str], list[Couple]]]:
    """Every two models of a suite, with the cells of both side by side; None where one was not asked for."""
    parts = list(measured.parts())
    for suite in dict.fromkeys(suite for _, suite, _ in parts):
        of_suite = [(model, by_place(members)) for model, at, members in parts if at == suite]
        for (a, of_a), (b, of_b) in combinations(of_suite, 2):
            names = {"model_a": a, "model_b": b, "suite": suite}
            yield names, [(of_a.get(place), of_b.get(place)) for place in dict.fromkeys([*of_a, *of_b])]


def _head(names: dict[str, str], a: Scored | None, b: Scored | None) -> dict[str, Any]:
    one = a or b
    assert one is not None
    cell = one.cell
    return names | {
        "dataset": cell.dataset, "corruption": cell.corruption, "strength": cell.strength, "seed": cell.seed
    }  # fmt: skip


def _note(couples: list[Couple]) -> str:
    lacking = sum(a is None or b is None or a.correct is None or b.correct is None for a, b in couples)
    if not lacking:
        return ""
    if len(couples) == 1:
        return "incomplete: the cell is missing or failed, or only one model was asked"
    return f"incomplete: {lacking} of {len(couples)} cells are missing or failed, or only one model was asked"


def _cell_row(measured: CellScores, names: dict[str, str], couple: Couple) -> dict[str, Any]:
    a, b = couple
    row, note = _head(names, a, b), _note([couple])
    if note or a is None or b is None or a.correct is None or b.correct is None:
        return row | {"note": note}
    samples = measured.accuracy(a) - measured.accuracy(b)
    n01, n10 = metrics.discordant(a.correct, b.correct)
    low, high = map(float, metrics.interval(samples))
    if low == high == samples[0]:
        low, high = metrics.alike(float(samples[0]), len(a.correct), -1, 1)
    numbers = {"diff": samples[0], "ci_low": low, "ci_high": high}
    return row | numbers | {"n01": n01, "n10": n10, "p_mcnemar": metrics.mcnemar(n01, n10), "note": ""}


def _mean_row(measured: CellScores, names: dict[str, str], couples: list[Couple]) -> Iterator[dict[str, Any]]:
    """The difference in mean corruption accuracy."""
    corrupted = [(a, b) for a, b in couples if any(one and one.cell.corruption != CLEAN for one in (a, b))]
    if not corrupted:
        return
    note = _note(corrupted) or mean_note([a for a, _ in corrupted if a])
    row = _head(names, *corrupted[0]) | {"corruption": MEAN, "strength": "", "seed": None, "note": note}
    if not row["note"]:
        sides = ([one for one in side if one] for side in zip(*corrupted, strict=True))
        found = estimate(measured, _difference, *sides, ends=(-1, 1))
        row |= {"diff": found["value"], "ci_low": found["ci_low"], "ci_high": found["ci_high"]}
    yield row


def _difference(a: AccuracyGrid, b: AccuracyGrid) -> Floats:
    return a.mean() - b.mean()
