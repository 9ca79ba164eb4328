"""The contestants: where each one's environment is made, and its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNNERS = Path(__file__).parent / "runners"
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA")
QUIET = {"OPENCV_FOR_THREADS_NUM": "1", "NO_ALBUMENTATIONS_UPDATE": "1"}
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in THREADS} | QUIET


@dataclass(frozen=True)
class Peer:
    """A package, what it is installed with, and whether it uses the torch that is here."""

    name: str
    package: str
    needs: tuple[str, ...]
    borrows_torch: bool = False


PEERS = (
    # The last versions with wheels for Python 3.11 that it runs with: setuptools still has pkg_resources, numpy still
    # has np.float_. One name remains to be put in its place: runners/with_imagecorruptions.py.
    Peer(
        "imagecorruptions",
        "imagecorruptions==1.1.2",
        (
            *("setuptools==69.5.1", "numpy==1.24.4", "scipy==1.11.4", "scikit-image==0.20.0", "numba==0.58.1"),
            *("opencv-python-headless==4.8.1.78", "pillow==10.4.0"),
        ),
    ),
    Peer("albumentations", "albumentations==2.0.8", ("albumentations==2.0.8",)),
    Peer("kornia", "kornia==0.9.0", ("kornia_rs==0.2.0",), borrows_torch=True),
)


def made(peer: Peer, work: Path) -> Path:
    """The peer's Python, its environment made if it is not there. Raises CalledProcessError where that fails."""
    folder = work / "environments" / peer.name
    python = folder / "bin" / "python"
    done = folder / "made.json"
    wanted = json.dumps([peer.package, *peer.needs])
    if done.exists() and done.read_text() == wanted:
        return python
    _call([sys.executable, "-m", "venv", "--clear", str(folder)])
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    _call([*install, *(["--no-deps"] if peer.borrows_torch else []), *peer.needs])
    _call([*install, "--no-deps", peer.package])
    if peer.borrows_torch:
        [packages] = folder.glob("lib/python*/site-packages")
        (packages / "torch_from_here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    done.write_text(wanted)
    return python


def _call(words: Sequence[str]) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)


class Contestant:
    """A runner's process on one core with one thread. Use it in a `with` block."""

    def __init__(self, name: str, python: Path, core: int, log: Path, **environment: str) -> None:
        self.name = name
        self._log = log
        with log.open("w") as said:
            self._process = subprocess.Popen(
                [*("taskset", "--cpu-list", str(core)), str(python), str(RUNNERS / f"with_{name}.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=os.environ | ONE_THREAD | environment,
            )
        hello = self.answer()
        self.versions: dict[str, str] = hello["versions"]
        self.operations: dict[str, str] = hello["operations"]

    def ask(self, **request: Any) -> dict[str, Any]:
        """One request, one answer. Raises RuntimeError where the process has ended."""
        self.send(**request)
        return self.answer()

    def send(self, **request: Any) -> None:
        """A request whose answer `answer` reads."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The answer to what was sent."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            said = self._log.read_text().strip().splitlines() or ["no word"]
            raise RuntimeError(f"{self.name} ended: {said[-1]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Contestant:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
