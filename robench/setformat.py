"""A generated set on disk, schema robench-set/1: which files there are and what its manifest says.

    manifest.json     what was asked, and of every finished corruption its version, strengths and sha256
    clean.npy, ids.npy, labels.npy, boxes.npy, CORRUPTION.npy                           format npy
    clean/CLASS/STEM.png, CORRUPTION/STRENGTH/CLASS/STEM.png, digests/CORRUPTION.parquet  format folder

An array of a corruption holds its strengths in order, in blocks of n images, as in CIFAR-10-C.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from robench.errors import SetError
from robench.files import reason, write_json

SCHEMA = "robench-set/1"
MANIFEST = "manifest.json"
FORMATS = ("npy", "folder")
ASKED = ("dataset", "split", "view", "data_digest", "classes", "format", "seed", "native", "n", "shape", "ids_sha256")


def is_plain(name: object) -> bool:
    """Whether a name is that of a file in its folder and cannot lead out of it."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the set in `folder`; SetError where it is of another schema, damaged or leads out."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise SetError(f"{path}: cannot be read: {reason(fault)}") from fault
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != SCHEMA:
        raise SetError(f"{path}: expected schema {SCHEMA}, got {schema!r}; another version of robench wrote it")
    kinds = {"dataset": str, "split": str, "view": str, "format": str, "n": int, "seed": int}
    kinds |= {"classes": list, "shape": list, "corruptions": dict, "data_digest": str, "files": dict}
    for key, kind in kinds.items():
        if not isinstance(manifest.get(key), kind):
            raise SetError(f"{path}: expected {key} as {kind.__name__}, got {manifest.get(key)!r}")
    if manifest["format"] not in FORMATS:
        raise SetError(f"{path}: expected format npy or folder, got {manifest['format']!r}")
    for name, facts in manifest["corruptions"].items():
        _check_corruption(path, name, facts)
    return dict(manifest)


def _check_corruption(path: Path, name: str, facts: object) -> None:
    if not is_plain(name):
        raise SetError(f"{path}: expected a plain file name, got {name!r}")
    if not isinstance(facts, dict) or not isinstance(facts.get("version"), int):
        raise SetError(f"{path}: expected version and strengths of {name}, got {facts!r}")
    strengths = facts.get("strengths")
    if not isinstance(strengths, list) or not all(is_plain(strength) for strength in strengths):
        raise SetError(f"{path}: expected plain strengths of {name}, got {strengths!r}")


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """The manifest as a whole file, keys sorted."""
    write_json(folder / MANIFEST, manifest)
