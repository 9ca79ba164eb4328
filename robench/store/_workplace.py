"""A folder that one process at a time fills, with a place for what is unfinished."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from robench.errors import RobenchError

WORK = ".work"
LOCK = "lock"
PARTIAL = ".*.part"
"""What a killed process leaves of a file it was writing; see robench.files."""


@contextmanager
def workplace(folder: Path, manifest: str, kind: str, error: type[RobenchError], *deeper: str) -> Iterator[Path]:
    """An empty folder inside `folder`, for this process alone; it goes at the end, and `folder` with it if empty.

    manifest: the file by which a folder of this `kind` is known; another folder that is not empty raises `error`, and
    so does one in which another process works. deeper: patterns of sub-folders; what a killed process left unfinished
    in them, and in `folder`, is removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(folder, manifest, kind, error)
    work = folder / WORK
    try:
        work.mkdir(exist_ok=True)
        lock = FileLock(work / LOCK, timeout=0)
        lock.acquire()
    except (Timeout, FileNotFoundError):
        raise error(f"{folder}: another robench is writing this {kind}") from None
    try:
        _clear(work)
        for place in (folder, *(found for pattern in deeper for found in folder.glob(pattern))):
            _remove(place.glob(PARTIAL))
        yield work
    finally:
        _clear(work)
        with suppress(OSError):
            (work / LOCK).unlink()  # last: who finds no lock finds nothing else of ours
            work.rmdir()
            folder.rmdir()
        lock.release()


def _refuse_foreign(folder: Path, manifest: str, kind: str, error: type[RobenchError]) -> None:
    names = {entry.name for entry in folder.iterdir() if not entry.name.startswith(".")}
    if names and manifest not in names:
        raise error(f"{folder}: expected an empty folder or a {kind}, got '{min(names)}' in it")


def _clear(work: Path) -> None:
    _remove(entry for entry in work.glob("*") if entry.name != LOCK)


def _remove(entries: Iterable[Path]) -> None:
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
