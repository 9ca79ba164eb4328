"""`verify` names what is wrong with a set; a manifest that leads out of its folder is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from robench import setformat
from robench.errors import SetError
from robench.export import generate, verify
from robench.export._verify import same_pixels
from robench.files import sha256_file
from robench.selection import select

CELLS = select([], ["awgn@0.1,0.5", "contrast@1", "mixed_resolution@2"])


@pytest.fixture
def made(boxed, form, tmp_path):
    generate(boxed, CELLS, tmp_path / "set", form=form)
    return tmp_path / "set"


def test_a_right_set_has_no_faults(made):
    assert verify(made) == []


def _flip(path, place=-1):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_one_changed_byte_of_any_file_is_named(made):
    """Every array and listing, and of the many pictures one of each folder."""
    seen = set()
    for path in sorted(made.rglob("*")):
        place = path.parent if path.suffix == ".png" else path
        if not path.is_file() or path.name == "manifest.json" or place in seen:
            continue
        seen.add(place)
        right = path.read_bytes()
        _flip(path, len(right) // 2)
        assert any(str(path) in fault for fault in verify(made)), path
        path.write_bytes(right)
    assert len(seen) >= 5


def test_a_missing_file_is_named_beside_other_faults(made, form):
    arrays = ["ids.npy", "labels.npy", "boxes.npy", "clean.npy", "awgn.npy", "contrast.npy"]
    names = arrays if form == "npy" else ["digests/clean.parquet", "digests/awgn.parquet"]
    for name in names:
        right = (made / name).read_bytes()
        (made / name).unlink()
        assert any(f"{made / name}: missing" in fault for fault in verify(made)), name
        (made / name).write_bytes(right)
    first = sorted(made.glob("awgn/sigma=0.5/*/*.png"))[:1]
    for path in first:
        path.unlink()
        assert any(str(path) in fault for fault in verify(made))
    if form == "npy":
        (made / "labels.npy").unlink()
        _flip(made / "contrast.npy")
        assert len(verify(made)) == 2


@pytest.mark.parametrize("form", ["folder"], indirect=True)
def test_swapped_pictures_are_named(made):
    for folder in ("awgn/sigma=0.1", "clean"):
        first, second = sorted(made.glob(f"{folder}/*/*.png"))[3:5]
        one, two = first.read_bytes(), second.read_bytes()
        first.write_bytes(two)
        second.write_bytes(one)
        faults = verify(made)
        assert any(f"{first}: its pixels" in fault for fault in faults)
        assert any(f"{second}: its pixels" in fault for fault in faults)


@pytest.mark.parametrize("form", ["npy"], indirect=True)
def test_swapped_blocks_with_a_mended_digest_are_found_by_making_them_again(made):
    array = np.load(made / "awgn.npy")
    np.save(made / "awgn.npy", np.concatenate([array[40:], array[:40]]))
    manifest = setformat.read_manifest(made)
    manifest["corruptions"]["awgn"]["sha256"] = sha256_file(made / "awgn.npy")
    setformat.write_manifest(made, manifest)
    assert verify(made) == [
        "awgn sigma=0.1: degrading 32 images again gives other pixels",
        "awgn sigma=0.5: degrading 32 images again gives other pixels",
    ]


CHANGES = {
    "seed": (lambda m: m | {"seed": 1}, "awgn sigma=0.1: degrading 32 images again gives other pixels"),
    "native": (lambda m: m | {"native": 224}, "contrast 1: degrading 32 images again"),
    "n": (lambda m: m | {"n": 41}, "expected 41 images, got 40"),
    "shape": (lambda m: m | {"shape": [20, 24, 3]}, "20, 24, 3"),
    "classes": (lambda m: m | {"classes": ["0", "1"]}, "labels must be 0..1"),
    "data_digest": (lambda m: m | {"data_digest": "0" * 64}, "data_digest is not that of the set's clean images"),
    "ids_sha256": (lambda m: m | {"ids_sha256": "0"}, "ids_sha256 is not that of the set's ids"),
    "files": (lambda m: m | {"files": {}}, "manifest.json: expected the sha256 of"),
    "a file's sha256": (lambda m: m | {"files": dict.fromkeys(m["files"], "0")}, "its sha256 is not the manifest's"),
    "a corruption's sha256": (lambda m: _with(m, sha256="0"), "not the manifest's"),
    "a strength": (lambda m: _with(m, strengths=["sigma=0.1", "sigma=0.4"]), "sigma=0.4"),
    "a strength less": (lambda m: _with(m, strengths=["sigma=0.1"]), "awgn"),
    "an unknown strength": (lambda m: _with(m, strengths=["sigma=0.1", "x=1"]), "x=1"),
    "version": (lambda m: _with(m, version=7), "awgn: made by version 7, installed is version 1: not made again"),
    "a corruption not installed": (
        lambda m: m | {"corruptions": {"nebula": m["corruptions"]["awgn"]}},
        "nebula",
    ),
}


def _with(manifest, **changes):
    return manifest | {"corruptions": {**manifest["corruptions"], "awgn": manifest["corruptions"]["awgn"] | changes}}


@pytest.mark.parametrize("entry", CHANGES)
def test_a_changed_entry_of_the_manifest_is_named(made, entry):
    change, line = CHANGES[entry]
    setformat.write_manifest(made, change(setformat.read_manifest(made)))
    faults = verify(made)
    assert any(line in fault for fault in faults), faults
    assert not any("\n" in fault for fault in faults)


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"../secret": "0"}},
        {"files": {"/etc/passwd": "0"}},
        {"files": {"digests/../../secret": "0"}},
        {"files": {"a\\b": "0"}},
        {"corruptions": {"../other": {"version": 1, "strengths": ["1"], "sha256": "0"}}},
        {"corruptions": {"awgn": {"version": 1, "strengths": ["../../1"], "sha256": "0"}}},
    ],
)
def test_a_manifest_that_leads_out_is_refused(made, change):
    path = made / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SetError, match="expected a plain file name"):
        verify(made)


def test_a_folder_without_a_set_is_one_line(tmp_path):
    with pytest.raises(SetError, match=r"manifest\.json: cannot be read: No such file"):
        verify(tmp_path)
    (tmp_path / "manifest.json").write_text('{"schema": "robench-set/2"}')
    with pytest.raises(SetError, match="expected schema robench-set/1, got 'robench-set/2'"):
        verify(tmp_path)


def test_a_corruption_that_is_not_bit_exact_has_its_tolerance():
    first = np.zeros((4, 100, 100, 3), np.uint8)
    near, far, many = first.copy(), first.copy(), first.copy()
    near[0, 0, :12, 0] = 1
    far[0, 0, 0, 0] = 2
    many[0, 0, :13, 0] = 1
    assert [same_pixels(first, other, exact=False) for other in (first, near, far, many)] == [True, True, False, False]
    assert [same_pixels(first, other, exact=True) for other in (first, near)] == [True, False]
