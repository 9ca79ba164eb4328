"""What is computed from predictions: scores, intervals, comparisons, errors against a baseline. Numbers in and out."""

from robench.metrics._baselines import PUBLISHED, Baseline, baseline, published_errors
from robench.metrics._bootstrap import CONFIDENCE, RESAMPLES, image_bootstrap, interval
from robench.metrics._comparison import alike, discordant, error_consistency, holm, mcnemar, rank_intervals, unseen
from robench.metrics._corruption_error import corruption_error, mean_over_corruptions, relative_corruption_error
from robench.metrics._curves import LEAST_MODELS, area_under_curve, effective_robustness
from robench.metrics._scores import brier, calibration_bins, expected_calibration_error, negative_log_likelihood, wilson

__all__ = [
    "CONFIDENCE",
    "LEAST_MODELS",
    "PUBLISHED",
    "RESAMPLES",
    "Baseline",
    "alike",
    "area_under_curve",
    "baseline",
    "brier",
    "calibration_bins",
    "corruption_error",
    "discordant",
    "effective_robustness",
    "error_consistency",
    "expected_calibration_error",
    "holm",
    "image_bootstrap",
    "interval",
    "mcnemar",
    "mean_over_corruptions",
    "negative_log_likelihood",
    "published_errors",
    "rank_intervals",
    "relative_corruption_error",
    "unseen",
    "wilson",
]
