"""Decoded image files, kept between runs as arrays by the digest of their data set.

The folder is $ROBENCH_CACHE, or the user's cache folder; ROBENCH_CACHE=off keeps nothing. An entry belongs to the files
it was made from: their places, sizes, inodes, times of change and view. It may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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


@dataclass(frozen=True)
class CachedImages:
    """Where the array made of a data set's files belongs. The files are looked at once, when the entry is made."""

    place: Path
    made_from: str

    @property
    def _source(self) -> Path:
        return self.place / "sources" / f"{self.made_from}.json"

    def find(self) -> Path | None:
        """The array, uint8 (N, H, W, C) in the order of the files; None if there is none."""
        try:
            digest = json.loads(self._source.read_text())["digest"]
            if not re.fullmatch("[0-9a-f]{64}", digest):
                return None
            path = self.place / "images" / f"{digest}.npy"
            return path if path.is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @contextmanager
    def room(self) -> Iterator[Path]:
        """A file to write the images to; call `keep` with it before the block ends. OSError where there is none."""
        partial = self.place / "images" / f".{os.getpid()}-{time.monotonic_ns()}.part"
        partial.parent.mkdir(parents=True, exist_ok=True)
        _forget_unfinished(partial.parent)
        try:
            yield partial
        finally:
            with suppress(OSError):
                partial.unlink()

    def keep(self, partial: Path, digest: str) -> Path:
        """Give the finished file its name and note what it was made from; the path it has now."""
        path = partial.with_name(f"{digest}.npy")
        partial.replace(path)
        with suppress(RobenchError):
            write_json(self._source, {"digest": digest})
        return path


def entry(dataset: Dataset) -> CachedImages | None:
    """The data set's entry; None where nothing is to be kept, or the images are no files."""
    place = folder()
    made_from = None if place is None else _made_from(dataset)
    return None if place is None or made_from is None else CachedImages(place, made_from)


def forget(path: Path) -> None:
    """Remove an array that is not what its name says."""
    with suppress(OSError):
        path.unlink()


def _made_from(dataset: Dataset) -> str | None:
    """sha256 over the view and each file's path, size, inode and times of change; None for other images."""
    if dataset.files is None:
        return None
    lines = [dataset.view, str(dataset.shape)]
    for path in dataset.files:
        try:
            facts = os.stat(path)
        except OSError:
            return None
        lines.append(f"{os.path.abspath(path)}|{facts.st_size}|{facts.st_ino}|{facts.st_mtime_ns}|{facts.st_ctime_ns}")
    return sha256_text("\n".join(lines))


def _forget_unfinished(images: Path) -> None:
    """Remove what processes that were killed a day ago or longer left behind."""
    oldest = time.time() - SECONDS_TO_FINISH
    for path in images.glob(PARTIAL):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
