"""`verify`: is a set what its manifest says, and would the same pixels come out today?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corruptions
from robench import datasets, setformat
from robench.datasets import Dataset, GeneratedSet
from robench.errors import DatasetError
from robench.files import sha256_file
from robench.generate._writers import digest_of, pixel_digest
from robench.progress import tracked

SAMPLE = 32
MOST_LEVELS_OFF = 1
MOST_VALUES_OFF = 1e-4


def verify(folder: Path, *, progress: bool = False) -> list[str]:
    """What is wrong with the set in `folder`, a line each; none where all is right.

    Every file's sha256 is computed again, and 32 images of each cell are degraded again from the set's clean ones.
    Pixels of bit-exact corruptions must be equal; of the others at most 1e-4 of the values may differ, by one level.
    Raises SetError or DatasetError where there is no set that can be read.
    """
    manifest = setformat.read_manifest(folder)
    total = len(manifest["files"]) + sum(len(facts["strengths"]) for facts in manifest["corruptions"].values())
    faults = []
    with tracked(total, "verify", show=progress) as advance:
        for name, digest in manifest["files"].items():
            faults += _file(folder, name, digest)
            advance(1, name)
        if any("missing" in fault for fault in faults):
            return faults
        opened = datasets.open_generated(folder)
        for name, facts in manifest["corruptions"].items():
            faults += _corruption(folder, opened, manifest, name, facts)
            advance(len(facts["strengths"]), name)
    return faults


def _file(folder: Path, name: str, digest: str) -> list[str]:
    path = folder.joinpath(*(part for part in Path(name).parts if setformat.is_plain(part)))
    if not path.exists():
        return [f"{path}: missing"]
    return [] if sha256_file(path) == digest else [f"{path}: its sha256 is not the manifest's"]


def _corruption(
    folder: Path, opened: GeneratedSet, manifest: dict[str, Any], name: str, facts: dict[str, Any]
) -> Iterator[str]:
    try:
        parts = [opened.cell(name, strength) for strength in facts["strengths"]]
    except DatasetError as fault:
        yield str(fault)
        return
    if manifest["format"] == "npy":
        yield from _file(folder, f"{name}.npy", facts["sha256"])
    else:
        yield from _pixels(folder / name, parts, facts["sha256"])
    installed = corruptions.get(name).version
    if installed != facts["version"]:
        yield f"{name}: made by version {facts['version']}, installed is version {installed}: not made again"
        return
    for strength, part in zip(facts["strengths"], parts, strict=True):
        yield from _made_again(opened.clean(), part, manifest, name, strength)


def _pixels(path: Path, parts: list[Dataset], digest: str) -> Iterator[str]:
    try:
        digests = [pixel_digest(image) for part in parts for _, block in part.blocks() for image in block]
    except DatasetError as fault:
        yield str(fault)
        return
    if digest_of(digests) != digest:
        yield f"{path}: the digest of its images is not the manifest's"


def _made_again(clean: Dataset, part: Dataset, manifest: dict[str, Any], name: str, strength: str) -> Iterator[str]:
    chosen = corruptions.get(name)
    rows = np.unique(np.linspace(0, len(clean) - 1, min(SAMPLE, len(clean))).astype(np.int64))
    try:
        made = corruptions.apply_strength(
            clean.read(rows),
            chosen,
            chosen.parse(strength),
            seed=manifest["seed"],
            ids=clean.ids[rows],
            boxes=None if clean.boxes is None else clean.boxes[rows],
            native=manifest["native"],
        )
        stored = part.read(rows)
    except DatasetError as fault:
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
