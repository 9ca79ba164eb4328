"""Every published data set on small files of its own layout, and what it says about files that are not."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from robench import datasets
from robench.errors import DatasetError

# --- digits


def test_digits_need_no_files():
    parts = {split: datasets.load(f"digits@{split}") for split in ("train", "val", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 1210, "val": 136, "test": 451}
    assert sorted(np.concatenate([part.ids for part in parts.values()])) == list(range(1797))
    test = datasets.load("digits")
    assert (test.name, test.split, test.view, test.shape) == ("digits", "test", "native", (32, 32, 1))
    assert np.bincount(test.labels).min() >= 43


def test_digits_are_scikit_learns_scaled_up():
    from sklearn.datasets import load_digits

    small = load_digits()
    found = datasets.load("digits")
    assert np.array_equal(found.labels, small.target[found.ids])
    means = found.images(0, len(found)).reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4))
    assert np.abs(means - small.images[found.ids] * 255 / 16).mean() < 16
    assert found.images(0, len(found)).max() == 255


# --- mnist


def _write_mnist(folder: Path, zipped: bool, train: int = 40, test: int = 6) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        images = np.arange(count * 6, dtype=np.uint8).reshape(count, 3, 2)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            data = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(data))
            else:
                (folder / name).write_bytes(data)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("inner", [".", "MNIST/raw"])
def test_mnist_is_read_wherever_it_lies(tmp_path, zipped, inner):
    _write_mnist(tmp_path / inner, zipped)
    found = datasets.load(f"mnist:{tmp_path}")
    assert (found.name, found.split, found.shape, len(found)) == ("mnist", "test", (3, 2, 1), 6)
    assert found.images(1, 2).ravel().tolist() == [6, 7, 8, 9, 10, 11]
    assert found.labels.tolist() == [0, 1, 2, 3, 4, 5]


def test_mnist_cuts_val_from_train(tmp_path):
    _write_mnist(tmp_path, zipped=True, train=100)
    train, val = (datasets.load(f"mnist@{split}:{tmp_path}") for split in ("train", "val"))
    assert (len(train), len(val)) == (90, 10)
    assert sorted(val.labels) == list(range(10))
    assert sorted([*train.ids, *val.ids]) == list(range(100))
    assert val.images(0, 1)[0, 0, 0, 0] == val.ids[0] * 6 % 256


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lambda data: data[:-1], "expected 36 values of (6, 3, 2), got 35"),
        (lambda data: data[:7], "expected an idx file of 3-dimensional uint8"),
        (lambda data: b"\0\0\x0d\3" + data[4:], "expected an idx file of 3-dimensional uint8"),
    ],
)
def test_broken_idx_files_are_named(tmp_path, harm, line):
    _write_mnist(tmp_path, zipped=False)
    path = tmp_path / "t10k-images-idx3-ubyte"
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(DatasetError) as caught:
        datasets.load(f"mnist:{tmp_path}")
    assert str(path) in str(caught.value)
    assert line in str(caught.value)


def test_a_cut_gzip_file_is_named(tmp_path):
    _write_mnist(tmp_path, zipped=True)
    path = tmp_path / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(
        DatasetError, match=r"t10k-labels-idx1-ubyte\.gz: cannot be read: expected an idx file, raw or gzip, got "
    ):
        datasets.load(f"mnist:{tmp_path}")


def test_a_missing_part_is_named(tmp_path):
    _write_mnist(tmp_path, zipped=True)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte\[\.gz\] does not exist; expected a folder with"):
        datasets.load(f"mnist@train:{tmp_path}")


# --- cifar10


def _write_cifar10(folder: Path, count: int = 20) -> None:
    folder.mkdir(parents=True)
    for place, name in enumerate(["test_batch", *(f"data_batch_{i}" for i in range(1, 6))]):
        data = np.random.default_rng(place).integers(0, 256, (count, 3072), dtype=np.uint8)
        (folder / name).write_bytes(
            pickle.dumps({"data": data, "labels": [i % 10 for i in range(count)]}, 3 + place % 2)
        )
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": [f"kind{i}" for i in range(10)]}))


@pytest.mark.parametrize("inner", [".", "cifar-10-batches-py"])
def test_cifar10_planes_become_pixels(tmp_path, inner):
    _write_cifar10(tmp_path / "c" / inner)
    found = datasets.load(f"cifar10:{tmp_path / 'c'}")
    assert (found.name, found.split, found.shape, len(found)) == ("cifar10", "test", (32, 32, 3), 20)
    assert found.classes[3] == "kind3"
    assert found.labels[:3].tolist() == [0, 1, 2]
    data = np.random.default_rng(0).integers(0, 256, (20, 3072), dtype=np.uint8)
    assert found.images(7, 8)[0, 2, 5].tolist() == [data[7, plane * 1024 + 2 * 32 + 5] for plane in range(3)]


def test_cifar10_train_is_five_batches_less_val(tmp_path):
    _write_cifar10(tmp_path / "c")
    train, val = (datasets.load(f"cifar10@{split}:{tmp_path / 'c'}") for split in ("train", "val"))
    assert (len(train), len(val)) == (90, 10)
    assert sorted([*train.ids, *val.ids]) == list(range(100))


def test_cifar10_reads_what_python_2_wrote(tmp_path):
    """The published batches: protocol 2, byte strings, numpy's old module name, arrays built from a string."""
    _write_cifar10(tmp_path / "c", count=1)

    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<I", len(value)) + value

    pixels = bytes(range(256)) * 12
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85" + text(b"b") + b"tR"
    kind = b"cnumpy\ndtype\n(" + text(b"u1") + b"K\0K\1tR"
    kind += b"(K\3" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    state = b"(K\1(K\1M\0\x0ct" + kind + b"\x89" + text(pixels) + b"tb"
    content = b"\x80\2}(" + text(b"data") + array + state + text(b"labels") + b"](K\7eu."
    (tmp_path / "c" / "test_batch").write_bytes(content)
    found = datasets.load(f"cifar10:{tmp_path / 'c'}")
    assert found.labels.tolist() == [7]
    assert found.images(0, 1)[0, 0, :, 1].tobytes() == pixels[1024 : 1024 + 32]


class _Harm:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_cifar10_runs_no_code_from_its_files(tmp_path):
    _write_cifar10(tmp_path / "c")
    (tmp_path / "c" / "test_batch").write_bytes(pickle.dumps({"data": _Harm(tmp_path / "harm"), "labels": []}))
    with pytest.raises(DatasetError, match=r"test_batch: cannot be read: .* it names .*, expected arrays only"):
        datasets.load(f"cifar10:{tmp_path / 'c'}")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            {"data": np.zeros((2, 3072), np.float32), "labels": [0, 1]},
            r"expected data as uint8 \(2, 3072\), got float32",
        ),
        (
            {"data": np.zeros((3, 3072), np.uint8), "labels": [0, 1]},
            r"expected data as uint8 \(2, 3072\), got uint8 \(3",
        ),
        ({"data": [1], "labels": [0]}, r"expected data as uint8 \(1, 3072\), got a value of list"),
        ({"labels": []}, "expected a batch with data and labels, got dict"),
        ([1], "expected a batch with data and labels, got list"),
    ],
)
def test_a_batch_of_another_form_is_named(tmp_path, content, line):
    _write_cifar10(tmp_path / "c")
    (tmp_path / "c" / "test_batch").write_bytes(pickle.dumps(content))
    with pytest.raises(DatasetError, match=f"test_batch: {line}"):
        datasets.load(f"cifar10:{tmp_path / 'c'}")


# --- tiny-imagenet


@pytest.fixture
def tiny(tmp_path, write):
    """Two classes of the three in wnids.txt; the box of every image is (its number, 2, 40, 63), inclusive."""
    root = tmp_path / "tiny"
    for wnid in ("n02", "n01"):
        for number in range(2):
            write(root / "train" / wnid / "images" / f"{wnid}_{number}.JPEG", number, 64, 64)
        lines = [f"{wnid}_{number}.JPEG\t{number}\t2\t40\t63\n" for number in (1, 0)]
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("".join(lines))
    rows = []
    for number, wnid in enumerate(("n02", "n03", "n01")):
        write(root / "val" / "images" / f"val_{number}.JPEG", number, 64, 64, 1 if number == 2 else 3)
        rows.append(f"val_{number}.JPEG\t{wnid}\t{number}\t2\t40\t63\n")
    (root / "val" / "val_annotations.txt").write_text("".join(rows))
    (root / "wnids.txt").write_text("n02\nn03\nn01\n")
    return root


def test_tiny_imagenet_works_with_some_of_its_classes(tiny):
    val = datasets.load(f"tiny-imagenet:{tiny}")
    assert (val.split, val.shape, val.classes) == ("val", (64, 64, 3), ("n01", "n02"))
    assert val.labels.tolist() == [1, 0]
    assert val.stems == ("val_0", "val_2")
    gray = val.images(1, 2)[0]
    assert np.array_equal(gray[..., 0], gray[..., 2])


def test_tiny_imagenet_boxes_end_after_the_last_pixel(tiny):
    assert datasets.load(f"tiny-imagenet:{tiny}").boxes.tolist() == [[0, 2, 41, 64], [2, 2, 41, 64]]
    train = datasets.load(f"tiny-imagenet@train:{tiny}")
    assert train.stems == ("n01_0", "n01_1", "n02_0", "n02_1")
    assert train.labels.tolist() == [0, 0, 1, 1]
    assert train.boxes[:, 0].tolist() == [0, 1, 0, 1]
    half = datasets.load(f"tiny-imagenet:{tiny}", view="side32")
    assert half.boxes.tolist() == [[0, 1, 21, 32], [1, 1, 21, 32]]
    assert half.shape == (32, 32, 3)


def test_tiny_imagenet_files_stand_in_the_order_of_their_names(tiny, write):
    names = [f"n01_{number}.JPEG" for number in (5, 3, 11, 0, 8, 1, 7, 10)]
    for name in names:
        write(tiny / "train" / "n01" / "images" / name, 0, 64, 64)
    (tiny / "train" / "n01" / "n01_boxes.txt").write_text("".join(f"{name}\t0\t0\t9\t9\n" for name in names))
    train = datasets.load(f"tiny-imagenet@train:{tiny}")
    assert train.stems[:8] == ("n01_0", "n01_1", "n01_10", "n01_11", "n01_3", "n01_5", "n01_7", "n01_8")


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("val_0.JPEG\tn01\t1\t2\t3\n", "val_annotations.txt:1: expected 2 texts and 4 numbers"),
        ("val_0.JPEG\tn01\t1\t2\t3\tx\n", "val_annotations.txt:1: expected 2 texts and 4 numbers"),
        ("../../x.JPEG\tn01\t1\t2\t3\t4\n", "val_annotations.txt:1: expected plain names"),
        ("", "expected val images of the classes in wnids.txt, got none"),
    ],
)
def test_tiny_imagenet_lines_are_checked(tiny, row, line):
    (tiny / "val" / "val_annotations.txt").write_text(row)
    with pytest.raises(DatasetError) as caught:
        datasets.load(f"tiny-imagenet:{tiny}")
    assert line in str(caught.value)


def test_tiny_imagenet_names_an_image_without_a_box_and_one_of_another_size(tiny, write):
    write(tiny / "train" / "n01" / "images" / "n01_9.JPEG", 9, 64, 64)
    with pytest.raises(DatasetError, match=r"n01_9\.JPEG: expected a line for it in n01_boxes\.txt, got none"):
        datasets.load(f"tiny-imagenet@train:{tiny}")
    write(tiny / "val" / "images" / "val_0.JPEG", 0, 60, 64)
    with pytest.raises(DatasetError, match=r"val_0\.JPEG: expected height, width, channels"):
        datasets.load(f"tiny-imagenet:{tiny}").images(0, 1)


# --- flowers17, caltech256, imagenet


def test_flowers17_is_eighty_a_class_cut_8_1_1(tmp_path, write):
    write(tmp_path / "one.jpg", 1, 12, 9)
    data = (tmp_path / "one.jpg").read_bytes()
    (tmp_path / "jpg").mkdir()
    for number in range(1, 1361):
        (tmp_path / "jpg" / f"image_{number:04d}.jpg").write_bytes(data)
    parts = {split: datasets.load(f"flowers17@{split}:{tmp_path}") for split in ("train", "val", "test")}
    assert [np.unique(part.labels, return_counts=True)[1].tolist() for part in parts.values()] == [
        [64] * 17,
        [8] * 17,
        [8] * 17,
    ]
    assert sorted(np.concatenate([part.ids for part in parts.values()])) == list(range(1360))
    test = parts["test"]
    assert np.array_equal(test.labels, test.ids // 80)
    assert test.shape == (64, 64, 3)
    assert test.stems[0] == f"image_{test.ids[0] + 1:04d}"
    (tmp_path / "jpg" / "image_0007.jpg").unlink()
    with pytest.raises(DatasetError, match=r"expected 1360 files image_0001\.jpg …, got 1359"):
        datasets.load(f"flowers17:{tmp_path}")


@pytest.mark.parametrize("inner", ["", "256_ObjectCategories/"])
def test_caltech256_is_sixty_a_class_for_training(class_folder, inner):
    classes = ("001.ak47", "002.flag", "257.clutter")
    root = class_folder("caltech/" + inner, classes, count=65)
    root = root.parent if inner else root
    parts = {split: datasets.load(f"caltech256@{split}:{root}") for split in ("train", "val", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 144, "val": 36, "test": 15}
    assert parts["test"].classes == classes
    assert (parts["test"].view, parts["test"].shape) == ("side224", (224, 224, 3))
    assert sorted(np.concatenate([part.ids for part in parts.values()])) == list(range(195))


def test_imagenet_is_its_val_folder_at_224(class_folder):
    root = class_folder("imagenet/val", ("n02", "n01"), 2, height=300, width=260).parent
    found = datasets.load(f"imagenet:{root}")
    assert (found.name, found.split, found.view) == ("imagenet", "val", "resize256-crop224")
    assert found.images(0, 4).shape == (4, 224, 224, 3)
    assert found.classes == ("n01", "n02")
    with pytest.raises(DatasetError, match="train does not exist; expected a folder with train/WNID"):
        datasets.load(f"imagenet@train:{root}")
