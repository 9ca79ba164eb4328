"""`verify`: is a set what its manifest says, and would the same pixels come out today?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corruptions
from corruptions import CorruptionError, Strength
from robench import datasets, setformat
from robench.datasets import Dataset, GeneratedSet, digest_of, pixel_digest
from robench.errors import RobenchError, SetError
from robench.files import reading, reason, sha256_file
from robench.progress import tracked

SAMPLE = 32
MOST_LEVELS_OFF = 1
MOST_VALUES_OFF = 1e-4
CLEAN = "clean"


def verify(folder: Path, *, progress: bool = False) -> list[str]:
    """What is wrong with the set in `folder`, a line each; none where all is right.

    Every digest is computed again, and 32 images of each cell are degraded again from the set's clean ones. Pixels of
    bit-exact corruptions must be equal; of the others at most 1e-4 of the values may differ, by one level.
    Frost made with pictures of the user's is not made again: they are not in the set.
    Raises SetError where there is no manifest that can be read.
    """
    manifest = setformat.read_manifest(folder)
    names = [CLEAN, *manifest["corruptions"]]
    faults: list[str] = []
    with tracked(1 + len(names), "verify", show=progress, unit="parts") as advance:
        faults += _files(folder, manifest)
        advance(1, "files")
        try:
            opened = datasets.open_generated(folder, checked=False)
        except RobenchError as fault:
            return faults or [str(fault)]
        for name in names:
            faults += _clean(opened) if name == CLEAN else _corruption(opened, name)
            advance(1, name)
    return list(dict.fromkeys(faults))


def _files(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """The sha256 of every file that is not an image; the manifest has to name them all."""
    arrays = {f"{name}.npy": facts["sha256"] for name, facts in manifest["corruptions"].items()}
    listed: dict[str, str] = manifest["files"]
    if manifest["format"] == "npy":
        expected = [f"{name}.npy" for name in (CLEAN, "ids", "labels")]
        listed = listed | arrays
    else:
        expected = [f"digests/{name}.parquet" for name in (CLEAN, *manifest["corruptions"])]
    for name in [*expected, *(["boxes.npy"] if (folder / "boxes.npy").exists() else [])]:
        if name not in listed:
            yield f"{folder / setformat.MANIFEST}: expected the sha256 of {name}, got none"
    for name, digest in listed.items():
        yield from _file(folder / name, digest)


def _file(path: Path, digest: str) -> Iterator[str]:
    try:
        if sha256_file(path) != digest:
            yield f"{path}: its sha256 is not the manifest's"
    except FileNotFoundError:
        yield f"{path}: missing"
    except OSError as fault:
        yield f"{path}: cannot be read: {reason(fault)}"


def _clean(opened: GeneratedSet) -> Iterator[str]:
    """Images, labels, boxes and ids against the manifest's digests of them."""
    clean, manifest = opened.clean(), opened.manifest
    path = opened.path / setformat.MANIFEST
    if list(clean.shape) != manifest["shape"]:
        yield f"{path}: says shape {manifest['shape']}, the images have {list(clean.shape)}"
    if clean.ids_sha256 != manifest.get("ids_sha256"):
        yield f"{path}: ids_sha256 is not that of the set's ids"
    if manifest["format"] != "npy":
        yield from _pictures(opened, CLEAN, [clean])
    try:
        if clean.digest != manifest.get("data_digest"):
            yield f"{path}: data_digest is not that of the set's clean images"
    except RobenchError as fault:
        yield str(fault)


def _corruption(opened: GeneratedSet, name: str) -> Iterator[str]:
    facts = opened.manifest["corruptions"][name]
    try:
        parts = [opened.cell(name, strength) for strength in facts["strengths"]]
    except RobenchError as fault:
        yield str(fault)
        return
    if opened.manifest["format"] != "npy":
        yield from _pictures(opened, name, parts, facts["sha256"])
    try:
        installed = corruptions.get(name)
        strengths = [installed.parse(strength) for strength in facts["strengths"]]
    except CorruptionError as fault:
        yield f"{name}: not made again: {fault}"
        return
    if installed.version != facts["version"]:
        yield f"{name}: made by version {facts['version']}, installed is version {installed.version}: not made again"
        return
    for strength, part in zip(strengths, parts, strict=True):
        yield from _made_again(opened, name, strength, part)


def _pictures(opened: GeneratedSet, name: str, parts: Sequence[Dataset], digest: str | None = None) -> Iterator[str]:
    """Every image file of a corruption against its digest in digests/NAME.parquet, and these against the manifest's."""
    import pyarrow.parquet

    listing = opened.path / "digests" / f"{name}.parquet"
    try:
        with reading(listing, "the digests of pictures", SetError), listing.open("rb") as file:
            rows = pyarrow.parquet.read_table(file).to_pylist()
            places = [tuple(_text(row[key]) for key in ("strength", "class", "stem")) for row in rows]
            digests = [_text(row["sha256"]) for row in rows]
    except (FileNotFoundError, SetError) as fault:
        yield f"{listing}: cannot be read: {reason(fault)}" if isinstance(fault, OSError) else str(fault)
        return
    if digest is not None and digest_of(digests) != digest:
        yield f"{listing}: the digest of its digests is not the manifest's"
    if len(rows) != sum(map(len, parts)):
        yield f"{listing}: expected {sum(map(len, parts))} images, got {len(rows)}"
        return
    at = iter(zip(places, digests, strict=True))
    for part in parts:
        for position in range(len(part)):
            place, expected = next(at)
            try:
                if pixel_digest(part.images(position, position + 1)[0]) != expected:
                    folder, suffix = setformat.image_place(opened.manifest["format"], place[0])
                    path = opened.path.joinpath(name, folder, *place[1:])
                    yield f"{path}{suffix}: its pixels are not those of {listing.name}"
            except RobenchError as fault:
                yield str(fault)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected texts, got {value!r}")
    return value


def _made_again(opened: GeneratedSet, name: str, strength: Strength, part: Dataset) -> Iterator[str]:
    chosen, clean = corruptions.get(name), opened.clean()
    if "textures" in chosen.requires and opened.manifest.get("textures"):
        return
    rows = np.unique(np.linspace(0, len(clean) - 1, min(SAMPLE, len(clean))).astype(np.int64))
    try:
        made = corruptions.apply_strength(
            clean.read(rows),
            chosen,
            strength,
            seed=opened.manifest["seed"],
            ids=clean.ids[rows],
            boxes=None if clean.boxes is None else clean.boxes[rows],
            severity_table=opened.severity_table,
        )
        stored = part.read(rows)
    except (RobenchError, CorruptionError) as fault:
        yield str(fault)
        return
    if not same_pixels(made, stored, exact=chosen.bit_exact):
        yield f"{name} {strength}: degrading {len(rows)} images again gives other pixels"


def same_pixels(first: NDArray[np.uint8], second: NDArray[np.uint8], *, exact: bool) -> bool:
    """Equal, or with `exact` false at most one level apart on at most 1e-4 of the values."""
    apart = np.abs(first.astype(np.int16) - second)
    if exact:
        return not apart.any()
    return bool(apart.max() <= MOST_LEVELS_OFF and (apart > 0).mean() <= MOST_VALUES_OFF)
