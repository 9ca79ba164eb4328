"""What every row of metrics.csv has."""

from __future__ import annotations

from typing import Any

from robench.store import Cell

METRIC_COLUMNS = (
    *("model", "dataset", "suite", "metric", "value", "ci_low", "ci_high", "ci_method", "seed_sd"),
    *("n_images", "n_cells", "baseline", "note"),
)

ONE_IMAGE = "no interval: one image"


def head(cell: Cell, metric: str, n_cells: int) -> dict[str, Any]:
    """A row of metrics.csv without its numbers."""
    names = {"model": cell.model, "dataset": cell.dataset, "suite": cell.suite, "metric": metric}
    return names | {"n_images": cell.n, "n_cells": n_cells, "ci_method": "", "baseline": "", "note": ""}
