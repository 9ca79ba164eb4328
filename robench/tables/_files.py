"""The tables that stand in a run's folder."""

from __future__ import annotations

import pandas as pd

from robench.files import write_text
from robench.metrics import Baseline
from robench.store import Run
from robench.tables._measured import Measured, measure
from robench.tables._metrics import metrics_table
from robench.tables._scored import cells_table
from robench.tables._text import to_csv


def derive(measured: Measured, baseline: Baseline | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
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
