"""Sets that `robench generate` wrote: schema `robench-set/1`, as arrays or as folders of image files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from robench.datasets._class_order import TEXT, has_two_orders
from robench.datasets._contract import Dataset, Images, Ints
from robench.datasets._generated import (
    GeneratedSet,
    Opened,
    as_ints,
    complete,
    digest_of,
    load_ints,
    open_block,
    open_files,
    pixel_digest,
)
from robench.errors import DatasetError
from robench.files import reading, sha256_file
from robench.setformat import MANIFEST, image_place, is_plain, read_manifest

Open = Callable[[str, str], Opened]
Parts = tuple[Dataset, Open, Open]
"""The clean images, and how a cell is opened: as it stands, and as the manifest says it must be."""
LARGE = "clean.npy"
"""Not read when a set is opened; the digest of the clean images tells whether they are right."""


def _check_lists(folder: Path, manifest: dict[str, Any]) -> None:
    """Labels, ids, boxes and lists of files are those that the manifest has the sha256 of."""
    for name, digest in manifest["files"].items():
        if name != LARGE:
            _check_file(folder, name, digest)


def _check_file(folder: Path, name: str, expected: str) -> None:
    if sha256_file(folder / name) != expected:
        raise DatasetError(
            f"{folder / name}: expected the file of {MANIFEST}, got another sha256: the set was changed after it was "
            f"generated; see robench verify {folder}"
        )


def read_written(folder: Path, *, checked: bool = True) -> GeneratedSet:
    """The set in `folder`, which holds a manifest.json; whatever does not fit is a DatasetError.

    checked: also labels, ids, boxes and lists of files that were changed after the set was generated.
    """
    manifest = read_manifest(folder, DatasetError)
    with complete(folder):
        base, open_cell, open_checked = (_arrays if manifest["format"] == "npy" else _images)(folder, manifest)
        if checked:
            _check_lists(folder, manifest)
    if len(base) != manifest["n"]:
        raise DatasetError(f"{folder}: expected {manifest['n']} images, got {len(base)}")
    return GeneratedSet(
        path=folder,
        base=base,
        seed=manifest["seed"],
        severity_table=manifest.get("native"),
        cells=tuple(
            (corruption, facts["version"], strength)
            for corruption, facts in manifest["corruptions"].items()
            for strength in facts["strengths"]
        ),
        open_cell=open_cell,
        open_checked=open_checked,
        manifest=manifest,
    )


def _arrays(folder: Path, manifest: dict[str, Any]) -> Parts:
    """One array per corruption, its strengths in blocks of N."""
    ids = load_ints(folder / "ids.npy")
    labels = load_ints(folder / "labels.npy")[: len(ids)]
    rows = np.arange(len(ids))

    def open_cell(corruption: str, strength: str) -> Opened:
        strengths = manifest["corruptions"][corruption]["strengths"]
        path = folder / f"{corruption}.npy"
        return open_block(path, strengths.index(strength), len(strengths), rows, len(ids))

    @cache
    def check(corruption: str) -> None:
        _check_file(folder, f"{corruption}.npy", manifest["corruptions"][corruption]["sha256"])

    def open_checked(corruption: str, strength: str) -> Opened:
        check(corruption)
        return open_cell(corruption, strength)

    clean = open_block(folder / LARGE, 0, 1, rows, len(ids))
    return _base(folder, manifest, ids, labels, clean), open_cell, open_checked


def _images(folder: Path, manifest: dict[str, Any]) -> Parts:
    """One file per image; `digests/clean.parquet` says in which order they stand."""
    listing = folder / "digests" / "clean.parquet"
    columns = _columns(listing, "id", "label", "stem", "class")
    for name in (*columns["stem"], *columns["class"]):
        if not is_plain(name):
            raise DatasetError(f"{listing}: expected a plain file name, got {name!r}")
    places = [f"{kind}/{stem}" for kind, stem in zip(columns["class"], columns["stem"], strict=True)]
    height, width, channels = manifest["shape"][-3:]

    def paths_of(corruption: str, strength: str) -> list[str]:
        inner, suffix = image_place(manifest["format"], strength)
        below = folder / corruption / inner
        return [f"{below / place}{suffix}" for place in places]

    def open_cell(corruption: str, strength: str) -> Opened:
        return open_files(paths_of(corruption, strength), (height, width, channels))

    def open_checked(corruption: str, strength: str) -> Opened:
        read, shape = open_cell(corruption, strength)
        return _checked(read, _digests(folder, manifest, corruption, strength), paths_of(corruption, strength)), shape

    ids, labels = (as_ints(listing, key, np.array(columns[key]), len(places)) for key in ("id", "label"))
    return _base(folder, manifest, ids, labels, open_cell("clean", ""), tuple(columns["stem"])), open_cell, open_checked


def _digests(folder: Path, manifest: dict[str, Any], corruption: str, strength: str) -> list[str]:
    """The sha256 of the pixels of a cell's images, in order; the list must be the one that the manifest knows."""
    listing = folder / "digests" / f"{corruption}.parquet"
    columns = _columns(listing, "strength", "sha256")
    if digest_of(columns["sha256"]) != manifest["corruptions"][corruption]["sha256"]:
        raise DatasetError(f"{listing}: expected the digests of {MANIFEST}, got others; see robench verify {folder}")
    both = zip(columns["strength"], columns["sha256"], strict=True)
    return [digest for place, digest in both if place == strength]


def _checked(read: Callable[[Ints], Images], digests: Sequence[str], paths: Sequence[str]) -> Callable[[Ints], Images]:
    """As `read`, but an image with other pixels than when it was written is a DatasetError that names its file."""

    def checked(positions: Ints) -> Images:
        images = read(positions)
        for position, image in zip(positions, images, strict=True):
            if pixel_digest(image) != digests[position]:
                raise DatasetError(
                    f"{paths[position]}: expected the pixels of {MANIFEST}, got others: the set was changed after it "
                    "was generated"
                )
        return images

    return checked


def _columns(path: Path, *names: str) -> dict[str, list[Any]]:
    import pyarrow.parquet

    with reading(path, f"a table with columns {', '.join(names)}", DatasetError), path.open("rb") as opened:
        table = pyarrow.parquet.read_table(opened, columns=list(names))
        return {name: table[name].to_pylist() for name in names}


def _base(
    folder: Path,
    manifest: dict[str, Any],
    ids: Ints,
    labels: Ints,
    clean: Opened,
    stems: tuple[str, ...] | None = None,
) -> Dataset:
    read, shape = clean
    boxes = folder / "boxes.npy"
    classes = manifest["classes"]
    undecided = "class_order" not in manifest and classes == sorted(classes) and has_two_orders(classes)
    return Dataset(
        name=manifest["dataset"],
        split=manifest["split"],
        view=manifest["view"],
        classes=tuple(classes),
        shape=shape,
        ids=ids,
        labels=labels,
        read=read,
        boxes=load_ints(boxes, 4) if boxes.is_file() else None,
        stems=stems,
        of_folders=undecided,
        class_order=TEXT if undecided else manifest.get("class_order", ""),
        left_out=manifest.get("left_out", {}),
    )
