"""Decoded image files, kept between runs as arrays by the digest of their data set.

The folder is $ROBENCH_CACHE, or the user's cache folder; ROBENCH_CACHE=off keeps nothing. An entry belongs to the files
it was made from: their places, sizes, times of change and view. It may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from robench.datasets._contract import Dataset
from robench.errors import RobenchError
from robench.files import sha256_text, write_json

VARIABLE = "ROBENCH_CACHE"
OFF = ("", "0", "off")
SECONDS_TO_FINISH = 86_400
PARTIAL = ".*.part"


def folder() -> Path | None:
    """Where entries are kept; None where nothing is to be kept."""
    told = os.environ.get(VARIABLE)
    if told is not None:
        return None if told in OFF else Path(told)
    from platformdirs import user_cache_path

    return user_cache_path("robench")


def find(dataset: Dataset) -> Path | None:
    """The array that was made of the data set's files, uint8 (N, H, W, C) in their order; None if there is none."""
    place, made_from = folder(), _made_from(dataset)
    if place is None or made_from is None:
        return None
    try:
        digest = json.loads((place / "sources" / f"{made_from}.json").read_text())["digest"]
        path = place / "images" / f"{digest}.npy"
        return path if path.is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def room(dataset: Dataset) -> Iterator[Path | None]:
    """A file to write the images to, None where none can be kept; call `keep` with it before the block ends."""
    place = folder()
    if place is None or _made_from(dataset) is None:
        yield None
        return
    partial = place / "images" / f".{os.getpid()}-{time.monotonic_ns()}.part"
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        _forget_unfinished(partial.parent)
    except OSError:
        yield None
        return
    try:
        yield partial
    finally:
        with suppress(OSError):
            partial.unlink()


def keep(dataset: Dataset, partial: Path, digest: str) -> Path:
    """Give the finished file its name and note what it was made from; the path it has now."""
    place = partial.parent.parent
    path = partial.with_name(f"{digest}.npy")
    partial.replace(path)
    with suppress(RobenchError):
        write_json(place / "sources" / f"{_made_from(dataset)}.json", {"digest": digest})
    return path


def forget(path: Path) -> None:
    """Remove an array that is not what its name says."""
    with suppress(OSError):
        path.unlink()


def _made_from(dataset: Dataset) -> str | None:
    """sha256 over the view and every file's path, size and time of change; None for images that are no files."""
    if dataset.files is None:
        return None
    lines = [dataset.view, str(dataset.shape)]
    for path in dataset.files:
        try:
            facts = os.stat(path)
        except OSError:
            return None
        lines.append(f"{os.path.abspath(path)}|{facts.st_size}|{facts.st_mtime_ns}")
    return sha256_text("\n".join(lines))


def _forget_unfinished(images: Path) -> None:
    """Remove what processes that were killed a day ago or longer left behind."""
    oldest = time.time() - SECONDS_TO_FINISH
    for path in images.glob(PARTIAL):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
