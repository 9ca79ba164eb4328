"""torch.export archives."""

from __future__ import annotations

from pathlib import Path

import torch

from robench.errors import ModelError
from robench.models._archives import Archive


def read(path: Path, where: torch.device) -> Archive:
    """The network of an archive."""
    raise ModelError(f"{path}: torch.export archives cannot be read yet")
