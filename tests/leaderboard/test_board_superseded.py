"""Boards that were measured with older versions of corruptions than the installed ones."""

from __future__ import annotations

import re

import pytest
from boards import board_of, check
from click.testing import CliRunner
from sweeps import CLEAN, sweep

from robench import leaderboard
from robench.cli import cli
from robench.errors import BoardError

NOTE = "Superseded: measured with older pixels of awgn (version 1, now 2)."


@pytest.fixture
def superseded(copied, install):
    """The folder of a board, after awgn got a new version, with everything derived made anew."""
    install("awgn", 2)
    leaderboard.build(copied / "boards", copied / "README.md")
    return copied


def test_pages_list_and_readme_say_so(superseded) -> None:
    board, site = board_of(superseded), superseded / "boards" / "site"
    assert board.superseded == {"awgn": (1, 2)}
    pages = [site / "digits" / "pivot-1.html", *(site / "digits" / "pivot-1").glob("*.html")]
    assert len(pages) == 1 + len(board.entries)
    assert all(NOTE in page.read_text() for page in pages)
    assert "superseded: older pixels of 1 of 4 corruptions" in (site / "index.html").read_text()
    readme = (superseded / "README.md").read_text()
    assert "**Superseded:** measured with older pixels of 1 of 4 corruptions; the board's page names them." in readme


def test_a_board_of_todays_versions_says_nothing(published) -> None:
    files = [published / "README.md", *(published / "boards" / "site").rglob("*.html")]
    assert not [path for path in files if re.search("superseded", path.read_text(), re.IGNORECASE)]
    assert leaderboard.superseded(published / "boards") == []


def test_the_list_across_suites_marks_the_superseded_one(superseded, tmp_path) -> None:
    sweep(tmp_path / "blur", CLEAN, suites=("cifar10-c-bar/1",))
    leaderboard.add(tmp_path / "blur", superseded / "boards")
    leaderboard.build(superseded / "boards")
    page = (superseded / "boards" / "site" / "index.html").read_text()
    heads = re.findall(r'<th scope="col">([\w/-]+)<br><span class="superseded">superseded</span></th>', page)
    assert heads == ["pivot/1"]


def test_check_accepts_it_and_says_so(copied, install) -> None:
    install("awgn", 2)
    words = ["--board", str(copied / "boards"), "--readme", str(copied / "README.md")]
    assert "stale" in check(copied)[0]
    leaderboard.build(copied / "boards", copied / "README.md")
    assert check(copied) == []
    done = CliRunner().invoke(cli, ["leaderboard", "check", *words])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == f"{copied / 'boards' / 'digits' / 'pivot-1.json'}: {NOTE}"
    assert lines[1].endswith("nothing is stale, missing or edited")


def test_a_run_of_the_old_version_still_fits(superseded, measured) -> None:
    assert leaderboard.add(measured, superseded / "boards") == []


def test_a_run_of_the_new_version_is_refused_with_how_to_begin_a_new_board(superseded, tmp_path) -> None:
    run, root = sweep(tmp_path / "new", CLEAN), superseded / "boards"
    folder = root / "digits"
    with pytest.raises(BoardError) as fault:
        leaderboard.add(run, root)
    assert str(fault.value) == (
        f"{run}: expected version 1 of awgn as {folder / 'pivot-1.json'} has, which is superseded, got 2; "
        f"to begin a new board, move pivot-1.* and entries/pivot-1-*.npz out of {folder}"
    )
    old = tmp_path / "old"
    old.mkdir()
    for path in [*folder.glob("pivot-1.*"), *folder.glob("entries/pivot-1-*.npz")]:
        path.rename(old / path.name)
    assert len(leaderboard.add(run, root)) == 1
    leaderboard.build(root, superseded / "README.md")
    assert check(superseded) == []
    assert leaderboard.superseded(root) == []
