"""Corruption errors against a baseline (Hendrycks and Dietterich 2019, arXiv:1903.12261)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def corruption_error(errors: Floats, baseline: Floats) -> Floats:
    """CE in percent: 100 sum_s E(model, s) / sum_s E(baseline, s), a ratio of sums over the strengths s.

    errors, baseline: (strengths, ...) in 0..1. Not a number where the baseline makes no error.

    >>> round(float(corruption_error(np.array([0.1, 0.3]), np.array([0.1, 0.5]))), 2)
    66.67
    """
    return _percent(np.sum(errors, axis=0), np.sum(baseline, axis=0))


def relative_corruption_error(
    errors: Floats, clean: float | Floats, baseline: Floats, baseline_clean: float | Floats
) -> Floats:
    """Relative CE in percent: 100 sum_s (E(model, s) - E(model, clean)) / the same of the baseline.

    errors, baseline: (strengths, ...) in 0..1; the clean errors: a number or (...). Not a number where the baseline
    loses nothing to the corruption.
    """
    return _percent(np.sum(errors - clean, axis=0), np.sum(baseline - baseline_clean, axis=0))


def mean_over_corruptions(errors: Sequence[Floats]) -> Floats:
    """mCE of CE, relative mCE of relative CE: the mean over corruptions, each of weight one."""
    return np.asarray(np.mean(errors, axis=0))


def _percent(part: Floats, whole: Floats) -> Floats:
    part, whole = np.broadcast_arrays(part, whole)
    return np.asarray(np.divide(100 * part, whole, out=np.full(whole.shape, np.nan), where=whole > 1e-12))
