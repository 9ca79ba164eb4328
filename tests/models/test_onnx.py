"""`path/to/net.onnx`: the network that the file says, its digest, and one line for what does not fit."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from robench import models
from robench.errors import CheckpointError, ConfigError, ModelError, RobenchError
from robench.files import sha256_file

CLASSES = 5
IMAGES = torch.randint(0, 256, (7, 8, 8, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def saved(
    path: Path, shape: Sequence[Any] = ("n", 3, 8, 8), kind: int = TensorProto.FLOAT, beside: str = "", **options: Any
) -> Path:
    """Mean colour, then a linear map to five classes."""
    weights = np.arange(15, dtype=np.float32).reshape(3, CLASSES) / 7
    nodes = [
        helper.make_node("Cast", ["x"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["colour"], axes=options.get("axes", [2, 3]), keepdims=0),
        helper.make_node("MatMul", ["colour", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in options.get("outputs", ["y"])],
        [numpy_helper.from_array(weights, "w"), *options.get("spare", [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # onnx leaves closing to the collector
        onnx.save(model, path, save_as_external_data=bool(beside), location=beside or None, size_threshold=0)
    return path


def expected(images: Tensor) -> Tensor:
    weights = torch.arange(15).reshape(3, CLASSES) / 7
    return (images.permute(0, 3, 1, 2) / 255).mean(dim=(2, 3)) @ weights


@pytest.mark.parametrize("batch", ["n", 1, 3, 7, 9])
def test_any_batch_through_a_file_of_any_batch(batch: Any, tmp_path: Path) -> None:
    net = models.load(str(saved(tmp_path / "net.onnx", (batch, 3, 8, 8))), classes=CLASSES)
    assert torch.allclose(net.logits(IMAGES), expected(IMAGES), atol=1e-6)
    assert (net.card.input_size, net.normalize, net.label) == (8, "none", "net")


def test_the_digest_is_the_files_and_normalisation_is_what_is_asked(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx")
    net = models.load(str(path), classes=CLASSES, normalize="0.5/0.25")
    assert net.weights_sha256 == sha256_file(path)
    assert torch.allclose(net.logits(IMAGES), expected((IMAGES / 255 - 0.5) / 0.25 * 255), atol=1e-5)


def test_what_onnxruntime_would_remark_is_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    models.load(
        str(saved(tmp_path / "net.onnx", spare=[numpy_helper.from_array(np.ones(3, np.float32), "v")])), classes=5
    )
    assert capfd.readouterr() == ("", "")


def test_any_side_and_gray(tmp_path: Path) -> None:
    net = models.load(str(saved(tmp_path / "net.onnx", ("n", 3, "h", "w"))), classes=CLASSES, input_size=12)
    assert (net.card.input_size, net.resize_policy) == (None, "none")
    assert net.logits(torch.zeros(2, 12, 12, 1, dtype=torch.uint8)).shape == (2, CLASSES)


def test_weights_beside_the_file_count_too(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", beside="w.bin")
    first = models.load(str(path), classes=CLASSES)
    assert torch.allclose(first.logits(IMAGES), expected(IMAGES), atol=1e-6)
    digests = [hashlib.sha256(one.read_bytes()).hexdigest() for one in (path, tmp_path / "w.bin")]
    assert first.weights_sha256 == hashlib.sha256("+".join(digests).encode()).hexdigest()


@pytest.mark.parametrize("name", ["w.bin", "w" * 200])
def test_weights_beside_the_file_are_in_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = saved(tmp_path / "in" / "net.onnx", beside=name)
    beside = tmp_path / "in" / name
    beside.rename(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match=f"expected its weights in a file beside it, got '{name}'"):
        models.load(str(path), classes=CLASSES)
    beside.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="expected its weights in a file beside it"):
        models.load(str(path), classes=CLASSES)


def test_weights_above_the_folder_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", beside="w.bin")
    path.write_bytes(path.read_bytes().replace(b"\x05w.bin", b"\x05../ww"))
    with pytest.raises(CheckpointError, match=r"expected its weights in a file beside it, got '\.\./ww'"):
        models.load(str(path), classes=CLASSES)


@pytest.mark.parametrize(
    ("shape", "options", "fault"),
    [
        (("n", 3, 8), {"axes": [2]}, r"expected one input of images .*, got float32 \(any, 3, 8\)"),
        (("n", 8, 3, 8), {"axes": [1, 3]}, r"got float32 \(any, 8, 3, 8\)"),
        (("n", 3, 8, "w"), {}, r"got float32 \(any, 3, 8, any\)"),
        (("n", 3, 8, 8), {"kind": TensorProto.INT8}, r"expected one input of images .*, got x tensor\(int8\)"),
        (("n", 3, 8, 8), {"outputs": ["floats"]}, r"\(1, classes\), got 'floats' float32 \(1, 3, 8, 8\)"),
    ],
)
def test_a_wrong_form_is_one_line(shape: Any, options: dict[str, Any], fault: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=fault) as caught:
        models.load(str(saved(tmp_path / "net.onnx", shape, **options)), classes=CLASSES)
    assert "\n" not in str(caught.value)


def test_other_classes_need_a_label_map(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=r"net\.onnx: expected 2 outputs, the data set's classes, got 5"):
        models.load(str(path), classes=2)
    (tmp_path / "map.csv").write_text("class,index\na,4\nb,0\n")
    chosen = models.load(str(path), classes=2, class_names=("a", "b"), label_map=tmp_path / "map.csv")
    assert torch.allclose(chosen.logits(IMAGES), expected(IMAGES)[:, [4, 0]], atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x08\x08\x12\x00"])
def test_other_files_are_refused_in_one_line(content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"net\.onnx: not an ONNX file that can be run") as caught:
        models.load(str(tmp_path / "net.onnx"), classes=CLASSES)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_missing_file_and_a_missing_library_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RobenchError, match=r"no\.onnx: no such file"):
        models.load(str(tmp_path / "no.onnx"), classes=CLASSES)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match=r"expected the extra: pip install 'robench\[onnx\]'"):
        models.load(str(saved(tmp_path / "net.onnx")), classes=CLASSES)
