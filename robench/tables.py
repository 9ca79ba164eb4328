"""From the predictions of a run to its tables: cells, metrics, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robench import metrics
from robench.files import write_text
from robench.store import Cell, Predictions, Run

CELL_COLUMNS = (
    *("model", "weights_sha256", "dataset", "split", "view", "data_digest", "suite"),
    *("corruption", "corruption_version", "group", "severity", "strength", "level_name", "level", "seed", "native"),
    *("n", "n_correct", "n_correct_top5", "top1", "top1_ci_low", "top1_ci_high"),
    *("nll", "brier", "ece15", "mean_conf", "fit", "normalize", "precision", "status", "error"),
)
METRIC_COLUMNS = (
    *("model", "dataset", "suite", "metric", "value", "ci_low", "ci_high", "ci_method"),
    *("n_images", "n_cells", "baseline", "note"),
)
CLEAN = "clean"


def cells(run: Run) -> pd.DataFrame:
    """One row per cell of the run, rates are fractions, and missing cells say so in their status."""
    frame = pd.DataFrame([_row(run, cell) for cell in run.cells()], columns=list(CELL_COLUMNS))
    integers = ("severity", "n_correct", "n_correct_top5")
    return frame.astype(dict.fromkeys(integers, "Int64"))


def _row(run: Run, cell: Cell) -> dict[str, Any]:
    row: dict[str, Any] = asdict(cell)
    if not run.path(cell).exists():
        return row | {"status": "missing", "error": ""}
    if error := run.error(cell):
        return row | {"status": "error", "error": error}
    return row | scores(run.read(cell)) | {"status": "ok", "error": ""}


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


def metrics_table(run: Run, seed: int = 0) -> pd.DataFrame:
    """Aggregates, long: clean accuracy, mean corruption accuracy and error, accuracy of each group.

    The mean corruption accuracy is the mean over corruptions of the mean over their strengths (and seeds); its interval
    draws whole images again. A model that lacks a cell gets no value and a note, never a mean of what is there.
    """
    asked = run.cells()
    labels = list(dict.fromkeys(cell.model for cell in asked))
    rows = [row for label in labels for row in _metrics_of(run, [cell for cell in asked if cell.model == label], seed)]
    return pd.DataFrame(rows, columns=list(METRIC_COLUMNS)).astype({"n_cells": "Int64", "n_images": "Int64"})


def _metrics_of(run: Run, asked: list[Cell], seed: int) -> Iterator[dict[str, Any]]:
    clean = [cell for cell in asked if cell.corruption == CLEAN]
    corrupted = [cell for cell in asked if cell.corruption != CLEAN]
    for cell in clean:
        head = _head(cell, "clean_accuracy", 1)
        if not run.is_done(cell):
            yield head | {"note": "incomplete: the clean cell is missing"}
            continue
        correct = run.read(cell).correct
        low, high = metrics.wilson(int(correct.sum()), len(correct))
        yield head | {"value": correct.mean(), "ci_low": low, "ci_high": high, "ci_method": "wilson"}
    if not corrupted:
        return
    yield from _aggregate(run, corrupted, "mean_corruption_accuracy", seed)
    yield from _aggregate(run, corrupted, "mean_corruption_error", seed)
    for group in dict.fromkeys(cell.group for cell in corrupted):
        members = [cell for cell in corrupted if cell.group == group]
        yield from _aggregate(run, members, f"mean_corruption_accuracy[{group}]", seed)


def _aggregate(run: Run, members: list[Cell], metric: str, seed: int) -> Iterator[dict[str, Any]]:
    head = _head(members[0], metric, len(members))
    missing = sum(not run.is_done(cell) for cell in members)
    if missing:
        yield head | {"note": f"incomplete: {missing} of {len(members)} cells are missing"}
        return
    per_image = image_scores(run, members)
    if metric.startswith("mean_corruption_error"):
        per_image = 1 - per_image
    low, high = metrics.image_bootstrap(per_image, seed=seed)
    method = f"image bootstrap, {metrics.RESAMPLES} resamples"
    yield head | {"value": per_image.mean(), "ci_low": low, "ci_high": high, "ci_method": method}


def image_scores(run: Run, members: list[Cell]) -> NDArray[np.float64]:
    """Each image's share of right answers, (N,): mean over corruptions of the mean over strengths and seeds."""
    means = []
    for corruption in dict.fromkeys(cell.corruption for cell in members):
        right = [run.read(cell).correct for cell in members if cell.corruption == corruption]
        means.append(np.mean(right, axis=0, dtype=np.float64))
    return np.asarray(np.mean(means, axis=0))


def _head(cell: Cell, metric: str, n_cells: int) -> dict[str, Any]:
    names = {"model": cell.model, "dataset": cell.dataset, "suite": cell.suite, "metric": metric}
    return names | {"n_images": cell.n, "n_cells": n_cells, "ci_method": "", "baseline": "", "note": ""}


def to_csv(frame: pd.DataFrame) -> str:
    """CSV with \\n line ends; floats with 9 significant digits, which tell any two float32 apart."""
    return str(frame.to_csv(index=False, float_format="%.9g", lineterminator="\n"))


def write(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Derive cells.csv and metrics.csv anew and write them; both tables."""
    both = cells(run), metrics_table(run)
    for name, frame in zip(("cells.csv", "metrics.csv"), both, strict=True):
        write_text(run.folder / name, to_csv(frame))
    return both


def summary(cells: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """Accuracy in percent as text: a row per corruption, a column per model; the mean has its interval."""
    labels = list(dict.fromkeys(cells["model"]))
    done = cells[cells["status"] == "ok"]
    rows = [["top-1 accuracy, %", *labels]]
    for corruption in dict.fromkeys(cells["corruption"]):
        rows.append([corruption, *(_mean_text(cells, done, label, corruption) for label in labels)])
    means = metrics[metrics["metric"] == "mean_corruption_accuracy"].set_index("model")
    if len(means):
        rows.append(["mean over corruptions", *(_interval_text(means.loc[label]) for label in labels)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _mean_text(cells: pd.DataFrame, done: pd.DataFrame, label: str, corruption: str) -> str:
    asked, there = (frame[(frame["model"] == label) & (frame["corruption"] == corruption)] for frame in (cells, done))
    if len(there) < len(asked):
        return f"{len(asked) - len(there)} of {len(asked)} missing"
    return f"{100 * there['top1'].mean():.2f}" if len(there) else ""


def _interval_text(row: Any) -> str:
    if row["note"]:
        return str(row["note"])
    return f"{100 * row['value']:.2f} [{100 * row['ci_low']:.2f}, {100 * row['ci_high']:.2f}]"
