"""A generated set that was changed after it was generated gives no number."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

MODEL = "tiny_cnn=digits-clean"


@pytest.fixture(params=["npy", "folder"])
def form(request):
    return request.param


@pytest.fixture
def made(robench, tmp_path, form):
    chosen = ("-c", "awgn@0.3", "-c", "contrast@5")
    said = robench("generate", "-d", "digits", "--limit", 40, *chosen, "--format", form, "-o", tmp_path / "set")
    assert said.code == 0, said.err
    return tmp_path / "set"


def test_degraded_images_that_were_overwritten_by_clean_ones(sweep, robench, made, form, tmp_path):
    if form == "npy":
        shutil.copy(made / "clean.npy", made / "awgn.npy")
    else:
        shutil.rmtree(made / "awgn" / "sigma=0.3")
        shutil.copytree(made / "clean", made / "awgn" / "sigma=0.3")
    said = sweep(MODEL, also=("-d", f"generated:{made}"))
    assert said.code == 1
    assert "the set was changed after it was generated" in said.err
    if form == "npy":
        assert not (tmp_path / "run" / "manifest.json").exists()
    else:
        assert "failed: tiny_cnn=digits-clean, awgn sigma=0.3" in said.out


def test_one_pixel_is_enough(sweep, made, form):
    if form == "npy":
        array = np.load(made / "contrast.npy")
        array[7, 3, 3] ^= 1
        np.save(made / "contrast.npy", array)
    else:
        path = sorted((made / "contrast" / "5").rglob("*.png"))[7]
        pixels = np.asarray(Image.open(path)).copy()
        pixels[3, 3] ^= 1
        Image.fromarray(pixels).save(path)
    said = sweep(MODEL, also=("-d", f"generated:{made}"))
    assert said.code == 1
    assert "the set was changed after it was generated" in said.err


def test_labels_of_another_set(sweep, robench, made, form, tmp_path):
    if form == "npy":
        labels = np.load(made / "labels.npy")
        np.save(made / "labels.npy", labels[::-1].copy())
        said = sweep(MODEL, also=("-d", f"generated:{made}"))
    else:
        shutil.copy(made / "digests" / "awgn.parquet", made / "digests" / "contrast.parquet")
        said = sweep(MODEL, also=("-d", f"generated:{made}"))
    assert said.code == 1
    assert "expected the file of manifest.json, got another sha256" in said.line


def test_an_untouched_set_is_as_on_the_fly(sweep, made, tmp_path):
    assert sweep(MODEL, out="set-run", also=("-d", f"generated:{made}")).code == 0
    assert sweep(MODEL, out="fly", also=("-c", "awgn@0.3", "-c", "contrast@5")).code == 0
    files = [path.relative_to(tmp_path / "fly") for path in (tmp_path / "fly" / "predictions").rglob("*.parquet")]
    assert len(files) == 3
    assert all((tmp_path / "fly" / one).read_bytes() == (tmp_path / "set-run" / one).read_bytes() for one in files)


def test_a_tree_whose_first_folder_is_incomplete(sweep, tmp_path):
    """Of a downloaded set without clean images the first folder says which images there are."""
    for name in ("contrast", "fog"):
        for place in range(12):
            path = tmp_path / "tree" / name / "1" / f"n{place % 2}" / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((32, 32), 20 * place, np.uint8)).save(path)
    for path in sorted((tmp_path / "tree" / "contrast").rglob("*.png"))[:4]:
        path.unlink()
    also = ("-d", f"generated:{tmp_path / 'tree'}", "--random-weights")
    said = sweep("resnet20", also=also)
    assert "expected as many images in every folder, got 8 in contrast/1 and 12 in fog/1" in said.line


def test_pixels_of_0_and_1_are_black_pictures(sweep, tmp_path):
    images = np.random.default_rng(0).integers(0, 2, (20, 32, 32, 1), dtype=np.uint8)
    np.savez(tmp_path / "small.npz", images=images, labels=np.arange(20) % 10)
    said = sweep(MODEL, also=("-d", f"npz:{tmp_path / 'small.npz'}", "-c", "contrast@1"))
    assert "expected pixels of 0..255, got only 0 and 1; multiply them by 255" in said.line
