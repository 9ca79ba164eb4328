"""Nets from elsewhere through a whole sweep of the command line, and what stays of one that cannot begin."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from robench.cli import main

SWEEP = ("-d", "digits", "--limit", "6", "-c", "awgn@0.1", "--random-weights", "--batch-size", "4", "--device", "cpu")
Evaluate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """Exit code, stdout and stderr of `robench evaluate` with these models."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def run(*specs: str, also: Sequence[str] = ()) -> tuple[int, str, str]:
        models = [word for spec in specs for word in ("-m", spec)]
        with pytest.raises(SystemExit) as ended:
            main(["evaluate", *models, *SWEEP, *also, "-o", str(tmp_path / "run")])
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


def onnx_net(path: Path, shape: tuple[Any, ...] = ("n", 1, 8, 8)) -> Path:
    flat = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["y"])]
    values = np.random.default_rng(0).normal(size=(int(np.prod(shape[1:])), 10)).astype(np.float32)
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, form)] for name, form in (("x", shape), ("y", None))
    )
    graph = helper.make_graph(flat, "net", inputs, outputs, [numpy_helper.from_array(values, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def exported_net(path: Path) -> Path:
    program = torch.export.export(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), (torch.zeros(1, 1, 8, 8),))
    torch.export.save(program, path)
    return path


def test_nets_of_every_kind_in_one_sweep(evaluate: Evaluate, tmp_path: Path) -> None:
    archives = (onnx_net(tmp_path / "flat.onnx"), exported_net(tmp_path / "linear.pt2"))
    specs = ("timm:test_resnet", "torchvision:squeezenet1_1", "dncnn+tiny_cnn=digits-clean", *map(str, archives))
    code, _, said = evaluate(*specs)
    assert code == 0, said
    cells = pd.read_csv(tmp_path / "run" / "cells.csv")
    assert set(cells.status) == {"ok"}
    labels = ["timm:test_resnet", "torchvision:squeezenet1_1", "dncnn+tiny_cnn=digits-clean", "flat", "linear"]
    assert sorted(cells.model) == sorted(labels * 2)
    by_model = cells[cells.corruption == "awgn"].set_index("model")
    assert list(by_model.fit[labels]) == ["resize160", "resize224", "none", "resize8", "resize8"]
    assert list(by_model.normalize[labels]) == ["0.5,0.5,0.5/0.5,0.5,0.5", "imagenet", "0.5/0.5", "none", "none"]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert str(tmp_path) not in json.dumps(manifest)


class Code:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {os.environ['WITNESS']}",)


def code(folder: Path) -> str:
    torch.save({"state_dict": {"a": torch.ones(1)}, "x": Code()}, folder / "w.pt")
    return f"timm:test_resnet={folder / 'w.pt'}"


def other_shapes(folder: Path) -> str:
    from timm import create_model

    state = create_model("test_resnet", num_classes=10).state_dict()
    torch.save(state | {"conv1.0.weight": torch.ones(3, 3)}, folder / "w.pt")
    return f"timm:test_resnet={folder / 'w.pt'}"


def wrong_input(folder: Path) -> str:
    return str(onnx_net(folder / "net.onnx", ("n", 8, 8)))


def wrong_classes(folder: Path) -> str:
    torch.save(nn.Linear(512, 3).state_dict(), folder / "w.pt")
    return f"torchvision:squeezenet1_1={folder / 'w.pt'}"


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (code, "refused: would run code: posix.system"),
        (other_shapes, "not weights of timm:test_resnet: conv1.0.weight expected ("),
        (wrong_classes, "not weights of torchvision:squeezenet1_1: missing features.0.weight"),
        (wrong_input, "expected one input of images (N, 1 or 3, height, width) or (N, height, width, 1 or 3) of"),
    ],
)
def test_what_cannot_be_loaded_is_one_line_and_leaves_nothing(
    make: Callable[[Path], str], fault: str, evaluate: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WITNESS", str(tmp_path / "ran"))
    code, out, said = evaluate("tiny_cnn=digits-clean", make(tmp_path))
    assert fault in said
    assert (code, out, said.count("\n")) == (1, "", 1)
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("also", [("--precision", "bf16"), ("--compile",)])
def test_an_onnx_file_is_not_said_to_be_computed_in_another_way(
    also: Sequence[str], evaluate: Evaluate, tmp_path: Path
) -> None:
    code, _, said = evaluate(str(onnx_net(tmp_path / "flat.onnx")), also=also)
    assert code == 2
    assert said == f"robench: model 'flat': an ONNX file is computed as it stands, got {' '.join(also)}\n"
    assert not (tmp_path / "run").exists()
