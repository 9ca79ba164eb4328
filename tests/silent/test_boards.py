"""Numbers of others stand on the board of their data set, once a model; a board's columns are its own."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import astuple

import pytest
from sweeps import CLEAN, sweep

import corruptions
from robench import leaderboard

NAMES = list(corruptions.suite("cifar10-c/1").keys)
INFO = {"dataset": "cifar100", "clean_acc": "76.28", "corruptions_acc": "50.00", "architecture": "WideResNet-40-2"}
MORE_COLUMNS = """
import sys
from robench import tables
from robench.tables import _scored
tables.CELL_COLUMNS = _scored.CELL_COLUMNS = (*_scored.CELL_COLUMNS, "crps")
from robench.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
def line(robench):
    """line("leaderboard", …) -> exit code, stdout, stderr."""
    return lambda *args: astuple(robench(*args))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Boards called cifar10 and cifar100, of twelve digits each, and a run of pivot/1 that is on none."""
    folder = tmp_path_factory.mktemp("boards")
    for name in ("cifar10", "cifar100"):
        run = sweep(folder / name, CLEAN, suites=("cifar10-c/1",), limit=12, dataset_name=name)
        leaderboard.add(run, folder / "boards")
    sweep(folder / "run", CLEAN, limit=12)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "copied")


def info(folder, name, place="", **more):
    path = folder / place / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(INFO | more))
    return path


def wide(path, **rates):
    """The wide table; rates: of each model one for all cells, or all 75."""
    head = [",".join(["", *(name for name in NAMES for _ in range(5))]), "," + ",".join(["1,2,3,4,5"] * len(NAMES))]
    rows = [[name, *map(str, rate if isinstance(rate, list) else [rate] * 75)] for name, rate in rates.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*head, *map(",".join, rows)]) + "\n")
    return path


def shown(folder, dataset):
    path = folder / "boards" / dataset / "cifar10-c-1.reported.csv"
    return {row["model"]: row for row in csv.DictReader(path.read_text().splitlines())} if path.exists() else {}


def taken(line, folder, file, *more):
    code, out, err = line("leaderboard", "import", file, "--board", folder / "boards", *more)
    assert code == 0, err
    return out.splitlines()


def test_the_folder_decides_the_data_set_and_the_field_that_disagrees_is_said(line, folder):
    file = info(folder, "AugMix", "model_info/cifar100/corruptions", dataset="cifar10")
    [said] = taken(line, folder, file)
    assert said.endswith("; the file calls its data set cifar10")
    assert (list(shown(folder, "cifar100")), shown(folder, "cifar10")) == (["AugMix"], {})
    assert shown(folder, "cifar100")["AugMix"]["note"] == "the file calls its data set cifar10"


def test_a_file_of_another_folder_than_the_named_data_set_is_refused(line, folder):
    file = info(folder, "AugMix", "model_info/cifar100/corruptions", dataset="cifar10")
    code, out, err = line("leaderboard", "import", file, "--board", folder / "boards", "-d", "cifar10")
    assert (code, out) == (2, "")
    assert err == f"robench: {file}: expected numbers of cifar10, got a file of cifar100; give -d cifar100\n"
    assert shown(folder, "cifar10") == {}


def test_without_a_folder_the_data_set_must_be_named(line, folder):
    code, _, err = line("leaderboard", "import", info(folder, "AugMix"), "--board", folder / "boards")
    assert code == 2
    assert err.count("\n") == 1
    assert "or the data set of its numbers: --dataset NAME" in err
    assert taken(line, folder, folder / "AugMix.json", "-d", "cifar100")


@pytest.mark.parametrize("table_first", [True, False])
def test_json_and_csv_and_two_spellings_are_one_row(line, folder, table_first):
    files = [info(folder, "AugMix_WRN"), wide(folder / "results.csv", AugMixWRN=0.5, Other=0.25)]
    for file in reversed(files) if table_first else files:
        taken(line, folder, file, "-d", "cifar100")
    rows = shown(folder, "cifar100")
    assert set(rows) == {"AugMix_WRN", "Other"}
    row = rows["AugMix_WRN"]
    assert (row["clean"], row["mean"], row["architecture"]) == ("76.28", "50.00", "WideResNet-40-2")
    assert set(row["source"].split("; ")) == {"RobustBench, AugMix_WRN.json", "RobustBench, results.csv"}
    code, _, err = line("leaderboard", "build", "--board", folder / "boards")
    assert code == 0, err
    assert line("leaderboard", "check", "--board", folder / "boards")[0] == 0


def test_two_files_that_disagree_of_one_model_are_refused(line, folder):
    taken(line, folder, info(folder, "AugMix"), "-d", "cifar100")
    file = wide(folder / "results.csv", AugMix=0.75)
    code, _, err = line("leaderboard", "import", file, "--board", folder / "boards", "-d", "cifar100")
    assert code == 1
    assert err.startswith(f"robench: {file}: AugMix: mean: expected 50.00 as RobustBench, AugMix.json has, got 75.00;")
    assert shown(folder, "cifar100")["AugMix"]["mean"] == "50.00"


def test_two_spellings_in_one_table_are_refused(line, folder):
    file = wide(folder / "results.csv", AugMix_WRN=0.5, AugMixWRN=0.75)
    code, _, err = line("leaderboard", "import", file, "--board", folder / "boards", "-d", "cifar100")
    assert (code, err) == (1, f"robench: {file}: row 4: 'AugMixWRN' is row 3 too, AugMix_WRN\n")


def test_an_accuracy_as_a_fraction_is_percent(line, folder):
    [said] = taken(line, folder, info(folder, "A", corruptions_acc="0.882"), "-d", "cifar100")
    assert said.endswith("; corruptions_acc 0.882 taken as 88.20 %")
    assert shown(folder, "cifar100")["A"]["mean"] == "88.20"
    assert shown(folder, "cifar100")["A"]["clean"] == "76.28"


def test_the_grid_of_the_rates_says_how_many_images(line, folder):
    thousand = [0.9, 0.881, 0.8809999999999999, *[0.5] * 72]
    rates = {"A": thousand, "B": [0.2944, *[0.5] * 74], "C": [0.9352, 0.9351, *[0.5] * 73], "D": [1 / 3] * 75}
    said = taken(line, folder, wide(folder / "results.csv", **rates), "-d", "cifar100")
    assert said[0] == "A: 1,000 images or a multiple, by the grid of 1/n of 75 rates"
    images = {name: row["images"] for name, row in shown(folder, "cifar100").items()}
    assert images == {"A": "1000", "B": "1250", "C": "10000", "D": "3"}
    taken(line, folder, wide(folder / "results.csv", A=[0.123456789, *[0.5] * 74]), "-d", "cifar100")
    assert shown(folder, "cifar100")["A"]["images"] == ""


def test_the_page_shows_images_and_notes(line, folder):
    taken(line, folder, info(folder, "A", corruptions_acc="0.882", clean_acc="90.90"), "-d", "cifar100")
    assert line("leaderboard", "build", "--board", folder / "boards")[0] == 0
    page = (folder / "boards" / "site" / "cifar100" / "cifar10-c-1.html").read_text()
    page = page[page.index("Reported by others") :]
    assert '<td>1,000<br><span class="dim">or a multiple, by the grid of 1/n of one rate</span></td>' in page
    assert "corruptions_acc 0.882 taken as 88.20 %" in page


def test_a_reported_table_of_an_older_version_is_read(line, folder):
    taken(line, folder, wide(folder / "results.csv", A=1 / 7e9), "-d", "cifar100")
    path = folder / "boards" / "cifar100" / "cifar10-c-1.reported.csv"
    rows = [row[:11] for row in csv.reader(path.read_text().splitlines())]
    assert rows[0][-1] == "sha256"
    with path.open("w", newline="") as opened:
        csv.writer(opened, lineterminator="\n").writerows(rows)
    taken(line, folder, info(folder, "B"), "-d", "cifar100")
    assert set(shown(folder, "cifar100")) == {"A", "B"}


def test_a_program_with_more_columns_reads_a_committed_board(line, folder):
    root = folder / "boards"
    assert line("leaderboard", "build", "--board", root)[0] == 0
    done = subprocess.run(
        [sys.executable, "-c", MORE_COLUMNS, "leaderboard", "check", "--board", root], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    header = (root / "cifar10" / "cifar10-c-1.cells.csv").read_text().partition("\n")[0]
    assert header == (
        "entry,model,weights_sha256,dataset,split,view,data_digest,suite,corruption,corruption_version,group,severity,"
        "strength,level_name,level,seed,native,n,n_correct,n_correct_top5,nll,brier,ece15,mean_conf,fit,normalize,"
        "precision"
    )


def test_further_columns_are_kept_and_checked(line, folder):
    """A board that a later version wrote: a column of the file, which no answers of today have."""
    root = folder / "boards"
    path = root / "cifar10" / "cifar10-c-1.cells.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},crps", *(f"{one}," for one in lines[1:])]) + "\n")
    assert line("leaderboard", "build", "--board", root)[0] == 0
    assert line("leaderboard", "check", "--board", root)[0] == 0
    run = sweep(folder / "noise", "tiny_cnn=digits-noise", suites=("cifar10-c/1",), limit=12, dataset_name="cifar10")
    assert line("leaderboard", "add", run, "--board", root)[0] == 0
    assert path.read_text().startswith(f"{lines[0]},crps\n")
    text = path.read_text().splitlines()
    path.write_text("\n".join([*text[:3], f"{text[3]}0.5", *text[4:]]) + "\n")
    code, _, err = line("leaderboard", "check", "--board", root)
    assert (code, err) == (1, f"robench: {path}: row 4, column crps: expected nothing, got 0.5\n")


def marked(run, **facts):
    """The run as a later version writes it: with facts in its manifest."""
    path = run / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))
    return run


def test_a_stateful_run_is_refused(line, folder):
    code, out, err = line("leaderboard", "add", marked(folder / "run", stateful=True), "--board", folder / "new")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "expected answers that depend on the image alone, got those of a stateful network" in err
    assert not list((folder / "new").glob("*/*"))


def test_notes_of_a_run_stand_on_the_board(line, folder):
    root = folder / "new"
    notes = [
        "Cells without a fingerprint of their network, which an older robench wrote: 2.",
        "outputs are probabilities.",
    ]
    models = json.loads((folder / "run" / "manifest.json").read_text())["models"]
    given = {"unfingerprinted": 2, "models": [model | {"outputs": "probabilities"} for model in models]}
    assert line("leaderboard", "add", marked(folder / "run", **given), "--board", root)[0] == 0
    readme = folder / "README.md"
    readme.write_text("<!-- board: digits pivot/1 -->\n<!-- /board -->\n")
    assert line("leaderboard", "build", "--board", root)[0] == 0
    assert line("leaderboard", "check", "--board", root)[0] == 0
    assert json.loads((root / "digits" / "pivot-1.json").read_text())["entries"][0]["notes"] == notes
    [row] = csv.DictReader((root / "digits" / "pivot-1.csv").read_text().splitlines())
    said = "; ".join(notes)
    assert row["notes"] == said
    pages = [root / "site" / "digits" / "pivot-1.html", *(root / "site" / "digits" / "pivot-1").glob("*.html"), readme]
    assert [said in path.read_text() for path in pages] == [True] * 3


def test_a_board_without_notes_has_no_column_of_them(folder):
    board = json.loads((folder / "boards" / "cifar10" / "cifar10-c-1.json").read_text())
    assert "notes" not in board["entries"][0]


def test_a_table_in_a_readme_counts_its_corruptions(line, folder):
    readme = folder / "README.md"
    readme.write_text("<!-- board: cifar10 cifar10-c/1 -->\n<!-- /board -->\n")
    assert line("leaderboard", "build", "--board", folder / "boards")[0] == 0
    assert "| mean over 15 corruptions [95 %] |" in readme.read_text()
