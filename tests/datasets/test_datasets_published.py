"""The md5 of the published arrays, and what is said of files that are them, or are not."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

import corruptions
from robench import datasets
from robench.datasets import _published
from robench.files import file_digests, sha256_file

SETS = ("CIFAR-10-C", "CIFAR-100-C")


def test_the_table_has_all_19_families_and_the_labels_of_both_sets():
    families = {*corruptions.suite("cifar10-c/1").keys, *corruptions.suite("cifar10-c-extra/1").keys}
    assert len(families) == 19
    table = _published.table()
    assert set(table) == set(SETS)
    for name in SETS:
        assert set(table[name]) == families | {"labels"}
        assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in table[name].values())
    assert len({md5 for name in SETS for md5 in table[name].values()}) == 40


def test_a_file_is_digested_by_several_algorithms_at_once(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(3_000_000))
    md5 = hashlib.md5(bytes(3_000_000), usedforsecurity=False).hexdigest()
    assert file_digests(path, "sha256", "md5") == {"sha256": sha256_file(path), "md5": md5}


@pytest.fixture
def small_set(tmp_path, monkeypatch):
    """A published set of four images, with fog and snow; the folder holds both, and a rain that nobody published."""
    root = tmp_path / "Tiny-C"
    root.mkdir()
    labels = np.tile(np.array([0, 1, 2, 1], np.uint8), 5)
    for value, name in enumerate(("fog", "rain", "snow")):
        np.save(root / f"{name}.npy", np.full((20, 32, 32, 3), value, np.uint8))
    np.save(root / "labels.npy", labels)
    md5s = {name: file_digests(root / f"{name}.npy", "md5")["md5"] for name in ("fog", "snow", "labels")}
    monkeypatch.setattr(_published, "table", lambda: {"Tiny-C": md5s})
    return root


def states(root):
    found = datasets.open_generated(root)
    return found.published_set, {name: found.published(name) for name in ("fog", "rain", "snow")}


def test_arrays_are_published_or_altered_or_of_no_published_set(small_set):
    assert states(small_set) == ("Tiny-C", {"fog": "published", "rain": "", "snow": "published"})
    np.save(small_set / "fog.npy", np.full((20, 32, 32, 3), 9, np.uint8))
    assert states(small_set)[1] == {"fog": "altered", "rain": "", "snow": "published"}


@pytest.mark.parametrize("kind", [np.int64, np.int32, ">u2"])
def test_labels_of_another_type_are_the_same_labels(small_set, kind):
    np.save(small_set / "labels.npy", np.load(small_set / "labels.npy").astype(kind))
    assert states(small_set)[0] == "Tiny-C"


@pytest.mark.parametrize("change", [lambda labels: labels[::-1], lambda labels: labels.astype(int) + 256])
def test_other_labels_are_another_set(small_set, change):
    tiled = np.load(small_set / "labels.npy")
    np.save(small_set / "labels.npy", np.tile(change(tiled[:4]), 5))
    assert states(small_set) == ("", {"fog": "", "rain": "", "snow": ""})


def test_a_file_is_read_once(small_set, monkeypatch):
    from robench.datasets import _downloaded

    read = []
    monkeypatch.setattr(
        _downloaded, "file_digests", lambda path, *names: read.append(path) or file_digests(path, *names)
    )
    found = datasets.open_generated(small_set)
    assert (found.files_sha256("fog"), found.published("fog")) == (sha256_file(small_set / "fog.npy"), "published")
    assert read == [small_set / "fog.npy"]


def test_the_note_counts_the_arrays():
    note = datasets.published_note
    both = [
        {"set": "CIFAR-10-C", "arrays": {"fog": "published"}},
        {},
        {"set": "CIFAR-10-C", "arrays": {"snow": "published"}},
    ]
    assert note(both) == "CIFAR-10-C: 2 of 2 arrays are the published ones."
    assert note([]) == note([{}]) == ""
    assert datasets.published_facts("CIFAR-10-C", {"rain": ""}) == {}
