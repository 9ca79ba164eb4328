"""CE, mCE and their relative forms against published numbers and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import corruptions
from robench import metrics, tables
from robench.errors import ConfigError

AS_JPEG = "@jpeg85"
FIFTEEN = tuple(corruptions.suite("cifar10-c/1").keys)
EXTRA = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
RESNET50 = {
    "gaussian_noise": 68.536, "shot_noise": 70.904, "impulse_noise": 74.012, "defocus_blur": 61.096,
    "glass_blur": 73.232, "motion_blur": 61.868, "zoom_blur": 63.684, "snow": 67.848, "frost": 62.684, "fog": 54.500,
    "brightness": 32.156, "contrast": 60.896, "elastic_transform": 55.044, "pixelate": 55.140,
    "jpeg_compression": 46.156,
}  # fmt: skip
"""Errors in percent of RobustBench's ResNet-50 on its 5,000 images of ImageNet-C, mean over severities."""
WRN = """
gaussian_noise 77.78 57.88 39.19 32.61 27.67   shot_noise 85.04 75.73 53.49 45.35 34.29
impulse_noise 82.89 69.05 57.37 40.11 27.08   defocus_blur 94.58 93.38 88.98 77.44 53.06
glass_blur 53.43 55.75 56.95 43.19 45.68   motion_blur 90.29 83.85 74.40 74.83 65.25
zoom_blur 87.71 84.55 77.48 70.29 57.98   snow 89.91 80.43 83.65 80.51 74.93
frost 89.55 83.50 72.61 70.86 58.70   fog 94.51 93.56 92.29 89.59 73.99
brightness 94.75 94.38 93.78 92.81 90.70   contrast 94.27 92.16 89.72 83.59 53.31
elastic_transform 90.47 90.22 85.86 78.94 73.41   pixelate 91.95 86.04 80.02 60.35 41.55
jpeg_compression 86.36 79.65 77.96 74.15 69.70
"""
"""Accuracies in percent of RobustBench's Standard WRN-28-10 on CIFAR-10-C, severities 1 to 5."""


@pytest.fixture
def alexnet():
    return metrics.baseline("alexnet", dataset="imagenet", models=())


def rows(found, baseline=None, model="net", **options):
    frame = tables.metrics_table(tables.CellScores(found, **options), baseline)
    return frame[frame["model"] == model].set_index("metric")


def test_alexnet_against_itself_is_100(alexnet, whole_suite):
    wrong = {name: round(5000 * alexnet.errors[name]) for name in FIFTEEN}
    frame = rows(whole_suite(alexnet.errors["clean"], wrong, 1000, AS_JPEG, dataset="imagenet"), alexnet)
    ratios = frame[frame["baseline"] == "alexnet"]
    assert len(ratios) == 2 * 15 + 2
    assert ratios["value"].to_numpy() == pytest.approx(100)
    assert (ratios["ci_low"] < 100).all()
    assert (ratios["ci_high"] > 100).all()
    assert (ratios.loc["mce", "n_cells"], ratios.loc["relative_mce", "n_cells"]) == (75, 76)


def test_the_published_resnet50_has_an_mce_of_76_37(alexnet, whole_suite):
    wrong = {name: round(250 * error) for name, error in RESNET50.items()}
    frame = rows(whole_suite(0.24, wrong, 5000, AS_JPEG, dataset="imagenet"), alexnet)
    assert frame.loc["mce", "value"] == pytest.approx(76.37, abs=0.005)
    assert frame.loc["ce[snow]", "value"] == pytest.approx(100 * 67.848 / 86.7)
    mean = np.mean([100 * (RESNET50[name] - 24) / (100 * alexnet.errors[name] - 43.5) for name in FIFTEEN])
    assert frame.loc["relative_mce", "value"] == pytest.approx(mean)
    assert frame.loc["mce", "ci_method"] == "image bootstrap, 2000 resamples"


def test_the_published_wide_resnet_has_a_mean_of_73_46(cell, right):
    grid = np.array(WRN.split()).reshape(15, 6)
    cells = [
        cell(row[0], str(severity), right(float(row[severity]) / 100, 10_000))
        for row in grid
        for severity in range(1, 6)
    ]
    assert rows(cells).loc["mean_corruption_accuracy", "value"] == pytest.approx(0.7346, abs=5e-5)
    worst = [one for one in cells if one.cell.severity == 5]
    assert rows(worst).loc["mean_corruption_error", "value"] == pytest.approx(0.435, abs=5e-4)


def test_ce_is_a_ratio_of_sums():
    """(0.1 + 0.3) / (0.1 + 0.5); the mean of the ratios would be 80."""
    errors, base = np.array([0.1, 0.3]), np.array([0.1, 0.5])
    assert metrics.corruption_error(errors, base) == pytest.approx(100 * 0.4 / 0.6)
    relative = metrics.relative_corruption_error(errors, 0.05, base, 0.1)
    assert relative == pytest.approx(100 * 0.3 / 0.4)


def test_against_a_model_of_the_run_by_hand(cell):
    found = [
        cell("clean", "clean", [1, 1, 1, 1, 1]), cell("fog", "1", [1, 1, 1, 0, 0]), cell("fog", "2", [1, 1, 0, 0, 0]),
        cell("clean", "clean", [1, 1, 1, 1, 0], model="base"), cell("fog", "1", [1, 1, 1, 1, 0], model="base"),
        cell("fog", "2", [0, 0, 0, 0, 0], model="base"),
    ]  # fmt: skip
    baseline = metrics.baseline("base", dataset="made", models=["net", "base"])
    frame = rows(found, baseline)
    assert frame.loc["ce[fog]", "value"] == pytest.approx(100 * (2 + 3) / (1 + 5))
    assert frame.loc["relative_ce[fog]", "value"] == pytest.approx(100 * (2 + 3) / (1 + 5 - 2))
    assert frame.loc["ce[fog]", "ci_method"] == "paired image bootstrap, 2000 resamples"
    assert frame.loc["mce", "note"] == "incomplete: 73 of the 75 cells of cifar10-c/1 were not asked for"
    own = rows(found, baseline, "base").loc["ce[fog]"]
    assert (own["value"], own["ci_low"], own["ci_high"]) == (100, 100, 100)


def test_paired_intervals_are_narrower_than_those_against_a_constant(cell):
    rng = np.random.default_rng(0)
    hard = rng.random(400)
    base = [cell("fog", "1", hard < 0.6, model="base")]
    net = [cell("fog", "1", hard < 0.65)]
    frame = rows(net + base, metrics.Baseline("base"))
    constant = rows(net, metrics.Baseline("constant", {"clean": 0, "fog": 0.4}))
    width = frame.loc["ce[fog]", "ci_high"] - frame.loc["ce[fog]", "ci_low"]
    assert pd.isna(constant.loc["ce[fog]", "value"])
    alone = metrics.interval(100 * (1 - metrics.image_bootstrap([hard < 0.65])[0]) / 0.4)
    assert 0 < width < 0.6 * float(alone[1] - alone[0])


@pytest.mark.parametrize("lacking", ["net", "base"])
def test_a_missing_cell_gives_no_value(cell, lacking):
    found = [cell("fog", "1", None if model == lacking else [1, 0, 0, 0], model=model) for model in ("net", "base")] + [
        cell("snow", "1", [1, 0, 0, 0], model=model) for model in ("net", "base")
    ]
    row = rows(found, metrics.Baseline("base")).loc["ce[fog]"]
    assert pd.isna(row["value"])
    assert row["note"].startswith("incomplete: 1 of 1 cells are missing or failed")
    assert rows(found, metrics.Baseline("base")).loc["ce[snow]", "value"] == 100


def test_a_missing_cell_gives_no_mce(alexnet, whole_suite, cell):
    wrong = {name: round(5000 * alexnet.errors[name]) for name in FIFTEEN}
    cells = whole_suite(alexnet.errors["clean"], wrong, 1000, AS_JPEG, dataset="imagenet")
    cells[7] = cell(cells[7].cell.corruption, cells[7].cell.strength, None, dataset="imagenet")
    frame = rows(cells, alexnet)
    assert pd.isna(frame.loc["mce", "value"])
    assert frame.loc["mce", "note"] == "incomplete: 1 of 75 cells are missing or failed"
    assert frame.loc["ce[fog]", "value"] == pytest.approx(100)
    unasked = rows(cells[1:7] + cells[8:], alexnet)
    assert unasked.loc["mce", "note"] == "incomplete: 1 of the 75 cells of imagenet-c/1 were not asked for"
    assert unasked.loc["relative_ce[fog]", "note"] == "not defined: the set has no clean images"
    assert "got 1@jpeg85, 3@jpeg85, 4@jpeg85, 5@jpeg85" in unasked.loc[f"ce[{cells[7].cell.corruption}]", "note"]


def test_published_errors_are_not_used_for_other_severities(alexnet, cell):
    cells = [cell("fog", f"{key}{AS_JPEG}", [1, 0], dataset="imagenet", native=32) for key in "12345"]
    assert "table 224, got 32" in rows(cells, alexnet).loc["ce[fog]", "note"]
    other = [cell("awgn", "sigma=0.1", [1, 0], dataset="imagenet", native=224)]
    assert "no error of 'alexnet' is published for awgn" in rows(other, alexnet).loc["ce[awgn]", "note"]


def test_published_errors_are_not_used_for_images_in_memory(alexnet, whole_suite):
    """The published errors are of JPEG files; those that were degraded elsewhere may be these files."""
    wrong = dict.fromkeys(FIFTEEN, 10)
    memory = whole_suite(0.1, wrong, 20, dataset="imagenet")
    assert "stored as JPEG of quality 85" in rows(memory, alexnet).loc["mce", "note"]
    with pytest.raises(ConfigError, match=r"^baseline 'alexnet': .* evaluate the suite imagenet-c/1, or name a model"):
        tables.check_baseline(alexnet, (one.cell.strength for one in memory))
    tables.check_baseline(alexnet, ["clean", "3@jpeg85"])
    tables.check_baseline(metrics.Baseline("net"), ["3"])
    downloaded = whole_suite(0.1, wrong, 20, dataset="imagenet", corruption_version=0)
    assert pd.notna(rows(downloaded, alexnet).loc["mce", "value"])


def test_a_baseline_without_errors_gives_no_value_and_no_warning(cell):
    found = [cell("fog", "1", [1, 0]), cell("fog", "1", [1, 1], model="base")]
    row = rows(found, metrics.Baseline("base")).loc["ce[fog]"]
    assert pd.isna(row["value"])
    assert row["note"] == "not defined: 'base' makes no such error"


def test_the_shipped_errors():
    errors = metrics.published_errors("alexnet")
    assert set(errors) == {"clean", *FIFTEEN, *EXTRA}
    assert errors["clean"] == 0.435
    assert np.mean([errors[name] for name in FIFTEEN]) == pytest.approx(0.789, abs=5e-4)


def test_a_baseline_is_looked_up_before_anything_is_measured():
    assert metrics.baseline("b", dataset="made", models=["a", "b"]) == metrics.Baseline("b")
    with pytest.raises(ConfigError, match=r"^unknown baseline 'resnet2'; did you mean resnet20\?$"):
        metrics.baseline("resnet2", dataset="made", models=["resnet20"])
    with pytest.raises(
        ConfigError, match=r"^baseline 'alexnet': its errors are published for imagenet, got .* cifar10"
    ):
        metrics.baseline("alexnet", dataset="cifar10", models=["a"])
