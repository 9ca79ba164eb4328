"""Scores of one cell: a rate with its interval, proper scores, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.errors import RobenchError
from robench.metrics._bootstrap import CONFIDENCE

Floats = NDArray[np.floating[Any]]

BINS = 15


def wilson(correct: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of correct / n (Wilson 1927).

    >>> low, high = wilson(8103, 10_000)
    >>> round(low, 4), round(high, 4)
    (0.8025, 0.8179)
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(correct, n, alpha=1 - CONFIDENCE, method="wilson")
    return float(low), float(high)


def negative_log_likelihood(log_p_true: Floats) -> float:
    """Mean of -log p(true class), natural logarithm."""
    return float(-np.mean(log_p_true, dtype=np.float64))


def brier(sum_p_squared: Floats, log_p_true: Floats) -> float:
    """Mean over images of the sum over classes of (p - y)², from 0 to 2 (Brier 1950).

    With y the indicator of the true class this is sum p² - 2 p(true) + 1.
    """
    p_true = np.exp(log_p_true.astype(np.float64))
    return float(np.mean(sum_p_squared.astype(np.float64) - 2 * p_true + 1))


def calibration_bins(confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS) -> NDArray[np.float64]:
    """Of each of so many equal bins of confidence the images, the right answers, and the sum of confidence: (bins, 3).

    Raises RobenchError for confidences that are not probabilities.
    """
    if confidence.size and not (
        np.isfinite(confidence).all() and confidence.min() >= 0 and confidence.max() <= 1 + 1e-6
    ):
        raise RobenchError(f"calibration: confidences must lie in 0..1, got {confidence.min()}..{confidence.max()}")
    place = np.clip(np.ceil(confidence.astype(np.float64) * bins).astype(np.int64) - 1, 0, bins - 1)
    weights = (None, correct, confidence)
    return np.stack([np.bincount(place, weights=one, minlength=bins).astype(np.float64) for one in weights], axis=1)


def expected_calibration_error(confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS) -> float:
    """Mean of |accuracy - confidence| over equal bins of confidence, weighted by their images (Guo et al. 2017).

    Raises RobenchError for confidences that are not probabilities.
    """
    _, right, trust = calibration_bins(confidence, correct, bins).T
    return float(np.abs(right - trust).sum() / confidence.size)
