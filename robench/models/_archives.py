"""Files that are a network with its weights, of torch.export or ONNX."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from robench.errors import CheckpointError, ModelError
from robench.files import one_line
from robench.models import _export, _onnx
from robench.models._foreign import SHAPE, Chunked
from robench.models._registry import Card


def read_archive(
    path: Path, name: str, classes: int | None, size: tuple[int, int] | None, where: torch.device
) -> tuple[Card, nn.Module, str]:
    """Card, network on its device and digest of `net.pt2` or `net.onnx`. It has no normalisation of its own.

    classes: its outputs must be that many; None takes any. size: of the images, for a network that takes any.
    Raises `CheckpointError` for a file that is none, `ModelError` for a network of another form.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    archive = (_onnx if path.suffix.lower() == ".onnx" else _export).read(path, where)
    batch, channels, input_size = _checked(path, archive.shape)
    module = Chunked(archive.module, batch)
    outputs = _outputs(
        path, module, (batch or 1, channels, *((input_size, input_size) if input_size else size or (32, 32))), where
    )
    if classes not in (None, outputs):
        raise ModelError(f"{path}: expected {classes} outputs, the data set's classes, got {outputs}")
    mean, std = (0.0,) * channels, (1.0,) * channels
    params = sum(parameter.numel() for parameter in module.parameters())
    card = Card(name, input_size, channels, mean, std, params, outputs, archive.source, build=lambda _: module)
    return card, module, archive.weights_sha256


def _checked(path: Path, shape: tuple[int | None, ...]) -> tuple[int | None, int, int | None]:
    """Batch, channels and side of an input that is a batch of square images; channels first."""
    text = ", ".join("any" if length is None else str(length) for length in shape)
    if len(shape) != 4 or shape[1] not in (1, 3) or shape[2] != shape[3] or 0 in shape:
        raise ModelError(f"{path}: expected an input of {SHAPE}, got ({text})")
    return shape[0], shape[1], shape[2]


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
