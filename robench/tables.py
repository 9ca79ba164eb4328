"""From the predictions of a run to its tables: cells, metrics, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
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
MEAN = "mean_corruption_accuracy"
ERROR = "mean_corruption_error"


@dataclass(frozen=True)
class Scored:
    """A cell, its row of the table, and which images were answered right; `correct` is None where nothing is known."""

    cell: Cell
    row: dict[str, Any]
    correct: NDArray[np.bool_] | None


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
    return Scored(cell, row | scores(found) | {"status": "ok", "error": ""}, found.correct)


def cells(run: Run) -> pd.DataFrame:
    """One row per cell of the run, rates are fractions, and missing cells say so in their status."""
    return _cells_table(scored(run))


def _cells_table(found: list[Scored]) -> pd.DataFrame:
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


def metrics_table(run: Run, seed: int = 0) -> pd.DataFrame:
    """Aggregates, long: clean accuracy, mean corruption accuracy and error, accuracy of each group.

    The mean corruption accuracy is the mean over corruptions of the mean over their strengths (and seeds); its interval
    draws whole images again. A model that lacks a cell gets no value and a note, never a mean of what is there.
    """
    return _metrics_table(scored(run), seed)


def _metrics_table(found: list[Scored], seed: int = 0) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for model, suite in dict.fromkeys((one.cell.model, one.cell.suite) for one in found):
        rows += _metrics_of([one for one in found if (one.cell.model, one.cell.suite) == (model, suite)])
    _add_intervals(rows, seed)
    frame = pd.DataFrame(rows, columns=list(METRIC_COLUMNS))
    return frame.astype({"n_cells": "Int64", "n_images": "Int64"})


def _metrics_of(found: list[Scored]) -> Iterator[dict[str, Any]]:
    """The rows of one model in one suite."""
    corrupted = [one for one in found if one.cell.corruption != CLEAN]
    for one in found:
        if one.cell.corruption == CLEAN:
            yield _clean_row(one)
    if not corrupted:
        return
    yield _aggregate(corrupted, MEAN)
    yield _aggregate(corrupted, ERROR)
    for group in dict.fromkeys(one.cell.group for one in corrupted if one.cell.group):
        yield _aggregate([one for one in corrupted if one.cell.group == group], f"{MEAN}[{group}]")


def _clean_row(one: Scored) -> dict[str, Any]:
    head = _head(one.cell, "clean_accuracy", 1)
    if one.correct is None:
        return head | {"note": "incomplete: the clean cell is missing or failed"}
    bounds = {"ci_low": one.row["top1_ci_low"], "ci_high": one.row["top1_ci_high"], "ci_method": "wilson"}
    return head | {"value": one.row["top1"]} | bounds


def _aggregate(members: list[Scored], metric: str) -> dict[str, Any]:
    head = _head(members[0].cell, metric, len(members))
    missing = sum(one.correct is None for one in members)
    if missing:
        return head | {"note": f"incomplete: {missing} of {len(members)} cells are missing or failed"}
    per_image = image_scores(members)
    return head | {"value": float(per_image.mean()), "per_image": per_image}


def _add_intervals(rows: list[dict[str, Any]], seed: int) -> None:
    """The bootstrap interval of every row that has scores of images; of an error, 1 - accuracy, the mirrored one."""
    waiting = [row for row in rows if "per_image" in row]
    intervals = metrics.image_bootstrap([row.pop("per_image") for row in waiting], seed=seed)
    for row, (low, high) in zip(waiting, intervals, strict=True):
        row |= {"ci_low": low, "ci_high": high, "ci_method": f"image bootstrap, {metrics.RESAMPLES} resamples"}
        if row["metric"] == ERROR:
            row |= {"value": 1 - row["value"], "ci_low": 1 - high, "ci_high": 1 - low}


def image_scores(members: list[Scored]) -> NDArray[np.float64]:
    """Each image's share of right answers, (N,): mean over corruptions of means over strengths, of means over seeds."""
    tree: dict[str, dict[str, list[NDArray[np.bool_]]]] = {}
    for one in sorted(members, key=lambda one: (one.cell.corruption, one.cell.strength)):
        if one.correct is not None:
            tree.setdefault(one.cell.corruption, {}).setdefault(one.cell.strength, []).append(one.correct)
    means = [
        np.mean([np.mean(seeds, axis=0, dtype=np.float64) for seeds in strengths.values()], axis=0)
        for strengths in tree.values()
    ]
    return np.asarray(np.mean(means, axis=0))


def _head(cell: Cell, metric: str, n_cells: int) -> dict[str, Any]:
    names = {"model": cell.model, "dataset": cell.dataset, "suite": cell.suite, "metric": metric}
    return names | {"n_images": cell.n, "n_cells": n_cells, "ci_method": "", "baseline": "", "note": ""}


def to_csv(frame: pd.DataFrame) -> str:
    """CSV with \\n line ends; floats with 9 significant digits, which tell any two float32 apart."""
    return str(frame.to_csv(index=False, float_format="%.9g", lineterminator="\n"))


def derive(found: list[Scored]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of cells and of metrics of what was scored, in one run or in several on the same images."""
    return _cells_table(found), _metrics_table(found)


def write(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Derive cells.csv and metrics.csv anew and write them; both tables."""
    both = derive(scored(run))
    for name, frame in zip(("cells.csv", "metrics.csv"), both, strict=True):
        write_text(run.folder / name, to_csv(frame))
    return both


def summary(cells: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """Accuracy in percent as text: a row per corruption, a column per model; the mean of a suite has its interval."""
    labels = list(dict.fromkeys(cells["model"]))
    cells = cells.drop_duplicates(["model", "corruption", "strength", "seed"])
    rows = [["top-1 accuracy, %", *labels]]
    for corruption in dict.fromkeys(cells["corruption"]):
        some = cells[cells["corruption"] == corruption]
        rows.append([corruption, *(_mean_text(some[some["model"] == label]) for label in labels)])
    means = metrics[metrics["metric"] == MEAN]
    suites = list(dict.fromkeys(means["suite"]))
    for suite in suites:
        of_suite = means[means["suite"] == suite].set_index("model")
        texts = (_interval_text(of_suite.loc[label]) if label in of_suite.index else "" for label in labels)
        rows.append(["mean over corruptions" + (f", {suite or 'no suite'}" if len(suites) > 1 else ""), *texts])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _mean_text(asked: pd.DataFrame) -> str:
    done = asked[asked["status"] == "ok"]
    if len(done) < len(asked):
        return f"{len(asked) - len(done)} of {len(asked)} missing or failed"
    return f"{100 * done['top1'].mean():.2f}" if len(done) else ""


def _interval_text(row: Any) -> str:
    if row["note"]:
        return str(row["note"])
    return f"{100 * row['value']:.2f} [{100 * row['ci_low']:.2f}, {100 * row['ci_high']:.2f}]"
