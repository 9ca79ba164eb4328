"""A mean over corruptions says of what it is: over how many, and of a suite only where the suite is whole."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import corruptions
from robench import datasets
from robench.cli import main

N = 40
FIFTEEN, FOUR = ((*corruptions.suite(name).keys,) for name in ("cifar10-c/1", "cifar10-c-extra/1"))
MEAN = "mean_corruption_accuracy"


@pytest.fixture
def said(robench):
    """said("evaluate", …) runs the command line and gives what it printed."""

    def run(*args):
        printed = robench(*args)
        assert not printed.code, printed.err
        return printed.out

    return run


@pytest.fixture
def digits(tmp_path):
    """Clean images and labels beside the sets that are made of them."""
    clean = datasets.load("digits", limit=N)
    np.savez(tmp_path / "digits.npz", images=clean.images(0, N), labels=clean.labels)
    return clean


def arrays(folder: Path, clean, names) -> Path:
    """As published: an array a corruption, five blocks of images, each darker than the one before."""
    folder.mkdir()
    blocks = np.concatenate([clean.images(0, N) // (1 + severity) for severity in range(5)])
    for name in names:
        np.save(folder / f"{name}.npy", blocks)
    np.save(folder / "labels.npy", np.tile(clean.labels, 5))
    return folder


def tree(folder: Path, clean, severities) -> Path:
    """CORRUPTION/SEVERITY/CLASS/FILE, each corruption with these severities."""
    for name, some in severities.items():
        for severity in some:
            for place, image in enumerate(clean.images(0, N)):
                path = folder / name / str(severity) / f"n0{clean.labels[place]}" / f"test_{clean.ids[place]}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image[..., 0] // severity).save(path)
    return folder


def evaluate(said, data, out, *more):
    clean = ("--clean", f"npz:{data.parent / 'digits.npz'}") if (data / "labels.npy").exists() else ()
    return said("evaluate", "-m", "tiny_cnn=digits-clean", "-d", f"generated:{data}", *clean, *more, "-o", out)


def means_of(out: Path) -> pd.DataFrame:
    frame = pd.read_csv(out / "metrics.csv", keep_default_na=False)
    return frame[frame["metric"] == MEAN].set_index("suite")


def test_the_19_arrays_are_two_suites_with_a_mean_each(said, digits, tmp_path):
    text = evaluate(said, arrays(tmp_path / "C", digits, (*FIFTEEN, *FOUR)), tmp_path / "run")
    rows = [line.rsplit("  ", 1)[0].strip() for line in text.splitlines() if line.startswith("mean over")]
    assert rows == ["mean over 15 corruptions, cifar10-c/1", "mean over 4 corruptions, cifar10-c-extra/1"]
    found = means_of(tmp_path / "run")
    assert found["n_corruptions"].to_dict() == {"cifar10-c/1": 15, "cifar10-c-extra/1": 4}
    assert found["n_cells"].to_dict() == {"cifar10-c/1": 75, "cifar10-c-extra/1": 20}
    assert set(found["note"]) == {""}
    clean = pd.read_csv(tmp_path / "run" / "cells.csv").query("corruption == 'clean'")
    assert list(clean["suite"]) == ["cifar10-c/1", "cifar10-c-extra/1"]


def test_a_suite_that_lacks_an_array_is_not_named(said, digits, tmp_path):
    text = evaluate(said, arrays(tmp_path / "C", digits, (*FIFTEEN[1:], *FOUR)), tmp_path / "run")
    reason = "not cifar10-c/1: 5 of its 75 cells are not there, gaussian_noise 1, 2, 3, 4, 5"
    [line] = [line for line in text.splitlines() if "14 corruptions" in line]
    assert line.startswith("mean over 14 corruptions, no suite")
    assert line.endswith("[1]")
    assert f"\n[1] {reason}" in text
    assert means_of(tmp_path / "run").loc["", "note"] == reason


def test_unequal_severities_have_no_mean(said, digits, tmp_path):
    data = tree(tmp_path / "C", digits, {"fog": (1, 2, 3, 4, 5), "snow": (1, 2), "frost": (1, 2, 3, 4, 5)})
    text = evaluate(said, data, tmp_path / "run")
    reason = "incomplete: unequal severities, without snow 3, 4, 5"
    assert re.search(r"mean over 3 corruptions +none \[1\]\n", text)
    assert f"\n[1] {reason}" in text
    assert means_of(tmp_path / "run").loc["", ["value", "note"]].tolist() == ["", reason]
    frame = pd.read_csv(tmp_path / "run" / "metrics.csv", keep_default_na=False).set_index("metric")
    assert frame.loc["mean_accuracy[snow]", "value"] != ""


def test_severities_chosen_unequal_have_no_mean_nor_rank(said, tmp_path):
    chosen = ("-c", "contrast@1,3", "-c", "fog@3", "-c", "awgn@0.1")
    models = ("-m", "tiny_cnn=digits-clean", "-m", "tiny_cnn=digits-noise")
    text = said("evaluate", *models, "-d", "digits", "--limit", N, *chosen, "-o", tmp_path / "run")
    assert re.search(r"mean over \d corruptions +none \[1\] +none \[1\]\n", text)
    assert "\n[1] incomplete: unequal severities, without fog 1" in text
    said("report", tmp_path / "run", "-o", tmp_path / "report")
    ranks = pd.read_csv(tmp_path / "report" / "ranks.csv")
    assert ranks["rank"].isna().all()
    assert set(ranks["note"]) == {"incomplete: unequal severities, without fog 1"}
    pairs = pd.read_csv(tmp_path / "report" / "pairs.csv").set_index("corruption")
    assert pd.isna(pairs.loc[MEAN, "diff"])


def test_a_suite_of_which_cells_are_missing_says_which(digits, said, tmp_path):
    """A run that was asked for a part of a suite under the suite's name, as `robench.sweep` allows."""
    from robench.models import load
    from robench.selection import select
    from robench.sweep import SweepConfig, SweepPlan, evaluate

    cells = select([], ["awgn@0.05", "low_resolution_nearest@2,4"])
    plan = SweepPlan(cells, suites={"pivot/1": cells})
    evaluate(
        digits, [load("tiny_cnn=digits-clean", classes=10, input_size=32)], plan, SweepConfig((), "", tmp_path / "run")
    )
    row = means_of(tmp_path / "run").loc["pivot/1"]
    assert row["value"] == ""
    assert row["note"] == (
        "incomplete: 5 of the 8 cells of pivot/1 were not asked for, awgn sigma=0.15; low_resolution_bicubic factor=2, "
        "factor=4; mixed_resolution factor=2, factor=4"
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole suite and a curve in one folder, with two networks."""
    folder = tmp_path_factory.mktemp("whole")
    models = ("-m", "tiny_cnn=digits-clean", "-m", "tiny_cnn=digits-noise")
    for what in (("-s", "cifar10-c/1"), ("-c", "awgn@0.1,0.3")):
        with pytest.raises(SystemExit) as ended:
            main(["evaluate", *models, "-d", "digits", "--limit", "200", *what, "-o", str(folder / "run")])
        assert not ended.value.code
    return folder / "run"


@pytest.mark.slow
def test_a_suite_and_a_curve_against_a_baseline(whole, said, tmp_path):
    said("report", whole, "-o", tmp_path, "--baseline", "tiny_cnn=digits-clean")
    text = (tmp_path / "report.md").read_text()
    assert "were not asked for" not in text + (tmp_path / "index.html").read_text()
    header, _, *rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][:6]
    assert header[:5] == ["model", "suite", "corruptions", "clean", "mean"]
    assert header[-2:] == ["mCE", "relative mCE"]
    told = {(row[0], row[1]): row for row in rows}
    assert {place: row[2] for place, row in told.items()} == {
        (f"tiny_cnn=digits-{net}", suite): count
        for net in ("clean", "noise")
        for suite, count in (("cifar10-c/1", "15"), ("no suite", "1"))
    }
    assert told["tiny_cnn=digits-clean", "cifar10-c/1"][-2].startswith("100.00 [")
    of_noise = told["tiny_cnn=digits-noise", "cifar10-c/1"]
    frame = pd.read_csv(tmp_path / "metrics.csv").set_index(["model", "suite", "metric"])["value"]
    assert of_noise[-2].startswith(f"{frame['tiny_cnn=digits-noise', 'cifar10-c/1', 'mce']:.2f} [")
    assert told["tiny_cnn=digits-clean", "no suite"][3] == told["tiny_cnn=digits-clean", "cifar10-c/1"][3]
    latex = (tmp_path / "accuracy.tex").read_text()
    assert "& mCE & relative mCE" in latex
    assert f"& {of_noise[-2].partition(' ')[0]} [" in latex


def test_without_a_whole_suite_mce_says_why(said, tmp_path):
    said("evaluate", "-m", "tiny_cnn=digits-clean", "-d", "digits", "--limit", N, "-c", "fog", "-o", tmp_path / "run")
    said("report", tmp_path / "run", "-o", tmp_path / "report", "--baseline", "tiny_cnn=digits-clean")
    assert "70 of the 75 cells of cifar10-c/1 were not asked for" in (tmp_path / "report" / "report.md").read_text()


def test_a_comparison_counts_its_corruptions(whole, said, tmp_path):
    text = said("compare", whole, whole)
    assert "mean over 15 corruptions, cifar10-c/1" in text
    assert "mean over 1 corruption, no suite" in text


@pytest.mark.slow
def test_downloaded_arrays_of_two_runs_are_one_suite_in_a_report(said, digits, tmp_path):
    data = arrays(tmp_path / "C", digits, FIFTEEN)
    evaluate(said, data, tmp_path / "one", *(part for name in FIFTEEN[:8] for part in ("-c", name)))
    evaluate(said, data, tmp_path / "two", *(part for name in FIFTEEN[8:] for part in ("-c", name)))
    assert list(means_of(tmp_path / "one").index) == [""]
    said("report", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "report")
    found = means_of(tmp_path / "report")
    assert found["n_corruptions"].to_dict() == {"cifar10-c/1": 15}


def test_a_comparison_has_a_mean_for_each_suite(robench, tmp_path):
    asked = ("-d", "digits", "--limit", "40", "-s", "pivot/1", "-c", "awgn@0.5", "-c", "contrast@5")
    nets = ("-m", "tiny_cnn=digits-clean", "-m", "tiny_cnn=digits-noise")
    assert robench("evaluate", *nets, *asked, "-o", tmp_path / "run").code == 0
    said = robench("compare", tmp_path / "run", tmp_path / "run", "-o", tmp_path / "compared").out
    assert "mean over 4 corruptions, pivot/1" in said
    assert "mean over 2 corruptions, no suite" in said
    rows = pd.read_csv(tmp_path / "compared" / "differences.csv")
    means = rows[rows["what"] == "mean_corruption_accuracy"].set_index("suite")
    cells = pd.read_csv(tmp_path / "run" / "cells.csv")
    suite = cells[(cells["suite"] == "pivot/1") & (cells["corruption"] != "clean") & (cells["model"] == nets[1])]
    assert means.loc["pivot/1", "a"] == pytest.approx(suite.groupby("corruption")["top1"].mean().mean())
