"""Files that macOS, Windows and archives leave beside the data are not data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robench import datasets


def litter(root: Path) -> None:
    """Beside every file of `root` its AppleDouble twin, and in every folder what file managers leave."""
    for path in [*root.rglob("*")]:
        if path.is_file():
            path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7")
            twin = root / "__MACOSX" / path.relative_to(root).with_name(f"._{path.name}")
            twin.parent.mkdir(parents=True, exist_ok=True)
            twin.write_bytes(b"\0\5\26\7")
            (twin.parent / path.name).write_bytes(path.read_bytes())
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (folder / name).write_bytes(b"x")


@pytest.mark.parametrize("parts", ["pets", "pets/train"])
def test_a_folder_of_classes(class_folder, tmp_path, parts):
    class_folder(parts, count=10)
    root = tmp_path / "pets"
    before = datasets.load(f"folder:{root}")
    litter(root)
    after = datasets.load(f"folder:{root}")
    assert (after.classes, after.files, after.digest) == (before.classes, before.files, before.digest)


def test_imagenet_c_and_its_digest(class_folder, tmp_path):
    for severity in (1, 2):
        class_folder(f"ImageNet-C/fog/{severity}", ("n01", "n02"), height=64, width=64)
    root = tmp_path / "ImageNet-C"
    before = datasets.open_generated(root)
    digest = before.files_sha256("fog")
    litter(root)
    after = datasets.open_generated(root)
    assert after.cells == before.cells
    assert after.cell("fog", "1").classes == ("n01", "n02")
    assert after.files_sha256("fog") == digest


def test_cifar_10_c(tmp_path):
    root = tmp_path / "CIFAR-10-C"
    root.mkdir()
    np.save(root / "labels.npy", np.tile([0, 1], 5))
    np.save(root / "fog.npy", np.zeros((10, 32, 32, 3), np.uint8))
    litter(root)
    found = datasets.open_generated(root)
    assert {name for name, _, _ in found.cells} == {"fog"}
    assert len(found.cell("fog", "5")) == 2


def test_tiny_imagenet(tmp_path, write):
    root = tmp_path / "tiny"
    for wnid in ("n01", "n02"):
        write(root / "train" / wnid / "images" / f"{wnid}_0.JPEG", 1, 64, 64)
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text(f"{wnid}_0.JPEG\t0\t2\t40\t63\n")
    (root / "wnids.txt").write_text("n01\nn02\n")
    litter(root)
    assert datasets.load(f"tiny-imagenet@train:{root}").stems == ("n01_0", "n02_0")


def test_flowers17_and_pictures_of_frost(tmp_path, write):
    for number in range(1, 1361):
        (tmp_path / "jpg").mkdir(exist_ok=True)
        (tmp_path / "jpg" / f"image_{number:04d}.jpg").touch()
    write(tmp_path / "frost" / "1.png")
    litter(tmp_path)
    assert len(datasets.load(f"flowers17@train:{tmp_path}")) == 1088
    assert len(datasets.textures(tmp_path / "frost")) == 1
