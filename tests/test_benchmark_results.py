"""The committed benchmark results are whole, and their two pages are what they give. Nothing is measured here."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

import corruptions

ROOT = Path(__file__).parent.parent
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "peers.json").read_text())
FAMILIES = {*corruptions.suite("cifar10-c/1").keys, *corruptions.suite("cifar10-c-extra/1").keys}
PEERS = ("imagecorruptions", "albumentations", "kornia")
PORT_RESULTS = json.loads((ROOT / "benchmarks" / "results" / "ports.json").read_text())
PORTS = {
    "imagenet-c": "0.0.3",
    "imagecorruptions": "1.1.2",
    "imagecorruptions-imaug": "1.1.5",
    "corrupt-tta": "0.1.7",
}


def peer_page():
    spec = importlib.util.spec_from_file_location("peer_page", ROOT / "benchmarks" / "peer_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ports_page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("ports_page", ROOT / "benchmarks" / "ports_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.delitem(sys.modules, "peer_page")
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


def test_every_port_has_every_family_at_224():
    assert PORT_RESULTS["schema"] == "robench-ports/1"
    assert {name: facts["versions"][name] for name, facts in PORT_RESULTS["ports"].items()} == PORTS
    for name, facts in PORT_RESULTS["ports"].items():
        assert set(facts["cells"]["224"]) == FAMILIES, name
        for family, cells in facts["cells"]["224"].items():
            assert list(cells) == ["1", "2", "3", "4", "5"], (name, family)
            assert all(set(cell["pixels"]) == {"equal", "rms", "most"} for cell in cells.values()), (name, family)


def test_the_page_of_the_ports_is_what_the_results_give(monkeypatch):
    made = ports_page(monkeypatch).page(PORT_RESULTS)
    stale = "docs/ports.md is stale: run `python benchmarks/ports.py --page`"
    assert (ROOT / "docs" / "ports.md").read_text() == made, stale


def test_a_family_is_as_different_as_at_its_worst_severity(monkeypatch):
    page = ports_page(monkeypatch)

    def kind(port, *most, family="fog"):
        return page.kind(family, port, {str(at): {"pixels": {"most": level}} for at, level in enumerate(most)})

    assert kind("corrupt-tta", 0, 0) == "equal"
    assert kind("corrupt-tta", 0, 1) == "within 1"
    assert kind("corrupt-tta", 0, 2, 0) == "different"
    assert kind("imagenet-c", 0, 0) == "reference"
    assert kind("imagenet-c", 0, 0, family="contrast") == "equal"
    assert page.kind("fog", "corrupt-tta", {"fault": "ValueError"}) == "fault"
