"""Names that users give stand in reports, tables and boards as they are, and run nothing there."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from robench import tables

AWGN = ("-c", "awgn@0.1", "--limit", "8", "--device", "cpu")


STRANGE = "=sum(a1)|<b>\\x\n`y`"


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """A run whose data set has a name that means something in every form of text."""
    place = tmp_path_factory.mktemp("strange")
    sweep = ("evaluate", "-m", "tiny_cnn=digits-clean", "-m", "tiny_cnn=digits-noise", "-d", "digits", "-s", "demo/1")
    task = (*sweep, "--limit", "6", "--dataset-name", STRANGE, "--device", "cpu", "-o", str(place / "run"))
    subprocess.run([sys.executable, "-m", "robench", *task], check=True, capture_output=True)
    return place / "run"


def test_the_texts_of_a_report_are_escaped(strange, robench, tmp_path):
    assert robench("report", strange, "-o", tmp_path / "report").code == 0
    told = (tmp_path / "report" / "report.md").read_text()
    assert "## =sum(a1)\\|&lt;b>\\\\x \\`y\\` test\n" in told
    assert "<b>" not in told
    latex = (tmp_path / "report" / "accuracy.tex").read_text().splitlines()
    assert latex[0].startswith("% =sum(a1)|<b>\\x `y` test: top-1 accuracy")
    assert latex[1].startswith("\\begin{tabular}")
    for name in ("cells.csv", "metrics.csv"):
        assert set(pd.read_csv(tmp_path / "report" / name)["dataset"]) == {f"'{STRANGE}"}


def test_a_board_reads_back_what_it_escaped(strange, robench, tmp_path):
    boards = tmp_path / "boards"
    assert robench("leaderboard", "add", strange, "--board", boards).code == 0
    assert robench("leaderboard", "build", "--board", boards).code == 0
    said = robench("leaderboard", "check", "--board", boards)
    assert (said.code, said.err) == (0, "")
    cells = next(boards.rglob("*.cells.csv"))
    assert set(pd.read_csv(cells)["dataset"]) == {f"'{STRANGE}"}
    text = cells.read_text().replace("'=sum", "'=sun")
    cells.write_text(text)
    assert "=sun(a1)" in robench("leaderboard", "check", "--board", boards).err


TEXTS = [
    "=1",
    "+a",
    "-a",
    "@a",
    "\ta",
    "'",
    "'=1",
    "''",
    "'tis",
    "-0.5",
    "+1e3",
    "",
    "plain",
    "a=b",
    "nan",
    "-inf",
    'a"b,c\nd',
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_cell_of_a_csv_comes_back_as_it_was(text):
    frame = pd.DataFrame({"text": [text], "number": [-0.25]})
    written = tables.to_csv(frame)
    [_, [cell, number]] = csv.reader(io.StringIO(written))
    assert (tables.from_csv(cell), number) == (text, "-0.25")
    assert not cell.startswith(("=", "@", "\t"))
    assert not re.match(r"[+-][^0-9.]", cell)


def test_signs_of_latex_and_markdown_in_labels(strange, robench, tmp_path):
    shutil.copytree(strange, tmp_path / "run")
    manifest = tmp_path / "run" / "manifest.json"
    told = json.loads(manifest.read_text())
    told["models"][0]["label"] = "a|b<c"
    told["cells"] = [
        cell | {"model": cell["model"].replace("tiny_cnn=digits-clean", "a|b<c")} for cell in told["cells"]
    ]
    manifest.write_text(json.dumps(told))
    assert robench("report", tmp_path / "run", "-o", tmp_path / "report").code == 0
    assert r"a\textbar{}b\textless{}c" in (tmp_path / "report" / "accuracy.tex").read_text()
    assert "- a\\|b&lt;c: weights" in (tmp_path / "report" / "report.md").read_text()
