"""`verify --canonical`: which arrays are robench's own CIFAR-10-C, and the shipped digests that say so."""

from __future__ import annotations

import importlib.util
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import corruptions
from robench import datasets, setformat
from robench.cli import cli
from robench.errors import RobenchError, SetError
from robench.export import _canonical, compare_canonical, generate
from robench.export._verify import same_pixels
from robench.selection import select

ROOT = Path(__file__).parents[2]
NAMES = ("contrast", "ripple", "sparkles")
FAMILIES = [(suite, name) for suite in _canonical.SUITES for name in corruptions.suite(suite).keys]


@pytest.fixture
def made(digits, tmp_path, monkeypatch):
    """A small set that is canonical: its own digests stand in the place of the shipped ones."""
    folder = tmp_path / "set"
    paths = generate(digits, select([], NAMES, severity="1-5"), folder)
    manifest = setformat.read_manifest(folder)
    found = manifest["corruptions"]
    content = {
        "set": {key: manifest[key] for key in _canonical.FACTS} | {"strengths": found["ripple"]["strengths"]},
        "suites": {"small/1": {name: {str(fact["version"]): fact["sha256"]} for name, fact in found.items()}},
    }
    samples = {f"{path.stem}-{found[path.stem]['version']}": _canonical.sample(path) for path in paths[1:]}
    monkeypatch.setattr(_canonical, "digests", lambda: content)
    monkeypatch.setattr(_canonical, "samples", lambda: samples)
    return folder


def lines(folder):
    return {one.corruption: one.text for one in compare_canonical(folder)}


def verify(folder):
    return CliRunner().invoke(cli, ["verify", str(folder), "--canonical"])


def edit(folder, **changes):
    setformat.write_manifest(folder, setformat.read_manifest(folder) | changes)


def shift(path, count, by):
    """Move `count` of the sampled values by some levels."""
    array = np.load(path, mmap_mode="r+").reshape(-1)
    chosen = np.unique(np.arange(_canonical.SAMPLE) * _canonical.STEP % len(array))
    movable = chosen[(array[chosen] > 10) & (array[chosen] < 245)][:count]
    array[movable] += by
    array.flush()


def test_a_canonical_set_is_said_to_be_one(made):
    assert lines(made) == {
        "contrast": "contrast, version 2: canonical, byte for byte",
        "ripple": "ripple, version 1: canonical, byte for byte",
        "sparkles": "sparkles, version 2: canonical, byte for byte",
    }
    done = verify(made)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:3] == list(lines(made).values())


def test_one_changed_byte_of_a_bit_exact_corruption_differs(made):
    shift(made / "contrast.npy", 1, 1)
    assert lines(made)["contrast"].startswith("contrast, version 2: differs: expected sha256 ")
    done = verify(made)
    assert done.exit_code == 1
    assert str(done.exception) == f"{made}: 1 of 3 corruptions are not canonical: contrast"


def test_others_may_be_a_level_off_in_few_values(made, monkeypatch):
    monkeypatch.setattr(_canonical, "SAMPLE", 20_000)
    assert "byte for byte" in lines(made)["ripple"]
    shift(made / "ripple.npy", 1, 1)
    assert lines(made)["ripple"] == (
        "ripple, version 1: canonical, at most 1 level off on at most 0.0001 of 20000 sampled values"
    )
    shift(made / "sparkles.npy", 1, 2)
    assert "differs" in lines(made)["sparkles"]
    shift(made / "ripple.npy", 10, 1)
    assert "differs" in lines(made)["ripple"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"seed": 1}, "expected seed 0 as the canonical set has, got 1"),
        ({"native": 224}, "expected native 32 as the canonical set has, got 224"),
        ({"format": "folder"}, "expected format npy as the canonical set has, got folder"),
        ({"textures": "ab"}, "expected textures none as the canonical set has, got ab"),
        (
            {"data_digest": "0" * 64},
            r"expected the 60 test images .*, got 60 images of digits@test, view native \(0000",
        ),
        ({"n": 59}, "got 59 images of digits@test"),
        ({"view": "side16"}, "view side16"),
    ],
)
def test_a_set_of_something_else_is_refused_in_one_line(made, change, line):
    edit(made, **change)
    with pytest.raises(SetError, match=line) as fault:
        compare_canonical(made)
    assert "\n" not in str(fault.value)
    done = verify(made)
    assert (done.exit_code, done.stdout) == (1, "")


def test_what_has_no_digest_is_named(made, digits):
    generate(digits, select([], ["awgn@0.1"]), made)
    assert lines(made)["awgn"] == (
        "awgn, version 1: not compared: no canonical digest; see suites cifar10-c/1, cifar10-c-extra/1, cifar10-c-bar/1"
    )
    assert verify(made).exit_code == 1


def test_another_version_is_named(made):
    held = setformat.read_manifest(made)["corruptions"]
    edit(made, corruptions=held | {"contrast": held["contrast"] | {"version": 1}})
    assert lines(made)["contrast"] == "contrast, version 1: not compared: the canonical digest is of version 2"
    _canonical.digests()["suites"]["small/1"]["contrast"]["1"] = held["contrast"]["sha256"]
    assert lines(made)["contrast"] == "contrast, version 1: canonical, byte for byte; installed is version 2"


def test_other_strengths_and_missing_files_differ(made):
    held = setformat.read_manifest(made)["corruptions"]
    edit(made, corruptions=held | {"contrast": held["contrast"] | {"strengths": ["1", "2"]}})
    assert lines(made)["contrast"] == "contrast, version 2: differs: expected strengths 1, 2, 3, 4, 5, got 1, 2"
    (made / "ripple.npy").unlink()
    assert lines(made)["ripple"].endswith("ripple.npy: cannot be read: No such file or directory")


@pytest.mark.parametrize(("suite", "name"), FAMILIES)
def test_a_digest_of_todays_version_is_shipped(suite, name):
    chosen = corruptions.get(name)
    digest = _canonical.digests()["suites"][suite][name].get(str(chosen.version))
    assert digest, f"no canonical digest of {name}, version {chosen.version}; run: make canonical CIFAR10=DIR"
    assert len(bytes.fromhex(digest)) == 32
    values = _canonical.samples().get(f"{name}-{chosen.version}")
    assert (values is None) == chosen.bit_exact
    assert values is None or (values.dtype, values.shape) == (np.uint8, (_canonical.SAMPLE,))


def test_the_shipped_samples_are_small():
    folder = Path(_canonical.__file__).parent
    assert (folder / _canonical.SAMPLES).stat().st_size < 300_000
    assert "robench.export = canonical.*" in (ROOT / "setup.cfg").read_text().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "name"), FAMILIES)
def test_the_installed_code_makes_the_canonical_file(suite, name, official_cifar10):
    """One corruption at a time, because all of them take 4.5 GB."""
    chosen, data = corruptions.get(name), datasets.load(f"cifar10:{official_cifar10}")
    with tempfile.TemporaryDirectory() as folder:
        [path] = generate(data, {name: select([suite])[name]}, Path(folder) / "set")
        [found] = compare_canonical(path.parent)
        assert found.canonical, found.text
        if not chosen.bit_exact:
            stored = _canonical.samples()[f"{name}-{chosen.version}"]
            assert same_pixels(stored, _canonical.sample(path), exact=False)


# The program that renews the files


@pytest.fixture
def program(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("make_canonical", ROOT / "benchmarks" / "make_canonical.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("DIGESTS", "SAMPLES"):
        monkeypatch.setattr(module, name, tmp_path / getattr(module, name).name)
    monkeypatch.setattr(_canonical, "SUITES", ("cifar10-c-extra/1",))
    monkeypatch.setattr(module.datasets, "published_md5s", lambda: {"CIFAR-10-C": {}})
    return module


def test_what_is_missing_is_added_and_nothing_else_changed(program, digits):
    few = digits.limited(8)
    assert [line.split(",")[0] for line in program.add_missing(few)] == [
        *("added speckle_noise", "added gaussian_blur", "added spatter", "added saturate")
    ]
    assert list(program.add_missing(few)) == []
    content = json.loads(program.DIGESTS.read_text())
    families = content["suites"]["cifar10-c-extra/1"]
    spatter = families.pop("spatter")
    families["saturate"] = {"1": "old", "2": "kept"}
    program.DIGESTS.write_text(json.dumps(content))
    assert list(program.add_missing(few)) == ["added spatter, version 2"]
    families["spatter"] = spatter
    assert json.loads(program.DIGESTS.read_text()) == content


def test_other_images_and_another_published_md5_are_refused(program, digits, monkeypatch):
    list(program.add_missing(digits.limited(8)))
    program.DIGESTS.write_text(program.DIGESTS.read_text().replace('"gaussian_blur"', '"blur"'))
    with pytest.raises(RobenchError, match="expected the images"):
        list(program.add_missing(digits.limited(9)))
    monkeypatch.setattr(program.datasets, "published_md5s", lambda: {"CIFAR-10-C": {"gaussian_blur": "0" * 32}})
    with pytest.raises(RobenchError, match="expected the published md5 0000"):
        list(program.add_missing(digits.limited(8)))
