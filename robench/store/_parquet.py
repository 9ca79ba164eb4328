"""The file of one cell: a Parquet table of predictions, or none and an error; the cell's record is its metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.errors import RunError
from robench.files import reading, whole_file
from robench.store._cells import Cell, Predictions

RECORD = b"robench"


def write(
    path: Path,
    cell: Cell,
    schema: str,
    predictions: Predictions | None,
    error: str = "",
    fingerprint: Mapping[str, Any] | None = None,
) -> None:
    """Write a cell's predictions, or why there are none, as a whole file; fingerprint: of its network."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({}) if predictions is None else _table(predictions)
    digest = "" if predictions is None else _digest(predictions)
    record = asdict(cell) | {"schema": schema, "error": error, "sha256": digest, "fingerprint": fingerprint}
    table = table.replace_schema_metadata({RECORD: json.dumps(record, sort_keys=True).encode()})
    with whole_file(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def read_record(path: Path, cell: Cell) -> dict[str, Any]:
    """A cell's record, without its predictions; RunError where the file is damaged.

    Its `error` is empty where it holds predictions; its `fingerprint` is None where an older robench wrote it.
    """
    import pyarrow.parquet as pq

    with _readable(path):
        return {"fingerprint": None} | _record(cell, pq.read_schema(path))


def read(path: Path, cell: Cell) -> Predictions | str:
    """A cell's predictions, or the error recorded in their place; RunError where the file is damaged."""
    import pyarrow.parquet as pq

    with _readable(path):
        table = pq.read_table(path, partitioning=None)
        record = _record(cell, table.schema)
        if record["error"]:
            return str(record["error"])
        predictions = _predictions(table)
        if _digest(predictions) != record["sha256"]:
            raise ValueError("its sha256 is not that of its predictions")
        return predictions


def _readable(path: Path) -> AbstractContextManager[None]:
    return reading(path, "the predictions of a cell", RunError, "remove it to compute it again")


def _record(cell: Cell, schema: Any) -> dict[str, Any]:
    """The record, which must be the cell's; its suite is only a name."""
    record = dict(json.loads((schema.metadata or {})[RECORD]))
    for name, value in asdict(cell).items():
        if name != "suite" and record[name] != value:
            raise ValueError(f"expected {name} {value}, got {record[name]}")
    return record


def _digest(predictions: Predictions) -> str:
    """sha256 over every column's name, type, shape and bytes."""
    whole = hashlib.sha256()
    for name, values in vars(predictions).items():
        if values is not None:
            whole.update(f"{name}|{values.dtype}|{values.shape}|".encode() + np.ascontiguousarray(values).tobytes())
    return whole.hexdigest()


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
