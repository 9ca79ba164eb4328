"""Claims of papers, held against numbers of the same images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from robench.errors import RunError
from robench.reproduce import Claim, Floor, Measurement, Page, reproduce
from robench.reproduce._cells import Cells, wrong
from robench.reproduce._claims import findings, paired
from robench.store import Run

A, B = ("a", "x"), ("b", "x")


@pytest.mark.parametrize(
    ("within", "low", "high", "verdict"),
    [
        (None, 0.1, 2, "found"),
        (None, 0.0, 2, "open"),
        (None, -1, 1, "open"),
        (None, -2, 0.0, "not found"),
        (1.0, -0.9, 0.9, "found"),
        (1.0, -0.9, 1.0, "open"),
        (1.0, -3, 3, "open"),
        (1.0, 1.0, 3, "not found"),
        (1.0, -3, -1.0, "not found"),
    ],
)
def test_the_interval_decides(within: float | None, low: float, high: float, verdict: str) -> None:
    assert Claim("c", A, B, within).verdict(low, high) == verdict


def test_the_difference_is_paired_by_image() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(0, 50, 200)
    values = {A: base + 1 + rng.normal(0, 0.1, 200), B: base}
    found = findings([Claim("a above b", A, B), Claim("b above a", B, A)], values.__getitem__)
    assert list(found["verdict"]) == ["found", "not found"]
    row = found.iloc[0]
    expected = stats.ttest_rel(values[A], values[B]).confidence_interval()
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high))
    assert row["difference"] == pytest.approx(np.mean(values[A] - base))
    assert (row["more"], row["less"], row["n"]) == ("a, x", "b, x", 200)


def test_one_image_decides_nothing_and_equal_ones_as_much_as_they_are_many() -> None:
    assert paired(np.array([3.0])) == (3.0, -np.inf, np.inf)
    assert paired(np.zeros(5)) == (0, -np.inf, np.inf)
    _, low, high = paired(np.zeros(5), (-100, 100))
    assert (low, high) == pytest.approx((-52.18, 52.18), abs=0.01)
    assert Claim("c", A, B, within=0.5).verdict(low, high) == "open"
    assert Claim("c", A, B, within=0.5).verdict(*paired(np.zeros(2000), (-100, 100))[1:]) == "found"


def test_errors_are_what_is_not_right() -> None:
    assert list(wrong(lambda spot: np.array([100.0, 0.0]))(A)) == [0, 100]


def test_a_floor_is_met_or_the_page_does_not_count() -> None:
    met, missed, failed = (Floor("ResNet-20", 86, Measurement(value)) for value in (86.0, 85.99, None))
    assert [one.is_met for one in (met, missed, failed)] == [True, False, False]
    assert met.text == "Floor: ResNet-20 at least 86 %, reached 86.00 %: met."
    assert missed.text.endswith("reached 85.99 %: NOT met: these numbers do not count.")
    assert "reached nothing" in failed.text


def test_a_page_tells_the_networks_that_only_a_floor_rests_on() -> None:
    details = {"train_n": 40, "trained_on": "d", "epochs": 4, "paper_epochs": 9}
    table = {("a", "x"): Measurement(1.0, details=details | {"model": "one"})}
    floors = [Floor(name, 50, Measurement(60.0, details=details | {"model": name})) for name in ("one", "dncnn=two")]
    metadata = Page("T", "S", floors=floors).markdown("", table).splitlines()[-2:]
    trained = "40 training images of d, 4 epochs (the recipe has 9)"
    assert metadata == [f"- a: one, {trained}", f"- floor, dncnn=two: dncnn=two, {trained}"]


def test_a_page_says_what_was_found(tmp_path: Path) -> None:
    values = {A: np.array([0.0, 100, 100, 100] * 20), B: np.array([0.0, 0, 100, 100] * 20)}
    claims = [Claim("a above b", A, B), Claim("a near b", A, B, within=1)]
    page = Page("T", "S", found=findings(claims, values.__getitem__))
    written = page.write(tmp_path / "t", "body", {})
    assert [path.name for path in written] == ["t.md", "t-claims.csv"]
    text = written[0].read_text()
    assert "| a above b | +25.00 [15.30, 34.70] | found |" in text
    assert "| a near b | +25.00 [15.30, 34.70], within 1 | not found |" in text
    assert list(pd.read_csv(written[1])["verdict"]) == ["found", "not found"]


def test_cells_give_what_every_image_was_answered(tmp_path: Path) -> None:
    reproduce("pivot-loss", tmp_path, "table-2", budget="smoke", device="cpu")
    run = Run(tmp_path / "work" / "mnist-lowres")
    made = Cells(run, pd.DataFrame(), pd.DataFrame(), {})
    label = "resnet20=pivot-mnist-clean"
    frame = pd.read_csv(run.folder / "cells.csv").query("model == @label")
    for row in frame.itertuples():
        assert made.right(label, row.corruption, row.strength).mean() == pytest.approx(100 * row.top1)
    assert made.mean_right(label).mean() == pytest.approx(100 * frame.query("corruption != 'clean'")["top1"].mean())
    with pytest.raises(RunError, match="cells of other are missing or failed"):
        made.right("other")
