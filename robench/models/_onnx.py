"""ONNX files, run by onnxruntime."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from robench.errors import CheckpointError, ConfigError, ModelError
from robench.files import one_line, sha256_file
from robench.models._foreign import SHAPE, Archive

# As protobuf writes it: an entry of key "location", then the tag of its value, which its length follows.
ELSEWHERE = b"\n\x08location\x12"
SILENT = 4


class OnnxNet(nn.Module):
    """A session as a network: float32 in and out, through the processor's memory."""

    is_of_torch = False

    def __init__(self, session: Any, name: str) -> None:
        super().__init__()
        self._session = session
        self._name = name

    def forward(self, x: Tensor) -> Tensor:
        [answer] = self._session.run(None, {self._name: x.detach().cpu().numpy()})
        return torch.from_numpy(answer).to(x.device)


def read(path: Path, where: torch.device) -> Archive:
    """The network of an ONNX file with one input and one output, both float32; on CUDA where that is asked and there.

    weights_sha256 is the file's sha256; with weights in files beside it, over those files' digests too.
    """
    digest = _digest(path)
    session = _session(path, where)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        got = ", ".join(f"{one.name} {one.type}" for one in inputs) or "none"
        raise ModelError(f"{path}: expected one input of {SHAPE}, got {got}")
    if len(outputs) != 1 or outputs[0].type != "tensor(float)":
        got = ", ".join(f"{one.name} {one.type}" for one in outputs) or "none"
        raise ModelError(f"{path}: expected one output of float32 (N, classes), got {got}")
    shape = tuple(length if isinstance(length, int) else None for length in inputs[0].shape)
    return Archive(OnnxNet(session, inputs[0].name), shape, digest, "user's ONNX file")


def _session(path: Path, where: torch.device) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise ConfigError(f"{path}: needs onnxruntime; expected the extra: pip install 'robench[onnx]'") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=_providers(onnxruntime, where))
    except Exception as fault:
        raise CheckpointError(f"{path}: not an ONNX file that can be run: {one_line(fault)}") from fault


def _providers(onnxruntime: Any, where: torch.device) -> list[Any]:
    cuda = "CUDAExecutionProvider"
    if where.type == "cuda" and cuda in onnxruntime.get_available_providers():
        return [(cuda, {"device_id": where.index or 0}), "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]


def _digest(path: Path) -> str:
    content = path.read_bytes()
    names = sorted({_text(content, found.end()) for found in re.finditer(ELSEWHERE, content)})
    if not names:
        return hashlib.sha256(content).hexdigest()
    for name in names:
        beside = (path.parent / name).resolve()
        if not beside.is_relative_to(path.parent.resolve()) or not beside.is_file():
            raise CheckpointError(f"{path}: expected its weights in a file beside it, got '{name}'")
    digests = [sha256_file(one) for one in (path, *(path.parent / name for name in names))]
    return hashlib.sha256("+".join(digests).encode()).hexdigest()


def _text(content: bytes, start: int) -> str:
    """A protobuf string: its length, seven bits a byte, the lowest first, then that many bytes."""
    length, shift = 0, 0
    while start < len(content):
        length |= (content[start] & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if content[start - 1] < 0x80:
            break
    return content[start : start + length].decode(errors="replace").replace("\0", "?")
