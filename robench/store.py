"""A run on disk, schema robench-run/1: a manifest, and one file of predictions for every finished cell.

manifest.json                       what was asked, of which models and data, with which versions
predictions/MODEL/CORRUPTION/KEY    one Parquet file a cell, whole or not at all, its record in its metadata
cells.csv, metrics.csv              derived from the predictions alone
timings.csv                         the only file that holds times
examples/                           a few degraded images per strength
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from robench.errors import RunError
from robench.files import reason, sha256_text, whole_file, write_json

SCHEMA = "robench-run/1"
MANIFEST = "manifest.json"
RECORD = b"robench"
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


@dataclass(frozen=True)
class Run:
    """The folder of a run."""

    folder: Path

    @property
    def manifest_path(self) -> Path:
        """The manifest's file."""
        return self.folder / MANIFEST

    def manifest(self) -> dict[str, Any]:
        """What was asked; RunError where the folder holds no run, or one of another schema."""
        try:
            manifest = json.loads(self.manifest_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.folder}: expected a run folder with a {MANIFEST}, found none") from None
        except (OSError, ValueError) as fault:
            raise RunError(f"{self.manifest_path}: cannot be read: {reason(fault)}") from fault
        schema = manifest.get("schema") if isinstance(manifest, dict) else None
        if schema != SCHEMA:
            raise RunError(
                f"{self.manifest_path}: expected schema {SCHEMA}, got {schema!r}; written by another robench"
            )
        return dict(manifest)

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """The manifest as a whole file."""
        write_json(self.manifest_path, manifest)

    def cells(self) -> list[Cell]:
        """The cells that were asked for, in the order of the tables."""
        try:
            return [Cell(**record) for record in self.manifest()["cells"]]
        except (KeyError, TypeError) as fault:
            raise RunError(f"{self.manifest_path}: its cells cannot be read: {fault}") from fault

    def path(self, cell: Cell) -> Path:
        """The file of a cell."""
        return self.folder / "predictions" / cell.place

    def is_done(self, cell: Cell) -> bool:
        """Whether the cell's predictions are there; a recorded error is not."""
        return self.path(cell).exists() and not self.error(cell)

    def error(self, cell: Cell) -> str:
        """The error recorded for a cell, empty where there is none."""
        return str(_record(self.path(cell)).get("error", "")) if self.path(cell).exists() else ""

    def counts(self) -> dict[str, int]:
        """How many cells were asked for, and how many of them are done, failed and missing."""
        asked = self.cells()
        there = [cell for cell in asked if self.path(cell).exists()]
        failed = sum(bool(self.error(cell)) for cell in there)
        counts = {"done": len(there) - failed, "failed": failed, "missing": len(asked) - len(there)}
        return {"asked": len(asked)} | counts

    def write(self, cell: Cell, predictions: Predictions) -> None:
        """Store a finished cell."""
        self._write(cell, _table(predictions), "")

    def write_error(self, cell: Cell, error: str) -> None:
        """Store why a cell could not be computed."""
        import pyarrow as pa

        self._write(cell, pa.table({}), error)

    def _write(self, cell: Cell, table: Any, error: str) -> None:
        import pyarrow.parquet as pq

        record = asdict(cell) | {"schema": SCHEMA, "error": error}
        table = table.replace_schema_metadata({RECORD: json.dumps(record, sort_keys=True).encode()})
        with whole_file(self.path(cell)) as partial:
            pq.write_table(table, partial, compression="zstd")

    def read(self, cell: Cell) -> Predictions:
        """The predictions of a finished cell; RunError where the file is damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(self.path(cell), partitioning=None)
            return _predictions(table)
        except (OSError, KeyError, pa.ArrowInvalid) as fault:
            raise RunError(
                f"{self.path(cell)}: cannot be read: {reason(fault)}; remove it to compute it again"
            ) from fault

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes out of the folder; RunError where one is in it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=0):
                yield
        except Timeout:
            raise RunError(f"{self.folder}: another robench is working on this run") from None
        except PermissionError as fault:
            raise RunError(f"{fault.filename or self.folder}: cannot be written: {reason(fault)}") from fault


def _plain(name: str) -> str:
    """A name as a file name."""
    return re.sub(r"[^\w=.@+-]", "_", name)


def _record(path: Path) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return dict(json.loads(pq.read_schema(path).metadata[RECORD]))
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowInvalid) as fault:
        raise RunError(f"{path}: cannot be read: {reason(fault)}; remove it to compute it again") from fault


def _table(predictions: Predictions) -> Any:
    import pyarrow as pa

    columns: dict[str, Any] = {
        "id": predictions.ids,
        "label": predictions.labels,
        "pred": predictions.pred,
        "top5": _lists(predictions.top5),
        "confidence": predictions.confidence,
        "log_p_true": predictions.log_p_true,
        "sum_p_squared": predictions.sum_p_squared,
    }
    if predictions.probabilities is not None:
        columns["probabilities"] = _lists(predictions.probabilities)
    return pa.table(columns)


def _lists(rows: NDArray[Any]) -> Any:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])


def _predictions(table: Any) -> Predictions:
    def flat(name: str) -> NDArray[Any]:
        return np.asarray(table[name].to_numpy())

    def rows(name: str) -> NDArray[Any]:
        combined = table[name].combine_chunks()
        return np.asarray(combined.flatten().to_numpy(zero_copy_only=False)).reshape(len(combined), -1)

    return Predictions(
        ids=flat("id"),
        labels=flat("label"),
        pred=flat("pred"),
        top5=rows("top5"),
        confidence=flat("confidence"),
        log_p_true=flat("log_p_true"),
        sum_p_squared=flat("sum_p_squared"),
        probabilities=rows("probabilities") if "probabilities" in table.column_names else None,
    )
