"""What tests of killed and hindered processes need: fresh ones, a small disk, and whole folders as one value."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too, with the sha256 of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def untimed(folder: Path) -> dict[str, str]:
    """A run's tree without its times, the only file that two equal runs may differ in."""
    return {name: digest for name, digest in tree(folder).items() if name != "timings.csv"}


def start(words: Sequence[object]) -> subprocess.Popen[str]:
    """`robench …` in a fresh process, in a process group of its own."""
    line = [sys.executable, "-m", "robench", *map(str, words)]
    return subprocess.Popen(line, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(words: Sequence[object]) -> tuple[int, str]:
    """Exit code and stderr of `robench …`."""
    process = start(words)
    return process.wait(120), process.communicate()[1]


def wait_until(reached: Callable[[], object], process: subprocess.Popen[str]) -> bool:
    """Poll; False where the process ended before."""
    deadline = time.monotonic() + 90
    while not reached():
        if process.poll() is not None:
            return False
        assert time.monotonic() < deadline, "it never came to this"
        time.sleep(0.001)
    return True


def kill_group(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the process and its workers, also where it has ended and they have not."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def killed_when(words: Sequence[object], reached: Callable[[], object]) -> bool:
    """Start `robench …` and kill it when `reached`; False where it ended before."""
    process = start(words)
    try:
        return wait_until(reached, process)
    finally:
        kill_group(process)


def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A fixture: small_disk("size=1m") mounts a file system with these options, or changes those of the mounted one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        words = ["mount", "-t", "tmpfs", "-o", f"remount,{options}" if mounted else options, "tmpfs", str(place)]
        try:
            subprocess.run(words, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("needs the right to mount a tmpfs")
        mounted = True
        return place

    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # arrays may still be mapped
