"""The tables that stand in a run's folder."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from robench.files import write_text
from robench.metrics import Baseline
from robench.store import Run
from robench.tables._cell_scores import CellScores, measure
from robench.tables._metrics import metrics_table
from robench.tables._pairs import error_consistency, pairs
from robench.tables._ranks import effective_robustness, ranks
from robench.tables._scored import cells_table
from robench.tables._text import to_csv

COMPARISONS: dict[str, Callable[[CellScores], pd.DataFrame]] = {
    "pairs.csv": pairs,
    "ranks.csv": ranks,
    "consistency.csv": error_consistency,
    "effective_robustness.csv": effective_robustness,
}
"""The files that compare models, and what makes each."""


def derive(measured: CellScores, baseline: Baseline | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of cells and of metrics of what was measured, in one run or in several on the same images."""
    return cells_table(measured.found), metrics_table(measured, baseline)


def write(run: Run, baseline: Baseline | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Derive cells.csv and metrics.csv anew and write them; both tables.

    baseline: what `metrics.baseline` found; with it metrics.csv has the corruption errors.
    """
    both = derive(measure(run), baseline)
    for name, frame in zip(("cells.csv", "metrics.csv"), both, strict=True):
        write_text(run.folder / name, to_csv(frame))
    return both
