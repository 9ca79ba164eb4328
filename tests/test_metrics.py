"""Metrics against numbers worked out by hand, closed forms and statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from robench import metrics
from robench.errors import RobenchError
from robench.metrics import _bootstrap


def test_scores_of_three_images_by_hand():
    """Two classes; p(true) 0.9, 0.6, 0.3; of the last one the other class is predicted with 0.7."""
    p_true = np.array([0.9, 0.6, 0.3])
    log_p = np.log(p_true).astype(np.float32)
    sum_p_squared = (p_true**2 + (1 - p_true) ** 2).astype(np.float32)
    assert metrics.negative_log_likelihood(log_p) == pytest.approx(0.6067, abs=1e-4)
    assert metrics.brier(sum_p_squared, log_p) == pytest.approx((2 * 0.01 + 2 * 0.16 + 2 * 0.49) / 3, abs=1e-6)


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (10, 10), (7, 10), (8103, 10_000)])
def test_wilson_is_that_of_statsmodels(correct, n):
    assert metrics.wilson(correct, n) == pytest.approx(proportion_confint(correct, n, 0.05, method="wilson"))


def test_calibration_by_hand():
    """Bins of 1/15: 0.95 and 0.99 share the last one, 0.5 is alone."""
    confidence = np.array([0.95, 0.99, 0.5], np.float32)
    correct = np.array([True, False, False])
    expected = (abs(1 - (0.95 + 0.99)) + abs(0 - 0.5)) / 3
    assert metrics.expected_calibration_error(confidence, correct) == pytest.approx(expected, abs=1e-6)
    assert metrics.expected_calibration_error(np.ones(4, np.float32), np.ones(4, bool)) == 0
    low = np.array([0.03, 0.1], np.float32)
    assert metrics.expected_calibration_error(low, np.array([True, False])) == pytest.approx((0.97 + 0.1) / 2)


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan, np.inf])
def test_calibration_refuses_what_is_no_probability(wrong):
    with pytest.raises(RobenchError, match=r"calibration: confidences must lie in 0\.\.1"):
        metrics.expected_calibration_error(np.array([0.5, wrong], np.float32), np.ones(2, bool))


def ends(*cells, seed=0):
    """The interval of the mean over cells."""
    low, high = metrics.interval(metrics.image_bootstrap(list(cells), seed=seed).mean(axis=0))
    return float(low), float(high)


def test_the_bootstrap_is_the_same_on_every_call_and_moves_with_its_seed():
    cell = np.random.default_rng(0).random(300) < 0.6
    state = np.random.get_state()[1].tobytes()
    first = metrics.image_bootstrap([cell])
    assert first.shape == (1, 1 + metrics.RESAMPLES)
    assert first[0, 0] == cell.mean()
    assert np.array_equal(metrics.image_bootstrap([~cell, cell, cell])[1:], np.concatenate([first, first]))
    assert not np.array_equal(metrics.image_bootstrap([cell], seed=1), first)
    assert np.random.get_state()[1].tobytes() == state
    assert metrics.RESAMPLES >= 2000
    assert metrics.image_bootstrap([]).shape == (0, 1 + metrics.RESAMPLES)


def test_a_resample_is_the_mean_over_the_images_drawn():
    cells = np.random.default_rng(3).random((3, 700)) < 0.4
    chosen = np.concatenate(list(_bootstrap._resampled(700, 5, 40)))
    expected = np.stack([cell[chosen].mean(axis=1) for cell in cells])
    assert np.array_equal(metrics.image_bootstrap(list(cells), seed=5, resamples=40)[:, 1:], expected)


def test_every_resample_is_another_one_also_where_they_are_drawn_in_parts():
    parts = list(_bootstrap._resampled(50_000, 0, 200))
    assert len(parts) > 1
    rows = np.concatenate([part[:, :4] for part in parts])
    assert len(np.unique(rows, axis=0)) == 200
    assert (rows.min() >= 0, max(part.max() for part in parts) < 50_000) == (True, True)


@pytest.mark.parametrize(("n", "rate"), [(400, 0.5), (1000, 0.8), (40_000, 0.7)])
def test_for_one_cell_the_bootstrap_is_near_the_analytic_interval(n, rate):
    """Images are drawn with replacement all over 0..n-1: the normal interval, to 8 % of its width."""
    half = 1.96 * np.sqrt(rate * (1 - rate) / n)
    assert ends(np.arange(n) < round(rate * n)) == pytest.approx((rate - half, rate + half), abs=0.16 * half)


def test_cells_on_the_same_images_are_not_counted_as_new_images():
    """Ten cells that agree image by image are worth one; pretending 10 n images is sqrt(10) times too narrow."""
    correct = np.random.default_rng(1).random(500) < 0.7
    low, high = ends(*[correct] * 10)
    naive = ends(np.tile(correct, 10))
    assert high - low == pytest.approx((naive[1] - naive[0]) * np.sqrt(10), rel=0.15)
    own = ends(*np.random.default_rng(2).random((10, 500)) < 0.7)
    assert own[1] - own[0] == pytest.approx(naive[1] - naive[0], rel=0.25)
