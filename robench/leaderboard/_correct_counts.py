"""What an entry answered, image by image, and the rows and facts that follow from it: entries/ID.npz."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robench.errors import BoardError
from robench.files import reason, whole_file
from robench.leaderboard import _cells
from robench.leaderboard._board import Board

Counts = NDArray[np.uint16]
NAMES = ("corruptions", "of", "right")
ROW = "row_"


@dataclass(frozen=True)
class CorrectCounts:
    """Of N images in id order and C corruptions, "clean" the first.

    corruptions: (C,). of: (C,), strengths and seeds. right: (N, C), how many of them were answered right.
    rows: the fields of the columns `_cells.OWN` and of further ones, as the board's file has them, a row a cell.
    facts: of the run, as the board's file has them: `dataset`, `model`, `precision`, `environment`.
    """

    corruptions: tuple[str, ...]
    of: NDArray[np.int64]
    right: Counts
    rows: pd.DataFrame
    facts: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """The file; the same bytes for the same answers."""
        arrays: dict[str, Any] = {name: np.asarray(getattr(self, name)) for name in NAMES}
        arrays |= {f"{ROW}{name}": self.rows[name].to_numpy(np.str_) for name in self.rows}
        arrays["facts"] = np.array(json.dumps(dict(self.facts), sort_keys=True))
        with whole_file(path) as partial, partial.open("wb") as opened:
            np.savez_compressed(opened, **arrays)


def facts_of(
    board: Board,
    model: Mapping[str, Any],
    precision: str,
    environment: Mapping[str, str],
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """What the board says of the images, and of a network that is measured on them."""
    facts = {"dataset": board.dataset, "model": model, "precision": precision, "environment": environment}
    return facts | ({"notes": list(notes)} if notes else {})


def read(path: Path) -> CorrectCounts:
    """The answers of a file; BoardError where it is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            corruptions, of, right = (stored[name] for name in NAMES)
            more = [name.removeprefix(ROW) for name in stored.files if name.startswith(ROW)]
            columns = dict.fromkeys((*_cells.OWN, *more))
            rows = pd.DataFrame({name: stored[f"{ROW}{name}"].astype(object) for name in columns}, dtype=str)
            facts = json.loads(str(stored["facts"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as fault:
        raise BoardError(f"{path}: cannot be read: {reason(fault)}") from fault
    names = tuple(str(name) for name in corruptions)
    if right.ndim != 2 or not len(names) == len(of) == right.shape[1]:
        raise BoardError(f"{path}: expected counts of {len(names)} corruptions, got shape {right.shape}")
    return CorrectCounts(names, of, right, rows, facts)
