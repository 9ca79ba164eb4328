"""What a user types, in this process: exit status, standard output, standard error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from robench.cli import main


class Said(NamedTuple):
    """How a command ended and what it printed; line: its own line on stderr, without the progress."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        [found] = [line for line in self.err.splitlines() if line.startswith("robench: ")]
        return found


Command = Callable[..., Said]


@pytest.fixture
def robench(capsys: pytest.CaptureFixture[str]) -> Command:
    """robench("evaluate", …) as the command line does it."""

    def run(*args: object) -> Said:
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        return Said(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def sweep(robench: Command, tmp_path: Path) -> Command:
    """sweep("nets.py:make", …) evaluates models on 40 digits under two corruptions into `run`."""

    def run(*models: object, out: str = "run", also: tuple[object, ...] = ()) -> Said:
        specs = [word for model in models for word in ("-m", model)]
        rest = () if "-d" in also else ("-d", "digits", "--limit", "40")
        chosen = () if "-c" in also or "-s" in also or "-d" in also else ("-c", "awgn@0.2", "-c", "contrast@3")
        options = ("--device", "cpu", "--batch-size", 16)
        return robench("evaluate", *specs, *rest, *chosen, *options, *also, "-o", tmp_path / out)

    return run
