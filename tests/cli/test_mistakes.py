"""A mistake is one line that names the thing, what was expected and what was got; nothing is left behind."""

import os
import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from robench import listing, models
from robench.cli import main


@pytest.fixture
def folder(tmp_path):
    """Data, checkpoints and broken things to point at."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        (tmp_path / "photos" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "photos" / "ab"[number % 2] / f"{number}.png")
    (tmp_path / "broken" / "a").mkdir(parents=True)
    (tmp_path / "broken" / "b").mkdir(parents=True)
    (tmp_path / "alone" / "cat").mkdir(parents=True)
    Image.fromarray(pixels[0]).save(tmp_path / "alone" / "cat" / "0.png")
    names = {"classes": np.array(["cat", "dog"]), "labels": np.arange(12) % 3}
    np.savez(tmp_path / "outside.npz", images=pixels, **names)
    whole = (tmp_path / "photos" / "a" / "0.png").read_bytes()
    (tmp_path / "broken" / "a" / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "broken" / "b" / "whole.png").write_bytes(whole)
    torch.save(torch.nn.Linear(3, 4).state_dict(), tmp_path / "linear.pt")
    hundred = models.load("tiny_cnn", classes=100, random_weights=True)
    models.save(tmp_path / "hundred.safetensors", hundred.module, {})

    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Payload()))
    (tmp_path / "noise.pt").write_bytes(b"no checkpoint at all")
    (tmp_path / "file").write_text("a file, not a folder")
    return tmp_path


AWGN = ("-c", "awgn", "--level", "0.1")
CASES = {
    # name: (command line, exit code, words that the line must have)
    "unknown command": (("evalaute",), 2, ["evalaute", "did you mean evaluate"]),
    "unknown option": (("list", "models", "--jsn"), 2, ["--jsn", "--json"]),
    "missing option": (("generate", "-d", "digits"), 2, ["--out"]),
    "unknown corruption": (
        ("generate", "-d", "digits", "-c", "gausian_noise", "-o", "O"),
        2,
        ["did you mean gaussian_noise"],
    ),
    "unknown suite": (("generate", "-d", "digits", "-s", "demo/2", "-o", "O"), 2, ["'demo/2'", "did you mean demo/1"]),
    "unknown data set": (("generate", "-d", "digit", *AWGN, "-o", "O"), 2, ["'digit'", "did you mean digits"]),
    "unknown split": (("generate", "-d", "digits@dev", *AWGN, "-o", "O"), 2, ["dev", "test"]),
    "unknown view": (("generate", "-d", "digits", "--view", "big", *AWGN, "-o", "O"), 2, ["'big'", "side32"]),
    "unknown model": (("evaluate", "-m", "resnet21=x", "-d", "digits", *AWGN, "-o", "O"), 2, ["resnet21", "resnet20"]),
    "model without weights": (
        ("evaluate", "-m", "resnet20", "-d", "digits", *AWGN, "-o", "O"),
        2,
        ["resnet20=CHECKPOINT"],
    ),
    "unknown recipe": (
        ("train", "claen", "-d", "digits", "-m", "tiny_cnn", "-o", "O.safetensors"),
        2,
        ["did you mean clean"],
    ),
    "bad severity": (
        ("generate", "-d", "digits", "-c", "contrast", "--severity", "6", "-o", "O"),
        2,
        ["contrast", "got 6"],
    ),
    "bad level": (("generate", "-d", "digits", "-c", "awgn", "--level", "-1", "-o", "O"), 2, ["awgn: sigma", "'-1'"]),
    "a severity for a level": (
        ("generate", "-d", "digits", "-c", "awgn", "--severity", "1", "-o", "O"),
        2,
        ["sigma=0.1"],
    ),
    "two levels of different kinds": (
        ("generate", "-d", "digits", "-c", "awgn", "-c", "motion_blur_45", "--level", "3", "-o", "O"),
        2,
        ["awgn has sigma", "motion_blur_45 has length"],
    ),
    "nothing to do": (("generate", "-d", "digits", "-o", "O"), 2, ["-s", "-c"]),
    "bad seed": (
        ("evaluate", "-m", "tiny_cnn", "--random-weights", "-d", "digits", *AWGN, "--seed", "x", "-o", "O"),
        2,
        ["'x'"],
    ),
    "bad device": (
        ("evaluate", "-m", "tiny_cnn", "--random-weights", "-d", "digits", *AWGN, "--device", "gpu", "-o", "O"),
        2,
        ["'gpu'"],
    ),
    "bad normalisation": (
        ("evaluate", "-m", "tiny_cnn", "--random-weights", "-d", "digits", *AWGN, "--normalize", "imagnet", "-o", "O"),
        2,
        ["imagnet", "imagenet"],
    ),
    "missing path": (("generate", "-d", "folder:F/nowhere", *AWGN, "-o", "O"), 1, ["F/nowhere", "does not exist"]),
    "missing checkpoint": (
        ("evaluate", "-m", "resnet20=F/no.pt", "-d", "digits", *AWGN, "-o", "O"),
        1,
        ["F/no.pt", "no such file"],
    ),
    "truncated image": (("generate", "-d", "folder:F/broken", *AWGN, "-o", "O"), 1, ["half.png", "cannot be decoded"]),
    "checkpoint of another network": (
        ("evaluate", "-m", "resnet20=F/linear.pt", "-d", "digits", *AWGN, "-o", "O"),
        1,
        ["linear.pt", "conv1.weight"],
    ),
    "checkpoint of other classes": (
        ("evaluate", "-m", "tiny_cnn=F/hundred.safetensors", "-d", "digits", *AWGN, "-o", "O"),
        1,
        ["hundred.safetensors", "100", "10"],
    ),
    "pickle with code": (
        ("evaluate", "-m", "resnet20=F/evil.pt", "-d", "digits", *AWGN, "-o", "O"),
        1,
        ["evil.pt", "mkdir"],
    ),
    "one class": (
        ("evaluate", "-m", "resnet20", "--random-weights", "-d", "folder:F/alone", *AWGN, "-o", "O"),
        1,
        ["data set alone: expected at least 2 classes, got 1: cat"],
    ),
    "a label outside the classes": (
        ("evaluate", "-m", "resnet20", "--random-weights", "-d", "npz:F/outside.npz", *AWGN, "-o", "O"),
        1,
        ["outside", "labels must be 0..1, got 0..2"],
    ),
    "no checkpoint": (("evaluate", "-m", "resnet20=F/noise.pt", "-d", "digits", *AWGN, "-o", "O"), 1, ["noise.pt"]),
    "unwritable folder, generate": (("generate", "-d", "digits", *AWGN, "-o", "F/file/out"), 1, ["F/file"]),
    "unwritable folder, evaluate": (
        ("evaluate", "-m", "tiny_cnn", "--random-weights", "-d", "digits", *AWGN, "-o", "F/file/out"),
        1,
        ["F/file"],
    ),
    "unwritable folder, preview": (("preview", *AWGN, "-o", "F/file/sheet.png"), 1, ["F/file/sheet.png"]),
    "a folder in the way": (("generate", "-d", "digits", *AWGN, "-o", "F/photos"), 1, ["F/photos", "empty folder"]),
    "no run": (("status", "F/photos"), 1, ["F/photos", "run"]),
    "report of no run": (("report", "F/photos", "-o", "O"), 1, ["F/photos", "run"]),
    "no set": (("verify", "F/photos"), 1, ["F/photos"]),
    "no picture": (("preview", "F/file", *AWGN, "-o", "O.png"), 1, ["F/file", "cannot be decoded"]),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_and_nothing_left(case, robench, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = sorted(path for path in folder.rglob("*"))
    args, code, words = CASES[case]
    said = robench(*(arg.replace("F/", f"{folder}/") for arg in args))
    lines = [line for line in said.err.splitlines() if line.startswith("robench: ")]
    assert len(said.err.splitlines()) == len(lines) == 1, said.err
    for word in words:
        assert word.replace("F/", f"{folder}/") in said.err
    assert said.code == code
    assert said.out == ""
    assert sorted(path for path in folder.rglob("*")) == before


def test_a_bug_is_not_dressed_up_as_a_mistake(monkeypatch):
    def broken(kind, pattern):
        raise ZeroDivisionError

    monkeypatch.setattr(listing, "listing", broken)
    with pytest.raises(ZeroDivisionError):
        main(["list", "models"])


def test_an_interrupted_command_says_how_to_go_on(robench, monkeypatch):
    def interrupted(kind, pattern):
        raise KeyboardInterrupt

    monkeypatch.setattr(listing, "listing", interrupted)
    said = robench("list", "models")
    assert said.code == 130
    assert said.err.strip() == "robench: stopped; the same command goes on from here"
