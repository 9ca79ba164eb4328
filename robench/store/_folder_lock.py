"""A folder that one process at a time fills, or several a part each, with a place for what is unfinished."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from robench.errors import RobenchError

WORK = ".work"
LOCK = "lock"
PARTS = "parts"
SECONDS_TO_WAIT = 120
FOR_EVER = -1
"""Who holds a part waits for the other parts alone, and nothing that they write together is without end."""
MOST_TRIES = 100
PARTIAL = ".*.part"
"""What a killed process leaves of a file it was writing; see robench.files."""


@dataclass(frozen=True)
class FolderLock:
    """Where one process puts what is unfinished, and `together()`, in which it alone writes what all parts share."""

    folder: Path
    together: Callable[[], AbstractContextManager[object]] = nullcontext


@contextmanager
def shared_workplace(
    folder: Path, manifest: str, kind: str, error: type[RobenchError], part: str, *deeper: str
) -> Iterator[FolderLock]:
    """As `workplace`, for one of several processes that fill `folder` at a time, each a `part` of its own.

    A part that another process is at raises `error`, and so does a folder that a process has for itself. The last of
    those that are there at a time tidies up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(folder, manifest, kind, error)
    parts = folder / WORK / PARTS

    @contextmanager
    def together(seconds: float = FOR_EVER) -> Iterator[None]:
        try:
            lock = _locked(folder / WORK / LOCK, seconds)
        except Timeout:
            raise error(f"{folder}: another robench is writing this {kind}") from None
        try:
            yield
        finally:
            lock.release()

    with together(SECONDS_TO_WAIT):
        parts.mkdir(exist_ok=True)
        own = FileLock(parts / f"{part}.lock", timeout=0)
        try:
            own.acquire()
        except Timeout:
            raise error(f"{folder}: another robench is at part {part} of this {kind}") from None
    try:
        work = parts / part
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        yield FolderLock(work, together)
    finally:
        with together():
            shutil.rmtree(parts / part, ignore_errors=True)
            own.release()
            _unlink(parts / f"{part}.lock")
            if not _at_work(parts):
                _remove_partial(folder, deeper)
                shutil.rmtree(parts, ignore_errors=True)
                _unlink(folder / WORK / LOCK)
        with suppress(OSError):
            (folder / WORK).rmdir()
            folder.rmdir()


def _locked(lock: Path, seconds: float) -> BaseFileLock:
    """The lock, taken; again where a process that ends takes its folder away at that moment."""
    for _ in range(MOST_TRIES):
        with suppress(FileNotFoundError):
            return _taken(lock, seconds)
    return _taken(lock, seconds)


def _taken(lock: Path, seconds: float) -> BaseFileLock:
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock, timeout=seconds)
    held.acquire()
    return held


def _at_work(parts: Path) -> list[str]:
    """The parts that some process is at."""
    busy = []
    for path in parts.glob("*.lock"):
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
            lock.release()
        except Timeout:
            busy.append(path.stem)
    return busy


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
    if _at_work(work / PARTS):
        lock.release()
        raise error(f"{folder}: another robench is writing parts of this {kind}")
    try:
        _clear(work)
        _remove_partial(folder, deeper)
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


def _remove_partial(folder: Path, deeper: Iterable[str]) -> None:
    for place in (folder, *(found for pattern in deeper for found in folder.glob(pattern))):
        _remove(place.glob(PARTIAL))


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _clear(work: Path) -> None:
    _remove(entry for entry in work.glob("*") if entry.name != LOCK)


def _remove(entries: Iterable[Path]) -> None:
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
