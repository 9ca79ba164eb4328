"""Files of other programs are refused with the way to a network that is read."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

ROOT = Path(__file__).parents[2]
INTERPRETER = """
import numpy as np

class Interpreter:
    def __init__(self, model_content):
        self.weights = np.frombuffer(model_content, np.float32).reshape(192, 4)
    def allocate_tensors(self): pass
    def get_input_details(self): return [{"index": 3}]
    def get_output_details(self): return [{"index": 5}]
    def set_tensor(self, index, value):
        assert (index, value.shape, value.dtype) == (3, (1, 8, 8, 3), np.float32)
        self.given = value
    def invoke(self): self.answer = self.given.reshape(1, -1) @ self.weights
    def get_tensor(self, index): return {5: self.answer}[index]
"""
TORCH_NETS = """
from pathlib import Path
import numpy as np
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = np.frombuffer(Path(__file__).with_name("net.tflite").read_bytes(), np.float32).reshape(192, 4)
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1) @ torch.tensor(self.weights)

def build(): return Net()
"""
Robench = Callable[..., Any]


@pytest.fixture
def sweep(robench: Robench, tmp_path: Path) -> Robench:
    """sweep("net.ts", …) evaluates models on 12 images of 8x8 pixels into `run`."""

    def run(*models: object, also: tuple[object, ...] = ()) -> Any:
        images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
        np.savez(tmp_path / "images.npz", images=images, labels=np.arange(12) % 4)
        specs = [word for model in models for word in ("-m", model)]
        data = ("-d", f"npz:{tmp_path / 'images.npz'}", "-c", "awgn@0.1", "--device", "cpu")
        return robench("evaluate", *specs, *data, *also, "-o", tmp_path / "run")

    return run


def scripted(path: Path) -> Path:
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)).eval()
        torch.jit.save(torch.jit.trace(net, torch.zeros(1, 3, 8, 8)), path)
    return path


def run_the_command(line: str, folder: Path, size: str = "8, 8") -> None:
    found = re.search(r'python (-c ".*")', line)
    assert found, line
    words = shlex.split(found[1].replace("224, 224", size))
    subprocess.run([sys.executable, "-W", "ignore", *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("suffix", ["tflite", "keras", "h5", "mlmodel", "engine", "pb"])
def test_another_kind_is_named_with_those_that_are_read(sweep: Robench, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"net.{suffix}"
    path.write_bytes(b"")
    said = sweep(path)
    assert said.code == 2
    assert "expected a network as .pt2 (torch.export) or .onnx, got a file of " in said.line
    assert "docs/how-to/my-model.md" in said.line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("suffix", ["ts", "pt"])
def test_torchscript_is_refused_with_the_command_that_converts_it(sweep: Robench, tmp_path: Path, suffix: str) -> None:
    said = sweep(scripted(tmp_path / f"net.{suffix}"))
    assert said.code == 2
    assert "or .onnx, got one of TorchScript; convert it, with the size of its images: python" in said.line
    assert not (tmp_path / "run").exists()
    run_the_command(said.line, tmp_path)
    done = sweep(tmp_path / "net.onnx")
    assert done.code == 0, done.err


def test_weights_come_out_of_torchscript_by_the_command(sweep: Robench, tmp_path: Path) -> None:
    source = (
        "from torch import nn\ndef build():\n"
        "    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))\n"
    )
    (tmp_path / "nets.py").write_text(source)
    said = sweep(f"{tmp_path / 'nets.py'}:build={scripted(tmp_path / 'net.pt')}")
    assert "net.pt: not a checkpoint: expected a file of torch.save, got one of TorchScript" in said.line
    run_the_command(said.line, tmp_path)
    done = sweep(f"{tmp_path / 'nets.py'}:build={tmp_path / 'net-weights.pt'}")
    assert done.code == 0, done.err


def test_the_factory_of_the_page_calls_an_interpreter(
    sweep: Robench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "how-to" / "my-model.md").read_text()
    [program] = [text for text in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "LiteRT" in text]
    package = tmp_path / "installed" / "ai_edge_litert"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "interpreter.py").write_text(INTERPRETER)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    (tmp_path / "litert.py").write_text(program.replace('"input_size": 224', '"input_size": 8'))
    (tmp_path / "plain.py").write_text(TORCH_NETS)
    weights = np.random.default_rng(1).normal(size=(192, 4)).astype(np.float32)
    (tmp_path / "net.tflite").write_bytes(weights.tobytes())
    said = sweep(f"{tmp_path / 'litert.py'}:build", f"{tmp_path / 'plain.py'}:build")
    assert said.code == 0, said.err
    cells = pd.read_csv(tmp_path / "run" / "cells.csv").set_index(["model", "corruption"])[["n_correct", "nll"]]
    np.testing.assert_allclose(cells.loc["litert:build"], cells.loc["plain:build"], rtol=1e-4)
