"""What networks read from files share, whatever wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

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
