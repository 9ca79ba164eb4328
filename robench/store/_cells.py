"""A cell, and what a model said in it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robench.files import sha256_text

MOST_CLASSES_STORED = 100


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
