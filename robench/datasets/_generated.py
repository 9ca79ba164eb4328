"""What a set of corrupted images on disk is to the rest of robench, and how its arrays and files are opened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions import unknown
from robench.datasets._contract import Dataset, Images, Ints
from robench.datasets._files import Files
from robench.datasets._load import reader
from robench.datasets._views import parse_view
from robench.errors import DatasetError
from robench.files import reading

Cell = tuple[str, int | None, str]
"""Corruption, its version (None where nobody recorded it) and strength, as the set spells it."""

Opened = tuple[Callable[[Ints], Images], tuple[int, int, int]]
"""Positions -> images, and the shape of one."""


@dataclass(frozen=True, eq=False)
class GeneratedSet:
    """One clean data set and its corrupted copies; ids, labels and boxes are the same in all of them.

    `cells` stand in the set's own order. `seed` and `native` are None where nobody recorded them. `manifest` is as it
    stands in the set, empty for a downloaded one, of which `files_sha256` gives what a corruption's files are known by.
    `open_checked` opens a cell whose images must be those of the manifest, where there is one.
    `published_set` is the published set whose labels it has, and `published` says whether a corruption's file is
    "published" or "altered"; both are empty for other sets.
    """

    path: Path
    base: Dataset = field(repr=False)
    seed: int | None
    severity_table: int | None
    cells: tuple[Cell, ...]
    open_cell: Callable[[str, str], Opened] = field(repr=False)
    open_checked: Callable[[str, str], Opened] | None = field(default=None, repr=False)
    manifest: dict[str, Any] = field(default_factory=dict, repr=False)
    files_sha256: Callable[[str], str] = field(default=lambda corruption: "", repr=False)
    published_set: str = ""
    published: Callable[[str], str] = field(default=lambda corruption: "", repr=False)

    @property
    def name(self) -> str:
        """What tables call the data set."""
        return self.base.name

    @property
    def split(self) -> str:
        """The split that was corrupted."""
        return self.base.split

    @property
    def view(self) -> str:
        """The view that came before the corruptions."""
        return self.base.view

    @property
    def has_clean(self) -> bool:
        """Whether `clean()` has images to give."""
        return self.base.has_images

    def clean(self) -> Dataset:
        """The images before corruption; a DatasetError where a downloaded set came without."""
        if not self.has_clean:
            raise DatasetError(f"{self.path} holds no clean images; name their data set, e.g. --clean cifar10:DIR")
        return self.base

    def cell(self, corruption: str, strength: str, *, checked: bool = False) -> Dataset:
        """The images of one corruption at one strength; one the set lacks, or of another shape, is a DatasetError.

        checked: also images that are not those of the manifest: of arrays before any is read, of files as each is.
        """
        strengths = [key for name, _, key in self.cells if name == corruption]
        if not strengths:
            known = {name for name, _, _ in self.cells}
            raise DatasetError(f"{self.path}: {unknown('corruption', corruption, known)}")
        if strength not in strengths:
            raise DatasetError(f"{self.path}: {corruption} has {', '.join(strengths)}, got strength '{strength}'")
        with complete(self.path):
            read, shape = (self.open_checked if checked and self.open_checked else self.open_cell)(corruption, strength)
        if shape != self.base.shape:
            raise DatasetError(
                f"{self.path}: {corruption} {strength}: expected height, width, channels {self.base.shape}, got {shape}"
            )
        return replace(self.base, read=read, files=None, has_images=True)


@contextmanager
def complete(folder: Path) -> Iterator[None]:
    """A file that is missing while the set in `folder` is opened is a DatasetError that names it."""
    try:
        yield
    except FileNotFoundError as fault:
        raise DatasetError(f"{folder}: the set is incomplete: {fault.filename} is missing") from fault


def load_array(path: Path) -> NDArray[Any]:
    """A .npy file, memory-mapped; FileNotFoundError, or a DatasetError where it is no plain array."""
    with reading(path, "a .npy file of plain numbers", DatasetError):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise DatasetError(f"{path}: expected one array, got an archive")
    return array


def load_ints(path: Path, *tail: int) -> Ints:
    """A .npy file of whole numbers (N, *tail), in memory."""
    array = load_array(path)
    return as_ints(path, "values", array, len(array) if array.ndim else 0, *tail)


def as_ints(path: Path, key: str, array: NDArray[Any], *shape: int) -> Ints:
    """Whole numbers of this shape as int64; a DatasetError for others, and for some that int64 does not hold."""
    size = ", ".join(map(str, shape))
    if array.dtype.kind not in "iu" or array.shape != shape:
        raise DatasetError(f"{path}: expected {key} as whole numbers ({size}), got {array.dtype} {array.shape}")
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise DatasetError(f"{path}: expected {key} as whole numbers ({size}) below 2^63, got {array.max()}")
    return array.astype(np.int64)


def open_block(path: Path, block: int, blocks: int, rows: Ints, count: int) -> Opened:
    """Of `blocks` blocks of `count` images stacked in one .npy file, these rows of one block."""
    array = load_array(path)
    shape = array.shape[1:]
    if array.dtype != np.uint8 or array.ndim != 4 or shape[2] not in (1, 3) or len(array) != count * blocks:
        raise DatasetError(
            f"{path}: expected uint8 ({blocks * count}, H, W, C), {blocks} blocks of {count} images, "
            f"got {array.dtype} {array.shape}"
        )
    places = block * count + rows
    return lambda positions: array[places[positions]], (shape[0], shape[1], shape[2])


def pixel_digest(image: Images) -> str:
    """sha256 of one image's pixels, row by row."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


def digest_of(digests: Iterable[str]) -> str:
    """One sha256 over many."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def open_files(paths: Sequence[str], shape: tuple[int, int, int]) -> Opened:
    """Image files, all of this shape."""
    return reader(Files(paths, shape[2]), parse_view("native"), shape), shape
