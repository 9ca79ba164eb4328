"""Generated sets: `robench-set/1` as arrays and as folders, and the published CIFAR-10-C and ImageNet-C."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from robench import datasets
from robench.errors import ConfigError, DatasetError

N, SHAPE = 4, (6, 5, 3)
IDS, LABELS = np.array([0, 2, 5, 7]), np.array([0, 1, 1, 0])
BOXES = np.tile([0, 0, 3, 6], (N, 1))
STRENGTHS = {"fog": ["1", "5"], "awgn": ["sigma=0.1", "sigma=0.2", "sigma=0.5:0"]}


def _pixels(corruption: str, strength: str) -> np.ndarray:
    return np.random.default_rng([*corruption.encode(), *strength.encode()]).integers(0, 256, (N, *SHAPE), np.uint8)


def _manifest(**changes: object) -> dict[str, object]:
    return {
        "schema": "robench-set/1",
        "dataset": "pets",
        "split": "val",
        "view": "side6",
        "data_digest": "0" * 64,
        "classes": ["cat", "dog"],
        "format": "npy",
        "seed": 3,
        "native": 32,
        "n": N,
        "shape": [N, *SHAPE],
        "corruptions": {
            name: {"version": 2, "strengths": keys, "sha256": "0" * 64} for name, keys in STRENGTHS.items()
        },
    } | changes


def _save_manifest(root, **changes):
    (root / "manifest.json").write_text(json.dumps(_manifest(**changes)))
    return root


@pytest.fixture
def as_arrays(tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    np.save(root / "ids.npy", IDS)
    np.save(root / "labels.npy", np.tile(LABELS, 3))
    np.save(root / "boxes.npy", BOXES)
    np.save(root / "clean.npy", _pixels("clean", ""))
    for name, keys in STRENGTHS.items():
        np.save(root / f"{name}.npy", np.concatenate([_pixels(name, key) for key in keys]))
    return _save_manifest(root)


@pytest.fixture
def as_folder(tmp_path):
    root = tmp_path / "set"
    (root / "digests").mkdir(parents=True)
    kinds, stems = [["cat", "dog"][label] for label in LABELS], [f"p{i}" for i in IDS]
    frame = pd.DataFrame({"id": IDS, "label": LABELS, "stem": stems, "class": kinds, "sha256": "0"})
    frame.to_parquet(root / "digests" / "clean.parquet")
    for name, keys in {**STRENGTHS, "clean": [""]}.items():
        for key in keys:
            for image, kind, stem in zip(_pixels(name, key), kinds, stems, strict=True):
                path = root / name / key / kind / f"{stem}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(path)
    return _save_manifest(root, format="folder")


@pytest.fixture(params=["as_arrays", "as_folder"])
def written(request):
    return request.getfixturevalue(request.param)


def test_a_set_tells_what_it_holds(written):
    found = datasets.open_generated(written)
    assert (found.name, found.split, found.view, found.seed, found.severity_table) == ("pets", "val", "side6", 3, 32)
    assert found.cells == tuple((name, 2, key) for name, keys in STRENGTHS.items() for key in keys)
    assert found.manifest["data_digest"] == "0" * 64
    assert found.has_clean


def test_cells_and_clean_images_are_those_on_disk(written):
    found = datasets.open_generated(written)
    cells = {(name, key): found.cell(name, key) for name, _, key in found.cells} | {("clean", ""): found.clean()}
    for (name, key), cell in cells.items():
        assert np.array_equal(cell.images(0, N), _pixels(name, key)), (name, key)
        assert np.array_equal(cell.ids, IDS)
        assert np.array_equal(cell.labels, LABELS)
        assert cell.shape == SHAPE
        assert cell.classes == ("cat", "dog")
        assert np.array_equal(cell.limited(2).images(0, 2), _pixels(name, key)[[0, 2]])


def test_boxes_and_stems_come_along(as_arrays):
    assert np.array_equal(datasets.open_generated(as_arrays).cell("fog", "1").boxes, BOXES)


def test_stems_come_along(as_folder):
    assert datasets.open_generated(as_folder).clean().stems == ("p0", "p2", "p5", "p7")


def test_load_gives_the_clean_images(written):
    found = datasets.load(f"generated:{written}", limit=2)
    assert (found.name, found.split, found.view) == ("pets", "val", "side6")
    assert found.ids.tolist() == [0, 5]
    assert datasets.load(f"generated:{written}", name="mine", view="side6").name == "mine"
    assert datasets.open_generated(written, name="mine").cell("fog", "5").name == "mine"
    with pytest.raises(ConfigError, match="pets was written with view side6, got 'side4'"):
        datasets.load(f"generated:{written}", view="side4")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"schema": "robench-set/2"}, "expected schema robench-set/1, got 'robench-set/2'"),
        ({"schema": None}, "expected schema robench-set/1, got None"),
        ({"format": "zip"}, "expected format npy, folder, imagenet-c, got 'zip'"),
        ({"seed": "3"}, "expected seed as int, got '3'"),
        ({"classes": [1, 2]}, "expected a class as str, got 1"),
        ({"n": 5}, "expected 5 images, got 4"),
        ({"corruptions": {"../x": {"version": 1, "strengths": ["1"]}}}, "expected a plain file name, got '../x'"),
        ({"corruptions": {"..": {"version": 1, "strengths": ["1"]}}}, "expected a plain file name, got '..'"),
        ({"corruptions": {"a\\b": {"version": 1, "strengths": ["1"]}}}, "expected a plain file name"),
        ({"corruptions": {"fog": {"version": 1, "strengths": ["/etc"]}}}, "expected a plain file name, got '/etc'"),
        ({"corruptions": {"fog": {"version": 1, "strengths": [1]}}}, "expected a plain file name, got 1"),
        ({"corruptions": {"fog": {"strengths": ["1"]}}}, "expected version as int, got None"),
        ({"corruptions": {"fog": 1}}, "expected fog as dict, got 1"),
    ],
)
def test_a_manifest_that_does_not_fit_is_one_line(as_arrays, changes, line):
    _save_manifest(as_arrays, **changes)
    with pytest.raises(DatasetError) as caught:
        datasets.open_generated(as_arrays)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_manifest_that_is_no_json_is_named(as_arrays):
    (as_arrays / "manifest.json").write_text("{")
    with pytest.raises(DatasetError, match=r"manifest\.json: cannot be read: "):
        datasets.open_generated(as_arrays)


@pytest.mark.parametrize("stem", ["../p0", "a/b", ".."])
def test_names_in_the_listing_stay_inside_too(as_folder, stem):
    path = as_folder / "digests" / "clean.parquet"
    frame = pd.read_parquet(path)
    frame.loc[0, "stem"] = stem
    frame.to_parquet(path)
    with pytest.raises(DatasetError, match=r"clean\.parquet: expected a plain file name"):
        datasets.open_generated(as_folder)


def test_missing_and_broken_parts_are_named(as_arrays):
    np.save(as_arrays / "fog.npy", np.zeros((N, *SHAPE), np.uint8))
    with pytest.raises(DatasetError, match=r"fog\.npy: expected uint8 \(8, H, W, C\), 2 blocks of 4 images, got uint8"):
        datasets.open_generated(as_arrays).cell("fog", "1")
    (as_arrays / "fog.npy").write_bytes(b"text")
    with pytest.raises(DatasetError, match=r"fog\.npy: cannot be read: "):
        datasets.open_generated(as_arrays).cell("fog", "1")
    (as_arrays / "fog.npy").unlink()
    with pytest.raises(DatasetError, match=r"the set is incomplete: .*fog\.npy is missing"):
        datasets.open_generated(as_arrays).cell("fog", "1")
    (as_arrays / "clean.npy").unlink()
    with pytest.raises(DatasetError, match=r"the set is incomplete: .*clean\.npy is missing"):
        datasets.open_generated(as_arrays)


def test_missing_and_broken_files_are_named(as_folder):
    (as_folder / "fog" / "1" / "cat" / "p0.png").unlink()
    with pytest.raises(DatasetError, match=r"p0\.png: no such file"):
        datasets.open_generated(as_folder).cell("fog", "1").images(0, 1)
    (as_folder / "digests" / "clean.parquet").write_bytes(b"text")
    with pytest.raises(DatasetError, match=r"clean\.parquet: .*expected a table with columns id, label, stem, class"):
        datasets.open_generated(as_folder)
    (as_folder / "digests" / "clean.parquet").unlink()
    with pytest.raises(DatasetError, match=r"the set is incomplete: .*clean\.parquet is missing"):
        datasets.open_generated(as_folder)


def test_an_unknown_cell_names_the_nearest(as_arrays):
    found = datasets.open_generated(as_arrays)
    with pytest.raises(DatasetError, match="unknown corruption 'fogg'; did you mean fog"):
        found.cell("fogg", "1")
    with pytest.raises(DatasetError, match="fog has 1, 5, got strength '3'"):
        found.cell("fog", "3")


def test_arrays_are_not_read_before_they_are_asked_for(as_arrays):
    found = datasets.open_generated(as_arrays).cell("awgn", "sigma=0.2")
    array = np.load(as_arrays / "awgn.npy", mmap_mode="r+")
    array[N + 1] = 77
    array.flush()
    assert (found.images(1, 2) == 77).all()
    assert not (found.images(0, 1) == 77).all()


def test_another_folder_says_what_is_expected(tmp_path):
    with pytest.raises(DatasetError, match=r"expected manifest\.json \(robench generate\), labels\.npy \(CIFAR-10-C\)"):
        datasets.open_generated(tmp_path)
    with pytest.raises(DatasetError, match="gone does not exist"):
        datasets.open_generated(tmp_path / "gone")


def test_a_written_set_takes_no_other_clean_images(as_arrays):
    clean = datasets.open_generated(as_arrays).clean()
    with pytest.raises(DatasetError, match="has clean images of its own; leave out the clean data set pets"):
        datasets.open_generated(as_arrays, clean=clean)


# --- downloaded sets


@pytest.fixture
def cifar10_c(tmp_path):
    """Six images of a data set in `CIFAR-10-C`; value s 10 + i is image i at severity s."""
    root = tmp_path / "CIFAR-10-C"
    root.mkdir()
    labels = np.array([2, 0, 1, 1, 0, 2], np.uint8)
    np.save(root / "labels.npy", np.tile(labels, 5))
    values = (np.arange(1, 6)[:, None] * 10 + np.arange(6)).ravel().astype(np.uint8)
    for name in ("fog", "snow"):
        np.save(root / f"{name}.npy", np.broadcast_to(values[:, None, None, None], (30, 32, 32, 3)))
    return root


@pytest.fixture
def clean(tmp_path):
    np.savez(tmp_path / "cifar10.npz", images=np.zeros((6, 32, 32, 3), np.uint8), labels=[2, 0, 1, 1, 0, 2])
    return datasets.load(f"npz:{tmp_path / 'cifar10.npz'}")


def test_a_downloaded_cifar_10_c_is_known(cifar10_c):
    found = datasets.open_generated(cifar10_c)
    assert (found.name, found.split, found.seed, found.severity_table) == ("CIFAR-10-C", "test", None, 32)
    assert found.cells == tuple((name, None, str(s)) for name in ("fog", "snow") for s in range(1, 6))
    cell = found.cell("snow", "4")
    assert cell.images(0, 6)[:, 0, 0, 0].tolist() == [40, 41, 42, 43, 44, 45]
    assert cell.labels.tolist() == [2, 0, 1, 1, 0, 2]
    assert cell.classes == ("0", "1", "2")
    with pytest.raises(DatasetError, match="holds no clean images; name their data set"):
        datasets.load(f"generated:{cifar10_c}")


def test_clean_images_bring_their_names_and_ids(cifar10_c, clean):
    found = datasets.open_generated(cifar10_c, clean=clean.limited(3))
    assert found.name == "cifar10"
    assert found.clean().ids.tolist() == [0, 2, 4]
    assert found.cell("fog", "2").images(0, 3)[:, 0, 0, 0].tolist() == [20, 22, 24]


def test_clean_images_in_another_order_are_put_in_that_of_their_ids(cifar10_c, clean):
    turned = clean.at(np.arange(6)[::-1])
    found = datasets.open_generated(cifar10_c, clean=turned)
    assert found.clean().ids.tolist() == found.cell("fog", "1").ids.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.cell("fog", "1").images(0, 6)[:, 0, 0, 0].tolist() == [10, 11, 12, 13, 14, 15]
    assert found.cell("fog", "1").labels.tolist() == [2, 0, 1, 1, 0, 2]


def test_clean_images_of_another_data_set_are_refused(cifar10_c, clean, tmp_path):
    other = replace(clean, labels=clean.labels[::-1].copy() - 1 + 1, ids=clean.ids + 1)
    with pytest.raises(DatasetError, match=r"expected the labels of cifar10@test, got others"):
        datasets.open_generated(cifar10_c, clean=other)
    with pytest.raises(DatasetError, match=r"expected the labels of cifar10@test, got others"):
        datasets.open_generated(cifar10_c, clean=replace(clean, labels=np.zeros(6, np.int64)))
    small = replace(clean, shape=(16, 16, 3))
    with pytest.raises(DatasetError, match=r"fog 1: expected height, width, channels \(16, 16, 3\), got \(32, 32, 3\)"):
        datasets.open_generated(cifar10_c, clean=small).cell("fog", "1")


def test_labels_that_are_not_five_blocks_are_refused(cifar10_c):
    np.save(cifar10_c / "labels.npy", np.arange(30))
    with pytest.raises(DatasetError, match=r"labels\.npy: expected the same labels 5 times"):
        datasets.open_generated(cifar10_c)


@pytest.fixture
def imagenet_c(class_folder, tmp_path):
    for severity in range(1, 6):
        class_folder(f"ImageNet-C/fog/{severity}", ("n01", "n02"), count=3, height=64, width=64)
    class_folder("ImageNet-C/snow/1", ("n01", "n02"), count=3, height=64, width=64)
    return tmp_path / "ImageNet-C"


def test_a_downloaded_imagenet_c_is_known(imagenet_c, picture):
    found = datasets.open_generated(imagenet_c)
    assert (found.name, found.severity_table, found.seed) == ("ImageNet-C", 64, None)
    assert found.cells == (*(("fog", None, str(s)) for s in range(1, 6)), ("snow", None, "1"))
    cell = found.cell("fog", "3")
    assert cell.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert cell.classes == ("n01", "n02")
    assert np.array_equal(cell.images(4, 5)[0], picture(101, 64, 64))
    (imagenet_c / "snow" / "1" / "n02" / "01.png").unlink()
    with pytest.raises(DatasetError, match=r"snow/1: expected an image n02/01, got none"):
        found.cell("snow", "1")


def test_files_of_a_corruption_are_known_by_their_names_and_sizes(imagenet_c):
    found = datasets.open_generated(imagenet_c)
    digests = {name: found.files_sha256(name) for name in ("fog", "snow")}
    assert digests["fog"] != digests["snow"]
    file = imagenet_c / "fog" / "2" / "n01" / "00.png"
    file.write_bytes(file.read_bytes() + b"!")
    assert found.files_sha256("fog") != digests["fog"]
    assert found.files_sha256("snow") == digests["snow"]


def test_clean_images_are_matched_by_class_and_name(imagenet_c, class_folder, picture):
    root = class_folder("imagenet/val", ("n01", "n02"), count=3, height=64, width=80).parent
    clean = datasets.load(f"imagenet:{root}", view="side64", limit=2)
    found = datasets.open_generated(imagenet_c, clean=clean)
    assert found.name == "imagenet"
    assert found.cell("fog", "1").ids.tolist() == [0, 3]
    assert np.array_equal(found.cell("fog", "1").images(1, 2)[0], picture(100, 64, 64))
    with pytest.raises(DatasetError, match="imagenet has no file names to find its images by"):
        datasets.open_generated(imagenet_c, clean=replace(clean, stems=None))
