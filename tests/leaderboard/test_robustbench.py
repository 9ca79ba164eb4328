"""Results of others: shown beside a board, never ranked with it; and ours in their form."""

from __future__ import annotations

import json

import pytest
from boards import edit
from sweeps import CLEAN, sweep

import corruptions
from robench import leaderboard
from robench.cli import main
from robench.errors import BoardError, ConfigError
from robench.leaderboard import _external

NAMES = list(corruptions.suite("cifar10-c/1").keys)
INFO = {
    "link": "https://example.org/paper",
    "name": "A Way to Robustness",
    "authors": "Some One",
    "additional_data": True,
    "number_forward_passes": 1,
    "dataset": "digits",
    "venue": "Some Venue 2020",
    "architecture": "WideResNet",
    "eps": None,
    "clean_acc": "95.08",
    "reported": "null",
    "corruptions_acc": "88.82",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A board of cifar10-c/1 with one model, on twelve digits."""
    folder = tmp_path_factory.mktemp("boards")
    leaderboard.add(sweep(folder / "run", CLEAN, suites=("cifar10-c/1",), limit=12), folder / "boards")
    return folder / "boards"


@pytest.fixture(autouse=True)
def without_reports(root):
    yield
    (root / "digits" / "cifar10-c-1.reported.csv").unlink(missing_ok=True)


def wide(path, rows, names=NAMES):
    """A table in RobustBench's form; rows: model and accuracy everywhere."""
    head = [",".join(["", *(name for name in names for _ in range(5))]), "," + ",".join(["1,2,3,4,5"] * len(names))]
    lines = [",".join([model, *map(str, values)]) for model, values in rows]
    path.write_text("\n".join([*head, *lines]) + "\n")
    return path


def shown(root):
    [board] = leaderboard.boards(root)
    return {row["model"]: row for row in _external.reported(board)}


def test_model_info_is_shown_as_reported_and_not_ranked(root, tmp_path) -> None:
    (tmp_path / "One2020Way.json").write_text(json.dumps(INFO))
    [taken] = leaderboard.import_(tmp_path / "One2020Way.json", root, "digits")
    assert taken["model"] == "One2020Way"
    row = shown(root)["One2020Way"]
    assert (row["clean"], row["mean"], row["mce"]) == (95.08, 88.82, None)
    assert (row["additional_data"], row["architecture"], row["venue"]) == ("yes", "WideResNet", "Some Venue 2020")
    leaderboard.build(root)
    assert leaderboard.check(root) == []
    assert "One2020Way" not in (root / "digits" / "cifar10-c-1.csv").read_text()
    page = (root / "site" / "digits" / "cifar10-c-1.html").read_text()
    assert "<h2>Reported by others</h2>" in page
    assert "One2020Way" in page[page.index("<h2>Reported by others</h2>") :]
    assert "One2020Way" not in page[: page.index("<h2>Reported by others</h2>")]


def test_a_corruption_error_is_shown_and_may_exceed_100(root, tmp_path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(INFO | {"corruptions_mce": "139.48"}))
    leaderboard.import_(tmp_path / "a.json", root, "digits")
    assert shown(root)["a"]["mce"] == 139.48
    leaderboard.build(root)
    page = (root / "site" / "digits" / "cifar10-c-1.html").read_text()
    assert "<td>139.48</td>" in page[page.index("<h2>Reported by others</h2>") :]


def test_the_wide_table_gives_the_mean_over_corruptions(root, tmp_path) -> None:
    values = [0.5 + 0.001 * place for place in range(75)]
    file = wide(tmp_path / "results.csv", [("A", values), ("B", [0.25] * 75)])
    assert [row["model"] for row in leaderboard.import_(file, root, "digits")] == ["A", "B"]
    assert shown(root)["A"]["mean"] == pytest.approx(100 * sum(values) / 75, abs=0.005)
    assert shown(root)["B"]["mean"] == 25
    leaderboard.import_(wide(file, [("A", [0.75] * 75)]), root, "digits")
    assert (shown(root)["A"]["mean"], shown(root)["B"]["mean"]) == (75, 25)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{}", "expected model_info JSON with corruptions_acc"),
        (json.dumps(INFO | {"clean_acc": "good"}), "clean_acc: expected a number, got 'good'"),
        (json.dumps(INFO | {"clean_acc": "nan"}), "clean_acc: expected a number, got 'nan'"),
        (json.dumps(INFO | {"clean_acc": [1]}), r"clean_acc: expected a number, got \[1\]"),
        (
            json.dumps(INFO | {"corruptions_acc": "139.48"}),
            r"corruptions_acc: expected percent in 0\.\.100, got 139.48",
        ),
        (json.dumps(INFO | {"clean_acc": "-3"}), r"clean_acc: expected percent in 0\.\.100, got -3"),
        (json.dumps(INFO | {"corruptions_mce": "-1"}), r"corruptions_mce: expected percent in 0\.\.inf, got -1"),
        ("7", "expected model_info JSON with corruptions_acc, got int"),
        ("{", "cannot be read"),
    ],
)
def test_json_of_another_form_is_refused(root, tmp_path, text, complaint) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BoardError, match=complaint):
        leaderboard.import_(tmp_path / "a.json", root, "digits")
    assert shown(root) == {}


def test_a_wide_table_that_lacks_cells_or_holds_no_rates_is_refused(root, tmp_path) -> None:
    with pytest.raises(BoardError, match="expected one column jpeg_compression 1, got 0"):
        leaderboard.import_(wide(tmp_path / "a.csv", [("A", [0.5] * 70)], NAMES[:-1]), root, "digits")
    with pytest.raises(BoardError, match=r"row 3, column gaussian_noise 2: expected an accuracy in 0\.\.1, got 50"):
        leaderboard.import_(wide(tmp_path / "b.csv", [("A", [0.5, 50] + [0.5] * 73)]), root, "digits")
    with pytest.raises(BoardError, match="row 4: expected 76 columns, got 75"):
        leaderboard.import_(wide(tmp_path / "c.csv", [("A", [0.5] * 75), ("B", [0.5] * 74)]), root, "digits")
    with pytest.raises(BoardError, match="row 4: 'A' is row 3 too"):
        leaderboard.import_(wide(tmp_path / "d.csv", [("A", [0.5] * 75), ("A", [0.9] * 75)]), root, "digits")
    assert shown(root) == {}


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("mean", "60.00", "row 2: edited by hand, its sha256 is another's; import RobustBench, a.csv again"),
        ("mean", "150.00", "row 2, column mean: expected percent in 0..100, got 150"),
        ("source", "Mine", "row 2: edited by hand"),
        ("model", "B", "row 3: B is row 2 too, B"),
    ],
)
def test_a_reported_number_that_is_edited_is_named(root, tmp_path, column, value, complaint) -> None:
    leaderboard.import_(wide(tmp_path / "a.csv", [("A", [0.5] * 75), ("B", [0.9] * 75)]), root, "digits")
    path = root / "digits" / "cifar10-c-1.reported.csv"
    kept = path.read_text()
    if column == "model":
        path.write_text(kept.replace(kept.splitlines()[1], kept.splitlines()[2]))
    else:
        edit(path, 2, column, value)
    with pytest.raises(BoardError) as caught:
        leaderboard.build(root)
    assert str(caught.value).startswith(f"{path}: {complaint}")
    assert leaderboard.check(root) == [str(caught.value)]


def test_a_board_that_is_not_there_is_named(root, tmp_path) -> None:
    with pytest.raises(ConfigError, match="unknown board 'digit cifar10-c/1'; did you mean digits cifar10-c/1"):
        leaderboard.import_(tmp_path / "a.json", root, "digit")


def test_our_entries_in_their_form_can_be_read_back(root, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["leaderboard", "export", "--board", str(root), "-o", str(tmp_path)])
    [path] = [tmp_path / line for line in capsys.readouterr().out.split()]
    record = json.loads(path.read_text())
    assert record.keys() == INFO.keys()
    [board] = leaderboard.boards(root)
    [row] = leaderboard.standing(board).frame.to_dict("records")
    assert (record["clean_acc"], record["corruptions_acc"]) == (f"{row['clean']:.2f}", f"{row['mean']:.2f}")
    assert record["additional_data"] is False
    leaderboard.import_(path, root, "digits")
    assert shown(root)[path.stem]["mean"] == float(record["corruptions_acc"])
