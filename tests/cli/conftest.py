"""A command line run in this process, and what it said."""

import warnings
from dataclasses import dataclass

import pytest

from robench.cli import main


@dataclass
class Said:
    """Exit code, stdout and stderr of one command line."""

    code: int
    out: str
    err: str


@pytest.fixture
def robench(capsys, monkeypatch):
    """robench("list", "models") -> Said."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def run(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        said = capsys.readouterr()
        return Said(ended.value.code, said.out, said.err)

    return run
