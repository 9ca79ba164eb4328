"""Outputs that are probabilities are taken as such; those of sigmoids are refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

NETS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes, last):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.last = nn.Linear(1024, classes), last
    def forward(self, x):
        return self.last(6 * self.linear(x.flatten(1)))

SAID = {"channels": 1, "side": 32}
def logits(classes): return Net(classes, lambda x: x), SAID
def softmax(classes): return Net(classes, lambda x: x.softmax(1)), SAID
def half(classes): return Net(classes, lambda x: x.softmax(1).half()), SAID
def steps(classes): return Net(classes, lambda x: (x.softmax(1) * 256).round().clamp(max=255) / 256), SAID
def logs(classes): return Net(classes, lambda x: x.log_softmax(1)), SAID
def sigmoid(classes): return Net(classes, lambda x: x.sigmoid()), SAID
def nearly(classes): return Net(classes, lambda x: x.softmax(1) + 1e-6), SAID
def percent(classes): return Net(classes, lambda x: 100 * x.softmax(1)), SAID
def waves(classes): return Net(classes, lambda x: torch.complex(x, x)), SAID
def constant(classes): return Net(classes, lambda x: torch.zeros_like(x)), SAID
def thirty(): return Net(30, lambda x: x.softmax(1)), SAID | {"classes": 30}
def thirty_logits(): return Net(30, lambda x: x), SAID | {"classes": 30}
"""
SCORES = ["n_correct", "nll", "brier", "ece15", "mean_conf"]


@pytest.fixture
def nets(tmp_path):
    (tmp_path / "nets.py").write_text(NETS)
    return tmp_path / "nets.py"


def scores(said, folder):
    assert said.code == 0, said.err
    return pd.read_csv(folder / "cells.csv").set_index(["model", "corruption"])[SCORES]


@pytest.mark.parametrize(
    ("kind", "within"), [("softmax", 1e-3), ("nearly", 1e-3), ("half", 0.03), ("steps", 0.1), ("logs", 1e-3)]
)
def test_probabilities_score_as_their_logits_do(sweep, nets, tmp_path, kind, within):
    found = scores(sweep(f"{nets}:logits", f"{nets}:{kind}"), tmp_path / "run")
    pairs = zip(found.loc["nets:logits"].to_numpy(), found.loc[f"nets:{kind}"].to_numpy(), strict=True)
    for own, other in pairs:
        np.testing.assert_allclose(other, own, rtol=within, atol=within)


def test_what_was_recognised_is_recorded_and_said(sweep, robench, nets, tmp_path):
    said = sweep(f"{nets}:logits", f"{nets}:softmax")
    assert "nets:softmax: outputs are probabilities." in said.out
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert [model["outputs"] for model in manifest["models"]] == ["logits", "probabilities"]
    robench("report", tmp_path / "run", "-o", tmp_path / "report")
    assert "nets:softmax: outputs are probabilities." in (tmp_path / "report" / "report.md").read_text()
    assert "0 cells computed, 6 found" in sweep(f"{nets}:logits", f"{nets}:softmax").out


def test_sigmoids_are_refused_or_taken_as_logits(sweep, nets, tmp_path):
    said = sweep(f"{nets}:sigmoid")
    assert said.code == 1
    assert "expected logits, or probabilities that sum to 1, got outputs within [0." in said.line
    assert not (tmp_path / "run" / "manifest.json").exists()
    assert sweep(f"{nets}:sigmoid", also=("--outputs", "logits")).code == 0
    assert "unknown kind of outputs 'logit'" in sweep(f"{nets}:sigmoid", also=("--outputs", "logit")).line


def test_a_constant_network_has_logits(sweep, nets):
    assert sweep(f"{nets}:constant").code == 0


def test_a_label_map_chooses_among_probabilities(sweep, nets, tmp_path):
    (tmp_path / "map.csv").write_text("class,index\n" + "".join(f"{n},{2 * n + 1}\n" for n in range(10)))
    also = ("--label-map", tmp_path / "map.csv")
    found = scores(sweep(f"{nets}:thirty", f"{nets}:thirty_logits", also=also), tmp_path / "run")
    np.testing.assert_allclose(found.loc["nets:thirty"], found.loc["nets:thirty_logits"], rtol=1e-3)


def test_a_run_of_the_days_before_took_them_for_logits(sweep, nets, tmp_path):
    sweep(f"{nets}:softmax")
    path = tmp_path / "run" / "manifest.json"
    manifest = json.loads(path.read_text())
    for model in manifest["models"]:
        del model["outputs"]
    path.write_text(json.dumps(manifest))
    assert "of outputs logits, asked for probabilities" in sweep(f"{nets}:softmax", also=("-c", "fog@1")).line


def test_an_onnx_file_that_ends_in_softmax(sweep, tmp_path):
    values = 40 * np.random.default_rng(0).normal(size=(1024, 10)).astype(np.float32) / 32
    for name, last in (("plain", []), ("soft", [helper.make_node("Softmax", ["y"], ["z"], axis=1)])):
        nodes = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["y"]), *last]
        inputs = helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 1, 32, 32))
        outputs = helper.make_tensor_value_info("z" if last else "y", TensorProto.FLOAT, None)
        graph = helper.make_graph(nodes, "net", [inputs], [outputs], [numpy_helper.from_array(values, "w")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        (tmp_path / f"{name}.onnx").write_bytes(model.SerializeToString())
    found = scores(sweep(tmp_path / "plain.onnx", tmp_path / "soft.onnx"), tmp_path / "run")
    np.testing.assert_allclose(found.loc["plain"], found.loc["soft"], rtol=1e-3)


def test_percents_are_refused(sweep, nets):
    assert "that sum to 100 to 100; have the network return" in sweep(f"{nets}:percent").line


def test_what_is_asked_for_must_be_so_and_is_recorded(sweep, nets, tmp_path):
    said = sweep(f"{nets}:logits", also=("--outputs", "probabilities"))
    assert "expected probabilities that sum to 1, got outputs within [-" in said.line
    said = sweep(f"{nets}:sigmoid", also=("--outputs", "probabilities"))
    assert "expected probabilities that sum to 1, got outputs within [0." in said.line
    assert (
        "nets:sigmoid: outputs are no logits, taken as logits as asked."
        in sweep(f"{nets}:sigmoid", also=("--outputs", "logits")).out
    )


def test_complex_outputs_are_a_line(sweep, nets):
    assert "expected real logits, got complex64" in sweep(f"{nets}:waves").err
