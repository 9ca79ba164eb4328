"""ONNX files as several exporters write them: NHWC, bytes, half floats, free shapes, several outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

SIDE, CLASSES = 8, 4
RNG = np.random.default_rng(3)
KERNEL = RNG.normal(size=(6, 3, 3, 3)).astype(np.float32)
WEIGHTS = RNG.normal(size=(6, CLASSES)).astype(np.float32)
KINDS = {
    "float": TensorProto.FLOAT,
    "half": TensorProto.FLOAT16,
    "double": TensorProto.DOUBLE,
    "bytes": TensorProto.UINT8,
}
Robench = Callable[..., Any]


def written(
    path: Path,
    shape: Sequence[Any] = ("n", 3, SIDE, SIDE),
    kind: str = "float",
    *,
    last: bool = False,
    outputs: Sequence[str] = ("y",),
    nodes: Sequence[Any] = (),
    free: bool = False,
) -> Path:
    """A convolution, the mean of its map and a linear map; free: a mean of the pixels, which no layout contradicts."""
    steps = [helper.make_node("Cast", ["x"], ["floats"], to=TensorProto.FLOAT)]
    steps.append(helper.make_node("Mul", ["floats", "scale"], ["unit"]))
    steps.append(helper.make_node("Transpose", ["unit"], ["first"], perm=[0, 3, 1, 2] if last else [0, 1, 2, 3]))
    if free:
        steps.append(helper.make_node("ReduceMean", ["first"], ["mean"], axes=[1, 2, 3], keepdims=1))
        steps.append(helper.make_node("Expand", ["mean", "ones"], ["map"]))
    else:
        steps.append(helper.make_node("Conv", ["first", "kernel"], ["map"]))
    steps.append(helper.make_node("GlobalAveragePool", ["map"], ["pooled"]))
    steps.append(helper.make_node("Flatten", ["pooled"], ["features"]))
    steps.append(helper.make_node("MatMul", ["features", "w"], ["y"]))
    constants = {"scale": np.float32(1 / 255 if kind == "bytes" else 1), "kernel": KERNEL, "w": WEIGHTS}
    constants["ones"] = np.array([1, 6, 1, 1])
    types = {"label": TensorProto.INT64}
    graph = helper.make_graph(
        [*steps, *nodes],
        "net",
        [helper.make_tensor_value_info("x", KINDS[kind], shape)],
        [
            onnx.ValueInfoProto(name=name)
            if name == "maps"
            else helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), None)
            for name in outputs
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 3)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    return path


SOFTMAX = helper.make_node("Softmax", ["y"], ["probabilities"], axis=1)
LABEL = helper.make_node("ArgMax", ["y"], ["label"], axis=1, keepdims=0)
ZIPMAP = helper.make_node("ZipMap", ["y"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[*range(CLASSES)])


@pytest.fixture
def sweep(robench: Robench, tmp_path: Path) -> Robench:
    """sweep("net.onnx", …) evaluates models on 24 colour images into `run`; the images are 8x8 or (height, width)."""

    def run(
        *models: object, out: str = "run", size: tuple[int, int] = (SIDE, SIDE), also: Sequence[object] = ()
    ) -> Any:
        images = np.random.default_rng(0).integers(0, 256, (24, *size, 3), dtype=np.uint8)
        np.savez(tmp_path / "images.npz", images=images, labels=np.arange(24) % CLASSES)
        specs = [word for model in models for word in ("-m", model)]
        data = ("-d", f"npz:{tmp_path / 'images.npz'}", "-c", "awgn@0.1", "--device", "cpu")
        return robench("evaluate", *specs, *data, *also, "-o", tmp_path / out)

    return run


def scores(said: Any, folder: Path) -> pd.DataFrame:
    assert said.code == 0, said.err
    return pd.read_csv(folder / "cells.csv").set_index(["model", "corruption"])[["top1", "nll", "brier"]]


def test_every_form_scores_as_float32_nchw_does(sweep: Robench, tmp_path: Path) -> None:
    input_size = (SIDE, SIDE)
    forms: dict[str, tuple[Sequence[Any], dict[str, Any]]] = {
        "nchw": (("n", 3, *input_size), {}),
        "nhwc": (("n", *input_size, 3), {"last": True}),
        "bytes": (("n", *input_size, 3), {"last": True, "kind": "bytes"}),
        "bytes-first": (("n", 3, *input_size), {"kind": "bytes"}),
        "half": (("n", 3, *input_size), {"kind": "half"}),
        "double": (("n", 3, *input_size), {"kind": "double"}),
        "batch-of-5": ((5, *input_size, 3), {"last": True}),
        "any-side": (("n", "h", "w", 3), {"last": True}),
        "any": (("n", "c", "h", "w"), {}),
        "any-last": (("n", "h", "w", "c"), {"last": True}),
    }
    files = [written(tmp_path / f"{name}.onnx", shape, **how) for name, (shape, how) in forms.items()]
    said = sweep(*files)
    found = scores(said, tmp_path / "run")
    for name in forms:
        close = 2e-3 if name == "half" else 1e-5
        np.testing.assert_allclose(found.loc[name], found.loc["nchw"], rtol=close, err_msg=name)
    assert "nhwc: input 8 x 8, as they are, RGB, NHWC; normalisation none, of its card" in said.err
    assert "bytes: input 8 x 8, as they are, RGB, NHWC, uint8 in 0..255; no normalisation" in said.err
    assert "half: input 8 x 8, as they are, RGB, float16; normalisation none" in said.err
    assert "any-last: input 8 x 8, as they are, RGB, NHWC; normalisation none" in said.err


def test_bytes_take_no_normalisation(sweep: Robench, tmp_path: Path) -> None:
    said = sweep(written(tmp_path / "net.onnx", kind="bytes"), also=("--normalize", "imagenet"))
    assert "model 'net': takes bytes in 0..255 as they are; leave out normalize 'imagenet'" in said.line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("last", [False, True])
def test_an_input_that_is_not_square(sweep: Robench, tmp_path: Path, last: bool) -> None:
    wide = written(tmp_path / "wide.onnx", ("n", 6, 10, 3) if last else ("n", 3, 6, 10), last=last)
    free = written(tmp_path / "free.onnx", ("n", 3, "h", "w"))
    said = sweep(wide, free, size=(6, 10))
    found = scores(said, tmp_path / "run")
    np.testing.assert_allclose(found.loc["wide"], found.loc["free"], rtol=1e-5)
    assert "wide: input 10 x 6, as they are, RGB" in said.err
    said = sweep(wide, out="square")
    assert "wide: input 8 x 8, resized to 10 x 6, RGB" in said.err
    assert set(pd.read_csv(tmp_path / "square" / "cells.csv")["fit"]) == {"resize6x10"}


def test_a_form_that_nothing_tells_is_asked_for(sweep: Robench, tmp_path: Path) -> None:
    net = written(tmp_path / "net.onnx", ("n", "a", "b", "c"), free=True)
    said = sweep(net)
    assert (
        "expected one form of input x, got one that runs on (1, 3, 8, 8) and (1, 1, 8, 8) and (1, 8, 8, 3)" in said.line
    )
    words = said.line.partition("fix its shape: python ")[2].split()
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True, capture_output=True)
    assert sweep(tmp_path / "fixed.onnx").code == 0


def test_the_only_matrix_of_floats_is_taken(sweep: Robench, tmp_path: Path) -> None:
    net = written(tmp_path / "net.onnx", outputs=["label", "probabilities"], nodes=[LABEL, SOFTMAX])
    plain = written(tmp_path / "plain.onnx")
    said = sweep(net, plain)
    found = scores(said, tmp_path / "run")
    np.testing.assert_allclose(found.loc["net"], found.loc["plain"], rtol=1e-4)
    assert "normalisation none, of its card; output 'probabilities'" in said.err
    models = json.loads((tmp_path / "run" / "manifest.json").read_text())["models"]
    assert [model["output"] for model in models] == ["probabilities", ""]


def test_of_two_matrices_the_one_of_the_right_number_is_taken(sweep: Robench, tmp_path: Path) -> None:
    said = sweep(written(tmp_path / "net.onnx", outputs=["features", "y"]))
    assert said.code == 0
    assert "; output 'y'" in said.err


def test_an_output_is_chosen_by_name(sweep: Robench, tmp_path: Path) -> None:
    net = written(tmp_path / "net.onnx", outputs=["y", "probabilities"], nodes=[SOFTMAX])
    said = sweep(net)
    assert (
        "got 'y' float32 (1, 4), 'probabilities' float32 (1, 4); choose one, as in net.onnx#y or --output y"
        in said.line
    )
    assert not (tmp_path / "run").exists()
    found = scores(sweep(f"{net}#y", f"{net}#probabilities"), tmp_path / "run")
    np.testing.assert_allclose(found.loc["net#y"], found.loc["net#probabilities"], rtol=1e-4)
    assert sweep(net, out="one", also=("--output", "y")).code == 0
    said = sweep(net, out="one", also=("--output", "probabilities", "-c", "contrast@1"))
    assert "'net' of output y, asked for probabilities" in said.line
    assert "unknown output 'probability'; did you mean probabilities?" in sweep(f"{net}#probability", out="no").line
    assert "expected the name of an output after '#'" in sweep(f"{net}#", out="no").line


def test_an_output_is_a_matrix_of_floats(sweep: Robench, tmp_path: Path) -> None:
    net = written(tmp_path / "net.onnx", outputs=["label", "map"], nodes=[LABEL])
    assert "got 'label' int64 (1,), 'map' float32 (1, 6, 6, 6)" in sweep(net).line
    assert "(1, classes), got 'label' int64 (1,)" in sweep(f"{net}#label").line


def test_a_sequence_of_maps_is_refused_with_the_way_out(sweep: Robench, tmp_path: Path) -> None:
    net = written(tmp_path / "net.onnx", outputs=["label", "maps"], nodes=[LABEL, ZIPMAP])
    line = sweep(net).line
    assert "got 'label' int64 (1,), 'maps' a sequence of maps" in line
    assert "in skl2onnx by options={'zipmap': False}" in line


def test_an_output_is_of_an_onnx_file(sweep: Robench) -> None:
    said = sweep("resnet20", also=("--random-weights", "--output", "y"))
    assert said.code == 2
    assert "model 'resnet20': expected an ONNX file for the output 'y', got a network with one output" in said.line
