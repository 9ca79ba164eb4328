"""Small sweeps of the shipped networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from robench.sweep import SweepConfig, run

CLEAN, NOISE = "tiny_cnn=digits-clean", "tiny_cnn=digits-noise"


def sweep(folder: Path, *models: str, **options: Any) -> Path:
    """A run on 60 digits, of both networks where none is named, of a suite where nothing is chosen; its folder."""
    given = {"suites": () if options.get("corruptions") else ("pivot/1",), "limit": 60} | options
    run(SweepConfig(models or (CLEAN, NOISE), "digits", folder, **given))
    return folder
