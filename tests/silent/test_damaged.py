"""Damaged JSON and Parquet of runs and sets: one line that names the file, what was expected and what came."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

AWGN = ("-c", "awgn@0.1", "--limit", "8", "--device", "cpu")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a small run and two small sets, to be copied and damaged."""
    place = tmp_path_factory.mktemp("finished")
    some = ("-d", "digits", "--limit", "6", "-c", "awgn@0.1")
    tasks = (
        ("evaluate", "-m", "tiny_cnn=digits-clean", *some, "--device", "cpu", "-o", place / "run"),
        ("generate", *some, "-o", place / "set"),
        ("generate", *some, "--format", "folder", "-o", place / "pictures"),
    )
    for task in tasks:
        subprocess.run([sys.executable, "-m", "robench", *map(str, task)], check=True, capture_output=True)
    return place


def deep(told):
    return "[" * 100_000


def nulls(*keys):
    """A change of JSON: the value at the end of these keys becomes null."""

    def change(told):
        *inner, last = keys
        value = told
        for key in inner:
            value = value[key]
        value[last] = None
        return json.dumps(told)

    return change


def half_a_pair(told):
    return json.dumps(told | {"view": "\ud83d"})


JSON = {
    # a change of the manifest of a run or a set, and a command that reads it
    "deep run": ("run", deep, ("status", "X")),
    "deep set": ("set", deep, ("verify", "X")),
    "null run": ("run", lambda told: "null", ("report", "X", "-o", "OUT")),
    "null set": ("set", lambda told: "null", ("verify", "X")),
    "a text that is none": ("set", half_a_pair, ("verify", "X")),
    "null data set": ("run", nulls("dataset", "digest"), ("report", "X", "-o", "OUT")),
    "null class": ("run", nulls("dataset", "classes", 0), ("report", "X", "-o", "OUT")),
    "null model": ("run", nulls("models", 0), ("report", "X", "-o", "OUT")),
    "null label": ("run", nulls("models", 0, "label"), ("compare", "X", "X")),
    "null corruption": ("run", nulls("corruptions", "awgn"), ("report", "X", "-o", "OUT")),
    "null version": ("run", nulls("environment", "numpy"), ("report", "X", "-o", "OUT")),
    "null cell": ("run", nulls("cells", 0), ("status", "X")),
    "null field of a cell": ("run", nulls("cells", 0, "strength"), ("status", "X")),
    "null digest of a set": ("set", nulls("data_digest"), ("verify", "X")),
    "null corruption of a set": ("set", nulls("corruptions", "awgn"), ("verify", "X")),
}


@pytest.mark.parametrize("case", JSON)
def test_deep_and_null_json_is_a_line(case, finished, robench, tmp_path):
    kind, change, task = JSON[case]
    place = tmp_path / kind
    shutil.copytree(finished / kind, place)
    manifest = place / "manifest.json"
    manifest.write_text(change(json.loads(manifest.read_text())))
    said = robench(*(str(place) if word == "X" else str(tmp_path / "out") if word == "OUT" else word for word in task))
    assert (said.code, len(said.lines), (tmp_path / "out").exists()) == (1, 1, False)
    assert "manifest.json: " in said.err
    assert "expected" in said.err or "cannot be read" in said.err


def rewritten(path, change):
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(change(table), path)


def null_column(name):
    def change(table):
        place = table.column_names.index(name)
        return table.set_column(place, name, pyarrow.array([None] * len(table), table.schema.field(name).type))

    return change


def deep_record(table):
    return table.replace_schema_metadata({b"robench": b"[" * 100_000})


def null_record(table):
    return table.replace_schema_metadata({b"robench": b"null"})


@pytest.mark.parametrize("change", [null_column("id"), null_column("top5"), deep_record, null_record])
def test_deep_and_null_parquet_of_a_run_is_a_line(change, finished, robench, tmp_path):
    shutil.copytree(finished / "run", tmp_path / "run")
    path = next((tmp_path / "run" / "predictions").rglob("*.parquet"))
    rewritten(path, change)
    said = robench("report", tmp_path / "run", "-o", tmp_path / "out")
    assert (said.code, len(said.lines), (tmp_path / "out").exists()) == (1, 1, False)
    assert f"{path}: cannot be read: expected the predictions of a cell, got " in said.err
    assert said.err.endswith("remove it to compute it again\n")


@pytest.mark.parametrize("column", ["id", "label", "stem", "class"])
def test_null_parquet_of_a_set_is_a_line(column, finished, robench, tmp_path):
    shutil.copytree(finished / "pictures", tmp_path / "set")
    path = tmp_path / "set" / "digests" / "clean.parquet"
    rewritten(path, null_column(column))
    sweep = ("evaluate", "-m", "tiny_cnn=digits-clean", "-d", f"generated:{tmp_path / 'set'}", "--device", "cpu")
    said = robench(*sweep, "-o", tmp_path / "run")
    assert (said.code, len(said.lines), (tmp_path / "run").exists()) == (1, 1, False)
    assert "clean.parquet: expected " in said.err


@pytest.mark.parametrize("column", ["strength", "class", "stem", "sha256"])
def test_verify_names_null_parquet(column, finished, robench, tmp_path):
    shutil.copytree(finished / "pictures", tmp_path / "set")
    path = tmp_path / "set" / "digests" / "awgn.parquet"
    rewritten(path, null_column(column))
    said = robench("verify", tmp_path / "set")
    assert said.code == 1
    assert any("awgn.parquet: cannot be read: expected the digests of pictures" in line for line in said.lines)


def test_ids_of_uint64_in_a_set_are_a_line(finished, robench, tmp_path):
    shutil.copytree(finished / "set", tmp_path / "set")
    np.save(tmp_path / "set" / "ids.npy", np.arange(6, dtype=np.uint64) + 2**63)
    sweep = ("evaluate", "-m", "tiny_cnn=digits-clean", "-d", f"generated:{tmp_path / 'set'}", "--device", "cpu")
    said = robench(*sweep, "-o", tmp_path / "run")
    assert said.code == 1
    assert "ids.npy: expected values as whole numbers (6) below 2^63" in said.err
