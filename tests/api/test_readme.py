"""The snippets of the README run: with networks and data of the tests in place of the reader's."""

import re
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import FakeData

import robench

ROOT = Path(__file__).parents[2]
SNIPPETS = re.findall(r"^```py\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_network_in_memory_in_five_lines(here, capsys):
    digits = robench.load_dataset("digits", limit=40)
    net = robench.load_model("tiny_cnn=digits-clean").module
    names = {"images": digits.images(0, 40), "labels": digits.labels, "net": net}
    exec(SNIPPETS[0], names)
    assert len([line for line in SNIPPETS[0].splitlines() if line]) == 5
    assert "mean over 2 corruptions" in capsys.readouterr().out
    assert (here / "curves.pdf").exists()


def test_models_and_data_by_name(here):
    program = SNIPPETS[1]
    for theirs, ours in {
        "resnet20=best.pt": "tiny_cnn=digits-clean",
        "timm:resnet18.a1_in1k=pretrained": "tiny_cnn=digits-noise",
        "cifar10:data": "digits",
        '"cifar10-c/1"': '"demo/1", limit=20',
    }.items():
        assert theirs in program
        program = program.replace(theirs, ours)
    exec(program, {"robench": robench})
    assert (here / "report" / "index.html").exists()


def test_augmentation():
    program = SNIPPETS[2].replace('CIFAR10("data", ', "FakeData(8, (3, 32, 32), ")
    assert "FakeData" in program
    names = {"FakeData": FakeData}
    exec(program, names)
    image, _ = names["train"][0]
    assert (tuple(image.shape), image.dtype.is_floating_point) == ((3, 32, 32), False)
    assert np.asarray(image).max() > 0
