"""From the files of a run to its cells, each with the row of its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robench import metrics
from robench.store import Cell, Predictions, Run

CELL_COLUMNS = (
    *("model", "weights_sha256", "dataset", "split", "view", "data_digest", "suite"),
    *("corruption", "corruption_version", "group", "severity", "strength", "level_name", "level", "seed", "native"),
    *("n", "n_correct", "n_correct_top5", "top1", "top1_ci_low", "top1_ci_high"),
    *("nll", "brier", "ece15", "mean_conf", "fit", "normalize", "precision", "status", "error"),
)
CLEAN = "clean"


@dataclass(frozen=True)
class Scored:
    """A cell, its row of the table, and which images were answered right, in id order; None where nothing is known.

    bins: as of `metrics.calibration_bins`. fingerprint: of the network, as `robench.store` describes it.
    """

    cell: Cell
    row: dict[str, Any]
    correct: NDArray[np.bool_] | None
    bins: NDArray[np.float64] | None = None
    fingerprint: Mapping[str, Any] | None = None


def scored(run: Run) -> list[Scored]:
    """All cells of a run; each file of predictions is read once."""
    read: dict[str, Scored] = {}
    asked = run.cells()
    for cell in asked:
        if cell.key not in read:
            read[cell.key] = _scored(run, cell)
    return [replace(read[cell.key], cell=cell, row=read[cell.key].row | {"suite": cell.suite}) for cell in asked]


def _scored(run: Run, cell: Cell) -> Scored:
    row: dict[str, Any] = asdict(cell)
    found = run.read(cell)
    if found is None:
        return Scored(cell, row | {"status": "missing", "error": ""}, None)
    if isinstance(found, str):
        return Scored(cell, row | {"status": "error", "error": found}, None)
    bins = metrics.calibration_bins(found.confidence, found.correct)
    fingerprint = (run.record(cell) or {}).get("fingerprint")
    return Scored(cell, cell_row(cell, found), _by_id(found).correct, bins, fingerprint)


def cell_row(cell: Cell, predictions: Predictions) -> dict[str, Any]:
    """A finished cell's row of cells.csv."""
    return asdict(cell) | scores(_by_id(predictions)) | {"status": "ok", "error": ""}


def _by_id(predictions: Predictions) -> Predictions:
    """The rows in id order, so that cells can be compared image by image whatever wrote them."""
    order = np.argsort(predictions.ids, kind="stable")
    columns: dict[str, Any] = vars(predictions)
    columns = {name: None if column is None else column[order] for name, column in columns.items()}
    return Predictions(**columns)


def cells(run: Run) -> pd.DataFrame:
    """One row per cell of the run, rates are fractions, and missing cells say so in their status."""
    return cells_table(scored(run))


def states(run: Run) -> pd.DataFrame:
    """model, corruption, strength, seed, status and error of every cell; no predictions are read."""
    columns = ("model", "corruption", "strength", "seed")
    rows = [(*(getattr(cell, name) for name in columns), state, error) for cell, state, error in run.states()]
    return pd.DataFrame(rows, columns=[*columns, "status", "error"]).drop_duplicates(ignore_index=True)


def cells_table(found: Sequence[Scored]) -> pd.DataFrame:
    """The rows of cells, as they stand in cells.csv."""
    frame = pd.DataFrame([one.row for one in found], columns=list(CELL_COLUMNS))
    integers = ("severity", "n_correct", "n_correct_top5")
    return frame.astype(dict.fromkeys(integers, "Int64"))


def scores(predictions: Predictions) -> dict[str, Any]:
    """Counts, rates and scores of one cell."""
    n, correct = len(predictions.ids), predictions.correct
    low, high = metrics.wilson(int(correct.sum()), n)
    return {
        "n": n,
        "n_correct": int(correct.sum()),
        "n_correct_top5": int(predictions.correct_top5.sum()),
        "top1": float(correct.mean()),
        "top1_ci_low": low,
        "top1_ci_high": high,
        "nll": metrics.negative_log_likelihood(predictions.log_p_true),
        "brier": metrics.brier(predictions.sum_p_squared, predictions.log_p_true),
        "ece15": metrics.expected_calibration_error(predictions.confidence, correct),
        "mean_conf": float(predictions.confidence.mean(dtype=np.float64)),
    }
