"""`generate`: the same bytes for any number of workers, units, calls and limits; what does not fit is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from processes import tree

import corruptions
from robench import datasets, setformat
from robench.errors import ConfigError, RobenchError, SetError
from robench.export import _generate, generate
from robench.selection import select

CELLS = select([], ["awgn@0.1,0.5", "contrast@1,5", "mixed_resolution@2", "crop@0.5"])


@pytest.fixture
def whole(boxed, form, tmp_path):
    """A set made in one go, by one worker."""
    generate(boxed, CELLS, tmp_path / "whole", form=form)
    return tmp_path / "whole"


def test_workers_and_units_change_no_byte(boxed, form, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(_generate, "VALUES_A_UNIT", 7 * 24 * 20 * 3)
    for workers in (1, 2):
        generate(boxed, CELLS, tmp_path / f"{workers}", form=form, workers=workers)
        assert tree(tmp_path / f"{workers}") == tree(whole)
    assert not [name for name in tree(whole) if "/." in f"/{name}"]


def test_the_set_holds_what_apply_gives(boxed, whole):
    opened = datasets.open_generated(whole)
    order = np.argsort(boxed.ids)
    clean = boxed.read(order)
    assert np.array_equal(opened.clean().images(0, 40), clean)
    assert (opened.clean().ids == boxed.ids[order]).all()
    assert (opened.clean().labels == boxed.labels[order]).all()
    for name, _, key in opened.cells:
        made = corruptions.apply_strength(
            clean,
            corruptions.get(name),
            corruptions.get(name).parse(key),
            ids=boxed.ids[order],
            boxes=boxed.boxes[order],
        )
        assert np.array_equal(opened.cell(name, key).images(0, 40), made), (name, key)


def test_the_layout_is_that_of_the_schema(boxed, whole, form):
    manifest = json.loads((whole / "manifest.json").read_text())
    assert {key: manifest[key] for key in ("schema", "dataset", "split", "view", "n", "seed", "native")} == {
        "schema": "robench-set/1",
        "dataset": "boxed",
        "split": "test",
        "view": "native",
        "n": 40,
        "seed": 0,
        "native": 32,
    }
    assert manifest["data_digest"] == boxed.digest
    if form == "npy":
        labels = np.load(whole / "labels.npy")
        assert np.load(whole / "awgn.npy").shape == (80, 24, 20, 3)
        assert (labels == np.tile(boxed.labels[::-1], 2)).all()
        assert (np.load(whole / "boxes.npy") == boxed.boxes[::-1]).all()
    else:
        assert len(list(whole.glob("awgn/sigma=0.5/*/*.png"))) == 40
        assert len(list(whole.glob("clean/*/*.png"))) == 40


def test_a_limit_changes_no_pixel(digits, form, tmp_path):
    cells = select([], ["awgn@0.3", "crop@0.5"])
    generate(digits, cells, tmp_path / "all", form=form)
    generate(digits.limited(17), cells, tmp_path / "some", form=form)
    whole, part = (datasets.open_generated(tmp_path / name) for name in ("all", "some"))
    assert len(part.clean()) == 17
    places = np.searchsorted(whole.clean().ids, part.clean().ids)
    for name, _, key in whole.cells:
        assert np.array_equal(part.cell(name, key).images(0, 17), whole.cell(name, key).read(places))


def test_another_call_writes_nothing_new(boxed, form, whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*.np[yz]") if path.stem in CELLS}
    bytes_before = tree(whole)
    assert generate(boxed, CELLS, whole, form=form) == []
    assert tree(whole) == bytes_before
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("order", [1, -1])
def test_corruptions_may_be_added_in_any_order(boxed, form, whole, tmp_path, order):
    for name in list(CELLS)[::order]:
        made = generate(boxed, {name: CELLS[name]}, tmp_path / "set", form=form)
        assert [path.stem for path in made] == [name]
    assert tree(tmp_path / "set") == tree(whole)


def test_what_a_killed_call_may_leave_is_in_nobodys_way(boxed, form, whole):
    """Killed after a corruption got its name and before the manifest said so, and while files were written."""
    expected = tree(whole)
    manifest = setformat.read_manifest(whole)
    del manifest["corruptions"]["awgn"], manifest["corruptions"]["crop"]
    setformat.write_manifest(whole, manifest)
    left = [".work/lock", ".work/awgn/sigma=0.9/0/1.png", ".work/contrast.npy", ".manifest.json.12.part"]
    if form == "folder":
        left += ["awgn/sigma=0.1/0/other.png", "digests/.awgn.parquet.12.part"]
    for name in left:
        (whole / name).parent.mkdir(parents=True, exist_ok=True)
        (whole / name).write_bytes(b"half")
    assert len(generate(boxed, CELLS, whole, form=form)) == 2
    assert tree(whole) == expected
    assert not (whole / ".work").exists()


def test_only_unfinished_files_do_not_make_a_folder_foreign(digits, tmp_path):
    (tmp_path / ".manifest.json.7.part").write_text("{")
    generate(digits, select([], ["contrast@1"]), tmp_path)
    assert ".manifest.json.7.part" not in tree(tmp_path)


def test_a_corruption_that_was_removed_is_made_again(boxed, form, whole):
    expected = tree(whole)
    path = whole / ("awgn.npy" if form == "npy" else "awgn")
    shutil.rmtree(path) if form == "folder" else path.unlink()
    assert generate(boxed, CELLS, whole, form=form) == [path]
    assert tree(whole) == expected


def _other_labels(boxed):
    return replace(boxed, labels=(boxed.labels + 1) % 3)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda d: (replace(d, name="other"), {}), "with dataset boxed, asked for other"),
        (lambda d: (replace(d, view="side24"), {}), "with view native, asked for side24"),
        (lambda d: (replace(d, split="val"), {}), "with split test, asked for val"),
        (lambda d: (d.limited(20), {}), "with n 40, asked for 20"),
        (lambda d: (_other_labels(d), {}), "with data_digest "),
        (lambda d: (replace(d, ids=d.ids + 1), {}), "with ids_sha256 "),
        (lambda d: (d, {"seed": 1}), "with seed 0, asked for 1"),
        (lambda d: (d, {"severity_table": 64}), "with native 32, asked for 64"),
    ],
)
def test_another_set_is_refused(boxed, form, tmp_path, change, line):
    cells = select([], ["contrast@1"])
    generate(boxed, cells, tmp_path / "set", form=form)
    before = tree(tmp_path / "set")
    dataset, options = change(boxed)
    with pytest.raises(SetError, match="choose another folder") as caught:
        generate(dataset, select([], ["awgn"]), tmp_path / "set", form=form, **options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert tree(tmp_path / "set") == before


def test_another_form_is_refused(boxed, form, whole):
    other = "folder" if form == "npy" else "npy"
    with pytest.raises(SetError, match=f"with format {form}, asked for {other}"):
        generate(boxed, CELLS, whole, form=other)


def test_other_strengths_of_a_corruption_are_refused(boxed, form, whole):
    line = r"awgn.* holds strengths \['sigma=0.1', 'sigma=0.5'\], asked for \['sigma=0.1'\]"
    with pytest.raises(SetError, match=line):
        generate(boxed, select([], ["awgn@0.1"]), whole, form=form)


def test_another_version_of_a_corruption_is_refused(boxed, form, whole, monkeypatch):
    newer = replace(corruptions.get("awgn"), version=2)
    monkeypatch.setattr(corruptions, "get", lambda name: newer if name == "awgn" else corruptions._core.get(name))
    with pytest.raises(SetError, match=r"awgn.* holds version 1, asked for 2"):
        generate(boxed, CELLS, whole, form=form)


def test_a_foreign_folder_is_left_alone(digits, tmp_path):
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(SetError, match=r"expected an empty folder or a set, got 'photo\.jpg' in it"):
        generate(digits, CELLS, tmp_path)
    assert list(tree(tmp_path)) == ["photo.jpg"]
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(SetError, match="expected schema robench-set/1, got None"):
        generate(digits, CELLS, tmp_path)


@pytest.mark.parametrize(
    ("text", "line"), [("awgn@0..0.2", "a set holds severities 1-5 and levels"), ("awgn@clean", "a set")]
)
def test_drawn_and_clean_strengths_are_no_part_of_a_set(digits, tmp_path, text, line):
    with pytest.raises(ConfigError, match=line):
        generate(digits, select([], [text]), tmp_path / "set")
    with pytest.raises(ConfigError, match="format must be npy, folder, imagenet-c, got 'zip'"):
        generate(digits, CELLS, tmp_path / "set", form="zip")
    assert not (tmp_path / "set").exists()


def test_a_refusal_leaves_no_folder(digits, tmp_path):
    def broken(positions):
        raise RobenchError("image 3 is broken")

    with pytest.raises(RobenchError, match="image 3 is broken"):
        generate(replace(digits, read=broken), CELLS, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_ctrl_c_leaves_whole_files_and_goes_on(boxed, form, whole, tmp_path, monkeypatch):
    work = _generate.degrade
    calls = iter(range(100))

    def stopped(source, unit):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return work(source, unit)

    with monkeypatch.context() as patch:
        patch.setattr(_generate, "degrade", stopped)
        with pytest.raises(KeyboardInterrupt):
            generate(boxed, CELLS, tmp_path / "set", form=form)
    assert not (tmp_path / "set" / ".work").exists()
    generate(boxed, CELLS, tmp_path / "set", form=form)
    assert tree(tmp_path / "set") == tree(whole)


def test_names_that_are_no_file_names_become_numbers(digits, tmp_path):
    strange = replace(digits, classes=("a/b", "..", *digits.classes[2:]), stems=("same",) * len(digits))
    generate(strange, select([], ["contrast@1"]), tmp_path / "set", form="folder")
    assert {path.name for path in (tmp_path / "set" / "clean").iterdir()} == {f"{label:05d}" for label in range(10)}
    opened = datasets.open_generated(tmp_path / "set")
    assert opened.clean().classes == strange.classes
    assert np.array_equal(opened.clean().images(0, 60), digits.images(0, 60))


@pytest.mark.parametrize("workers", [1, 2])
def test_images_in_files_are_degraded_whether_the_cache_has_them_or_not(form, workers, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBENCH_CACHE", str(tmp_path / "cache"))
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        file = tmp_path / "photos" / f"class{number % 2}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    made = []
    for name in ("cold", "warm", "off"):
        if name == "off":
            monkeypatch.setenv("ROBENCH_CACHE", "off")
        photos = datasets.load(f"folder:{tmp_path / 'photos'}")
        cells = {"awgn": [corruptions.get("awgn").parse("sigma=0.1")]}
        generate(photos, cells, tmp_path / name, form=form, workers=workers)
        made.append({path.relative_to(tmp_path / name): path.read_bytes() for path in files(tmp_path / name)})
    assert made[0] == made[1] == made[2]
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 1


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())
