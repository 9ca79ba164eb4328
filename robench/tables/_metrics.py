"""The aggregates of metrics.csv: nothing is averaged over what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from robench import metrics
from robench.store import Cell
from robench.tables._cell_scores import AccuracyGrid, CellScores, Statistic, by_place, estimate, missing_note
from robench.tables._corruption_error import corruption_error_rows
from robench.tables._rows import METRIC_COLUMNS, ONE_IMAGE, head
from robench.tables._scored import CLEAN, Scored
from robench.tables._suites import mean_note, part_note

MEAN = "mean_corruption_accuracy"
ERROR = "mean_corruption_error"
BY_CORRUPTION = "mean_accuracy"
AREA = "accuracy_area"


def metrics_table(measured: CellScores, baseline: metrics.Baseline | None = None) -> pd.DataFrame:
    """Aggregates, long: of all cells, of each group, of each corruption, areas, and errors against a baseline.

    The mean corruption accuracy is the mean over corruptions of the mean over their strengths (and seeds); its interval
    draws whole images again. It is given for a suite that is whole, and for cells of no suite whose severities are
    equal; n_corruptions says over how many it is. A model that lacks a cell gets no value and a note, never a mean of
    what is there; one that was asked for fewer cells than the others gets a note, for its means are not comparable.
    """
    rows: list[dict[str, Any]] = []
    for model, suite, members in measured.parts():
        rows += _aggregates(measured, members, _asked(measured, suite))
        if baseline is not None:
            rows += corruption_error_rows(measured, model, suite, baseline)
    frame = pd.DataFrame(rows, columns=list(METRIC_COLUMNS))
    floats = dict.fromkeys(("value", "ci_low", "ci_high", "seed_sd"), "float64")
    return frame.astype(floats | dict.fromkeys(("n_cells", "n_images", "n_corruptions"), "Int64"))


def _asked(measured: CellScores, suite: str) -> list[Cell]:
    """Every corrupted place of a suite that any model was asked for, once."""
    corrupted = [one for one in measured.found if one.cell.suite == suite and one.cell.corruption != CLEAN]
    return [one.cell for one in by_place(corrupted).values()]


def _aggregates(measured: CellScores, members: Sequence[Scored], asked: Sequence[Cell]) -> Iterator[dict[str, Any]]:
    """The rows of one model in one suite that need no baseline; asked: the places of all models."""
    corrupted = [one for one in members if one.cell.corruption != CLEAN]
    clean = [one for one in members if one.cell.corruption == CLEAN]
    yield from map(_clean_row, clean)
    if not corrupted:
        return
    why_not = mean_note(corrupted)
    yield _aggregate(measured, corrupted, MEAN, AccuracyGrid.mean, len(asked), why_not)
    yield _aggregate(measured, corrupted, ERROR, lambda grid: 1 - grid.mean(), len(asked), why_not)
    for group in dict.fromkeys(one.cell.group for one in corrupted if one.cell.group):
        of_group = [one for one in corrupted if one.cell.group == group]
        everything = sum(cell.group == group for cell in asked)
        yield _aggregate(
            measured, of_group, f"{MEAN}[{group}]", AccuracyGrid.mean, everything, mean_note(of_group, group)
        )
    for corruption in dict.fromkeys(one.cell.corruption for one in corrupted):
        of_corruption = [one for one in corrupted if one.cell.corruption == corruption]
        everything = sum(cell.corruption == corruption for cell in asked)
        yield _aggregate(measured, of_corruption, f"{BY_CORRUPTION}[{corruption}]", AccuracyGrid.mean, everything)
        yield from _area(measured, of_corruption, clean)


def _clean_row(one: Scored) -> dict[str, Any]:
    row = head(one.cell, "clean_accuracy", [one.cell])
    if one.correct is None:
        return row | {"note": "incomplete: the clean cell is missing or failed"}
    bounds = {"ci_low": one.row["top1_ci_low"], "ci_high": one.row["top1_ci_high"], "ci_method": "wilson"}
    return row | {"value": one.row["top1"]} | bounds


def _aggregate(
    measured: CellScores,
    members: Sequence[Scored],
    metric: str,
    statistic: Statistic,
    everything: int = 0,
    why_not: str = "",
) -> dict[str, Any]:
    """One row; everything: the number of cells that any model was asked for; why_not: why there is no number."""
    row = head(members[0].cell, metric, [one.cell for one in members])
    note = missing_note(members) or why_not
    if note:
        return row | {"note": note}
    one_image = members[0].cell.n == 1
    how = {"note": ONE_IMAGE} if one_image else {"ci_method": f"image bootstrap, {metrics.RESAMPLES} resamples"}
    if len(members) < everything:
        how["note"] = f"over {len(members)} of the {everything} cells of all models"
    elif metric in (MEAN, ERROR) and (part := part_note(members)):
        how["note"] = part
    return row | how | estimate(measured, statistic, members, ends=(0, 1))


def _area(measured: CellScores, members: Sequence[Scored], clean: Sequence[Scored]) -> Iterator[dict[str, Any]]:
    """The area under accuracy over level, where two or more strengths have levels; the clean point at the identity."""
    cell = members[0].cell
    levels = {one.cell.strength: one.cell.level for one in members}
    numbers = {strength: level for strength, level in levels.items() if level is not None}
    if len(numbers) < len(levels) or len(set(numbers.values())) < 2:
        return
    identity = (measured.corruptions.get(cell.corruption, {}).get("level") or {}).get("identity")
    points = [*members, *clean] if identity is not None else members

    def area(grid: AccuracyGrid) -> Any:
        places = [numbers[strength] for strength in grid.corrupted[cell.corruption]]
        heights = list(grid.corrupted[cell.corruption].values())
        if identity is not None and grid.clean is not None:
            places, heights = [*places, float(identity)], [*heights, grid.clean]
        return metrics.area_under_curve(np.array(places), np.array(heights))

    yield _aggregate(measured, points, f"{AREA}[{cell.corruption}]", area)
