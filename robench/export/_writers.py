"""The forms of a generated set: arrays as in CIFAR-10-C, folders of PNG files, and of JPEG files as in ImageNet-C.

A corruption is made under the work folder and gets its name when all of it is there.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

import corruptions
from robench.datasets import Dataset, allocate, digest_of, pixel_digest
from robench.errors import SetError
from robench.files import sha256_file, whole_file
from robench.setformat import IMAGENET_C, image_place, is_plain

Images = NDArray[np.uint8]
Parts = list[tuple[int, int, list[str]]]
"""Of each unit: the strength's place, its first image, and the images' digests."""


@dataclass(frozen=True)
class ArrayWriter:
    """One .npy a corruption: its strengths in order, in blocks of n images."""

    folder: Path
    work: Path
    n: int
    shape: tuple[int, ...]
    encodes: ClassVar[bool] = False

    def prepare(self, corruption: str, strengths: list[str]) -> None:
        """Make room for a corruption."""
        allocate(self.work / f"{corruption}.npy", (len(strengths) * self.n, *self.shape))

    def put(self, corruption: str, strength: str, place: int, start: int, images: Images) -> list[str]:
        """Write the images from `start` on of the strength at `place`."""
        mapped = np.load(self.work / f"{corruption}.npy", mmap_mode="r+")
        first = place * self.n + start
        mapped[first : first + len(images)] = images
        mapped.flush()
        return []

    def finish(self, corruption: str, strengths: list[str], parts: Parts) -> str:
        """Give the finished array its name; its sha256."""
        made = self.work / f"{corruption}.npy"
        digest = sha256_file(made)
        _keep(made)
        made.replace(self.path(corruption))
        return digest

    def path(self, corruption: str) -> Path:
        """Where a corruption ends up."""
        return self.folder / f"{corruption}.npy"

    def listings(self, corruption: str) -> tuple[str, ...]:
        """Files beside it that the manifest vouches for."""
        return ()

    def write_clean(self, dataset: Dataset, tiles: int) -> dict[str, str]:
        """clean.npy, ids.npy, boxes.npy and labels.npy tiled `tiles` times, where they are not there; their sha256."""
        arrays = {"ids": dataset.ids, "labels": np.tile(dataset.labels, tiles)} | _boxes(dataset)
        _save(self.folder, arrays)
        if not (self.folder / "clean.npy").exists():
            with whole_file(self.folder / "clean.npy") as partial:
                copied = allocate(partial, (self.n, *self.shape))
                for where, block in dataset.blocks():
                    copied[where] = block
                copied.flush()
        return {f"{name}.npy": sha256_file(self.folder / f"{name}.npy") for name in ("clean", *arrays)}


@dataclass(frozen=True)
class FolderWriter:
    """One PNG an image: CORRUPTION/STRENGTH/CLASS/STEM.png, and its digest in digests/CORRUPTION.parquet."""

    form: ClassVar[str] = "folder"
    encodes: ClassVar[bool] = False
    """Whether `put` takes images from before they are stored, and stores them itself."""

    folder: Path
    work: Path
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    stems: tuple[str, ...]

    def prepare(self, corruption: str, strengths: list[str]) -> None:
        """Make the folders of a corruption."""
        for strength in strengths:
            for name in self.classes:
                (self._below(corruption, strength) / name).mkdir(parents=True, exist_ok=True)

    def put(self, corruption: str, strength: str, place: int, start: int, images: Images) -> list[str]:
        """Write the images from `start` on; the sha256 of each image's pixels."""
        folder, suffix = self._below(corruption, strength), image_place(self.form, strength)[1]
        paths = (self._path(folder, start + offset, suffix) for offset in range(len(images)))
        return [self._write(path, image, strength) for path, image in zip(paths, images, strict=True)]

    def finish(self, corruption: str, strengths: list[str], parts: Parts) -> str:
        """Give the finished folder its name; the digest of its images' digests."""
        digests = [digest for _, _, some in sorted(parts) for digest in some]
        self._write_digests(corruption, strengths, digests)
        if self.path(corruption).exists():  # left by a call that was killed before its manifest said so
            shutil.rmtree(self.path(corruption))
        (self.work / corruption).replace(self.path(corruption))
        return digest_of(digests)

    def path(self, corruption: str) -> Path:
        """Where a corruption ends up."""
        return self.folder / corruption

    def listings(self, corruption: str) -> tuple[str, ...]:
        """Files beside it that the manifest vouches for."""
        return (f"digests/{corruption}.parquet",)

    def write_clean(self, dataset: Dataset, tiles: int) -> dict[str, str]:
        """clean/CLASS/STEM.png where it is not there, its digests, and boxes.npy; the sha256 of both files."""
        _save(self.folder, _boxes(dataset))
        if not self.path("clean").exists():
            self.prepare("clean", [""])
            digests: list[str] = []
            for where, block in dataset.blocks():
                digests += self.put("clean", "", 0, where.start, block)
            self._write_digests("clean", [""], digests)
            (self.work / "clean").replace(self.path("clean"))
        names = (*self.listings("clean"), *(f"{name}.npy" for name in _boxes(dataset)))
        return {name: sha256_file(self.folder / name) for name in names}

    def _below(self, corruption: str, strength: str) -> Path:
        return self.work / corruption / image_place(self.form, strength)[0]

    def _path(self, folder: Path, position: int, suffix: str) -> Path:
        return folder.joinpath(self.classes[self.labels[position]], f"{self.stems[position]}{suffix}")

    def _write(self, path: Path, image: Images, strength: str) -> str:
        """Write one image; the sha256 of the pixels that its file gives back."""
        pixels = image[..., 0] if image.shape[-1] == 1 else np.ascontiguousarray(image[..., ::-1])
        encoded, data = cv2.imencode(".png", pixels, (cv2.IMWRITE_PNG_COMPRESSION, 3))
        if not encoded:
            raise SetError(f"{path}: cannot be encoded as PNG")
        path.write_bytes(data.tobytes())
        return pixel_digest(image)

    def _write_digests(self, corruption: str, strengths: list[str], digests: list[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        times = len(strengths)
        columns = {
            "strength": [strength for strength in strengths for _ in self.ids],
            "id": np.tile(self.ids, times),
            "label": np.tile(self.labels, times),
            "class": [self.classes[label] for label in self.labels] * times,
            "stem": list(self.stems) * times,
            "sha256": digests,
        }
        with whole_file(self.folder / "digests" / f"{corruption}.parquet") as partial:
            pq.write_table(pa.table(columns), partial)


class JpegWriter(FolderWriter):
    """One JPEG an image, CORRUPTION/SEVERITY/CLASS/STEM.JPEG, as in ImageNet-C; clean images are PNG files."""

    form: ClassVar[str] = IMAGENET_C
    encodes: ClassVar[bool] = True

    def _write(self, path: Path, image: Images, strength: str) -> str:
        from PIL import Image

        quality = int(strength.partition("@jpeg")[2] or 0)
        if not quality:
            return super()._write(path, image, strength)
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        picture.save(path, format="JPEG", quality=quality, subsampling="4:2:0", optimize=True)
        with Image.open(path) as stored:
            read = np.asarray(stored).reshape(image.shape)
        if not np.array_equal(read, corruptions.apply(image, "jpeg_turbo", level=quality)):
            raise SetError(
                f"{path}: expected the pixels of libjpeg-turbo, got others: Pillow reads JPEG otherwise here"
            )
        return pixel_digest(read)


Writer = ArrayWriter | FolderWriter


def writer(form: str, folder: Path, work: Path, dataset: Dataset) -> Writer:
    """The writer of a form: `npy`, `folder` or `imagenet-c`."""
    if form == "npy":
        return ArrayWriter(folder, work, len(dataset), dataset.shape)
    classes, stems = _file_names(dataset)
    kind = JpegWriter if form == IMAGENET_C else FolderWriter
    return kind(folder, work, dataset.ids, dataset.labels, classes, stems)


def _file_names(dataset: Dataset) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Class folders and file stems: the data set's own where they are plain and different, else numbers."""
    classes = dataset.classes
    if len(set(classes)) < len(classes) or not all(map(is_plain, classes)):
        classes = tuple(f"{label:05d}" for label in range(len(classes)))
    stems = dataset.stems or ()
    if len(set(zip(dataset.labels.tolist(), stems, strict=False))) < len(dataset) or not all(map(is_plain, stems)):
        stems = tuple(f"{sample:08d}" for sample in dataset.ids)
    return classes, stems


def _boxes(dataset: Dataset) -> dict[str, NDArray[Any]]:
    return {} if dataset.boxes is None else {"boxes": dataset.boxes}


def _save(folder: Path, arrays: dict[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        with whole_file(folder / f"{name}.npy") as partial, partial.open("wb") as opened:
            np.save(opened, array)


def _keep(path: Path) -> None:
    with path.open("rb") as written:
        os.fsync(written.fileno())
