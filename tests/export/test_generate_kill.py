"""`generate` killed, without room, without permission, beside another one: whole files, one line, and on it goes."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from processes import kill_group, killed_when, start, tree, wait_until

from robench import datasets
from robench.errors import RobenchError, SetError
from robench.export import generate
from robench.selection import select

CHOSEN = ("awgn", "jpeg_compression", "contrast")


def _options(form, out, workers=2):
    chosen = [word for name in CHOSEN for word in ("-c", name)]
    return ["generate", "-d", "digits", "--limit", 400, *chosen, "--format", form, "--workers", workers, "-o", out]


def test_killed_at_any_moment_and_called_again_gives_the_same_bytes(form, tmp_path):
    generate(datasets.load("digits", limit=400), select([], CHOSEN), tmp_path / "whole", form=form)
    folder = tmp_path / "set"
    ending = ".npy" if form == "npy" else ""
    moments = [
        folder / ".work" / "clean.npy",
        folder / "manifest.json",
        folder / ".work" / f"contrast{ending}",
        folder / f"awgn{ending}",
    ]
    for moment in moments:
        assert killed_when(_options(form, folder), moment.exists), moment
        assert (folder / ".work").exists()
    generate(datasets.load("digits", limit=400), select([], CHOSEN), folder, form=form, workers=2)
    assert tree(folder) == tree(tmp_path / "whole")
    assert not (folder / ".work").exists()


def test_a_second_process_is_refused_and_workers_end_with_their_parent(tmp_path):
    folder = tmp_path / "set"
    first = start(_options("folder", folder))
    try:
        assert wait_until((folder / ".work" / "contrast").exists, first)
        with pytest.raises(SetError, match="another robench is writing this set"):
            generate(datasets.load("digits", limit=400), select([], CHOSEN), folder, form="folder")
        first.kill()  # the parent alone, as the kernel does when memory runs out
        first.wait()
        deadline = time.monotonic() + 20
        while _group(first.pid):
            assert time.monotonic() < deadline, "workers outlive their parent"
            time.sleep(0.05)
    finally:
        kill_group(first)


def _group(leader):
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(leader) and line.split()[1][0] != "Z"]


@pytest.mark.parametrize(("form", "workers"), [("npy", 1), ("folder", 1), ("folder", 2)], indirect=["form"])
def test_a_full_disk_is_one_line_and_room_completes_the_set(form, small_disk, tmp_path, workers):
    digits, cells = datasets.load("digits", limit=200), select([], CHOSEN)
    generate(digits, cells, tmp_path / "whole", form=form)
    final = tree(tmp_path / "whole")
    folder = small_disk("size=1800k") / "set"
    with pytest.raises(RobenchError, match="No space left on device") as caught:
        generate(digits, cells, folder, form=form, workers=workers)
    assert "\n" not in str(caught.value)
    assert not (folder / ".work").exists()
    left = tree(folder) if folder.exists() else {}
    assert all(left[name] == final[name] for name in left if name != "manifest.json")
    small_disk("size=50m")
    generate(digits, cells, folder, form=form)
    assert tree(folder) == final


def test_an_unwritable_place_is_one_line(digits, small_disk, tmp_path):
    cells = select([], ["contrast@1"])
    (tmp_path / "file").write_text("a file")
    with pytest.raises(SetError, match=r"file/set: cannot be written: Not a directory"):
        generate(digits, cells, tmp_path / "file" / "set")
    with pytest.raises(SetError, match=r"file: cannot be written: File exists"):
        generate(digits, cells, tmp_path / "file")
    place = small_disk("ro")
    with pytest.raises(SetError, match=r"set: cannot be written: Read-only file system"):
        generate(digits, cells, place / "set")


MEMORY = """
import sys, threading, time
from pathlib import Path
import numpy as np
from robench.datasets import Dataset
from robench.export import generate
from robench.selection import select

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1])

def dataset(n):
    def read(positions):
        return ((positions[:, None] * 7 + np.arange(64 * 64 * 3)) % 256).astype(np.uint8).reshape(-1, 64, 64, 3)
    ids = np.arange(n)
    return Dataset("made", "test", "native", ("0", "1"), (64, 64, 3), ids, ids % 2, read)

def watch():
    while True:
        peak[0] = max(peak[0], anonymous())
        time.sleep(0.002)

peak = [0]
form, folder = sys.argv[1], Path(sys.argv[2])
cells = select([], ["contrast@3", "awgn@0.1"] if form == "npy" else ["contrast@3"])
generate(dataset(100), cells, folder / "warm", form=form)
threading.Thread(target=watch, daemon=True).start()
for n in (800, 6400):
    peak[0] = 0
    generate(dataset(n), cells, folder / str(n), form=form)
    print(peak[0])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow_with_the_data_set(form, tmp_path):
    """Eight times the images, 69 MB more of them: anonymous memory stays within 15 MB."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, form, str(tmp_path)], capture_output=True, text=True, check=True
    )
    small, large = map(int, done.stdout.split())
    assert large - small < 15_000, (small, large)
