"""What every row of metrics.csv has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from robench.store import Cell
from robench.tables._scored import CLEAN

METRIC_COLUMNS = (
    *("model", "dataset", "suite", "metric", "value", "ci_low", "ci_high", "ci_method", "seed_sd"),
    *("n_images", "n_cells", "n_corruptions", "baseline", "note"),
)

ONE_IMAGE = "no interval: one image"


def head(cell: Cell, metric: str, cells: Sequence[Cell]) -> dict[str, Any]:
    """A row of metrics.csv without its numbers; cells: what the metric is made of, `cell` names model and data."""
    names = {"model": cell.model, "dataset": cell.dataset, "suite": cell.suite, "metric": metric}
    counts = {"n_cells": len(cells), "n_corruptions": len({one.corruption for one in cells} - {CLEAN})}
    return names | counts | {"n_images": cell.n, "ci_method": "", "baseline": "", "note": ""}
