"""A cell, and what a model said in it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.files import sha256_text

MOST_CLASSES_STORED = 100
_KINDS: dict[str, Any] = {"str": str, "int": int, "int | None": int | None, "float | None": float | int | None}


@dataclass(frozen=True)
class Cell:
    """One model x data set x corruption x strength x seed, with everything its predictions depend on.

    The clean cell has corruption "clean", severity 0. `severity` is None for levels, `level` for severities and pairs.
    """

    model: str
    weights_sha256: str
    dataset: str
    split: str
    view: str
    data_digest: str
    suite: str
    corruption: str
    corruption_version: int
    group: str
    severity: int | None
    strength: str
    level_name: str
    level: float | None
    seed: int
    native: int
    n: int
    fit: str
    normalize: str
    precision: str

    @property
    def key(self) -> str:
        """sha256 over all fields but the suite, which is only the name under which the cell was asked for."""
        fields = {name: value for name, value in asdict(self).items() if name != "suite"}
        return sha256_text(json.dumps(fields, sort_keys=True))

    @property
    def place(self) -> Path:
        """Where its file stands under predictions/."""
        return Path(_plain(self.model)) / _plain(self.corruption) / f"{_plain(self.strength)}-{self.key[:12]}.parquet"


def cell_of(record: Any) -> Cell:
    """The cell of a record in a manifest; TypeError or ValueError for a field that is missing, strange or null."""
    cell = Cell(**record)
    kinds = {field.name: _KINDS[str(field.type)] for field in fields(Cell)}
    if fault := misfit(asdict(cell), kinds, "cell"):
        raise ValueError(fault)
    return cell


def misfit(value: Any, form: Any, at: str) -> str:
    """Where a value of a JSON file is not of its form, in words; empty where it is.

    form: a type or a union of types; a list of one form for every item; a dict of a form for each key that must be
    there, or with the key `...` for every key. at: what the value is called.
    """
    kind = type(form) if isinstance(form, list | dict) else form
    if not isinstance(value, kind) or isinstance(value, bool):
        return f"expected {at} as {getattr(kind, '__name__', kind)}, got {value!r:.60}"
    if isinstance(form, list):
        inner = [(one, form[0], f"{at}[{place}]") for place, one in enumerate(value)]
    elif isinstance(form, dict):
        keys = value if ... in form else form
        held: Any = value
        inner = [(held.get(key), form.get(..., form.get(key)), f"{at}.{key}") for key in keys]
    else:
        inner = []
    return next((fault for one in inner if (fault := misfit(*one))), "")


@dataclass(frozen=True)
class Predictions:
    """What a model said of N images, in id order.

    ids, labels, pred: int (N,). top5: int32 (N, min(5, K)), best first. confidence: probability of `pred`.
    log_p_true: log probability of the label. sum_p_squared: sum over classes of p². The three are float32 (N,).
    probabilities: float16 (N, K) for at most 100 classes, else None.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int32]
    pred: NDArray[np.int32]
    top5: NDArray[np.int32]
    confidence: NDArray[np.float32]
    log_p_true: NDArray[np.float32]
    sum_p_squared: NDArray[np.float32]
    probabilities: NDArray[np.float16] | None = None

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the prediction is the label, (N,)."""
        return np.asarray(self.pred == self.labels)

    @property
    def correct_top5(self) -> NDArray[np.bool_]:
        """Whether the label is among the five most probable classes, (N,)."""
        return np.asarray((self.top5 == self.labels[:, None]).any(axis=1))


def _plain(name: str) -> str:
    """A name as a file name: no separators, nothing hidden, nothing that leads up."""
    return re.sub(r"[^\w=.@+-]|^\.", "_", name)
