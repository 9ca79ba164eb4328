"""Whether a downloaded array is the published one: on screen, in the run, in a report and on a board."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from boards import check

import corruptions
from robench import datasets, leaderboard, report
from robench.cli import main
from robench.datasets import _published
from robench.errors import BoardError
from robench.files import file_digests
from robench.store import Run
from robench.sweep import SweepConfig, run

N = 30
SUITE = "cifar10-c/1"
FAMILIES = tuple(corruptions.suite(SUITE).keys)
NETS = ("tiny_cnn=digits-clean", "tiny_cnn=digits-noise")
ALL = "DIGITS-C: 15 of 15 arrays are the published ones."
BUT_FOG = "DIGITS-C: 14 of 15 arrays are the published ones; altered: fog."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The families of the suite over the first digits, as if they were a published set."""
    clean = datasets.load("digits", limit=N)
    root = tmp_path / "DIGITS-C"
    root.mkdir()
    for number, name in enumerate(FAMILIES):
        np.save(root / f"{name}.npy", np.concatenate([clean.images(0, N) // (s + 1 + number % 3) for s in range(5)]))
    np.save(root / "labels.npy", np.tile(clean.labels, 5).astype(np.uint8))
    np.savez(tmp_path / "digits.npz", images=clean.images(0, N), labels=clean.labels)
    md5s = {name: file_digests(root / f"{name}.npy", "md5")["md5"] for name in (*FAMILIES, "labels")}
    monkeypatch.setattr(_published, "table", lambda: {"DIGITS-C": md5s})
    return root


def request(folder: Path, name: str, *models: str, **options) -> SweepConfig:
    given = {
        "suites": () if options.get("corruptions") else (SUITE,),
        "clean": f"npz:{folder.parent / 'digits.npz'}",
    } | options
    return SweepConfig(models or NETS[:1], f"generated:{folder}", folder.parent / name, device="cpu", **given)


def alter(folder: Path) -> None:
    np.save(folder / "fog.npy", np.load(folder / "fog.npy") // 2)


def published(folder: Path, name: str = "run") -> dict:
    return Run(folder.parent / name).manifest()["published"]


def test_a_run_records_each_array(folder):
    outcome = run(request(folder, "run"))
    assert ALL in outcome.text().splitlines()
    assert published(folder) == {"set": "DIGITS-C", "arrays": dict.fromkeys(FAMILIES, "published")}
    alter(folder)
    outcome = run(request(folder, "other"))
    assert outcome.to_dict()["notes"] == [BUT_FOG]
    assert published(folder, "other")["arrays"]["fog"] == "altered"


def test_a_run_that_goes_on_keeps_what_it_recorded(folder):
    run(request(folder, "run", corruptions=("fog@1",)))
    assert published(folder) == {"set": "DIGITS-C", "arrays": {"fog": "published"}}
    assert (
        "DIGITS-C: 2 of 2 arrays are the published ones." in run(request(folder, "run", corruptions=("snow@1",))).text()
    )
    assert published(folder)["arrays"] == {"fog": "published", "snow": "published"}


def test_a_run_of_an_earlier_version_can_go_on(folder):
    run(request(folder, "run", corruptions=("fog@1",)))
    path = folder.parent / "run" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["published"]
    path.write_text(json.dumps(manifest))
    report.build([folder.parent / "run"], folder.parent / "report")
    assert "published ones" not in (folder.parent / "report" / "report.md").read_text()
    run(request(folder, "run", corruptions=("snow@1",)))
    assert published(folder) == {"set": "DIGITS-C", "arrays": {"snow": "published"}}


def test_other_data_record_nothing(folder, tmp_path):
    run(SweepConfig(NETS[:1], "digits", tmp_path / "own", corruptions=("contrast@1",), limit=10, device="cpu"))
    assert published(folder, "own") == {}
    np.save(folder / "labels.npy", np.tile(np.arange(N) % 10, 5))
    outcome = run(request(folder, "run", corruptions=("fog@1",), clean=None))
    assert published(folder) == {}
    assert not any("published" in note for note in outcome.notes)


def test_a_report_says_it(folder, tmp_path):
    alter(folder)
    run(request(folder, "run"))
    report.build([tmp_path / "run"], tmp_path / "report")
    assert f"<p>{BUT_FOG}</p>" in (tmp_path / "report" / "index.html").read_text()
    assert BUT_FOG in (tmp_path / "report" / "report.md").read_text().splitlines()


def test_a_board_says_it_and_takes_no_other_files(folder, tmp_path):
    run(request(folder, "run"))
    leaderboard.add(tmp_path / "run", tmp_path / "boards")
    [board] = leaderboard.boards(tmp_path / "boards")
    assert board.published_note == ALL
    assert board.corruptions["fog"]["published"] == "published"
    leaderboard.build(tmp_path / "boards", tmp_path / "README.md")
    pages = sorted(tmp_path.glob(f"boards/site/*/{board.stem}*.html")) + sorted(
        tmp_path.glob(f"boards/site/*/{board.stem}/*.html")
    )
    assert len(pages) == 2
    assert all(ALL in page.read_text() for page in pages)
    assert check(tmp_path) == []
    alter(folder)
    run(request(folder, "other", NETS[1]))
    with pytest.raises(BoardError, match=r"other: expected fog with files of sha256 [0-9a-f]{64} as .* has, got"):
        leaderboard.add(tmp_path / "other", tmp_path / "boards")


def test_the_command_line(folder, capsys):
    alter(folder)
    args = ["evaluate", "-m", NETS[0], "-d", f"generated:{folder}", "-s", SUITE, "--device", "cpu"]
    with pytest.raises(SystemExit) as ended:
        main([*args, "--clean", f"npz:{folder.parent / 'digits.npz'}", "-o", str(folder.parent / "run")])
    assert not ended.value.code
    assert BUT_FOG in capsys.readouterr().out.splitlines()
