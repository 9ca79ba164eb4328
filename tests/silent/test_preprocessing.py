"""What is done to images before a network sees them is said, and it is plausible."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from robench import datasets, models

NET = """
import torch
from torch import nn
def make(classes):
    torch.manual_seed(0)
    gain = SAID.pop("gain", 1.0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(1024, classes))
    nn.init.uniform_(net[1].weight, -gain, gain)
    return net, {"channels": 1, "side": 32, **SAID}
"""


def factory(folder, **said):
    (folder / "net.py").write_text(NET + f"SAID = {said!r}\n")
    return f"{folder / 'net.py'}:make"


@pytest.mark.parametrize("numbers", ["123.675,116.28,103.53/58.395,57.12,57.375", "123.675,116.28,103.53/1,1,1"])
def test_a_mean_of_0_to_255_is_refused_with_its_form_in_0_to_1(sweep, tmp_path, numbers):
    said = sweep("resnet18_32", also=("--random-weights", "--normalize", numbers))
    assert said.code == 2
    assert "expected means and deviations of pixels in [0, 1], got 123.675,116.28,103.53/" in said.line
    assert "those of pixels in 0..255 are written 0.485,0.456,0.4" in said.line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("numbers", ["-0.5/0.5", "0.5/2", "1.5/0.5"])
def test_other_numbers_that_no_pixels_have_are_refused(sweep, numbers):
    assert (
        "expected means and deviations of pixels in [0, 1]"
        in sweep("tiny_cnn=digits-clean", also=("--normalize", numbers)).line
    )


def test_a_factory_says_a_plausible_mean_too(sweep, tmp_path):
    said = sweep(factory(tmp_path, mean=(33.3,), std=(78.6,)))
    assert "normalisation of its card: expected means and deviations of pixels in [0, 1]" in said.line
    assert sweep(factory(tmp_path, mean=(0.13,), std=(0.31,))).code == 0


def test_each_model_has_a_line_before_the_sweep(sweep, tmp_path):
    said = sweep("tiny_cnn=digits-clean", factory(tmp_path), also=("--limit", "40"))
    assert (
        "tiny_cnn=digits-clean: input 32 x 32, as they are, gray; normalisation 0.5/0.5, of the checkpoint" in said.err
    )
    assert "net:make: input 32 x 32, as they are, gray; normalisation none, of its card" in said.err
    said = sweep("tiny_cnn=digits-clean", out="other", also=("--normalize", "mnist"))
    assert "normalisation mnist, of the option normalize" in said.err


def test_small_images_before_a_large_network_are_warned_of(sweep):
    said = sweep("torchvision:resnet18", also=("--random-weights", "--limit", "2"))
    way = "images of 32 pixels are enlarged to 224; torchvision:resnet18:32 takes them as they are"
    assert f"warning: torchvision:resnet18: {way}" in said.err
    said = sweep("resnet18", out="other", also=("--random-weights", "--limit", "2"))
    assert "images of 32 pixels are enlarged to 224; resnet18_32 takes them as they are" in said.err


def test_a_network_at_chance_is_said_with_the_usual_reasons(sweep, robench, tmp_path):
    said = sweep(factory(tmp_path, gain=0.0))
    assert "Clean accuracy is not above chance (10 %): net:make " in said.out
    assert "Usual reasons: classes in another order (--label-map)" in said.out
    assert "not above chance" not in sweep("tiny_cnn=digits-clean", out="good").out
    robench("report", tmp_path / "run", "-o", tmp_path / "report")
    assert "is not above chance" in (tmp_path / "report" / "report.md").read_text()


@pytest.fixture
def photographs(tmp_path):
    for place in range(6):
        path = tmp_path / "photos" / f"n{place % 2}" / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(place).integers(0, 256, (300, 260 + 10 * place, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return tmp_path / "photos"


@pytest.mark.slow
def test_photographs_come_in_the_view_of_the_models_card(sweep, photographs, tmp_path):
    also = ("-d", f"folder:{photographs}", "--random-weights", "-c", "contrast@1")
    said = sweep("torchvision:squeezenet1_1", also=also)
    assert said.code == 0, said.err
    assert "photos: view resize256-crop224, of the models' cards" in said.err
    said = sweep("torchvision:swin_t", out="swin", also=also)
    assert (
        json.loads((tmp_path / "swin" / "manifest.json").read_text())["dataset"]["view"] == "resize232-crop224-bicubic"
    )
    said = sweep("torchvision:squeezenet1_1", "torchvision:swin_t", out="both", also=(*also, "--view", "side64"))
    assert json.loads((tmp_path / "both" / "manifest.json").read_text())["dataset"]["view"] == "side64"
    assert (
        "images differ in size" in sweep("torchvision:squeezenet1_1", "torchvision:swin_t", out="three", also=also).line
    )


def test_a_filter_is_pillows(photographs):
    one, other = (datasets.load(f"folder:{photographs}", view=f"side64{end}") for end in ("", "-bicubic"))
    assert one.view == "side64"
    assert not np.array_equal(one.images(0, 6), other.images(0, 6))


def test_the_weights_of_a_word_have_their_own_view():
    card = models.get("torchvision:resnet50")
    assert (card.view, card.views["IMAGENET1K_V1"]) == ("resize232-crop224", "resize256-crop224")
    assert models.get("torchvision:resnet50:32").view == ""
