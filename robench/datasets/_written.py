"""Sets that `robench generate` wrote: schema `robench-set/1`, as arrays or as folders of PNG files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from robench.datasets._contract import Dataset, Ints
from robench.datasets._generated import GeneratedSet, Opened, complete, load_ints, open_block, open_files
from robench.errors import DatasetError
from robench.files import reason

SCHEMA = "robench-set/1"
MANIFEST = "manifest.json"

Kind = TypeVar("Kind")
Parts = tuple[Dataset, Callable[[str, str], Opened]]
"""The clean images, and how a cell is opened."""


def read_written(folder: Path) -> GeneratedSet:
    """The set in `folder`, which holds a manifest.json; whatever does not fit is a DatasetError."""
    manifest = _manifest(folder / MANIFEST)
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


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest, with every value that is used here of its type, and every name that becomes a path a plain one."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise DatasetError(f"{path}: cannot be read: {reason(fault)}") from fault
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != SCHEMA:
        raise DatasetError(f"{path}: expected schema {SCHEMA}, got {schema!r}; another version of robench wrote it")
    kinds = {"dataset": str, "split": str, "view": str, "format": str, "n": int, "seed": int}
    for key, kind in kinds.items():
        _need(path, manifest, key, kind)
    if manifest.get("native") is not None:
        _need(path, manifest, "native", int)
    for name in _need(path, manifest, "classes", list):
        _is(path, "a class", name, str)
    if manifest["format"] not in ("npy", "folder"):
        raise DatasetError(f"{path}: expected format npy or folder, got '{manifest['format']}'")
    for corruption, facts in _need(path, manifest, "corruptions", dict).items():
        _plain(path, corruption)
        _need(path, _is(path, corruption, facts, dict), "version", int)
        for strength in _need(path, facts, "strengths", list):
            _plain(path, strength)
    return dict(manifest)


def _need(path: Path, values: dict[str, Any], key: str, kind: type[Kind]) -> Kind:
    return _is(path, key, values.get(key), kind)


def _is(path: Path, key: str, value: object, kind: type[Kind]) -> Kind:
    if not isinstance(value, kind):
        raise DatasetError(f"{path}: expected {key} as {kind.__name__}, got {value!r}")
    return value


def _plain(path: Path, name: object) -> str:
    """A name that cannot lead out of its folder."""
    if not isinstance(name, str) or name in ("", ".", "..") or set(name) & set("/\\\0"):
        raise DatasetError(f"{path}: expected a plain file name, got {name!r}")
    return name


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
    """One PNG per image; `digests/clean.parquet` says in which order they stand."""
    listing = folder / "digests" / "clean.parquet"
    columns = _columns(listing, "id", "label", "stem", "class")
    for name in (*columns["stem"], *columns["class"]):
        _plain(listing, name)
    places = [f"{kind}/{stem}.png" for kind, stem in zip(columns["class"], columns["stem"], strict=True)]
    shape = _need(folder / MANIFEST, manifest, "shape", list)[-3:]
    if len(shape) != 3 or not all(isinstance(size, int) for size in shape) or shape[2] not in (1, 3):
        raise DatasetError(f"{folder / MANIFEST}: expected shape as height, width, channels, got {shape!r}")

    def open_cell(*inner: str) -> Opened:
        paths = [str(folder.joinpath(*inner, place)) for place in places]
        return open_files(paths, (shape[0], shape[1], shape[2]))

    ids, labels = (np.array(columns[key], dtype=np.int64) for key in ("id", "label"))
    return _base(folder, manifest, ids, labels, open_cell("clean"), tuple(columns["stem"])), open_cell


def _columns(path: Path, *names: str) -> dict[str, list[Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with path.open("rb") as opened:
            table = pyarrow.parquet.read_table(opened, columns=list(names))
        return {name: table[name].to_pylist() for name in names}
    except FileNotFoundError:
        raise
    except (KeyError, OSError, pyarrow.ArrowException) as fault:
        raise DatasetError(f"{path}: expected columns {', '.join(names)}: {fault}") from fault


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
