"""The arithmetic of the forward passes: float32 as IEEE 754 has it, or 16-bit automatic mixed precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import nn

from robench.precision import COMPILED


def mixed(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Around a forward pass: what may run in 16 bits does, where the precision asks for it."""
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    kind = kinds.get(precision.removesuffix(COMPILED))
    return nullcontext() if kind is None else torch.autocast(device.type, kind)


@contextmanager
def exact_float32() -> Iterator[None]:
    """Around a sweep: float32 products are not rounded to TF32 on GPUs that would; the settings come back after it."""
    settings = _tf32_settings()
    before = [getattr(place, name) for place, name, _ in settings]
    for place, name, value in settings:
        setattr(place, name, value)
    try:
        yield
    finally:
        for (place, name, _), value in zip(settings, before, strict=True):
            setattr(place, name, value)


def _tf32_settings() -> list[tuple[Any, str, Any]]:
    """Where torch keeps it, which moved: the new places where there are any, for the old ones warn beside them."""
    matmul, convolution = torch.backends.cuda.matmul, getattr(torch.backends.cudnn, "conv", None)
    if convolution is not None and hasattr(convolution, "fp32_precision"):
        return [(matmul, "fp32_precision", "ieee"), (convolution, "fp32_precision", "ieee")]
    return [(matmul, "allow_tf32", False), (torch.backends.cudnn, "allow_tf32", False)]


def compiled(module: nn.Module) -> nn.Module:
    """The network for repeated forward passes of one shape, and shorter last batches; the weights stay shared."""
    return cast("nn.Module", torch.compile(module, dynamic=True))
