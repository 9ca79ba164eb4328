"""What a data set is to the rest of robench: labelled uint8 images of one size, read on demand, each with its id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.errors import ConfigError, DatasetError
from robench.files import sha256_text

Images = NDArray[np.uint8]
Ints = NDArray[np.int64]
Names = tuple[str, ...]
MOST_UNNAMED = 100_000
"""Classes that a few images without names of their classes may have."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """N images of one shape, after the view.

    `read` takes positions, an int64 array of values in 0..N-1, and returns uint8 (n, H, W, C).
    `ids` are the images' places in the data set's own order: a limit drops ids, it does not renumber them.
    `boxes` are (x0, y0, x1, y1), half-open, in pixels of the view. `stems` name the images in a folder of files;
    `files` are the paths that the images are decoded from, where each has a file of its own. `has_images` is False for
    the clean images of a set that was published without them: ids, labels and stems are known, and nothing can be read.
    `of_folders`: the classes are names of folders, in the order of text, and nobody chose it. `class_order`: text or
    number, where these are two orders and the labels have one of them. `left_out`: of the files beside the images, as
    `left_out_facts` gives it.
    """

    name: str
    split: str
    view: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    ids: Ints
    labels: Ints
    read: Callable[[Ints], Images] = field(repr=False)
    boxes: Ints | None = field(default=None, repr=False)
    stems: tuple[str, ...] | None = field(default=None, repr=False)
    files: tuple[str, ...] | None = field(default=None, repr=False)
    has_images: bool = field(default=True, repr=False)
    of_folders: bool = field(default=False, repr=False)
    class_order: str = field(default="", repr=False)
    left_out: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not len(self.ids):
            raise DatasetError(f"data set {self.name}@{self.split}: expected at least one image, got none")
        columns = (("labels", self.labels), ("boxes", self.boxes), ("stems", self.stems), ("files", self.files))
        for what, values in columns:
            if values is not None and len(values) != len(self.ids):
                raise DatasetError(
                    f"data set {self.name}@{self.split}: expected {len(self.ids)} {what}, got {len(values)}"
                )
        if self.labels.min() < 0 or self.labels.max() >= len(self.classes):
            raise DatasetError(
                f"data set {self.name}@{self.split}: labels must be 0..{len(self.classes) - 1}, "
                f"got {self.labels.min()}..{self.labels.max()}"
            )

    def __len__(self) -> int:
        return len(self.ids)

    def images(self, start: int, stop: int) -> Images:
        """The images at positions start..stop-1 as uint8 (n, H, W, C)."""
        return self.read(np.arange(start, min(stop, len(self)), dtype=np.int64))

    def blocks(self, size: int = 256) -> Iterator[tuple[slice, Images]]:
        """All images in order, at most `size` at a time, with the positions they stand at."""
        for start in range(0, len(self), size):
            where = slice(start, min(start + size, len(self)))
            yield where, self.images(where.start, where.stop)

    def limited(self, limit: int | None) -> Dataset:
        """`limit` images spread evenly: positions floor(i * N / limit). A class-sorted folder stays balanced."""
        check_limit(limit)
        if limit is None or limit >= len(self):
            return self
        chosen = np.arange(limit, dtype=np.int64) * len(self) // limit
        return self.at(chosen)

    def at(self, chosen: Ints) -> Dataset:
        """The images at these positions, in this order, with their ids, labels, boxes and stems."""
        read = self.read
        return replace(
            self,
            ids=self.ids[chosen],
            labels=self.labels[chosen],
            read=lambda positions: read(chosen[positions]),
            boxes=None if self.boxes is None else self.boxes[chosen],
            stems=None if self.stems is None else tuple(self.stems[i] for i in chosen),
            files=None if self.files is None else tuple(self.files[i] for i in chosen),
        )

    @property
    def ids_sha256(self) -> str:
        """sha256 over the ids in their order, with commas between."""
        return sha256_text(",".join(map(str, self.ids.tolist())))

    @cached_property
    def digest(self) -> str:
        """sha256 over the sha256 of (shape, pixels, label, box) of every image, in id order. Reads all images once.

        Without images, over shape, classes, and the id, label and stem of each.
        """
        if not self.has_images:
            stems = self.stems or ("",) * len(self)
            facts = [
                self.shape,
                self.classes,
                *sorted(zip(self.ids.tolist(), self.labels.tolist(), stems, strict=True)),
            ]
            return sha256_text("\n".join(map(str, ["no images", *facts])))
        whole = hashlib.sha256()
        order = np.argsort(self.ids, kind="stable")
        for start in range(0, len(self), 256):
            positions = order[start : start + 256]
            for position, image in zip(positions, self.read(positions), strict=True):
                box = () if self.boxes is None else self.boxes[position]
                whole.update(sample_digest(image, int(self.labels[position]), box))
        return whole.hexdigest()


def numbered_classes(source: object, labels: Ints) -> tuple[str, ...]:
    """Classes called 0 to the highest label, where nothing names them; a label far beyond is a DatasetError.

    labels: int64 (N,), from 0. A part of a data set may lack classes, so there may be more of them than images.
    """
    highest, most = int(labels.max()), max(len(labels), MOST_UNNAMED)
    if highest >= most:
        raise DatasetError(
            f"{source}: expected labels below {most} where the classes have no names, got {highest}; name the classes"
        )
    return tuple(str(label) for label in range(highest + 1))


def check_limit(limit: object) -> None:
    """Raise ConfigError for a limit that is no whole number from 1 up; None is no limit."""
    whole = isinstance(limit, int | np.integer) and not isinstance(limit, bool)
    if limit is not None and not (whole and int(limit) >= 1):  # type: ignore[call-overload]
        raise ConfigError(f"limit must be a whole number of at least 1, got {limit!r}")


def sample_digest(image: Images, label: int, box: Ints | tuple[()] = ()) -> bytes:
    """sha256 of one image's shape, pixels, label and box (empty where there is none)."""
    header = f"{image.shape}|{label}|{tuple(int(edge) for edge in box)}|"
    return hashlib.sha256(header.encode() + np.ascontiguousarray(image).tobytes()).digest()
