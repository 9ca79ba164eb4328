"""The page on statistics: its program runs, and it names what the tables hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from robench import tables
from robench.sweep import SweepConfig, run

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")


@pytest.fixture
def frames(tmp_path, monkeypatch):
    """What the page's program makes of a small run."""
    nets = ("tiny_cnn=digits-clean", "tiny_cnn=digits-noise")
    run(SweepConfig(nets, "digits", tmp_path / "runs" / "demo", corruptions=("awgn@0.1,0.2", "contrast@1,3"), limit=30))
    monkeypatch.chdir(tmp_path)
    [program] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    names = {}
    exec(program, names)
    return names["frames"]


def test_the_program_of_the_page_runs_and_its_names_are_those_of_the_tables(frames):
    aggregates, *compared = frames
    assert all(len(frame) for frame in frames)
    for metric in {re.sub(r"\[.*", "", name) for name in aggregates["metric"]}:
        assert re.search(rf"`{metric}[`\[]", PAGE), metric
    for frame in compared:
        for column in {"diff", "n01", "n10", "p_mcnemar", "p_holm", "rank", "kappa", "c_obs", "c_exp"} & set(frame):
            assert f"`{column}`" in PAGE, column
    assert {"seed_sd", "baseline", "note"} <= set(tables.METRIC_COLUMNS)
