"""A data set decoded once into one file, to be read from there in any order and by any process."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from robench.datasets import _cache
from robench.datasets._contract import Dataset, sample_digest
from robench.progress import tracked


def allocate(path: Path, shape: tuple[int, ...]) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """A new .npy file of zeros, uint8, mapped for writing. Its room is taken first: a full disk is an OSError."""
    mapped: np.memmap[tuple[int, ...], np.dtype[np.uint8]] = open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, path.stat().st_size)
    return mapped


def stored(dataset: Dataset, path: Path, *, progress: bool = False) -> Dataset:
    """`dataset` written to `path` (.npy, uint8 (N, H, W, C)) and read from it; its digest comes with it.

    Images are in id order. Memory does not grow with the data set. Decoded files are kept in the cache instead, and
    found there the next time; what is found counts only if its digest is the one in its name.
    """
    return stored_at(dataset, path, progress=progress)[0]


def stored_at(dataset: Dataset, path: Path, *, progress: bool = False) -> tuple[Dataset, Path]:
    """As `stored`, with the file that holds the images: `path`, or one in the cache."""
    ordered = dataset.at(np.argsort(dataset.ids, kind="stable"))
    entry = _cache.entry(ordered)
    if entry is None:
        return _opened(ordered, path, _write(ordered, path, progress)), path
    found = entry.find()
    if found is not None:
        kept = _checked(ordered, found)
        if kept is not None:
            return kept, found
        _cache.forget(found)
    try:
        with entry.room() as room:
            digest = _write(ordered, room, progress)
            place = entry.keep(room, digest)
            return _opened(ordered, place, digest), place
    except OSError:  # no room in the cache: the images go where they were asked to go
        return _opened(ordered, path, _write(ordered, path, progress)), path


def _checked(ordered: Dataset, path: Path) -> Dataset | None:
    """The images of a cached file, or None where they are not those of its name."""
    try:
        kept = _opened(ordered, path)
        return kept if kept.digest == path.stem else None
    except (OSError, ValueError, EOFError):
        return None


def _write(ordered: Dataset, path: Path, progress: bool) -> str:
    """Write all images to a new file; the data digest."""
    images = allocate(path, (len(ordered), *ordered.shape))
    whole = hashlib.sha256()
    with tracked(len(ordered), f"read {ordered.name}", show=progress and len(ordered) > 2000) as advance:
        for where, block in ordered.blocks():
            images[where] = block
            for position, image in zip(range(where.start, where.stop), block, strict=True):
                box = () if ordered.boxes is None else ordered.boxes[position]
                whole.update(sample_digest(image, int(ordered.labels[position]), box))
            advance(len(block), "")
    images.flush()
    return whole.hexdigest()


def _opened(ordered: Dataset, path: Path, digest: str | None = None) -> Dataset:
    """The data set with its images read from the file, a ValueError for one of another shape."""
    mapped = np.load(path, mmap_mode="r")
    if mapped.shape != (len(ordered), *ordered.shape) or mapped.dtype != np.uint8:
        raise ValueError(f"{path}: expected other images")
    kept = replace(ordered, read=lambda positions: np.asarray(mapped[positions]))
    if digest is not None:
        kept.__dict__["digest"] = digest
    return kept
