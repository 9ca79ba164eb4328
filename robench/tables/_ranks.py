"""Models in order: ranks with the ranks the data leave open, and robustness beyond clean accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from robench import metrics
from robench.errors import ConfigError, RobenchError
from robench.tables._cell_scores import NO_CLEAN_IMAGES, AccuracyGrid, CellScores, by_place, estimate, missing_note
from robench.tables._metrics import MEAN
from robench.tables._scored import CLEAN, Scored
from robench.tables._suites import mean_note

RANK_COLUMNS = (
    *("dataset", "suite", "model", "rank", "rank_low", "rank_high", MEAN, "ci_low", "ci_high", "n_cells", "note"),
)
ROBUSTNESS_COLUMNS = (
    *("dataset", "suite", "model", "clean_accuracy", MEAN, "expected", "effective_robustness", "n_fit", "note"),
)


def ranks(measured: CellScores) -> pd.DataFrame:
    """The models of every suite by mean corruption accuracy, best first; see `metrics.rank_intervals`.

    A model that lacks a cell which another one has gets no rank and a note, and the others are ranked without it.
    """
    rows: list[dict[str, Any]] = []
    for suite in _suites(measured):
        corrupted = _of_suite(measured, suite)
        whole = {model: members for model, members in corrupted.items() if not _note(members, corrupted)}
        samples = [measured.grid(members).mean() for members in whole.values()]
        places = metrics.rank_intervals(np.array(samples)) if samples else []
        ranked = [
            _head(members) | dict(zip(("rank", "rank_low", "rank_high"), place, strict=True)) | _mean(measured, members)
            for members, place in zip(whole.values(), places, strict=True)
        ]
        rows += sorted(ranked, key=lambda row: (row["rank"], row["model"]))
        rows += [
            _head(members) | {"note": _note(members, corrupted)}
            for model, members in sorted(corrupted.items())
            if model not in whole
        ]
    whole_numbers = dict.fromkeys(("rank", "rank_low", "rank_high", "n_cells"), "Int64")
    floats = dict.fromkeys((MEAN, "ci_low", "ci_high"), "float64")
    return pd.DataFrame(rows, columns=list(RANK_COLUMNS)).astype(whole_numbers | floats)


def effective_robustness(measured: CellScores, standard: Sequence[str] = ()) -> pd.DataFrame:
    """What each model's mean corruption accuracy is above the one its clean accuracy predicts; every suite.

    standard: labels of the models to fit the prediction to, all where none is named. `metrics.effective_robustness`
    has the formula; where it refuses, its reason stands in the note. Raises ConfigError for an unknown label.
    """
    labels = {one.cell.model for one in measured.found}
    for label in standard:
        if label not in labels:
            raise ConfigError(f"expected the label of a model, one of {', '.join(sorted(labels))}, got '{label}'")
    rows: list[dict[str, Any]] = []
    for suite in _suites(measured):
        rows += _robustness_rows(measured, suite, set(standard) or labels)
    floats = dict.fromkeys(("clean_accuracy", MEAN, "expected", "effective_robustness"), "float64")
    return pd.DataFrame(rows, columns=list(ROBUSTNESS_COLUMNS)).astype(floats | {"n_fit": "Int64"})


def _robustness_rows(measured: CellScores, suite: str, standard: set[str]) -> list[dict[str, Any]]:
    corrupted = _of_suite(measured, suite)
    rows, complete = [], []
    for model, members in corrupted.items():
        note, clean = _note(members, corrupted), measured.grid(measured.cells_of(model, suite)).clean
        if not note and clean is None:
            note = "incomplete: the clean cell is missing or failed" if measured.has_clean else NO_CLEAN_IMAGES
        row = _head(members) | {"note": note}
        if clean is not None and not note:
            row |= {"clean_accuracy": clean[0], MEAN: measured.grid(members).mean()[0]}
            complete.append(row)
        rows.append(row)
    _add_robustness(complete, standard)
    return rows


def _add_robustness(rows: list[dict[str, Any]], standard: set[str]) -> None:
    if not rows:
        return
    clean, shifted = (np.array([row[name] for row in rows]) for name in ("clean_accuracy", MEAN))
    chosen = np.array([row["model"] in standard for row in rows])
    try:
        found = zip(*metrics.effective_robustness(clean, shifted, chosen), strict=True)
    except RobenchError as fault:
        for row in rows:
            row["note"] = str(fault)
        return
    for row, (rho, expected) in zip(rows, found, strict=True):
        row |= {"effective_robustness": rho, "expected": expected, "n_fit": int(chosen.sum())}


def _suites(measured: CellScores) -> list[str]:
    return list(dict.fromkeys(suite for _, suite, _ in measured.parts()))


def _of_suite(measured: CellScores, suite: str) -> dict[str, list[Scored]]:
    """Each model's corrupted cells in a suite, models without any left out."""
    found = {
        model: [one for one in members if one.cell.corruption != CLEAN]
        for model, at, members in measured.parts()
        if at == suite
    }
    return {model: members for model, members in found.items() if members}


def _note(members: Sequence[Scored], of_all: dict[str, list[Scored]]) -> str:
    everything = set().union(*map(by_place, of_all.values()))
    lacking = len(everything - by_place(members).keys())
    if lacking:
        return f"incomplete: {lacking} of the {len(everything)} cells of the other models were not asked for"
    return missing_note(members) or mean_note(members)


def _head(members: Sequence[Scored]) -> dict[str, Any]:
    cell = members[0].cell
    return {"dataset": cell.dataset, "suite": cell.suite, "model": cell.model, "n_cells": len(members), "note": ""}


def _mean(measured: CellScores, members: Sequence[Scored]) -> dict[str, Any]:
    found = estimate(measured, AccuracyGrid.mean, members, ends=(0, 1))
    return {MEAN: found["value"], "ci_low": found["ci_low"], "ci_high": found["ci_high"]}
