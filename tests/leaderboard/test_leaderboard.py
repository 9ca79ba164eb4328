"""Boards: what is added is whole, and what is derived is the same each time."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from boards import board_of, check, edit
from sweeps import CLEAN, NOISE, sweep

import corruptions
from robench import leaderboard, metrics, models, tables
from robench.cli import main
from robench.errors import BoardError, ConfigError
from robench.leaderboard import _correct_counts, _rank
from robench.store import Run

# what is added


def test_the_counts_are_those_of_the_run(published, measured) -> None:
    board = board_of(published)
    cells = pd.read_csv(board.path(".cells.csv"))
    of_run = tables.cells(Run(measured))
    both = cells.merge(of_run, on=["model", "corruption", "strength", "seed"], suffixes=("", "_run"))
    assert len(both) == len(cells) == len(of_run) == 2 * 9
    for name in ("n_correct", "n_correct_top5", "n", "weights_sha256", "data_digest", "corruption_version"):
        assert (both[name] == both[f"{name}_run"]).all(), name
    assert {entry.link for entry in board.entries} == {"https://example.org/tiny"}


def test_answers_are_counted_image_by_image(published, measured) -> None:
    board = board_of(published)
    run = Run(measured)
    for entry in board.entries:
        answers = _correct_counts.read(board.folder / entry.file)
        assert answers.corruptions == ("clean", *corruptions.suite("pivot/1").keys)
        for place, name in enumerate(answers.corruptions):
            some = [run.read(cell) for cell in run.cells() if (cell.model, cell.corruption) == (entry.label, name)]
            expected = np.sum([one.correct[np.argsort(one.ids)] for one in some], axis=0)
            assert (answers.right[:, place] == expected).all()
            assert answers.of[place] == len(some)


def test_the_table_has_the_aggregates_of_the_run_and_its_ranks(published, measured) -> None:
    frame = leaderboard.standing(board_of(published)).frame.set_index("model")
    found = tables.metrics_table(tables.measure(Run(measured))).set_index(["model", "metric"])
    ranks = tables.ranks(tables.measure(Run(measured))).set_index("model")
    for model in (CLEAN, NOISE):
        mean = found.loc[(model, tables.MEAN)]
        got = frame.loc[model]
        for ours, theirs in (("mean", "value"), ("mean_ci_low", "ci_low"), ("mean_ci_high", "ci_high")):
            assert got[ours] == pytest.approx(100 * mean[theirs])
        assert got["clean"] == pytest.approx(100 * found.loc[(model, "clean_accuracy"), "value"])
        assert got["noise"] == pytest.approx(100 * found.loc[(model, f"{tables.MEAN}[noise]"), "value"])
        names = corruptions.suite("pivot/1").keys
        by_corruption = {name: 100 * found.loc[(model, f"mean_accuracy[{name}]"), "value"] for name in names}
        assert got["worst"] == pytest.approx(min(by_corruption.values()))
        assert by_corruption[got["worst_corruption"]] == pytest.approx(got["worst"])
        places = ["rank", "rank_low", "rank_high"]
        assert list(got[places]) == list(ranks.loc[model][places])
    assert list(frame["rank"]) == sorted(frame["rank"])


def test_the_training_data_say_what_degraded_them(published) -> None:
    frame = leaderboard.standing(board_of(published)).frame.set_index("model")
    assert frame.loc[CLEAN, "training_data"] == "digits"
    assert frame.loc[NOISE, "training_data"] == "digits (clean + awgn)"
    (noise,) = (entry for entry in board_of(published).entries if entry.label == NOISE)

    def record(**facts: str) -> str:
        return _rank.training_data(replace(noise, model=noise.model | {"training": noise.model["training"] | facts}))

    behind = {"restorer_sha256": "0" * 64, "start": "dncnn=mine+tiny_cnn"}
    assert record(**behind) == "digits (clean + awgn, restored)"
    assert record(start="tiny_cnn=digits-clean") == "digits (clean + awgn, from digits-clean)"
    assert record(start="gone=mine+tiny_cnn@gone=digits-clean") == "digits (clean + awgn, from digits-clean)"
    assert record(data="clean", corruption="", start="tiny_cnn=digits-clean") == "digits (from digits-clean)"


def test_percent_has_two_decimals(published) -> None:
    [first, *_] = csv.DictReader(io.StringIO(board_of(published).path(".csv").read_text()))
    for name in ("clean", "mean", "mean_ci_low", "worst", "noise", "ece_corrupted"):
        assert len(first[name].partition(".")[2]) == 2, name


def test_adding_twice_changes_nothing(copied, measured) -> None:
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    assert leaderboard.add(measured, copied / "boards") == []
    assert {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()} == before


def test_the_last_digits_of_an_average_are_no_other_answer(copied, measured) -> None:
    path = board_of(copied).path(".cells.csv")
    before = edit(path, 2, "nll", "0")
    edit(path, 2, "nll", repr(float(before) * (1 + 1e-7)))
    assert leaderboard.add(measured, copied / "boards") == []


def test_one_by_one_is_the_same_as_both(published, tmp_path) -> None:
    for model in (NOISE, CLEAN):
        leaderboard.add(sweep(tmp_path / model, model), tmp_path / "boards", link="https://example.org/tiny")
    for path in (published / "boards" / "digits").rglob("*.*"):
        if path.name != "pivot-1.csv":
            assert path.read_bytes() == (tmp_path / "boards" / path.relative_to(published / "boards")).read_bytes()


def test_a_killed_add_is_completed_by_the_next(copied, measured, tmp_path) -> None:
    board = board_of(copied)
    whole = board.path(".json").read_bytes()
    replace(board, entries=board.entries[:1]).write()
    assert any("is not in pivot-1.json" in line for line in check(copied))
    leaderboard.add(measured, copied / "boards", link="https://example.org/tiny")
    assert board.path(".json").read_bytes() == whole
    assert check(copied) == []


# what is refused


def test_a_run_without_a_suite_is_refused(tmp_path) -> None:
    folder = sweep(tmp_path / "run", CLEAN, corruptions=("awgn@0.1",))
    with pytest.raises(BoardError, match="expected a run of a suite, got cells of none"):
        leaderboard.add(folder, tmp_path / "boards")
    assert list((tmp_path / "boards").glob("*")) == []


def test_an_incomplete_suite_is_refused(copied, tmp_path) -> None:
    folder = sweep(tmp_path / "run", CLEAN)
    [one] = folder.glob("predictions/*/awgn/*0.15*.parquet")
    one.unlink()
    with pytest.raises(BoardError, match=r"pivot/1 is incomplete: 1 of 9 cells .* the first awgn sigma=0.15: missing"):
        leaderboard.add(folder, copied / "boards")


def test_suites_and_models_may_be_chosen_of_a_run(tmp_path) -> None:
    folder, boards = sweep(tmp_path / "run"), tmp_path / "boards"
    sweep(folder, CLEAN, suites=("demo/1",))
    with pytest.raises(ConfigError, match="unknown suite of the run 'pivot/2'; did you mean pivot/1"):
        leaderboard.add(folder, boards, suites=["pivot/2"])
    with pytest.raises(ConfigError, match="unknown model of the run 'tiny_cnn=clean'; did you mean tiny_cnn=digits-"):
        leaderboard.add(folder, boards, models=["tiny_cnn=clean"])
    with pytest.raises(BoardError, match=f"{NOISE}: expected cells of demo/1, got those of pivot/1"):
        leaderboard.add(folder, boards, suites=["demo/1"], models=[NOISE])
    [file] = leaderboard.add(folder, boards, suites=["pivot/1"], models=[NOISE])
    assert file.name.startswith("pivot-1-tiny_cnn=digits-noise-")
    [board] = leaderboard.boards(boards)
    assert (board.suite, [entry.label for entry in board.entries]) == ("pivot/1", [NOISE])
    assert len(leaderboard.add(folder, boards)) == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"limit": 30}, "expected data digest"),
        ({"seeds": (0, 1)}, r"expected seeds \[0\] as .*pivot-1.json has, got \[0, 1\]"),
    ],
)
def test_other_images_and_other_seeds_are_refused(copied, tmp_path, options, complaint) -> None:
    folder = sweep(tmp_path / "run", CLEAN, **options)
    with pytest.raises(BoardError, match=complaint):
        leaderboard.add(folder, copied / "boards")
    assert check(copied) == []


def test_other_seeds_than_those_of_another_model_are_refused(tmp_path) -> None:
    folder = sweep(tmp_path / "run", CLEAN, seeds=(0, 1))
    sweep(folder, NOISE)
    with pytest.raises(
        BoardError, match=r"expected the same seeds for every cell that draws, got \[\(0,\), \(0, 1\)\]"
    ):
        leaderboard.add(folder, tmp_path / "boards")


def test_another_view_of_the_same_images_is_refused(copied, measured, tmp_path) -> None:
    folder = shutil.copytree(measured, tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["dataset"]["view"] = "side8"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BoardError, match=r"expected data view native as .*pivot-1.json has, got side8"):
        leaderboard.add(folder, copied / "boards")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "example.org"])
def test_a_link_that_is_no_address_is_refused(measured, tmp_path, link) -> None:
    with pytest.raises(BoardError, match="link: expected an address that begins with http:// or https://"):
        leaderboard.add(measured, tmp_path / "boards", link=link)
    assert not (tmp_path / "boards").exists()


def test_other_versions_of_a_corruption_are_refused(copied, measured) -> None:
    path = board_of(copied).path(".json")
    record = json.loads(path.read_text())
    record["corruptions"]["awgn"]["version"] = 7
    path.write_text(json.dumps(record))
    with pytest.raises(BoardError, match=r"expected awgn of version 7 as .*pivot-1.json has, got 1"):
        leaderboard.add(measured, copied / "boards")


def test_other_weights_of_one_name_are_refused(copied, tmp_path) -> None:
    net = models.load("tiny_cnn", classes=10, random_weights=True, seed=3)
    models.save(tmp_path / "digits-clean.safetensors", net.module, {})
    folder = sweep(tmp_path / "run", f"tiny_cnn={tmp_path / 'digits-clean.safetensors'}")
    with pytest.raises(BoardError, match=r"'tiny_cnn=digits-clean' is on .*pivot-1.json with other weights"):
        leaderboard.add(folder, copied / "boards")


@pytest.mark.parametrize(("column", "other"), [("n_correct", "1"), ("nll", "0.5"), ("corruption_version", "7")])
def test_other_answers_of_the_same_network_are_refused(copied, measured, column, other) -> None:
    edit(board_of(copied).path(".cells.csv"), 2, column, other)
    with pytest.raises(BoardError, match="with other counts; remove that entry to replace it"):
        leaderboard.add(measured, copied / "boards")


def test_equal_weights_under_two_names_are_refused(copied, tmp_path) -> None:
    net = models.load(CLEAN, classes=10)
    models.save(tmp_path / "mine.safetensors", net.module, {})
    again = f"tiny_cnn={tmp_path / 'mine.safetensors'}"
    folder = sweep(tmp_path / "run", again)
    with pytest.raises(
        BoardError, match=r"'tiny_cnn=mine' is the network of 'tiny_cnn=digits-clean' on .*equal weights"
    ):
        leaderboard.add(folder, copied / "boards")
    leaderboard.add(sweep(tmp_path / "other", again, normalize="none"), copied / "boards")
    assert len(board_of(copied).entries) == 3


@pytest.mark.parametrize("model", ["tiny_cnn", "dncnn+tiny_cnn=digits-clean"])
def test_random_weights_are_refused(tmp_path, model) -> None:
    folder = sweep(tmp_path / "run", model, random_weights=True, limit=4)
    with pytest.raises(BoardError, match="expected a network with weights, got one of --random-weights"):
        leaderboard.add(folder, tmp_path / "boards")
    assert not list((tmp_path / "boards").glob("*/*"))


def test_nothing_is_added_of_a_run_whose_second_model_is_refused(tmp_path) -> None:
    net = models.load("tiny_cnn", classes=10, random_weights=True, seed=3)
    models.save(tmp_path / "digits-noise.safetensors", net.module, {})
    other = f"tiny_cnn={tmp_path / 'digits-noise.safetensors'}"
    leaderboard.add(sweep(tmp_path / "first", NOISE), tmp_path / "boards")
    before = {path: path.read_bytes() for path in (tmp_path / "boards").rglob("*.*") if path.is_file()}
    with pytest.raises(BoardError, match="with other weights"):
        leaderboard.add(sweep(tmp_path / "second", CLEAN, other), tmp_path / "boards")
    assert {path: path.read_bytes() for path in (tmp_path / "boards").rglob("*.*") if path.is_file()} == before


# what is made


def test_the_list_says_how_large_each_board_is(published) -> None:
    page = (published / "boards" / "site" / "index.html").read_text()
    [row] = re.findall(r'<tr><th scope="row"><a href="digits/pivot-1.html">.*?</tr>', page)
    board = board_of(published)
    assert re.findall(r"<td>(\d+)</td>", row) == [str(board.dataset["n"]), "10", str(len(board.entries))]


def test_the_list_shows_what_a_model_has_under_every_suite(copied, tmp_path) -> None:
    assert "every suite" not in (copied / "boards" / "site" / "index.html").read_text()
    leaderboard.add(sweep(tmp_path / "run", CLEAN, suites=("demo/1",)), copied / "boards")
    leaderboard.build(copied / "boards")
    site = copied / "boards" / "site"
    across = (site / "index.html").read_text().partition("digits, every suite")[2].replace("<wbr>", "")
    rows = dict(re.findall(r'<tr><th scope="row">(\S+)</th>(.*?)</tr>', across, re.DOTALL))
    assert re.findall(r"<th scope=.col.>(\S+/1)</th>", across) == ["demo/1", "pivot/1"]
    boards = {one.suite: leaderboard.standing(one).frame for one in leaderboard.boards(copied / "boards")}
    assert list(rows) == list(boards["pivot/1"]["model"])
    shown = {model: re.findall(r'<a href="([^"]+)">([0-9.]+)</a>', row) for model, row in rows.items()}
    for suite, model in (("demo/1", CLEAN), ("pivot/1", CLEAN), ("pivot/1", NOISE)):
        address, number = shown[model].pop(0)
        [measured] = boards[suite].set_index("model").loc[[model], "mean"]
        assert number == f"{measured:.2f}"
        assert (site / address).is_file()
        assert suite.replace("/", "-") in address
    assert shown == {CLEAN: [], NOISE: []}


def test_the_readme_shows_the_board(published) -> None:
    text = (published / "README.md").read_text()
    frame = leaderboard.standing(board_of(published)).frame
    for row in frame.itertuples():
        assert f"| {row.model} |" in text
        assert f"{row.mean:.2f} [{row.mean_ci_low:.2f}, {row.mean_ci_high:.2f}]" in text
    assert text.startswith("# Mine\n\n<!-- board: digits pivot/1 -->\n| rank |")
    assert text.endswith("<!-- /board -->\n\nThe end.\n")


def test_the_readme_may_show_the_first_alone(copied) -> None:
    (copied / "README.md").write_text("<!-- board: digits pivot/1 first 1 -->\n<!-- /board -->\n")
    leaderboard.build(copied / "boards", copied / "README.md")
    text = (copied / "README.md").read_text()
    best, other = leaderboard.standing(board_of(copied)).frame["model"]
    assert f"| {best} |" in text
    assert f"| {other} |" not in text
    assert text.endswith("|\n\nand 1 more\n<!-- /board -->\n")
    assert check(copied) == []


def test_the_same_bytes_twice_and_without_torch(published, tmp_path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('poisoned')")
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
    program = """
        import sys; sys.path.insert(0, sys.argv[1])
        from pathlib import Path
        from robench import leaderboard
        folder = Path(sys.argv[2])
        leaderboard.build(folder / "boards", folder / "README.md")
        assert leaderboard.check(folder / "boards", folder / "README.md") == []
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(tmp_path), str(published)], check=True)
    assert {path: path.read_bytes() for path in published.rglob("*") if path.is_file()} == before


def test_corruption_errors_come_where_a_baseline_is_published() -> None:
    names = list(corruptions.suite("cifar10-c/1").keys)
    facts = {name: {"group": "", "native": 224, "version": 1} for name in names}
    board = leaderboard.Board(None, {"name": "imagenet"}, "cifar10-c/1", facts, (0,))
    samples = {name: np.full(3, 1 - metrics.published_errors("alexnet")[name]) for name in names}
    found = _rank.Ranking(board, pd.DataFrame(), {})._mce(samples)
    assert found == {"mce": pytest.approx(100), "mce_ci_low": pytest.approx(100), "mce_ci_high": pytest.approx(100)} | {
        "mce_baseline": "alexnet"
    }
    other = replace(board, dataset={"name": "cifar10"})
    assert _rank.Ranking(other, pd.DataFrame(), {})._mce(samples) == {}


def test_the_commands(measured, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    def said(*words):
        with pytest.raises(SystemExit) as left:
            main(["leaderboard", *words])
        return left.value.code, *capsys.readouterr()

    for words in (["build"], ["check"], ["import", "model.json", "-d", "digits"]):
        code, out, err = said(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "leaderboards: expected the folder of boards, found none in it" in err
    code, out, _ = said("add", str(measured))
    assert (code, out.count(".npz")) == (0, 2)
    assert said("add", str(measured))[1] == "every model of the run is there already\n"
    code, _, err = said("check")
    assert code == 1
    assert "expected the file that `robench leaderboard build` makes, found none" in err
    (tmp_path / "README.md").write_text("<!-- board: digits pivot/1 -->\n<!-- /board -->\n")
    assert said("build")[0] == 0
    assert "| rank |" in (tmp_path / "README.md").read_text()
    assert said("build", "--readme", "READ.md")[:2] == (2, "")
    assert said("check") == (0, "leaderboards: nothing is stale, missing or edited\n", "")
    edit(tmp_path / "leaderboards/digits/pivot-1.csv", 2, "clean", "12.34")
    code, out, err = said("check")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("robench: leaderboards/digits/pivot-1.csv: row 2, column clean: expected ")
