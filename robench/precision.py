"""The arithmetic of networks by its name: float32, or automatic mixed precision in 16 bits; compiled or not."""

from __future__ import annotations

from robench.errors import ConfigError

PRECISIONS = ("fp32", "bf16", "fp16")
COMPILED = "+compile"


def precision_text(precision: str, compiled: bool) -> str:
    """What is recorded: `fp32`, `bf16`, `fp16`, and whether the network was compiled. Raises ConfigError.

    >>> precision_text("bf16", True)
    'bf16+compile'
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"precision must be {', '.join(PRECISIONS)}, got '{precision}'")
    return precision + COMPILED * compiled
