"""Every model in one command: patterns, bare checkpoints, `all`, labels, files of one name."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from robench import models
from robench.errors import ConfigError
from robench.models import ModelConfig, expand, label_of

SHIPPED = Path(models.__file__).parent / "weights"
CLEAN, NOISE = "tiny_cnn-digits-clean.safetensors", "tiny_cnn-digits-noise.safetensors"
SWEEP = ("-d", "digits", "--limit", "20", "-c", "contrast@1")


@pytest.fixture
def nets(tmp_path):
    folder = tmp_path / "nets"
    for place, name in (("a", CLEAN), ("b", NOISE)):
        (folder / place).mkdir(parents=True)
        shutil.copy(SHIPPED / name, folder / place / "best.safetensors")
    return folder


def labels(entries):
    return [label_of(entry) for entry in entries]


def test_a_bare_checkpoint_names_its_network(nets):
    [entry], skipped = expand([ModelConfig(f"{nets}/a/best.safetensors")])
    assert (entry.model, skipped) == (f"tiny_cnn={nets}/a/best.safetensors", [])


def test_two_files_of_one_name_are_two_models(nets):
    entries, _ = expand([ModelConfig(f"tiny_cnn={nets}/{place}/best.safetensors") for place in "ab"])
    assert labels(entries) == ["tiny_cnn=a/best", "tiny_cnn=b/best"]
    alone, _ = expand([ModelConfig(f"tiny_cnn={nets}/a/best.safetensors")])
    assert labels(alone) == ["tiny_cnn=best"]


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ("nets/street.onnx#probabilities", "street#probabilities"),
        ("nets/a/best.pt2", "best"),
        ("resnet20@lp_relu1=nets/best.pt#ema", "resnet20@lp_relu1=best#ema"),
        ("dncnn=noise.pt+nets.py:build=best.pt", "dncnn=noise+nets:build=best"),
    ],
)
def test_a_label_is_what_tables_call_the_model(spec, label):
    assert label_of(ModelConfig(spec)) == label


def test_patterns_and_labels_in_one_command(robench, nets, tmp_path):
    shutil.copy(SHIPPED / "README.md", nets / "notes.safetensors")
    (nets / "c").mkdir()
    done = robench(
        "evaluate", "-m", f"{nets}/*/*.safetensors", "-m", "mine::tiny_cnn=digits-clean", *SWEEP, "-o", tmp_path / "run"
    )
    assert done.code == 0, done.err
    assert "tiny_cnn=a/best" in done.out
    assert "mine" in done.out
    metadata = robench("evaluate", "-m", f"{nets}/**/*.safetensors", *SWEEP, "-o", tmp_path / "other")
    assert metadata.code == 0
    assert f"skipped {nets}/notes.safetensors: " in metadata.err


def test_classifiers_of_other_data_are_skipped(robench, nets, tmp_path):
    labels = np.arange(12) % 3
    np.savez(tmp_path / "three.npz", images=np.full((12, 32, 32, 1), 9, np.uint8), labels=labels)
    asked = ("-d", f"npz:{tmp_path / 'three.npz'}", "-c", "contrast@1", "-o", tmp_path / "run")
    done = robench("evaluate", "-m", f"{nets}/*/*.safetensors", *asked)
    assert done.code == 2
    assert "no model is a classifier of three; skipped tiny_cnn=" in done.line
    assert "expected weights for 3 classes, got 10" in done.line
    assert not (tmp_path / "run").exists()


def test_all_is_every_model_with_weights(robench, nets, tmp_path):
    shutil.move(nets / "b" / "best.safetensors", nets / "tiny_cnn-other.safetensors")
    done = robench("evaluate", "-m", "all", "--weights", nets, *SWEEP, "-o", tmp_path / "run")
    assert done.code == 0, done.err
    for label in ("tiny_cnn=digits-clean", "tiny_cnn=digits-noise", "tiny_cnn=tiny_cnn-other"):
        assert label in done.out


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nowhere/*.pt", r"no file matches nowhere/\*\.pt"),
        ("::resnet20", "expected LABEL::MODEL, got an empty part"),
        ("x::", "expected LABEL::MODEL, got an empty part"),
        ("", "expected a name, a file or a network, got an empty text"),
    ],
)
def test_what_names_no_model_is_one_line(robench, tmp_path, spec, words):
    with pytest.raises(ConfigError, match=words):
        expand([ModelConfig.parse(spec)])
    assert robench("evaluate", "-m", spec, *SWEEP, "-o", tmp_path / "run").code == 2


def test_a_checkpoint_that_does_not_say_its_network_is_asked_for_it(tmp_path):
    import torch

    torch.save({"weight": torch.zeros(1)}, tmp_path / "net.pt")
    with pytest.raises(ConfigError, match="does not say which network it is of; expected NAME="):
        expand([ModelConfig(str(tmp_path / "net.pt"))])


def test_one_label_is_one_file(nets):
    with pytest.raises(ConfigError, match="expected one file for one label, got 2"):
        expand([ModelConfig.parse(f"mine::{nets}/*/best.safetensors")])
    with pytest.raises(ConfigError, match="expected -m all"):
        expand([ModelConfig("tiny_cnn=digits-clean")], nets)
