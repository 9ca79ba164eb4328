"""From the predictions of runs to tables: cells, metrics, pairs, ranks, and what is missing.

>>> from robench import tables
>>> from robench.store import Run
>>> measured = tables.measure(Run(folder))  # doctest: +SKIP
>>> tables.pairs(measured)  # doctest: +SKIP
"""

from robench.tables._calibration import reliability
from robench.tables._cell_scores import CellScores, by_place, check_forms, check_images, check_networks, measure
from robench.tables._corruption_error import check_baseline
from robench.tables._differences import differences
from robench.tables._files import COMPARISONS, derive, write
from robench.tables._metrics import MEAN, metrics_table
from robench.tables._notes import chance_notes, entry_notes, run_notes
from robench.tables._pairs import error_consistency, pairs
from robench.tables._ranks import effective_robustness, ranks
from robench.tables._rows import METRIC_COLUMNS
from robench.tables._scored import CELL_COLUMNS, CLEAN, Scored, cell_row, cells, scored, states
from robench.tables._suites import NO_SUITE, with_suites
from robench.tables._text import (
    aligned,
    by_corruption,
    clean_note,
    counted,
    fenced,
    from_csv,
    gaps,
    in_markdown,
    markdown,
    summary,
    superseded_note,
    to_csv,
)

__all__ = [
    "CELL_COLUMNS",
    "CLEAN",
    "COMPARISONS",
    "MEAN",
    "METRIC_COLUMNS",
    "NO_SUITE",
    "CellScores",
    "Scored",
    "aligned",
    "by_corruption",
    "by_place",
    "cell_row",
    "cells",
    "chance_notes",
    "check_baseline",
    "check_forms",
    "check_images",
    "check_networks",
    "clean_note",
    "counted",
    "derive",
    "differences",
    "effective_robustness",
    "entry_notes",
    "error_consistency",
    "fenced",
    "from_csv",
    "gaps",
    "in_markdown",
    "markdown",
    "measure",
    "metrics_table",
    "pairs",
    "ranks",
    "reliability",
    "run_notes",
    "scored",
    "states",
    "summary",
    "superseded_note",
    "to_csv",
    "with_suites",
    "write",
]
