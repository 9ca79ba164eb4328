"""What networks read from files share, whatever wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

SHAPE = "float32 (N, 1 or 3, height, width)"
ASSUMED = (32, 32)
"""Height and width that a network of any size is asked about, where nobody said what images will come."""


@dataclass(frozen=True)
class Wanted:
    """What a file shall give.

    classes: how many outputs, None takes any number. size: (H, W) of the images, for a network that takes any.
    output: which of several outputs, by name.
    """

    classes: int | None = None
    size: tuple[int, int] | None = None
    output: str | None = None


@dataclass(frozen=True)
class Form:
    """The images that a network takes: a batch (None: any number), 1 or 3 channels, (H, W) (None: any).

    pixels: its type, float32, float16, float64 or uint8, the last from 0 to 255.
    """

    batch: int | None
    channels: int
    size: tuple[int, int] | None
    channels_last: bool = False
    pixels: str = "float32"

    def shape(self, wanted: Wanted) -> tuple[int, ...]:
        """The shape of the smallest batch, channels first."""
        return (self.batch or 1, self.channels, *(self.size or wanted.size or ASSUMED))

    def __str__(self) -> str:
        """How it differs from float32 (N, C, H, W); empty where it does not."""
        pixels = "uint8 in 0..255" if self.pixels == "uint8" else self.pixels
        return ", ".join([*(["NHWC"] if self.channels_last else []), *([pixels] if pixels != "float32" else [])])


@dataclass(frozen=True)
class Archive:
    """A network read from a file: module takes float32 (N, C, H, W), of the form's channels and size.

    weights_sha256: as for `Classifier`. output: which of several outputs it answers, empty where it has one.
    """

    module: nn.Module
    form: Form
    weights_sha256: str
    source: str
    output: str = ""


def forms(shape: Sequence[int | None], pixels: str = "float32", *, last: Sequence[bool] = (False,)) -> list[Form]:
    """The forms that the shape of an input leaves open, None in it for any number; none where it is no images'.

    last: where the channels may stand, False for the second place and True for the last.
    """
    made: list[Form] = []
    if len(shape) != 4 or 0 in shape:
        return made
    for channels_last in last:
        own, sides = (shape[3], shape[1:3]) if channels_last else (shape[1], shape[2:4])
        height, width = sides
        if (height is None) != (width is None):
            if own in (1, 3):  # the channels stand here, and one side alone is fixed
                return []
            continue
        size = None if height is None or width is None else (height, width)
        for channels in (3, 1) if own is None else (own,):
            if channels in (1, 3):
                made.append(Form(shape[0], channels, size, channels_last, pixels))
    return made


def shape_text(shape: Sequence[int | None]) -> str:
    """A shape for a line, `any` for any number."""
    return f"({', '.join('any' if length is None else str(length) for length in shape)})"


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
