"""What has to be settled before numba is imported, a cache of the tests' own, command lines, real data, a browser."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from browser import browser

os.environ["NUMBA_NUM_THREADS"] = "4"  # the most that a test can set, on machines of fewer cores too


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decoded images of the tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@dataclass
class Said:
    """Exit code, stdout and stderr of one command line."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The command's own lines on stderr, of which there are some; the others tell of progress."""
        assert "Traceback" not in self.err
        found = [line for line in self.err.splitlines() if line.startswith("robench: ")]
        assert found, self.err
        return found

    @property
    def line(self) -> str:
        """The one line of its own on stderr, without those of the progress."""
        [found] = self.lines
        return found


@pytest.fixture
def robench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """robench("list", "models") -> Said, of a command line run in this process."""
    from robench.cli import main

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def run(*args: object) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        said = capsys.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """A folder of real data by name; the test is skipped where it is not there."""

    def find(name: str) -> Path:
        base = Path(os.environ.get("ROBENCH_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
        if not (base / name).is_dir():
            pytest.skip(f"no real data in {base / name}; ROBENCH_TEST_DATA names the folder that holds {name}")
        return base / name

    return find


@pytest.fixture(scope="session")
def official_cifar10(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official files of CIFAR-10."""
    folder = tmp_path_factory.mktemp("cifar10")
    subprocess.run([sys.executable, real_data("cifar10") / "unpack", folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Give a corruption another version for the length of a test."""
    import corruptions

    def put(name: str, version: int) -> None:
        changed = replace(corruptions.get(name), version=version)
        monkeypatch.setitem(corruptions._contract.registry._items, name, changed)

    return put


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    """A browser for pages; without one the test is skipped, but on CI it fails."""
    with browser() as one:
        yield one
