"""`robench compare`: who is better where, on cells that both models have, and on the same images only."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from robench import tables
from robench.cli import main
from robench.comparison import compare, write
from robench.errors import ConfigError, RunError
from robench.store import Run
from robench.sweep import SweepConfig, run

CLEAN, NOISE = "tiny_cnn=digits-clean", "tiny_cnn=digits-noise"
CHOSEN = ("awgn@0.2,0.4", "contrast@3")


def sweep(folder, *models, chosen=CHOSEN, **options):
    run(SweepConfig(models, "digits", folder, corruptions=chosen, **({"limit": 60} | options)))
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("clean") / "run", CLEAN)


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("noise") / "run", NOISE)


def test_differences_are_of_the_measured_accuracies(clean, noise) -> None:
    [one] = compare(clean, noise)
    assert (one.model_a, one.model_b) == (CLEAN, NOISE)
    rows = one.differences.set_index("what")
    assert list(rows.index) == ["clean", "awgn", "contrast", "mean_corruption_accuracy"]
    a, b = (tables.cells(Run(folder)).groupby("corruption")["top1"].mean() for folder in (clean, noise))
    for name in ("clean", "awgn", "contrast"):
        assert rows.loc[name, "a"] == pytest.approx(a[name])
        assert rows.loc[name, "diff"] == pytest.approx(a[name] - b[name])
    assert rows.loc["mean_corruption_accuracy", "b"] == pytest.approx((b["awgn"] + b["contrast"]) / 2)
    assert (rows["ci_low"] <= rows["diff"]).all()
    assert (rows["diff"] <= rows["ci_high"]).all()
    assert rows.loc["awgn", "better"] == "b"
    assert rows.loc["clean", "better"] == "open"


def test_the_order_of_the_runs_turns_the_signs(clean, noise) -> None:
    [one], [other] = compare(clean, noise), compare(noise, clean)
    assert np.allclose(one.differences["diff"], -other.differences["diff"])
    assert list(other.differences["better"]) == [
        "open",
        "a",
        *one.differences["better"].map({"b": "a"})[2:].fillna("open"),
    ]


def test_a_run_with_itself_is_every_two_of_its_models(tmp_path, capsys) -> None:
    both = sweep(tmp_path / "both", CLEAN, NOISE)
    [one] = compare(both, both)
    assert (one.model_a, one.model_b) == (CLEAN, NOISE)
    with pytest.raises(SystemExit, match="0"):
        main(["compare", str(both), str(both), "--model-a", NOISE, "--model-b", NOISE])
    said = capsys.readouterr().out
    assert re.search(r"clean +(\S+) +\1 +\+0.00 +-5.96 to \+5.96 +open", said)
    assert "of 4 cells A is better in 0, B in 0" in said


def test_a_run_of_one_model_is_not_compared_with_itself(clean) -> None:
    with pytest.raises(ConfigError, match=rf"expected two models to compare, got {CLEAN} alone; name another run"):
        compare(clean, clean)


def test_namesakes_are_compared_and_cells_of_one_alone_left_out(clean, tmp_path) -> None:
    other = sweep(tmp_path / "other", CLEAN, NOISE, chosen=("awgn@0.2,0.3",))
    [one] = compare(clean, other)
    assert (one.model_a, one.model_b) == (f"{CLEAN} ({clean})", f"{CLEAN} ({other})")
    rows = one.differences.set_index("what")
    assert list(rows["diff"]) == [0, 0, 0]
    assert list(rows["n_cells"]) == [1, 1, 1]
    assert rows.loc["mean_corruption_accuracy", "note"] == "cells of one model alone are left out: 3"
    written = write([one], tmp_path / "compared")
    frames = [pd.read_csv(path) for path in written[:2]]
    assert all((frame["model_a"] != frame["model_b"]).all() for frame in frames)
    assert str(other) in one.text


def test_tables_and_heatmaps_are_written(clean, noise, tmp_path) -> None:
    compared = compare(clean, noise)
    made = write(compared, tmp_path)
    assert [path.name for path in made] == [
        *("differences.csv", "pairs.csv"),
        *(f"difference.{kind}" for kind in ("svg", "png", "csv")),
    ]
    frame = pd.read_csv(made[0])
    assert set(frame["model_a"]) == {CLEAN}
    assert list(frame["diff"]) == pytest.approx(list(compared[0].differences["diff"]))
    assert list(pd.read_csv(made[1])["corruption"]) == ["clean", "awgn", "awgn", "contrast"]


def test_other_images_are_refused(clean, tmp_path) -> None:
    other = sweep(tmp_path / "other", CLEAN, limit=30)
    with pytest.raises(RunError, match=r"expected the images of .*digits test \(60, digest .*got digits test \(30"):
        compare(clean, other)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere"], "nowhere: expected a run folder with a manifest.json, found none"),
        (
            ["--model-a", "tiny_cnn=digits-clear"],
            "unknown model 'tiny_cnn=digits-clear'; did you mean tiny_cnn=digits-cl",
        ),
    ],
)
def test_mistakes_are_one_line(clean, tmp_path, capsys, arguments, complaint) -> None:
    out = tmp_path / "out"
    second = [] if arguments == ["nowhere"] else [str(clean)]
    with pytest.raises(SystemExit) as left:
        main(["compare", str(clean), *second, *arguments, "-o", str(out)])
    said = capsys.readouterr()
    assert left.value.code
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert complaint in said.err
    assert not out.exists()
