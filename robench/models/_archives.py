"""Files that are a network with its weights, of torch.export or ONNX."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from robench.errors import CheckpointError, ModelError
from robench.files import one_line
from robench.models import _export, _onnx
from robench.models._foreign import Chunked, Wanted
from robench.models._normalize import NAMED
from robench.models._registry import Card


def read_archive(path: Path, name: str, wanted: Wanted, where: torch.device) -> tuple[Card, nn.Module, str]:
    """Card, network on its device and digest of `net.pt2` or `net.onnx`.

    It has no normalisation of its own; one of bytes takes pixels from 0 to 255.
    Raises `CheckpointError` for a file that is none, `ModelError` for a network of another form, `ConfigError` for an
    output that it has not.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    archive = (_onnx if path.suffix.lower() == ".onnx" else _export).read(path, wanted, where)
    form = archive.form
    module = Chunked(archive.module, form.batch)
    outputs = _outputs(path, module, form.shape(wanted), where)
    if wanted.classes not in (None, outputs):
        raise ModelError(f"{path}: expected {wanted.classes} outputs, the data set's classes, got {outputs}")
    input_size, width = form.size or (None, None)
    is_bytes = form.pixels == "uint8"
    mean, std = NAMED["bytes" if is_bytes else "none"].spread(form.channels)
    params = sum(parameter.numel() for parameter in module.parameters())
    card = Card(
        *(name, input_size, form.channels, mean, std, params, outputs, archive.source),
        width=width if width != input_size else None,
        form=str(form),
        takes_bytes=is_bytes,
        output=archive.output,
        build=lambda _: module,
    )
    return card, module, archive.weights_sha256


def _outputs(path: Path, module: nn.Module, shape: tuple[int, ...], where: torch.device) -> int:
    """How many outputs the network has, by what it answers to a black image."""
    try:
        with torch.inference_mode():
            answer = module(torch.zeros(shape, device=where))
    except Exception as fault:
        raise ModelError(f"{path}: cannot be run on {shape}: {one_line(fault)}") from fault
    if not isinstance(answer, Tensor) or answer.ndim != 2 or len(answer) != shape[0]:
        got = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
        raise ModelError(f"{path}: expected one output ({shape[0]}, classes), got {got}")
    return answer.shape[1]
