"""The canonical set: which files `robench generate` writes of the official CIFAR-10 test images at seed 0.

`canonical.json` holds what the set was generated from, and of each version of a corruption the sha256 of its .npy file.
`canonical.npz` holds sampled values of the corruptions that are not bit-exact, an array NAME-VERSION each. Both are
renewed by `make canonical`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corruptions
from robench import setformat
from robench.errors import SetError
from robench.export._verify import MOST_LEVELS_OFF, MOST_VALUES_OFF, same_pixels
from robench.files import reason, sha256_file

DIGESTS, SAMPLES = "canonical.json", "canonical.npz"
SUITES = ("cifar10-c/1", "cifar10-c-extra/1", "cifar10-c-bar/1")
FACTS = ("split", "view", "n", "shape", "data_digest", "ids_sha256", "format", "seed", "native", "textures")
"""The fields of a manifest that the canonical set shares with every set that is compared with it."""

OF_IMAGES = ("view", "n", "shape", "data_digest", "ids_sha256")
SAMPLE = 20_000
STEP = 7679  # shares no factor with the size of an array, so that the sample visits every row, column and channel


@dataclass(frozen=True)
class Compared:
    """A corruption of a set beside its canonical digest: whether it is canonical, and the line that says so."""

    corruption: str
    canonical: bool
    text: str


@cache
def digests() -> Mapping[str, Any]:
    """The content of canonical.json: `set`, the facts of the set, and `suites`, sha256 by suite, name and version."""
    content: dict[str, Any] = json.loads(files(__package__).joinpath(DIGESTS).read_text(encoding="utf-8"))
    return content


@cache
def samples() -> Mapping[str, NDArray[np.uint8]]:
    """The sampled values of corruptions that are not bit-exact, by NAME-VERSION."""
    with np.load(io.BytesIO(files(__package__).joinpath(SAMPLES).read_bytes()), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def sample(path: Path) -> NDArray[np.uint8]:
    """20,000 values of a .npy file, spread over images, rows, columns and channels."""
    values = np.load(path, mmap_mode="r", allow_pickle=False).reshape(-1)
    return np.asarray(values[np.arange(SAMPLE) * STEP % len(values)], dtype=np.uint8)


def compare_canonical(folder: Path) -> list[Compared]:
    """Compare every corruption of the set in `folder` with its canonical digest.

    A corruption that is not bit-exact may also be equal in a sample of its values, by the rule of `verify`.

    Raises:
        SetError: The set is of other images, another seed, native side or format, or has no manifest.
    """
    manifest = setformat.read_manifest(folder)
    _check_facts(folder, manifest)
    return [_compared(folder / f"{name}.npy", name, facts) for name, facts in manifest["corruptions"].items()]


def _check_facts(folder: Path, manifest: Mapping[str, Any]) -> None:
    expected, path = digests()["set"], folder / setformat.MANIFEST
    if any(manifest.get(key) != expected[key] for key in OF_IMAGES):
        got = f"{manifest['n']} images of {manifest['dataset']}@{manifest['split']}, view {manifest['view']}"
        raise SetError(
            f"{path}: expected the {expected['n']} test images of the official CIFAR-10 "
            f"(data digest {expected['data_digest'][:16]}…), got {got} ({str(manifest.get('data_digest'))[:16]}…)"
        )
    for key in FACTS:
        if manifest.get(key) != expected[key]:
            wanted, got = ("none" if value in ("", None) else value for value in (expected[key], manifest.get(key)))
            raise SetError(f"{path}: expected {key} {wanted} as the canonical set has, got {got}")


def _compared(path: Path, name: str, facts: Mapping[str, Any]) -> Compared:
    by_version: dict[str, str] = next((suite[name] for suite in digests()["suites"].values() if name in suite), {})
    version, strengths = str(facts["version"]), digests()["set"]["strengths"]
    head = f"{name}, version {version}"
    if not by_version:
        return Compared(name, False, f"{head}: not compared: no canonical digest; see suites {', '.join(SUITES)}")
    if version not in by_version:
        return Compared(
            name, False, f"{head}: not compared: the canonical digest is of version {max(by_version, key=int)}"
        )
    if facts["strengths"] != strengths:
        got = ", ".join(facts["strengths"])
        return Compared(name, False, f"{head}: differs: expected strengths {', '.join(strengths)}, got {got}")
    canonical, text = _bytes(path, by_version[version], samples().get(f"{name}-{version}"))
    return Compared(name, canonical, f"{head}: {text}{_installed(name, version)}")


def _bytes(path: Path, expected: str, stored: NDArray[np.uint8] | None) -> tuple[bool, str]:
    """Whether a file has the canonical bytes or, where a sample is stored, nearly its values; and the verdict."""
    try:
        digest = sha256_file(path)
        if digest == expected:
            return True, "canonical, byte for byte"
        if stored is not None and same_pixels(stored, sample(path), exact=False):
            rule = f"at most {MOST_LEVELS_OFF} level off on at most {MOST_VALUES_OFF:g} of {SAMPLE} sampled values"
            return True, f"canonical, {rule}"
    except Exception as fault:  # whatever numpy trips over in a file that is none of its own
        return False, f"differs: {path}: cannot be read: {reason(fault)}"
    return False, f"differs: expected sha256 {expected[:16]}…, got {digest[:16]}…"


def _installed(name: str, version: str) -> str:
    installed = corruptions.get(name).version
    return "" if version == str(installed) else f"; installed is version {installed}"
