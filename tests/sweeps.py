"""Small sweeps of the shipped networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from robench.evaluate import Request, run

CLEAN, NOISE = "tiny_cnn=digits-clean", "tiny_cnn=digits-noise"


def sweep(folder: Path, *models: str, **options: Any) -> Path:
    """A run of a suite on 60 digits, of both networks where none is named; its folder."""
    given = {"suites": ("pivot/1",), "limit": 60} | options
    run(Request(models or (CLEAN, NOISE), "digits", folder, **given))
    return folder
