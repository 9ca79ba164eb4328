"""Weights from and to files: what is understood, what is refused, and that nothing in a file is ever run."""

from __future__ import annotations

import hashlib
import os
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import CheckpointError
from robench.models._checkpoints import state_sha256

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def trained() -> models.Classifier:
    return models.load("tiny_cnn", classes=10, random_weights=True, seed=3)


def prefixed(state: State, prefix: str) -> State:
    return {prefix + key: value for key, value in state.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": prefixed(state, "module."), "epoch": 3, "best": np.float64(91.7)},
        lambda state: {"model": state, "optimizer": {"state": {}}, "lr": np.float32(0.1)},
        lambda state: {"net": {"model_state_dict": prefixed(state, "_orig_mod.module.")}},
        lambda state: {"ema": prefixed(state, "net.")},
        lambda state: {"state_dict": prefixed(state, "model.")},
        lambda state: {key: value for key, value in state.items() if "num_batches" not in key},
        lambda state: {key: value.double() for key, value in state.items()},
    ],
)
def test_wrapped_states_are_understood(
    wrap: Callable[[State], Any], trained: models.Classifier, tmp_path: Path
) -> None:
    torch.save(wrap(dict(trained.module.state_dict())), tmp_path / "w.pt")
    loaded = models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10)
    assert loaded.weights_sha256 == trained.weights_sha256
    assert loaded.label == "tiny_cnn=w"


class Code:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_checkpoint_is_refused_and_not_run(legacy: bool, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    content = {"state_dict": {"a": torch.ones(1)}, "x": Code(f"touch {witness}")}
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError, match=r"refused: would run code: (posix|nt)\.system") as caught:
        models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10)
    assert "\n" not in str(caught.value)
    assert not witness.exists()


def test_whole_networks_and_other_objects_are_refused(tmp_path: Path) -> None:
    for content, name in (
        (nn.Linear(1, 1), "Linear"),
        ({"args": types.SimpleNamespace()}, "types.SimpleNamespace"),
    ):
        torch.save(content, tmp_path / "w.pt")
        with pytest.raises(CheckpointError, match=f"refused: would run code: .*{name}"):
            models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10)


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x80\x02}q\x00.", b"PK\x03\x04 torn"])
def test_other_files_are_no_checkpoints(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"(not a checkpoint|expected a safetensors file)") as caught:
        models.load(f"tiny_cnn={tmp_path / name}", classes=10)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_without_tensors_is_none(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="expected named tensors, got dict"):
        models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "w.pt", tmp_path):
        with pytest.raises(CheckpointError, match="no such file"):
            models.load(f"lenet5={path}", classes=10)
    with pytest.raises(CheckpointError, match="no such file"):
        models.metadata(tmp_path / "w.safetensors")


def test_weights_of_another_network_say_where_they_differ(tmp_path: Path) -> None:
    state = models.load("resnet20", classes=10, random_weights=True).module.state_dict()
    for key in ("conv1.weight", "bn1.weight", "bn1.bias", "linear.bias"):
        del state[key]
    state["extra"] = torch.ones(1)
    state["bn1.running_mean"] = torch.ones(8)
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(CheckpointError) as caught:
        models.load(f"resnet20={tmp_path / 'w.pt'}", classes=10)
    assert str(caught.value).removeprefix(f"{tmp_path / 'w.pt'}: ") == (
        "not weights of resnet20: missing conv1.weight, bn1.weight, bn1.bias and 1 more; "
        "unexpected extra; bn1.running_mean expected (16,), got (8,)"
    )


def test_another_class_count_is_said_as_such(tmp_path: Path) -> None:
    models.save(tmp_path / "w.safetensors", models.load("resnet20", classes=100, random_weights=True).module, {})
    with pytest.raises(CheckpointError, match=r"expected weights for 10 classes, got 100: .*expected \(10, 64\), got"):
        models.load(f"resnet20={tmp_path / 'w.safetensors'}", classes=10)


def test_counters_are_loaded_where_they_are_there(trained: models.Classifier, tmp_path: Path) -> None:
    state = trained.module.state_dict() | {"1.num_batches_tracked": torch.tensor(5)}
    torch.save(state | {"old.num_batches_tracked": torch.tensor(7)}, tmp_path / "w.pt")
    loaded = models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10).module.state_dict()
    assert [int(loaded[f"{i}.num_batches_tracked"]) for i in (1, 5)] == [5, 0]


def test_digest_is_over_sorted_name_dtype_shape_bytes() -> None:
    net = nn.Module()
    net.register_buffer("b", torch.tensor([[1, 2]], dtype=torch.int64))
    net.register_buffer("a", torch.tensor(0.5))
    text = b"a|float32|()|" + np.float32(0.5).tobytes() + b"b|int64|(1, 2)|" + np.array([1, 2]).tobytes()
    assert state_sha256(net) == hashlib.sha256(text).hexdigest()


def test_saved_files_are_equal_bytes_and_keep_their_metadata(trained: models.Classifier, tmp_path: Path) -> None:
    metadata = {f"key{i}": str(i) for i in range(12)}
    paths = [tmp_path / f"{i}.safetensors" for i in range(4)]
    for path in paths:
        models.save(path, trained.module, metadata)
    assert len({path.read_bytes() for path in paths}) == 1
    assert list(models.metadata(paths[0]).items()) == sorted(metadata.items())
    assert sorted(tmp_path.iterdir()) == paths


def test_metadata_of_other_files(tmp_path: Path) -> None:
    torch.save({}, tmp_path / "w.pt")
    assert models.metadata(tmp_path / "w.pt") == {}
    (tmp_path / "w.safetensors").write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="expected a safetensors file, got"):
        models.metadata(tmp_path / "w.safetensors")


@pytest.mark.parametrize("text", ["epoch,train_loss\n1,2\n", "arch: resnet20\n", "train: yes\n", "resnet20 best\n"])
def test_a_text_file_is_no_checkpoint(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_text(text)
    with pytest.raises(CheckpointError, match=r"a.pt: not a checkpoint") as caught:
        models.load(f"tiny_cnn={tmp_path / 'a.pt'}", classes=10)
    assert "\n" not in str(caught.value)


def test_two_networks_in_one_file_are_not_mixed(tmp_path: Path) -> None:
    one, other = (models.load("tiny_cnn", classes=10, random_weights=True, seed=s).module.state_dict() for s in (1, 2))
    both = {f"model.{name}": value for name, value in one.items()} | {f"net.{k}": value for k, value in other.items()}
    torch.save(both, tmp_path / "two.pt")
    with pytest.raises(CheckpointError, match=r"two\.pt"):
        models.load(f"tiny_cnn={tmp_path / 'two.pt'}", classes=10)
