"""How far confidence can be believed: accuracy by confidence, over all cells of a severity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from robench.store import Cell
from robench.tables._cell_scores import CellScores
from robench.tables._scored import CLEAN

CALIBRATION_COLUMNS = (
    *("model", "dataset", "suite", "severity", "n_cells", "bin_low", "bin_high", "n", "accuracy", "confidence"),
)
ALL_LEVELS = "all levels"


def reliability(measured: CellScores) -> pd.DataFrame:
    """Accuracy and mean confidence of the images in each of 15 equal bins of confidence that has some.

    A row a model, suite, severity ("clean", "1" to "5", or "all levels" for corruptions that have levels) and bin; the
    images of all cells of a severity stand together. A severity of which a cell is missing or failed is left out.
    """
    rows = []
    for model, suite, members in measured.parts():
        severities = dict.fromkeys(_severity(one.cell) for one in members)
        for severity in sorted(severities, key=_order):
            some = [one for one in members if _severity(one.cell) == severity]
            bins = [one.bins for one in some if one.bins is not None]
            if len(bins) == len(some):
                head = (model, some[0].cell.dataset, suite, severity, len(some))
                rows += [(*head, *row) for row in _bin_rows(bins)]
    return pd.DataFrame(rows, columns=list(CALIBRATION_COLUMNS))


def _bin_rows(bins: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> list[tuple[float, ...]]:
    total = np.sum(bins, axis=0)
    return [
        (place / len(total), (place + 1) / len(total), int(n), right / n, trust / n)
        for place, (n, right, trust) in enumerate(total)
        if n
    ]


def _severity(cell: Cell) -> str:
    if cell.corruption == CLEAN:
        return CLEAN
    return ALL_LEVELS if cell.severity is None else str(cell.severity)


def _order(severity: str) -> tuple[int, str]:
    return (severity != CLEAN, severity)
