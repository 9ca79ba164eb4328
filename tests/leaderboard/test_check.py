"""`robench leaderboard check`: what was edited by hand, left out or gone stale is named by file, row and column."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import pytest
from boards import board_of, check, edit, rewrite
from sweeps import CLEAN, sweep

import corruptions
from robench import leaderboard
from robench.errors import BoardError

suites = sys.modules["corruptions._suites"]  # whose name in the package is that of a function


def test_a_fresh_board_has_nothing_wrong(published) -> None:
    assert check(published) == []


@pytest.mark.parametrize(
    ("file", "row", "column", "value"),
    [
        (".csv", 2, "mean", "99.99"),
        (".csv", 3, "weights_sha256", "0" * 64),
        (".cells.csv", 4, "n_correct", "1"),
        (".cells.csv", 12, "corruption_version", "2"),
        (".cells.csv", 5, "data_digest", "f" * 64),
        (".cells.csv", 3, "n", "61"),
        (".cells.csv", 3, "model", "another"),
        (".cells.csv", 6, "native", "64"),
        (".cells.csv", 2, "native", "32"),
        (".cells.csv", 2, "group", "noise"),
        (".cells.csv", 3, "n_correct_top5", "58"),
        (".cells.csv", 3, "nll", "0.001"),
        (".cells.csv", 4, "brier", "0"),
        (".cells.csv", 5, "ece15", "0.5"),
        (".cells.csv", 6, "mean_conf", "0.99"),
        (".cells.csv", 7, "level", "3"),
        (".cells.csv", 8, "level_name", "radius"),
        (".cells.csv", 9, "severity", "2"),
    ],
)
def test_a_hand_edited_field_is_named(copied, file, row, column, value) -> None:
    path = board_of(copied).path(file)
    before = edit(path, row, column, value)
    begin = f"{path}: row {row}, column {column}: expected {before or 'nothing'}"
    named = [line for line in check(copied) if line.startswith(begin)]
    assert len(named) == 1
    assert value in named[0]


def test_rows_with_one_fault_are_one_complaint(copied) -> None:
    path = board_of(copied).path(".cells.csv")
    befores = {edit(path, row, "view", "side32") for row in (3, 4, 9)}
    edit(path, 5, "view", "side64")
    named = [line for line in check(copied) if f"{path}: row" in line]
    assert named[0] == f"{path}: row 3 and 2 more, the last 9, column view: expected {befores.pop()}, got side32"
    assert [line.split(":")[1] for line in named[1:]] == [" row 5, column view"]


def test_two_edits_that_cancel_out_are_found(copied) -> None:
    path = board_of(copied).path(".cells.csv")
    counts = [int(edit(path, row, "n_correct", "0")) for row in (3, 4)]
    for row, count in zip((3, 4), reversed(counts), strict=True):
        edit(path, row, "n_correct", str(count))
    assert [line for line in check(copied) if "row 3, column n_correct" in line]


def test_a_number_as_text_is_named(copied) -> None:
    path = board_of(copied).path(".cells.csv")
    edit(path, 7, "n_correct", "57.0")
    assert check(copied) == [f"{path}: row 7, column n_correct: expected a whole number, got '57.0'"]


def test_a_shifted_column_is_named(copied) -> None:
    path = board_of(copied).path(".cells.csv")
    lines = path.read_text().splitlines()
    lines[0] = lines[0].replace("split,view", "view,split")
    path.write_text("\n".join(lines) + "\n")
    assert check(copied) == [f"{path}: row 1: expected column 5 to be split, got 'view'"]
    lines[0] = lines[0].replace("view,split", "split,view")
    lines[3] = "," + lines[3]
    path.write_text("\n".join(lines) + "\n")
    assert check(copied) == [f"{path}: row 4, column corruption_version: expected a whole number, got 'awgn'"]
    lines[3] = lines[3][1:] + ",1"
    path.write_text("\n".join(lines) + "\n")
    assert check(copied) == [f"{path}: row 4: expected 27 columns, got 28"]


def test_a_duplicate_entry_is_named(copied) -> None:
    path = board_of(copied).path(".cells.csv")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[4]]))
    place = " ".join(lines[4].split(",")[i] for i in (0, 8, 12, 15))
    assert f"{path}: row {len(lines) + 1}: the same cell as row 5: {place}" in check(copied)


def test_an_incomplete_entry_is_named(copied) -> None:
    path = board_of(copied).path(".cells.csv")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    [line] = [line for line in check(copied) if " is incomplete: " in line]
    assert line.endswith("pivot/1 is incomplete: mixed_resolution factor=4 has seeds none")


def test_strengths_that_are_left_out_everywhere_are_named(copied) -> None:
    path = board_of(copied).path(".cells.csv")
    rewrite(board_of(copied).path(".json"), lambda record: record["corruptions"]["awgn"]["strengths"].pop())
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "sigma=0.15" not in line))
    assert [line for line in check(copied) if "expected 9 rows as pivot-1-" in line and line.endswith("got 8")]


def test_a_suite_of_other_strengths_under_its_name_is_named(copied, monkeypatch) -> None:
    suite = corruptions.suite("pivot/1")
    keys = {name: some for name, some in suite.keys.items() if name != "mixed_resolution"} | {"awgn": ("sigma=0.5",)}
    changed = replace(suite, keys=keys | {"contrast": ("1",)})
    monkeypatch.setitem(suites.registry._items, "pivot/1", changed)
    begin, end = f"{board_of(copied).path('.json')}: corruptions.", "pivot/1 has, got "
    assert check(copied) == [
        f"{begin}awgn.strengths: expected ['sigma=0.5'] as {end}['sigma=0.05', 'sigma=0.15']",
        f"{begin}contrast.strengths: expected ['1'] as {end}[]",
        f"{begin}mixed_resolution.strengths: expected [] as {end}['factor=2', 'factor=4']",
    ]


def test_a_suite_that_is_not_installed_is_taken_as_it_stands(copied, monkeypatch) -> None:
    corruptions.suites()
    monkeypatch.delitem(suites.registry._items, "pivot/1")
    assert check(copied) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda record: record["entries"][0]["model"].update(parameters=5), "model, parameters: expected "),
        (
            lambda record: record["entries"][1]["model"]["training"].update(epochs_run="99"),
            "training, epochs_run: expected ",
        ),
        (lambda record: record["entries"][0].update(precision="bf16"), "precision: expected fp32, got bf16"),
        (lambda record: record["dataset"].update(split="train"), "dataset, split: expected test, got train"),
        (lambda record: record["entries"].clear(), "expected an entry at least, found none"),
        (
            lambda record: record["entries"][0]["model"].pop("parameters"),
            "expected entries[0].model.parameters as int",
        ),
        (lambda record: record["dataset"].pop("view"), "expected dataset.view as str, got None"),
        (
            lambda record: record["corruptions"]["awgn"].pop("group"),
            "expected corruptions.awgn.group as str, got None",
        ),
        (lambda record: record["entries"][0]["model"].update(label="Best"), "expected entries[0].id to be 'Best-"),
        (
            lambda record: record["entries"][0].update(id="../../../evil"),
            "expected entries[0].id to be 'tiny_cnn=digits-",
        ),
        (lambda record: record["entries"].append(record["entries"][0]), "'tiny_cnn=digits-clean' is entries[0] too"),
        (
            lambda record: record["entries"][0].update(file="entries/a.npz"),
            "expected entries[0].file to be 'entries/pivot-1-",
        ),
        (
            lambda record: record["entries"][0].update(link="javascript:alert(1)"),
            "entries[0].link: expected an address",
        ),
        (lambda record: record["entries"][0].update(link="https://example.org/b"), "edited by hand"),
        (lambda record: record.update(textures="f" * 64), "edited by hand"),
        (lambda record: record["corruptions"]["awgn"].update(summary="Snow."), "edited by hand"),
        (lambda record: record.pop("sha256"), "expected sha256 as str"),
    ],
)
def test_a_hand_edited_fact_is_named(copied, change, complaint) -> None:
    path = board_of(copied).path(".json")
    rewrite(path, change)
    named = [line for line in check(copied) if complaint in line]
    assert named
    assert named[0].startswith(str(path))


def test_a_copied_board_is_refused(copied) -> None:
    shutil.copytree(copied / "boards" / "digits", copied / "boards" / "digits2")
    path = copied / "boards" / "digits2" / "pivot-1.json"
    assert check(copied) == [f"{path}: its data set is digits, whose folder is digits"]


@pytest.mark.parametrize("file", ["../../../secret.npz", "/etc/passwd", "entries/../../outside.npz"])
def test_a_path_outside_the_folder_is_refused(copied, file) -> None:
    path = board_of(copied).path(".json")
    record = json.loads(path.read_text())
    record["entries"][0]["file"] = file
    path.write_text(json.dumps(record))
    assert check(copied) == [f"{path}: expected a file below {path.parent}, got '{file}'"]
    with pytest.raises(BoardError, match="expected a file below"):
        leaderboard.build(copied / "boards")


def test_answers_that_were_touched_or_are_not_named_are_found(copied) -> None:
    board = board_of(copied)
    file = board.folder / board.entries[0].file
    kept = file.read_bytes()
    file.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert check(copied) == [f"{file}: its sha256 is not that of pivot-1.json"]
    file.unlink()
    assert check(copied) == [f"{file}: expected the answers of {board.entries[0].id}, found none"]
    file.write_bytes(kept)
    (file.parent / "stray.npz").write_bytes(kept)
    assert check(copied) == [f"{file.parent / 'stray.npz'}: no board names it"]


def test_stale_pages_and_tables_are_found(copied) -> None:
    readme, page = copied / "README.md", copied / "boards" / "site" / "digits" / "pivot-1.html"
    readme.write_text(readme.read_text().replace("| 1 |", "| 3 |"))
    page.write_text(page.read_text().replace("Models in order", "Models in some order", 1))
    shutil.copy(page, page.parent / "old.html")
    found = check(copied)
    assert [line.split(": ")[0] for line in found] == [str(path) for path in (page, readme, page.parent / "old.html")]
    assert "stale or edited by hand in line" in found[0]
    leaderboard.build(copied / "boards", readme)
    assert check(copied) == []


def test_a_page_that_is_not_text_is_stale(copied) -> None:
    page = copied / "boards" / "site" / "index.html"
    page.write_bytes(b"\xff\xfe")
    assert check(copied) == [f"{page}: is not text; run `robench leaderboard build`"]


def test_files_of_others_stay(copied) -> None:
    own = [
        copied / "boards" / place for place in ("digits/notes.csv", "data/labels.csv", "site/mine.html", "site/a.png")
    ]
    for path in own:
        path.parent.mkdir(exist_ok=True)
        path.write_text("rank,mine\n")
    assert check(copied) == []
    leaderboard.build(copied / "boards", copied / "README.md")
    assert [path.read_text() for path in own] == ["rank,mine\n"] * 4


def test_a_board_that_is_gone_takes_what_was_made_of_it_along(copied) -> None:
    board = board_of(copied)
    shutil.copy(board.path(".csv"), board.folder / "old-1.csv")
    assert check(copied) == [f"{board.folder / 'old-1.csv'}: nothing makes it; run `robench leaderboard build`"]
    leaderboard.build(copied / "boards")
    assert not (board.folder / "old-1.csv").exists()


@pytest.mark.parametrize("suffix", [".cells.csv", ".reported.csv"])
def test_rows_of_no_board_are_found(copied, suffix) -> None:
    board = board_of(copied)
    stray = board.folder / f"fidelity-1{suffix}"
    shutil.copy(board.path(".cells.csv"), stray)
    assert check(copied) == [f"{stray}: no board names it"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{open}kept\n", "line 1: expected <!-- /board --> after it, got none"),
        ("{open}kept\n{open}{close}", "line 3: expected <!-- /board --> for line 1, got <!-- board: digits pivot/1"),
        ("kept\n{close}", "line 2: expected <!-- board: DATASET SUITE --> before it, got <!-- /board -->"),
        ("<!-- board digits pivot/1 -->\n{close}", "line 1: expected <!-- board: DATASET SUITE --> or <!-- /board -->"),
    ],
)
def test_markers_that_are_no_pair_are_named(copied, text, complaint) -> None:
    readme = copied / "README.md"
    readme.write_text(text.format(open="<!-- board: digits pivot/1 -->\n", close="<!-- /board -->\n"))
    before = readme.read_bytes()
    with pytest.raises(BoardError) as caught:
        leaderboard.build(copied / "boards", readme)
    assert str(caught.value).startswith(f"{readme}: {complaint}")
    assert check(copied) == [str(caught.value)]
    assert readme.read_bytes() == before


def test_a_marker_of_no_board_is_refused(copied) -> None:
    readme = copied / "README.md"
    readme.write_text(readme.read_text().replace("digits pivot/1", "digits pivot/2"))
    with pytest.raises(BoardError, match=r"unknown board 'digits pivot/2'; did you mean digits pivot/1\?"):
        leaderboard.build(copied / "boards", readme)


def test_seeds_that_are_left_out_are_named(tmp_path) -> None:
    leaderboard.add(sweep(tmp_path / "run", CLEAN, seeds=(0, 1)), tmp_path / "boards")
    [board] = leaderboard.boards(tmp_path / "boards")
    assert not [line for line in leaderboard.check(tmp_path / "boards") if "has seeds" in line]
    path = board.path(".cells.csv")
    rows = [line for line in path.read_text().splitlines(keepends=True) if line.split(",")[15] != "1"]
    path.write_text("".join(rows))
    found = leaderboard.check(tmp_path / "boards")
    assert [line for line in found if "awgn sigma=0.05 has seeds [0]" in line], found
