"""`generate`: the same bytes for any number of workers, and whatever stopped it before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corruptions
import robench
from corruptions import Strength, Textures
from robench import setformat
from robench.datasets import Dataset, stored_at, textures_digest
from robench.engines import run_local
from robench.errors import ConfigError, SetError
from robench.export._writers import Parts, Writer, writer
from robench.files import reason, sha256_file
from robench.progress import tracked
from robench.store import workplace

LIBRARIES = ("numpy", "numba", "opencv-python-headless", "pillow", "pyarrow")
VALUES_A_UNIT = 1 << 23

Cells = Mapping[str, Sequence[Strength]]
"""For each corruption its strengths, in order."""


@dataclass(frozen=True)
class Source:
    """The clean images and what the draws depend on; it travels to the workers."""

    clean: Path
    ids: NDArray[np.int64]
    boxes: NDArray[np.int64] | None
    seed: int
    severity_table: int
    writer: Writer
    textures: Textures | None = None


@dataclass(frozen=True)
class Block:
    """Images start..stop-1 of one corruption at one strength, which is number `place` of its list."""

    corruption: str
    strength: str
    place: int
    start: int
    stop: int


def generate(
    dataset: Dataset,
    cells: Cells,
    folder: Path,
    *,
    form: str = "npy",
    seed: int = 0,
    severity_table: int | None = None,
    textures: Textures | None = None,
    workers: int = 1,
    progress: bool = False,
) -> list[Path]:
    """Write `dataset`, degraded by every corruption and strength of `cells`, to `folder`. Returns what was made.

    form: "npy", "folder" of PNG files, or "imagenet-c": JPEG files in its tree, for strengths such as `3@jpeg85`. A
    folder that holds part of the same set is completed, and corruptions may be added to it; another data set, seed,
    view, limit or form raises SetError. Memory does not grow with the data set. textures: pictures for frost, see
    `datasets.textures`.
    """
    if form not in setformat.FORMATS:
        raise ConfigError(f"format must be {', '.join(setformat.FORMATS)}, got '{form}'")
    for name, strengths in cells.items():
        if any(strength.is_clean or strength.is_drawn for strength in strengths):
            raise ConfigError(f"{name}: a set holds severities 1-5 and levels, got {', '.join(map(str, strengths))}")
        if form == setformat.IMAGENET_C and not all(strength.severity and strength.stored for strength in strengths):
            raise ConfigError(
                f"{name}: the format {form} holds severities stored as JPEG, such as 3@jpeg85 or those of suite "
                f"imagenet-c/1, got {', '.join(map(str, strengths))}"
            )
        places = [setformat.image_place(form, str(strength))[0] for strength in strengths]
        if len(set(places)) < len(places):
            raise ConfigError(
                f"{name}: the format {form} has one folder for each severity, got {', '.join(map(str, strengths))}"
            )
    try:
        with workplace(folder, setformat.MANIFEST, "set", SetError, "digests") as work:
            return _complete(dataset, cells, folder, work, form, seed, severity_table, textures, workers, progress)
    except OSError as fault:
        raise SetError(f"{fault.filename or folder}: cannot be written: {reason(fault)}") from fault


def _complete(
    dataset: Dataset,
    cells: Cells,
    folder: Path,
    work: Path,
    form: str,
    seed: int,
    severity_table: int | None,
    textures: Textures | None,
    workers: int,
    progress: bool,
) -> list[Path]:
    clean, images = stored_at(dataset, work / "clean.npy", progress=progress)
    side = corruptions.nearest_severity_table(*clean.shape[:2]) if severity_table is None else severity_table
    manifest = _manifest(folder, _asked(clean, form, seed, side, textures))
    target = writer(form, folder, work, clean)
    todo = {name: [str(strength) for strength in cells[name]] for name in _missing(manifest, target, cells)}
    tiles = max([1, *(len(facts["strengths"]) for facts in manifest["corruptions"].values()), *map(len, todo.values())])
    setformat.write_manifest(folder, manifest)
    manifest["files"] |= target.write_clean(clean, tiles)
    setformat.write_manifest(folder, manifest)
    source = Source(images, clean.ids, clean.boxes, seed, manifest["native"], target, textures)
    made = []
    with closing(_degraded(source, todo, len(clean), int(np.prod(clean.shape)), workers, progress)) as finished:
        for name, parts in finished:
            manifest["corruptions"][name] = {
                "version": corruptions.get(name).version,
                "strengths": todo[name],
                "sha256": target.finish(name, todo[name], parts),
            }
            manifest["files"] |= {file: sha256_file(folder / file) for file in target.listings(name)}
            setformat.write_manifest(folder, manifest)
            made.append(target.path(name))
    return made


def _degraded(
    source: Source, todo: dict[str, list[str]], n: int, values: int, workers: int, progress: bool
) -> Generator[tuple[str, Parts]]:
    """Each corruption, when all its units are done, with what they returned."""
    size = max(1, VALUES_A_UNIT // values)
    units = [
        Block(name, strength, place, start, min(start + size, n))
        for name, strengths in todo.items()
        for place, strength in enumerate(strengths)
        for start in range(0, n, size)
    ]
    parts: dict[str, Parts] = {name: [] for name in todo}
    left = Counter(unit.corruption for unit in units)
    for name, strengths in todo.items():
        source.writer.prepare(name, strengths)
    total = n * sum(map(len, todo.values()))
    with (
        tracked(total, "generate", show=progress and bool(total)) as advance,
        closing(run_local(degrade, source, units, workers)) as results,
    ):
        for unit, digests in results:
            advance(unit.stop - unit.start, f"{unit.corruption} {unit.strength}")
            parts[unit.corruption].append((unit.place, unit.start, digests))
            left[unit.corruption] -= 1
            if not left[unit.corruption]:
                yield unit.corruption, parts.pop(unit.corruption)


def degrade(source: Source, unit: Block) -> list[str]:
    """Degrade the unit's images and write them; the digests that its writer returns."""
    chosen = corruptions.get(unit.corruption)
    part = slice(unit.start, unit.stop)
    strength = chosen.parse(unit.strength)
    images = corruptions.apply_strength(
        np.load(source.clean, mmap_mode="r")[part],
        chosen,
        strength.in_memory if source.writer.encodes else strength,
        seed=source.seed,
        ids=source.ids[part],
        boxes=None if source.boxes is None else source.boxes[part],
        textures=source.textures,
        severity_table=source.severity_table,
    )
    return source.writer.put(unit.corruption, unit.strength, unit.place, unit.start, images)


def _asked(clean: Dataset, form: str, seed: int, severity_table: int, textures: Textures | None) -> dict[str, Any]:
    return {
        "schema": setformat.SCHEMA,
        "dataset": clean.name,
        "split": clean.split,
        "view": clean.view,
        "data_digest": clean.digest,
        "classes": list(clean.classes),
        "format": form,
        "seed": seed,
        "native": severity_table,
        "textures": textures_digest(textures),
        "n": len(clean),
        "shape": list(clean.shape),
        "ids_sha256": clean.ids_sha256,
        "class_order": clean.class_order,
        "left_out": dict(clean.left_out),
    }


def _manifest(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The folder's manifest if it was asked for the same, a new one where there is none; else SetError."""
    libraries = {name: version(name) for name in LIBRARIES} | {"robench": robench.__version__}
    if not (folder / setformat.MANIFEST).exists():
        return asked | {"corruptions": {}, "files": {}, "libraries": libraries}
    manifest = setformat.read_manifest(folder)
    for key in setformat.ASKED:
        if manifest.get(key) != asked[key]:
            held, wanted = (_short(value) for value in (manifest.get(key), asked[key]))
            raise SetError(f"{folder} holds a set with {key} {held}, asked for {wanted}; choose another folder")
    return manifest


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:16]}…"


def _missing(manifest: dict[str, Any], target: Writer, cells: Cells) -> list[str]:
    """The corruptions that are still to be made; one that is there with other strengths raises SetError."""
    todo = []
    for name, strengths in cells.items():
        there = manifest["corruptions"].get(name)
        if there is None or not target.path(name).exists():
            manifest["corruptions"].pop(name, None)
            todo.append(name)
            continue
        wanted = {"version": corruptions.get(name).version, "strengths": [str(strength) for strength in strengths]}
        for key, value in wanted.items():
            if there[key] != value:
                path, held = target.path(name), there[key]
                raise SetError(f"{path} holds {key} {held}, asked for {value}; choose another folder")
    return todo
