"""Numbers of a curve: the area under accuracy over level, and robustness beyond what clean accuracy predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.errors import RobenchError

Floats = NDArray[np.floating[Any]]

LEAST_MODELS = 5


def area_under_curve(levels: Floats, accuracies: Floats) -> Floats:
    """The mean accuracy over the range of levels, 0..1: the area by trapezia, divided by the range.

    levels: (L,), in any order; accuracies: (L, ...). Raises RobenchError for fewer than two levels that differ.
    """
    if len(np.unique(levels)) < 2:
        raise RobenchError(f"area under the curve: expected at least 2 levels that differ, got {levels.tolist()}")
    order = np.argsort(levels, kind="stable")
    area = np.trapezoid(accuracies[order], levels[order], axis=0)
    return np.asarray(area / (levels.max() - levels.min()))


def effective_robustness(clean: Floats, shifted: Floats, standard: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """rho = acc_shift - beta(acc_clean), and beta (Taori et al. 2020, arXiv:2007.00644).

    clean, shifted: accuracies (models,) in 0..1. standard: (models,), those that the line beta is fitted to, by least
    squares between the logits of both accuracies. Raises RobenchError for fewer than five standard models, for an
    accuracy of 0 or 1 (it has no logit), and where the clean accuracies are all the same.
    """
    from scipy.special import expit, logit
    from scipy.stats import linregress

    x, y = clean[standard], shifted[standard]
    if len(x) < LEAST_MODELS:
        raise RobenchError(f"effective robustness: expected at least {LEAST_MODELS} standard models, got {len(x)}")
    if min(x.min(), y.min(), clean.min()) <= 0 or max(x.max(), y.max(), clean.max()) >= 1:
        raise RobenchError("effective robustness: expected accuracies between 0 and 1, which have logits, got 0 or 1")
    if np.ptp(x) == 0:
        raise RobenchError("effective robustness: expected models of different clean accuracy, got one accuracy")
    line = linregress(logit(x), logit(y))
    expected = expit(line.intercept + line.slope * logit(clean))
    return shifted - expected, expected
