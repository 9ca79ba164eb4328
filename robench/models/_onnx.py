"""ONNX files, run by onnxruntime."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from robench.errors import CheckpointError, ConfigError
from robench.files import one_line, sha256_file
from robench.models._foreign import Archive, Form, Wanted
from robench.models._onnx_form import black, check_output, forms_of, tried

# As protobuf writes it: an entry of key "location", then the tag of its value, which its length follows.
ELSEWHERE = b"\n\x08location\x12"
SILENT = 4


class OnnxNet(nn.Module):
    """A session as a network, through the processor's memory: float32 (N, C, H, W) in, the chosen output out.

    Images are given in the form that the file takes; as uint8, values are rounded to the nearest of 0..255.
    """

    is_of_torch = False

    def __init__(self, session: Any, name: str, form: Form, output: str) -> None:
        super().__init__()
        self._session = session
        self._name = name
        self._form = form
        self._output = output

    def forward(self, x: Tensor) -> Tensor:
        given = x.detach().permute(0, 2, 3, 1) if self._form.channels_last else x.detach()
        if self._form.pixels == "uint8":
            given = given.round().clamp(0, 255)
        array = np.ascontiguousarray(given.cpu().numpy().astype(self._form.pixels, copy=False))
        [answer] = self._session.run([self._output], {self._name: array})
        return torch.from_numpy(answer if answer.dtype == np.float16 else answer.astype(np.float32)).to(x.device)


def read(path: Path, wanted: Wanted, where: torch.device) -> Archive:
    """The network of an ONNX file whose one input is images; on CUDA where that is asked and there.

    Where the file leaves open where its channels stand and how many they are, it is run on black images.
    weights_sha256 is the file's sha256; with weights in files beside it, over those files' digests too.
    """
    digest = _digest(path)
    session = _session(path, where)
    outputs = [output.name for output in session.get_outputs()]
    check_output(path, outputs, wanted.output)
    possible = forms_of(path, session.get_inputs())
    name = session.get_inputs()[0].name
    asked = outputs if wanted.output is None else [wanted.output]

    def run(form: Form) -> dict[str, Any]:
        return dict(zip(asked, session.run(asked, {name: black(form, wanted)}), strict=True))

    form, output = tried(path, possible, run, wanted, name)
    net = OnnxNet(session, name, form, output)
    return Archive(net, form, digest, "user's ONNX file", output if len(outputs) > 1 else "")


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
