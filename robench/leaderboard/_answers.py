"""What an entry answered, image by image: entries/ID.npz."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.errors import BoardError
from robench.files import reason, whole_file

Counts = NDArray[np.uint16]
NAMES = ("corruptions", "of", "right", "n_correct")


@dataclass(frozen=True)
class Answers:
    """Of N images in id order and C corruptions, "clean" the first.

    corruptions: (C,). of: (C,), strengths and seeds. right: (N, C), how many of them were answered right.
    n_correct: (cells,), in the order of the rows of the entry.
    """

    corruptions: tuple[str, ...]
    of: NDArray[np.int64]
    right: Counts
    n_correct: NDArray[np.int64]

    def write(self, path: Path) -> None:
        """The file; the same bytes for the same answers."""
        arrays: dict[str, Any] = {name: np.asarray(getattr(self, name)) for name in NAMES}
        with whole_file(path) as partial, partial.open("wb") as opened:
            np.savez_compressed(opened, **arrays)


def read(path: Path) -> Answers:
    """The answers of a file; BoardError where it is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            found = {name: stored[name] for name in NAMES}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as fault:
        raise BoardError(f"{path}: cannot be read: {reason(fault)}") from fault
    names = tuple(str(name) for name in found["corruptions"])
    if found["right"].ndim != 2 or not len(names) == len(found["of"]) == found["right"].shape[1]:
        raise BoardError(f"{path}: expected counts of {len(names)} corruptions, got shape {found['right'].shape}")
    return Answers(names, found["of"], found["right"], found["n_correct"])
