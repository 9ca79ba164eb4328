"""Files that are a network with its weights, of torch.export or ONNX: what they share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from robench.errors import CheckpointError, ModelError
from robench.models._registry import Card

SHAPE = "float32 (N, 1 or 3, side, side)"


@dataclass(frozen=True)
class Archive:
    """A network read from a file.

    shape: of its input, None where any number goes. weights_sha256: as for `Classifier`.
    """

    module: nn.Module
    shape: tuple[int | None, ...]
    weights_sha256: str
    source: str


class Chunked(nn.Module):
    """A network that takes a fixed number of images: others are cut up, and filled with the last image."""

    def __init__(self, inner: nn.Module, batch: int | None) -> None:
        super().__init__()
        self.inner = inner
        self.batch = batch

    def forward(self, x: Tensor) -> Any:
        x = x.contiguous()
        if self.batch is None or len(x) == self.batch:
            return self.inner(x)
        answers = [self._answer(part) for part in torch.split(x, self.batch)]
        return torch.cat(answers)

    def _answer(self, part: Tensor) -> Tensor:
        assert self.batch is not None
        missing = self.batch - len(part)
        answer: Tensor = self.inner(torch.cat([part, part[-1:].expand(missing, -1, -1, -1)]) if missing else part)
        return answer[: len(part)]

    def train(self, mode: bool = True) -> Chunked:
        """Archives are in evaluation mode, for good."""
        return self


def read_archive(
    path: Path, name: str, classes: int | None, size: tuple[int, int] | None, where: torch.device
) -> tuple[Card, nn.Module, str]:
    """Card, network on its device and digest of `net.pt2` or `net.onnx`. It has no normalisation of its own.

    classes: its outputs must be that many; None takes any. size: of the images, for a network that takes any.
    Raises `CheckpointError` for a file that is none, `ModelError` for a network of another form.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    if path.suffix.lower() == ".onnx":
        from robench.models._onnx import read
    else:
        from robench.models._export import read
    archive = read(path, where)
    batch, channels, side = _checked(path, archive.shape)
    module = Chunked(archive.module, batch)
    outputs = _outputs(path, module, (batch or 1, channels, *((side, side) if side else size or (32, 32))), where)
    if classes not in (None, outputs):
        raise ModelError(f"{path}: expected {classes} outputs, the data set's classes, got {outputs}")
    mean, std = (0.0,) * channels, (1.0,) * channels
    params = sum(parameter.numel() for parameter in module.parameters())
    card = Card(name, side, channels, mean, std, params, outputs, archive.source, build=lambda _: module)
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


def one_line(fault: BaseException) -> str:
    """What a library said, in one line."""
    return " ".join(str(fault).split()) or type(fault).__name__
