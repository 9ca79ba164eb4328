"""A finished checkpoint is not lost to another training."""

import numpy as np
import pytest

TRAIN = ("train", "clean", "-m", "tiny_cnn", "--epochs", "1", "--train-n", "60", "--device", "cpu")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("-d", "npz:DATA"), "holds a training with "),
        (("-d", "digits", "--seed", "1"), "holds a training with seed 0, asked for 1; choose another file"),
        (("-d", "digits", "--lr", "0.5"), "holds a training with lr 0.001, asked for 0.5; choose another file"),
    ],
)
def test_another_training_is_refused(robench, tmp_path, change, words):
    out = tmp_path / "net.safetensors"
    assert robench(*TRAIN, "-d", "digits", "-o", out).code == 0
    before = out.read_bytes()
    images = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 1)).astype(np.uint8)
    np.savez(tmp_path / "other.npz", images=images, labels=np.arange(100) % 10)
    said = robench(*TRAIN, *(word.replace("DATA", str(tmp_path / "other.npz")) for word in change), "-o", out)
    assert said.code == 1
    assert words in said.line
    assert out.read_bytes() == before


def test_the_same_training_gives_the_same_bytes(robench, tmp_path):
    out = tmp_path / "net.safetensors"
    for _ in range(2):
        assert robench(*TRAIN, "-d", "digits", "-o", out).code == 0
        first = out.read_bytes()
    assert out.read_bytes() == first


def test_a_file_of_another_kind_is_not_written_over(robench, tmp_path):
    from safetensors.numpy import save_file

    out = tmp_path / "net.safetensors"
    save_file({"weight": np.zeros(3)}, out)
    said = robench(*TRAIN, "-d", "digits", "-o", out)
    assert said.code == 1
    assert "expected a checkpoint of this training or no file, got another file" in said.line
