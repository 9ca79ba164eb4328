"""The committed benchmark results are whole, and docs/benchmarks.md is what they give. Nothing is timed here."""

import importlib.util
import json
from pathlib import Path

import pytest

import corruptions

ROOT = Path(__file__).parent.parent
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "peers.json").read_text())
FAMILIES = {*corruptions.suite("cifar10-c/1").keys, *corruptions.suite("cifar10-c-extra/1").keys}
PEERS = ("imagecorruptions", "albumentations", "kornia")


def peer_page():
    spec = importlib.util.spec_from_file_location("peer_page", ROOT / "benchmarks" / "peer_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("side", ["32", "224"])
def test_robench_has_a_rate_for_every_family_and_severity(side):
    assert set(RESULTS["rates"][side]) == FAMILIES
    assert len(FAMILIES) == 19
    for family, cells in RESULTS["rates"][side].items():
        assert list(cells) == ["1", "3", "5"], family
        assert all(cell["robench"] > 0 for cell in cells.values()), family


def test_it_says_what_was_measured_and_where():
    assert RESULTS["schema"] == "robench-benchmark/1"
    assert {"processor", "cores", "system", "python"} <= set(RESULTS["machine"])
    assert {"before", "median", "most"} == set(RESULTS["load"])
    for who in ("robench", *PEERS):
        assert (who in RESULTS["versions"]) != (who in RESULTS["absent"]), who
    for packages in RESULTS["versions"].values():
        assert all(packages.values())
    assert RESULTS["versions"]["imagecorruptions"]["imagecorruptions"] == "1.1.2"


def test_imagecorruptions_ran_every_family():
    for families in RESULTS["rates"].values():
        for family, cells in families.items():
            assert all(isinstance(cell["imagecorruptions"], float) for cell in cells.values()), family


def test_the_page_is_what_the_results_give():
    made = peer_page().page(RESULTS)
    stale = "docs/benchmarks.md is stale: run `python benchmarks/peers.py --page`"
    assert (ROOT / "docs" / "benchmarks.md").read_text() == made, stale


def test_a_ratio_is_time_over_time_not_the_mean_of_rates():
    page = peer_page()
    cells = {"1": {"robench": 100.0, "other": 10.0}, "3": {"robench": 10.0, "other": 5.0}}
    assert page.ratio(cells, "other") == pytest.approx((0.1 + 0.2) / (0.01 + 0.1))
    assert page.ratio(cells, "absent") is None
    assert page.ratio({"1": {"robench": 1.0, "other": "TypeError: no"}}, "other") is None
    assert page.total({"a": cells, "b": cells}, "robench", without=("b",)) == pytest.approx(5 * (0.01 + 0.1) / 2)
