"""Paired comparison, ranks and consistency: by hand, and against what a comparison must do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from robench import metrics, tables
from robench.errors import RunError

A = np.array([1, 1, 1, 1, 1, 1, 1, 0, 0, 0], bool)
B = np.array([1, 0, 0, 0, 0, 0, 0, 1, 0, 0], bool)


def test_mcnemar_by_hand():
    """n01 = 1, n10 = 6: 2 (C(7,0) + C(7,1)) / 2^7."""
    assert metrics.discordant(A, B) == (1, 6)
    assert metrics.mcnemar(1, 6) == metrics.mcnemar(6, 1) == pytest.approx(2 * 8 / 128)
    assert metrics.mcnemar(3, 3) == metrics.mcnemar(0, 0) == 1


def test_holm_by_hand():
    """0.01 x 3, then 0.03 x 2, and 0.04 x 1 is not less than what stands before it."""
    assert metrics.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert metrics.holm([0.01, float("nan")]) == pytest.approx([0.02, float("nan")], nan_ok=True)
    assert metrics.holm([0.9, 0.8]) == [1, 1]
    assert metrics.holm([]) == []


@pytest.mark.parametrize("number", [1, 2, 76])
def test_holm_is_that_of_statsmodels(number):
    p = np.random.default_rng(number).random(number) ** 4
    p[: number // 3] = p[-1]
    assert metrics.holm(list(p)) == pytest.approx(list(multipletests(p, method="holm")[1]), rel=1e-12)


def test_kappa_by_hand():
    """Right on 6 each, on 2 both, on none neither: c_obs 0.2, c_exp 0.36 + 0.16."""
    a, b = np.arange(10) < 6, np.arange(10) >= 4
    observed, expected, kappa = metrics.error_consistency(a, b)
    assert (observed, expected, kappa) == pytest.approx((0.2, 0.52, -0.32 / 0.48))
    assert metrics.error_consistency(a, a)[2] == 1
    assert metrics.error_consistency(np.ones(3, bool), np.ones(3, bool)) == (1, 1, 1)
    assert metrics.error_consistency(np.ones(3, bool), np.zeros(3, bool))[2] == 0


@pytest.fixture
def two(cell):
    return [
        cell("clean", "clean", A, model="a"), cell("fog", "1", A, model="a"), cell("snow", "1", B, model="a"),
        cell("clean", "clean", A, model="b"), cell("fog", "1", B, model="b"), cell("snow", "1", A, model="b"),
    ]  # fmt: skip


def test_pairs_by_hand(two):
    frame = tables.pairs(tables.CellScores(two))
    assert ",".join(frame.columns) == (
        "model_a,model_b,dataset,corruption,strength,seed,diff,ci_low,ci_high,n01,n10,p_mcnemar,p_holm,suite,note"
    )
    clean, fog, snow, mean = frame.itertuples()
    assert (clean.diff, clean.n01, clean.n10, clean.p_mcnemar, clean.p_holm) == (0, 0, 0, 1, 1)
    assert (fog.diff, fog.n01, fog.n10) == (pytest.approx(0.5), 1, 6)
    assert (fog.p_mcnemar, fog.p_holm) == pytest.approx((0.125, 0.375))
    assert (snow.diff, snow.n01, snow.n10) == (pytest.approx(-0.5), 6, 1)
    assert fog.ci_low < 0.5 < fog.ci_high
    assert (mean.corruption, mean.strength, mean.diff) == ("mean_corruption_accuracy", "", pytest.approx(0))
    assert mean.ci_low <= 0 <= mean.ci_high
    assert pd.isna(mean.seed)
    assert pd.isna(mean.p_mcnemar)


def test_a_pair_with_a_missing_cell_is_incomplete(two, cell):
    two[4] = cell("fog", "1", None, model="b")
    _, fog, snow, mean = tables.pairs(tables.CellScores(two)).itertuples()
    assert fog.note.startswith("incomplete: ")
    assert pd.isna(fog.diff)
    assert snow.p_holm == pytest.approx(3 * 0.125)
    assert (mean.note[:20], pd.isna(mean.diff)) == ("incomplete: 1 of 2 c", True)
    unasked = tables.pairs(tables.CellScores(two[:4] + two[5:]))
    assert unasked["note"].str.startswith("incomplete").tolist() == [False, True, False, True]


def test_a_difference_is_known_better_than_its_parts(cell):
    """Models that fail on the same images: the paired interval is far narrower than two intervals apart."""
    hard = np.random.default_rng(0).random(1000)
    found = [cell("fog", "1", hard < 0.70, model="a"), cell("fog", "1", hard < 0.68, model="b")]
    mean = tables.pairs(tables.CellScores(found)).iloc[-1]
    assert 0 < mean["ci_low"] < mean["diff"] < mean["ci_high"]
    apart = np.sqrt(2) * 2 * 1.96 * np.sqrt(0.7 * 0.3 / 1000)
    assert mean["ci_high"] - mean["ci_low"] < 0.3 * apart


def test_consistency_is_a_row_a_cell(two):
    frame = tables.error_consistency(tables.CellScores(two))
    assert frame["kappa"].tolist() == pytest.approx([1, (0.3 - 0.38) / 0.62, (0.3 - 0.38) / 0.62])
    assert frame[["c_obs", "c_exp"]].iloc[1].tolist() == pytest.approx([0.3, 0.7 * 0.2 + 0.3 * 0.8])


def test_ranks_are_open_where_the_data_leave_them_open(cell, right):
    shares = {"worst": 0.3, "good": 0.8, "better": 0.81, "like good": 0.8}
    rng = np.random.default_rng(0)
    found = [cell("fog", "1", rng.permutation(right(share, 500)), model=name) for name, share in shares.items()]
    frame = tables.ranks(tables.CellScores(found)).set_index("model")
    assert list(frame.index) == ["better", "good", "like good", "worst"]
    assert frame["rank"].tolist() == [1, 2, 2, 4]
    assert frame["rank_low"].tolist() == [1, 1, 1, 4]
    assert frame["rank_high"].tolist() == [3, 3, 3, 4]
    assert frame.loc["worst", "mean_corruption_accuracy"] == pytest.approx(0.3)


def test_equal_models_are_tied_whatever_the_order_of_the_sum(cell, right):
    """Three cells of 0.1, 0.2 and 0.3: in float64 (0.1 + 0.2) + 0.3 is more than 0.1 + (0.2 + 0.3)."""
    found = [
        cell(name, "1", right(share, 10), model=model)
        for model, shares in (("a", (0.1, 0.2, 0.3)), ("b", (0.3, 0.2, 0.1)))
        for name, share in zip(("fog", "frost", "snow"), shares, strict=True)
    ]
    measured = tables.CellScores(found)
    assert len({float(measured.grid(measured.cells_of(model, "")).mean()[0]) for model in "ab"}) == 2
    assert tables.ranks(measured)["rank"].tolist() == [1, 1]


def test_an_incomplete_model_has_no_rank(two, cell):
    frame = tables.ranks(tables.CellScores([*two, cell("fog", "1", A, model="c")])).set_index("model")
    assert frame.loc["a", "rank"] == frame.loc["b", "rank"] == 1
    assert pd.isna(frame.loc["c", "rank"])
    assert frame.loc["c", "note"] == "incomplete: 1 of the 2 cells of the other models were not asked for"


def test_cells_on_other_images_are_not_compared(cell):
    with pytest.raises(RunError, match="expected cells on the same images"):
        tables.CellScores([cell("fog", "1", A), cell("fog", "1", A, model="b", data_digest="2" * 64)])


def test_every_table_is_the_same_in_any_order_of_cells(two):
    for table in (tables.pairs, tables.ranks, tables.error_consistency):
        first, other = (table(tables.CellScores(found)) for found in (two, two[:3][::-1] + two[3:][::-1]))
        assert set(tables.to_csv(first).splitlines()) == set(tables.to_csv(other).splitlines())
