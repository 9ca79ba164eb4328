"""Decoded files are kept between runs, and a file that changed is decoded again."""

import json
import os

import numpy as np
import pytest

from robench import datasets
from robench.datasets import _files, stored
from robench.errors import DatasetError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tree(tmp_path, write):
    for number in range(6):
        write(tmp_path / "data" / f"class{number % 2}" / f"{number}.png", number)
    return tmp_path / "data"


@pytest.fixture
def decoded(monkeypatch):
    """The files that are decoded while a test runs."""
    seen = []
    decode = _files.decode
    monkeypatch.setattr(_files, "decode", lambda path, channels=3: seen.append(path) or decode(path, channels))
    return seen


def load(tree, tmp_path, **options):
    return stored(datasets.load(f"folder:{tree}", **options), tmp_path / "work.npy")


def pixels(dataset):
    return dataset.images(0, len(dataset))


def test_files_are_decoded_once(tree, tmp_path, cache, decoded):
    first = load(tree, tmp_path)
    assert len(decoded) == 6
    again = load(tree, tmp_path)
    assert len(decoded) == 6
    assert again.digest == first.digest == datasets.load(f"folder:{tree}").digest
    assert np.array_equal(pixels(again), pixels(first))
    assert not (tmp_path / "work.npy").exists()
    assert [path.name for path in (cache / "images").iterdir()] == [f"{first.digest}.npy"]


def test_a_limit_and_a_view_have_entries_of_their_own(tree, tmp_path, cache, decoded):
    whole, part, view = (load(tree, tmp_path, **one) for one in ({}, {"limit": 3}, {"view": "side4"}))
    assert len({whole.digest, part.digest, view.digest}) == 3
    assert view.shape == (4, 4, 3)
    count = len(decoded)
    for options, made in (({}, whole), ({"limit": 3}, part), ({"view": "side4"}, view)):
        assert np.array_equal(pixels(load(tree, tmp_path, **options)), pixels(made))
    assert len(decoded) == count


def test_a_changed_file_is_decoded_again(tree, tmp_path, cache, write):
    before = load(tree, tmp_path)
    image = write(tree / "class0" / "0.png", 99)
    after = load(tree, tmp_path)
    assert after.digest != before.digest
    assert np.array_equal(pixels(after)[0], image)


def test_a_damaged_entry_is_made_again(tree, tmp_path, cache, decoded):
    first = load(tree, tmp_path)
    (entry,) = (cache / "images").iterdir()
    content = bytearray(entry.read_bytes())
    content[-1] ^= 1
    entry.write_bytes(content)
    assert np.array_equal(pixels(load(tree, tmp_path)), pixels(datasets.load(f"folder:{tree}")))
    entry.write_bytes(b"short")
    assert load(tree, tmp_path).digest == first.digest
    assert load(tree, tmp_path).digest == first.digest


def test_without_a_cache_the_images_stand_where_they_were_asked_to(tree, tmp_path, cache, monkeypatch):
    monkeypatch.setenv("ROBENCH_CACHE", "off")
    assert load(tree, tmp_path).digest == datasets.load(f"folder:{tree}").digest
    assert (tmp_path / "work.npy").exists()
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_done_without(tree, tmp_path, cache):
    cache.write_text("a file where the folder should be")
    assert load(tree, tmp_path).digest == datasets.load(f"folder:{tree}").digest
    assert (tmp_path / "work.npy").exists()


def test_what_a_killed_process_left_goes_after_a_day(tree, tmp_path, cache):
    left, recent = (cache / "images" / f".{name}.part" for name in ("left", "recent"))
    for path in (left, recent):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    os.utime(left, (0, 0))
    load(tree, tmp_path)
    assert not left.exists()
    assert recent.exists()


def test_a_broken_file_leaves_nothing(tree, tmp_path, cache):
    (tree / "class0" / "0.png").write_bytes((tree / "class0" / "0.png").read_bytes()[:60])
    with pytest.raises(DatasetError, match=r"0\.png"):
        load(tree, tmp_path)
    assert not [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY"])
def test_a_cut_off_entry_is_made_again(content, tree, tmp_path, cache):
    first = pixels(load(tree, tmp_path)).copy()
    [entry] = (cache / "images").glob("*.npy")
    entry.write_bytes(content)
    assert np.array_equal(pixels(load(tree, tmp_path)), first)


def test_an_entry_does_not_lead_out_of_its_folder(tree, tmp_path, cache):
    load(tree, tmp_path)
    victim = tmp_path / "victim.npy"
    victim.write_bytes(b"mine")
    [source] = (cache / "sources").glob("*.json")
    source.write_text(json.dumps({"digest": str(victim.with_suffix(""))}))
    load(tree, tmp_path)
    assert victim.read_bytes() == b"mine"
