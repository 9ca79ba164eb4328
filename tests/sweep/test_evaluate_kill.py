"""`evaluate` killed, beside another one, without room: finished cells stay, and on it goes."""

from __future__ import annotations

import pytest
from processes import finish, kill_group, killed_when, start, untimed, wait_until

from robench.errors import RobenchError, RunError
from robench.sweep import SweepConfig, run

MODELS = ("tiny_cnn=digits-clean", "tiny_cnn=digits-noise")


def _request(folder, models=MODELS):
    return SweepConfig(models, "digits", folder, suites=("demo/1",), limit=150, device="cpu")


def _words(folder):
    models = [word for model in MODELS for word in ("-m", model)]
    return ["evaluate", *models, "-d", "digits", "--limit", 150, "-s", "demo/1", "--device", "cpu", "-o", folder]


def _cells(folder):
    """Finished cells, without those that are being written."""
    found = (folder / "predictions").glob("*/*/[!.]*.parquet")
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_killed_at_any_moment_and_called_again_gives_the_same_run(tmp_path):
    run(_request(tmp_path / "whole"))
    folder = tmp_path / "run"
    reached = [
        (folder / ".work" / "clean.npy").exists,
        lambda: len(_cells(folder)) >= 3,
        lambda: len(_cells(folder)) >= 30,
        (folder / "cells.csv").exists,
    ]
    finished = {}
    for moment in reached:
        assert killed_when(_words(folder), moment)
        now = _cells(folder)
        assert finished.items() <= now.items(), "a finished cell was written again"
        finished = now
    assert len(finished) == 68
    outcome = run(_request(folder))
    assert (outcome.computed, outcome.found) == (0, 68)
    assert _cells(folder) == finished
    assert untimed(folder) == untimed(tmp_path / "whole")


def test_a_second_process_is_refused(tmp_path):
    folder = tmp_path / "run"
    first = start(_words(folder))
    try:
        assert wait_until(lambda: _cells(folder), first)
        with pytest.raises(RunError, match="another robench is writing this run"):
            run(_request(folder))
    finally:
        kill_group(first)


def test_a_failed_cell_is_exit_code_1_and_one_line(tmp_path):
    (tmp_path / "net.py").write_text(
        "import torch\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        return torch.full((len(x), 10), float('nan')) if x.std() < 0.2 else torch.zeros(len(x), 10)\n\n"
        "def net():\n    return Net()\n"
    )
    words = ["evaluate", "-m", f"{tmp_path / 'net.py'}:net", "-m", MODELS[0], "-d", "digits", "--limit", 20]
    code, said = finish([*words, "-c", "contrast@5", "-o", tmp_path / "run"])
    last = said.splitlines()[-1]
    assert code == 1
    assert "1 cells failed; the first: " in last
    assert "contrast 5: the model's logits hold values that are not finite" in last
    assert "Traceback" not in said


def test_a_full_disk_is_one_line_and_room_completes_the_run(small_disk, tmp_path):
    request = _request(tmp_path / "whole", MODELS[:1])
    run(request)
    folder = small_disk("size=500k") / "run"
    with pytest.raises(RobenchError, match="No space left on device") as caught:
        run(_request(folder, MODELS[:1]))
    assert "\n" not in str(caught.value)
    final = untimed(tmp_path / "whole")
    assert all(final[name] == digest for name, digest in untimed(folder).items())
    kept = _cells(folder)
    assert kept
    small_disk("size=50m")
    run(_request(folder, MODELS[:1]))
    assert kept.items() <= _cells(folder).items()
    assert untimed(folder) == final


def test_an_unwritable_place_is_one_line(small_disk, tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(RunError, match=r"file/run: cannot be written: Not a directory"):
        run(_request(tmp_path / "file" / "run"))
    with pytest.raises(RunError, match=r"run: cannot be written: Read-only file system"):
        run(_request(small_disk("ro") / "run"))
