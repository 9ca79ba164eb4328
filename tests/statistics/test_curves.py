"""Areas, effective robustness, seeds, and the smallest inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from robench import metrics, tables
from robench.errors import ConfigError, RobenchError

FACTS = {"awgn": {"level": {"identity": 0.0}}, "crop": {"level": {"identity": None}}, "drawn": {"level": None}}


def test_the_area_by_hand():
    """Levels 1, 2, 4 with 0.8, 0.6, 0.2: (0.7 + 2 x 0.4) / 3; with 1 at level 0: (0.9 + 1.5) / 4."""
    levels, heights = np.array([4.0, 1, 2]), np.array([0.2, 0.8, 0.6])
    assert metrics.area_under_curve(levels, heights) == pytest.approx(0.5)
    both = np.array([[0.2, 1], [0.8, 1], [0.6, 1]])
    assert metrics.area_under_curve(levels, both) == pytest.approx([0.5, 1])
    assert metrics.area_under_curve(np.append(levels, 0), np.append(heights, 1)) == pytest.approx(0.6)
    with pytest.raises(RobenchError, match="expected at least 2 levels that differ"):
        metrics.area_under_curve(np.array([1.0, 1]), np.array([0.5, 0.5]))


@pytest.mark.parametrize(("corruption", "expected", "cells"), [("awgn", 0.6, 4), ("crop", 0.5, 3)])
def test_the_clean_point_stands_at_the_identity(cell, right, corruption, expected, cells):
    found = [cell("clean", "clean", right(1, 10))]
    found += [
        cell(corruption, f"q={q}", right(share, 10), level=q) for q, share in [(1.0, 0.8), (2.0, 0.6), (4.0, 0.2)]
    ]
    row = tables.metrics_table(tables.CellScores(found, FACTS)).set_index("metric").loc[f"accuracy_area[{corruption}]"]
    assert (row["value"], row["n_cells"]) == (pytest.approx(expected), cells)
    assert row["ci_low"] <= row["value"] <= row["ci_high"]


def test_no_area_without_two_levels(cell):
    found = [cell("awgn", "sigma=0.1", [1, 0], level=0.1), cell("drawn", "a", [1, 0]), cell("drawn", "b", [1, 0])]
    assert not tables.metrics_table(tables.CellScores(found, FACTS))["metric"].str.startswith("accuracy_area").any()


def test_effective_robustness_is_what_stands_above_the_line():
    clean = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.85])
    shifted = expit(-0.4 + 0.8 * logit(clean))
    shifted[5] += 0.05
    rho, expected = metrics.effective_robustness(clean, shifted, np.arange(6) < 5)
    assert rho == pytest.approx([0, 0, 0, 0, 0, 0.05], abs=1e-9)
    assert expected[5] == pytest.approx(shifted[5] - 0.05)


@pytest.mark.parametrize(
    ("clean", "complaint"),
    [
        ([0.5, 0.6, 0.7, 0.8], "at least 5 standard models, got 4"),
        ([0.5] * 5, "got one accuracy"),
        ([0.6, 0.7, 0.8, 0.9, 1.0], "between 0 and 1"),
    ],
)
def test_effective_robustness_refuses(clean, complaint):
    accuracies = np.array(clean)
    with pytest.raises(RobenchError, match=complaint):
        metrics.effective_robustness(accuracies, accuracies * 0.7, np.ones(len(clean), bool))


def models(cell, right, shares):
    return [
        one
        for name, share in shares.items()
        for one in (
            cell("clean", "clean", right(share, 100), model=name), cell("fog", "1", right(share - 0.2, 100), model=name)
        )
    ]  # fmt: skip


def test_effective_robustness_of_a_report(cell, right):
    shares = dict(zip("abcdef", (0.5, 0.6, 0.7, 0.8, 0.9, 0.95), strict=True))
    measured = tables.CellScores(models(cell, right, shares))
    frame = tables.effective_robustness(measured, standard="abcde").set_index("model")
    assert (frame["n_fit"] == 5).all()
    assert (frame["effective_robustness"] + frame["expected"]).to_numpy() == pytest.approx(
        np.array(list(shares.values())) - 0.2
    )
    refused = tables.effective_robustness(measured, standard="abc")
    assert refused["effective_robustness"].isna().all()
    assert set(refused["note"]) == {"effective robustness: expected at least 5 standard models, got 3"}
    with pytest.raises(ConfigError, match="got 'x'"):
        tables.effective_robustness(measured, standard=["x"])


def test_the_spread_between_seeds_by_hand(cell):
    """awgn 0.75 and 0.25, contrast 0.5 for both seeds: means 0.625 and 0.375."""
    found = [
        cell("clean", "clean", [1, 1, 1, 1]), cell("contrast", "1", [1, 1, 0, 0], group="digital"),
        cell("awgn", "sigma=0.1", [1, 1, 1, 0], seed=1, group="noise"),
        cell("awgn", "sigma=0.1", [1, 0, 0, 0], seed=2, group="noise"),
    ]  # fmt: skip
    frame = tables.metrics_table(tables.CellScores(found)).set_index("metric")
    mean = frame.loc["mean_corruption_accuracy"]
    assert (mean["value"], mean["seed_sd"]) == pytest.approx((0.5, 0.25 / np.sqrt(2)))
    assert frame.loc["mean_corruption_accuracy[noise]", "seed_sd"] == pytest.approx(0.5 / np.sqrt(2))
    assert pd.isna(frame.loc["mean_corruption_accuracy[digital]", "seed_sd"])
    assert pd.isna(frame.loc["clean_accuracy", "seed_sd"])
    one = tables.metrics_table(tables.CellScores(found[:3]))
    assert one["seed_sd"].isna().all()


def test_seeds_are_averaged_inside_the_image(cell):
    """Three seeds that agree tell no more than one: the interval is that of one seed."""
    hits = np.random.default_rng(0).random(200) < 0.6
    seeds = [cell("awgn", "sigma=0.1", hits, seed=seed) for seed in range(3)]
    several, one = (
        tables.metrics_table(tables.CellScores(found)).iloc[0][["value", "ci_low", "ci_high"]].tolist()
        for found in (seeds, seeds[:1])
    )
    assert several == pytest.approx(one)


@pytest.mark.parametrize("answer", [0, 1])
def test_one_image_of_one_class(cell, answer):
    """No crash and, as warnings are errors, no warning."""
    found = [
        cell(name, strength, [answer], model=model, level=level)
        for model in ("a", "b")
        for name, strength, level in (("clean", "clean", None), ("awgn", "q=1", 1.0), ("awgn", "q=2", 2.0))
    ]
    measured = tables.CellScores(found, FACTS)
    frame = tables.metrics_table(measured, metrics.Baseline("b")).set_index(["model", "metric"])
    assert frame.loc[("a", "mean_corruption_accuracy"), "value"] == answer
    assert pd.isna(frame.loc[("a", "relative_ce[awgn]"), "value"])
    assert (tables.pairs(measured)["diff"] == 0).all()
    assert (tables.error_consistency(measured)["kappa"] == 1).all()
    assert tables.ranks(measured)["rank_high"].tolist() == [2, 2]
    assert tables.effective_robustness(measured)["note"].str.contains("at least 5").all()
