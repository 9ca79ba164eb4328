"""Sets that `robench generate` wrote: schema `robench-set/1`, as arrays or as folders of image files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from robench.datasets._contract import Dataset, Ints
from robench.datasets._generated import GeneratedSet, Opened, as_ints, complete, load_ints, open_block, open_files
from robench.errors import DatasetError
from robench.files import reading
from robench.setformat import image_place, is_plain, read_manifest

Parts = tuple[Dataset, Callable[[str, str], Opened]]
"""The clean images, and how a cell is opened."""


def read_written(folder: Path) -> GeneratedSet:
    """The set in `folder`, which holds a manifest.json; whatever does not fit is a DatasetError."""
    manifest = read_manifest(folder, DatasetError)
    with complete(folder):
        base, open_cell = (_arrays if manifest["format"] == "npy" else _images)(folder, manifest)
    if len(base) != manifest["n"]:
        raise DatasetError(f"{folder}: expected {manifest['n']} images, got {len(base)}")
    return GeneratedSet(
        path=folder,
        base=base,
        seed=manifest["seed"],
        native=manifest.get("native"),
        cells=tuple(
            (corruption, facts["version"], strength)
            for corruption, facts in manifest["corruptions"].items()
            for strength in facts["strengths"]
        ),
        open_cell=open_cell,
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

    clean = open_block(folder / "clean.npy", 0, 1, rows, len(ids))
    return _base(folder, manifest, ids, labels, clean), open_cell


def _images(folder: Path, manifest: dict[str, Any]) -> Parts:
    """One file per image; `digests/clean.parquet` says in which order they stand."""
    listing = folder / "digests" / "clean.parquet"
    columns = _columns(listing, "id", "label", "stem", "class")
    for name in (*columns["stem"], *columns["class"]):
        if not is_plain(name):
            raise DatasetError(f"{listing}: expected a plain file name, got {name!r}")
    places = [f"{kind}/{stem}" for kind, stem in zip(columns["class"], columns["stem"], strict=True)]
    height, width, channels = manifest["shape"][-3:]

    def open_cell(corruption: str, strength: str) -> Opened:
        inner, suffix = image_place(manifest["format"], strength)
        below = folder / corruption / inner
        return open_files([f"{below / place}{suffix}" for place in places], (height, width, channels))

    ids, labels = (as_ints(listing, key, np.array(columns[key]), len(places)) for key in ("id", "label"))
    return _base(folder, manifest, ids, labels, open_cell("clean", ""), tuple(columns["stem"])), open_cell


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
    return Dataset(
        name=manifest["dataset"],
        split=manifest["split"],
        view=manifest["view"],
        classes=tuple(manifest["classes"]),
        shape=shape,
        ids=ids,
        labels=labels,
        read=read,
        boxes=load_ints(boxes, 4) if boxes.is_file() else None,
        stems=stems,
    )
