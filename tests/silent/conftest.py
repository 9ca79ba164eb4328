"""A small sweep, as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def sweep(robench: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """sweep("nets.py:make", …) evaluates models on 40 digits under two corruptions into `run`; `out`, `also`: options.

    A data set or corruptions among `also` take the place of these.
    """

    def run(*models: object, out: str = "run", also: tuple[object, ...] = ()) -> Any:
        specs = [word for model in models for word in ("-m", model)]
        rest = () if "-d" in also else ("-d", "digits", "--limit", "40")
        chosen = () if {"-c", "-s", "-d"} & set(also) else ("-c", "awgn@0.2", "-c", "contrast@3")
        options = ("--device", "cpu", "--batch-size", 16)
        return robench("evaluate", *specs, *rest, *chosen, *options, *also, "-o", tmp_path / out)

    return run
