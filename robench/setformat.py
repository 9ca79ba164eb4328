"""A generated set on disk, schema robench-set/1: which files there are and what its manifest says.

    manifest.json     what was asked, and of every finished corruption its version, strengths and sha256
    clean.npy, ids.npy, labels.npy, boxes.npy, CORRUPTION.npy                           format npy
    clean/CLASS/STEM.png, CORRUPTION/STRENGTH/CLASS/STEM.png, digests/CORRUPTION.parquet, boxes.npy   format folder
    CORRUPTION/SEVERITY/CLASS/STEM.JPEG, and the rest as in format folder                         format imagenet-c

An array of a corruption holds its strengths in order, in blocks of n images, as in CIFAR-10-C.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from robench.errors import RobenchError, SetError
from robench.files import read_json, reason, write_json

SCHEMA = "robench-set/1"
MANIFEST = "manifest.json"
IMAGENET_C = "imagenet-c"
FORMATS = ("npy", "folder", IMAGENET_C)
ASKED = (
    *("dataset", "split", "view", "n", "shape", "classes", "data_digest"),
    *("format", "seed", "native", "textures", "ids_sha256"),
)
"""What a set is asked for by, the most telling first; a set that differs in one of them is another set."""

KINDS = {"dataset": str, "split": str, "view": str, "format": str, "n": int, "seed": int}
KINDS |= {"classes": list, "shape": list, "corruptions": dict}
TEXTS = ("data_digest", "ids_sha256", "textures", "class_order")


def is_plain(name: object) -> bool:
    """Whether a name is that of a file in its folder and cannot lead out of it."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")


def image_place(form: str, strength: str) -> tuple[str, str]:
    """The folder of a strength's images below their corruption, and the suffix of their files.

    >>> image_place("folder", "sigma=0.1"), image_place("imagenet-c", "3@jpeg85"), image_place("imagenet-c", "")
    (('sigma=0.1', '.png'), ('3', '.JPEG'), ('', '.png'))
    """
    severity, stored, _ = strength.partition("@")
    return (severity, ".JPEG") if form == IMAGENET_C and stored else (strength, ".png")


def read_manifest(folder: Path, error: type[RobenchError] = SetError) -> dict[str, Any]:
    """The manifest of the set in `folder`; `error` where it is of another schema, damaged or leads out.

    The one place where it is checked: every value is of its type, every name that becomes a path is a plain one.
    """
    path = folder / MANIFEST
    try:
        manifest = read_json(path, "the manifest of a generated set", error)
    except FileNotFoundError as fault:
        raise error(f"{path}: cannot be read: {reason(fault)}") from fault
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != SCHEMA:
        raise error(f"{path}: expected schema {SCHEMA}, got {schema!r}; another version of robench wrote it")
    try:
        return _checked(manifest)
    except ValueError as fault:
        raise error(f"{path}: {fault}") from None


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """The manifest as a whole file, keys sorted."""
    write_json(folder / MANIFEST, manifest)


def _checked(manifest: dict[str, Any]) -> dict[str, Any]:
    for key, kind in KINDS.items():
        _is(key, manifest.get(key), kind)
    if manifest.get("native") is not None:
        _is("native", manifest["native"], int)
    for key in TEXTS:
        _is(key, manifest.get(key, ""), str)
    for name in manifest["classes"]:
        _is("a class", name, str)
    _check_left_out(_is("left_out", manifest.get("left_out", {}), dict))
    if manifest["format"] not in FORMATS:
        raise ValueError(f"expected format {', '.join(FORMATS)}, got '{manifest['format']}'")
    shape = manifest["shape"][-3:]
    if len(shape) != 3 or not all(isinstance(size, int) for size in shape) or shape[2] not in (1, 3):
        raise ValueError(f"expected shape as height, width, channels, got {shape!r}")
    for name, facts in manifest["corruptions"].items():
        _check_corruption(name, facts)
    for name, digest in _is("files", manifest.setdefault("files", {}), dict).items():
        for part in name.split("/"):
            _plain(part, name)
        _is(f"the sha256 of {name}", digest, str)
    return manifest


def _check_left_out(facts: dict[str, Any]) -> None:
    """Files by suffix and class names, or nothing."""
    for count in _is("left_out files", facts.get("files", {}), dict).values():
        _is("a count of files", count, int)
    for name in _is("left_out empty", facts.get("empty", []), list):
        _is("a class", name, str)
    if facts and facts.keys() != {"files", "empty"}:
        raise ValueError(f"expected left_out with files and empty, got {', '.join(facts)}")


def _check_corruption(name: str, facts: object) -> None:
    _plain(name, name)
    held = _is(name, facts, dict)
    _is("version", held.get("version"), int)
    for strength in _is("strengths", held.get("strengths"), list):
        _plain(strength, strength)
    _is(f"the sha256 of {name}", held.get("sha256"), str)


def _is(key: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"expected {key} as {kind.__name__}, got {value!r}")
    return value


def _plain(part: object, whole: object) -> None:
    if not is_plain(part):
        raise ValueError(f"expected a plain file name, got {whole!r}")
