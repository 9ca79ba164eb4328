"""`robench gate`: exit codes from lower limits, a line per condition, JUnit XML."""

from xml.etree import ElementTree

import pytest

CLEAN, NOISE = "tiny_cnn=digits-clean", "tiny_cnn=digits-noise"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    from robench.sweep import SweepConfig, run

    folder = tmp_path_factory.mktemp("gate")
    for name, model in (("clean", CLEAN), ("noise", NOISE)):
        given = {"corruptions": ("awgn@0.1", "contrast@1"), "limit": 100}
        run(SweepConfig((model,), "digits", folder / name, **given))
    return folder


def test_a_condition_holds_from_the_lower_limit(robench, runs):
    done = robench("gate", runs / "noise", "--min", "mean=0.8", "--min", "clean=0.9", "--min", "awgn=0.9")
    assert (done.code, done.out.count("pass  tiny_cnn=digits-noise: ")) == (0, 3)
    assert "lower 95 % limit" in done.out


def test_a_value_above_a_minimum_whose_limit_is_below_fails(robench, runs):
    import pandas as pd

    rows = pd.read_csv(runs / "noise" / "metrics.csv").set_index("metric")
    value, low = rows.loc["mean_corruption_accuracy", ["value", "ci_low"]]
    between = (value + low) / 2
    done = robench("gate", runs / "noise", "--min", f"mean={between:.4f}")
    assert done.code == 1
    assert done.out.startswith("FAIL  tiny_cnn=digits-noise: mean >= ")
    assert done.line == "robench: 1 of 1 conditions failed"


def test_no_worse_than_another_run(robench, runs):
    assert robench("gate", runs / "noise", "--no-worse-than", runs / "clean", "--margin", "0.1").code == 0
    done = robench("gate", runs / "clean", "--no-worse-than", runs / "noise", "--margin", "0.05")
    assert done.code == 1
    assert "FAIL  tiny_cnn=digits-clean: mean no worse than tiny_cnn=digits-noise by more than 5 %" in done.out
    same = robench("gate", runs / "clean", "--no-worse-than", runs / "clean", "--model", CLEAN, "--model-base", CLEAN)
    assert same.code in (0, 1)


def test_junit(robench, runs, tmp_path):
    robench("gate", runs / "noise", "--min", "mean=0.5", "--min", "mean=1", "--junit", tmp_path / "gate.xml")
    suite = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite] == ["mean >= 50 %", "mean >= 100 %"]
    assert suite[0].find("failure") is None
    assert "lower 95 % limit" in suite[1].find("failure").get("message")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "expected a condition, --min METRIC=VALUE or --no-worse-than RUN"),
        (("--min", "mean"), "expected METRIC=VALUE with a value from 0 to 1"),
        (("--min", "mean=70"), "expected METRIC=VALUE with a value from 0 to 1"),
        (("--min", "mean=nan"), "expected METRIC=VALUE with a value from 0 to 1"),
        (("--min", "contrst=0.5"), "unknown metric 'contrst'; did you mean contrast"),
        (("--min", "mean_corruption_error=0.5"), "expected a metric that is better when higher"),
        (("--min", "mean=0.5", "--model", "net"), "unknown model 'net'"),
        (("--min", "mean=0.5", "--margin", "2"), "--margin: expected an accuracy from 0 to 1, got 2"),
    ],
)
def test_a_mistake_is_one_line(robench, runs, tmp_path, options, words):
    done = robench("gate", runs / "noise", *options, "--junit", tmp_path / "gate.xml")
    assert done.code == 2
    assert words in done.line
    assert not (tmp_path / "gate.xml").exists()


def test_a_folder_without_a_run_is_one_line(robench, tmp_path):
    assert "expected a run folder" in robench("gate", tmp_path, "--min", "mean=0.5").line
