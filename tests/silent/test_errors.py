"""Whatever a command trips over is one line: the thing, what was expected, what came; and no number is made of it."""

import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import corruptions
from robench import datasets, models
from robench.datasets import _cache
from robench.errors import ConfigError, ModelError

AWGN = ("-c", "awgn@0.1", "--limit", "8", "--device", "cpu")


NETS = """
import sys
from torch import nn

class Net(nn.Sequential):
    def __init__(self, classes, width=4):
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, width), nn.Linear(width, classes))

class Leaves(Net):
    def forward(self, x):
        sys.exit(0)

def named(width=4, classes=7): return Net(classes, width)
def by_name_alone(*, num_classes): return Net(num_classes)
def the_one(k, width=4): return Net(k, width)
def by_place(k, /): return Net(k)
def of_its_own(width=4): return Net(10, width)
def two(k, width): return Net(k, width)
def leaves(): sys.exit(0)
def leaves_later(classes): return Leaves(classes)
"""


@pytest.fixture
def nets(tmp_path):
    """A user's file of factories."""
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    return path


@pytest.mark.parametrize("factory", ["named", "by_name_alone", "the_one", "by_place", "of_its_own"])
def test_the_class_count_never_lands_in_another_parameter(factory, nets):
    module = models.load(f"{nets}:{factory}", classes=10).module
    assert (module[2].out_features, module[3].out_features) == (4, 10)


def test_a_factory_of_two_unknown_parameters_is_refused(nets):
    with pytest.raises(ModelError, match=r"nets:two: expected .* without a default, 'classes', got also 'width'"):
        models.load(f"{nets}:two", classes=10)


def test_sys_exit_in_a_factory_is_the_model_s_failure(robench, nets, tmp_path):
    said = robench("evaluate", "-m", f"{nets}:leaves", "-d", "digits", *AWGN, "-o", tmp_path / "run")
    assert said.code == 1
    assert "nets:leaves: failed: SystemExit" in said.lines[0]
    assert not (tmp_path / "run").exists()


def test_sys_exit_in_a_network_is_the_cell_s_failure(robench, nets, tmp_path):
    said = robench("evaluate", "-m", f"{nets}:leaves_later", "-d", "digits", *AWGN, "-o", tmp_path / "run")
    assert said.code == 1
    assert "2 cells failed" in said.lines[-1]
    assert "SystemExit" in said.out


def test_sys_exit_in_a_training_is_its_failure(robench, nets, tmp_path):
    out = tmp_path / "w.safetensors"
    said = robench("train", "clean", "-m", f"{nets}:leaves_later", "-d", "digits", "--epochs", "1", "-o", out)
    assert (said.code, out.exists()) == (1, False)
    assert "sys.exit(0)" in said.lines[-1]


def command(*args, **how):
    """A command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "robench", *map(str, args)], stderr=subprocess.PIPE, text=True, **how
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full device")
def test_a_standard_output_that_is_full_is_a_line():
    with open("/dev/full", "w") as full, command("list", "models", stdout=full) as running:
        said = running.communicate(timeout=120)[1]
    assert said == "robench: standard output: No space left on device\n"
    assert running.returncode == 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system does not list processes in /proc")
def test_ctrl_c_with_workers_is_a_line(tmp_path):
    work = ("generate", "-d", "digits", "-c", "elastic_transform@1-5", "-c", "fog@1-5", "--workers", "2")
    running = command(*work, "-o", tmp_path / "set", stdout=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and not workers_of(running.pid):
        time.sleep(0.01)
    time.sleep(0.3)  # now the workers import
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=120)[1]
    assert said.strip() == "robench: stopped; the same command goes on from here"
    assert running.returncode == 130


def workers_of(pid):
    """Whether a process has begun to start its workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return any(b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes() for child in children)


def test_an_argument_that_is_no_utf_8_is_a_line(robench):
    said = robench("status", os.fsdecode(b"caf\xe9"))
    assert said.code == 2
    assert r"argument 'caf\udce9': expected text in UTF-8" in said.lines[0]


NUMBERS = {
    # a command line, and what stands in its line
    "digits of another script": (("generate", "-c", "awgn", "--limit", "١٢"), "expected a whole number, got '١٢'"),
    "digits of another script, seed": (("generate", "-c", "awgn", "--seed", "٣"), "expected a whole number, got '٣'"),
    "digits of another script, seeds": (("evaluate", "-c", "awgn", "--seed", "0,٣"), "got '0,٣'"),
    "digits of another script, level": (("generate", "-c", "awgn", "--level", "٠.١"), "sigma must be a number"),
    "digits of another script, severity": (("generate", "-c", "fog", "--severity", "٣"), "got '٣'"),
    "digits of another script, key": (("generate", "-c", "fog@٣"), "got 'fog@٣'"),
    "digits with a line below": (("generate", "-c", "awgn", "--level", "1_0"), "sigma must be a number"),
    "a mean that is no number": (("evaluate", "-c", "awgn", "--normalize", "nan/1"), "normalize 'nan/1'"),
    "an infinite mean": (("evaluate", "-c", "awgn", "--normalize", "inf/1"), "normalize 'inf/1'"),
    "a rate that is no number": (("train", "clean", "--lr", "nan"), "expected a number, got 'nan'"),
    "a view of gigabytes": (("generate", "-c", "awgn", "--view", "side60000"), "expected sides of at most 16384"),
    "a user that is not there": (("generate", "-c", "awgn", "--ids", "~nosuchuser/ids"), "got none of '~nosuchuser'"),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_what_is_no_plain_number_or_place_is_refused(case, robench, tmp_path):
    (command_name, *rest), fault = NUMBERS[case]
    model = {"evaluate": ("-m", "tiny_cnn=digits-clean"), "train": ("-m", "tiny_cnn")}.get(command_name, ())
    out = tmp_path / "out.safetensors"
    said = robench(command_name, *rest, *model, "-d", "digits", "-o", out)
    assert (said.code, out.exists()) == (2, False)
    assert fault in said.lines[-1]


@pytest.mark.parametrize("limit", [1.5, 2.0, True, "3", 0])
def test_a_limit_in_python_is_a_whole_number(limit):
    with pytest.raises(ConfigError, match="limit must be a whole number of at least 1, got"):
        datasets.load("digits", limit=limit)
    with pytest.raises(ConfigError, match="limit must be a whole number of at least 1, got"):
        datasets.load("digits").limited(limit)


@pytest.mark.parametrize("spec", ["npz:~nosuchuser/a.npz", "folder:~nosuchuser", "generated:~nosuchuser/set"])
def test_a_home_of_nobody_is_a_line(spec, robench, tmp_path):
    said = robench("evaluate", "-m", "tiny_cnn=digits-clean", "-d", spec, *AWGN, "-o", tmp_path / "run")
    assert said.code == 2
    assert "expected the home folder of a user, got none of '~nosuchuser'" in said.lines[0]


def archive(path, **arrays):
    pixels = np.zeros((4, 32, 32, 3), np.uint8)
    np.savez(path, **({"images": pixels, "labels": np.arange(4) % 2} | arrays))
    return path


def with_header(path, name, shape):
    """A .npz file whose array says that it has another shape."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path) as held:
        parts = {entry: held.read(entry) for entry in held.namelist()}
    parts[f"{name}.npy"] = header.getvalue() + b"\0" * 64
    with zipfile.ZipFile(path, "w") as anew:
        for entry, content in parts.items():
            anew.writestr(entry, content)


NPZ = {
    "a text in place of an array": (lambda path: with_text(path, b"no array"), "expected a .npz file of plain arrays"),
    "an absurd shape": (lambda path: with_header(path, "images", (10**9, 1000, 1000, 3)), "images.npy: expected"),
    "a shape beyond all": (lambda path: with_header(path, "images", (2**62, 2**62)), "images.npy: expected"),
    "a label far beyond": (
        lambda path: archive(path, labels=np.array([0, 1, 10**12, 1])),
        "expected labels below 100000",
    ),
    "a label of uint64": (lambda path: archive(path, labels=np.array([0, 1, 2**63 + 1, 1], np.uint64)), "below 2^63"),
    "an id of uint64": (lambda path: archive(path, ids=np.array([0, 1, 2**63 + 1, 3], np.uint64)), "below 2^63"),
    "a box of uint64": (
        lambda path: archive(path, boxes=np.full((4, 4), 2**64 - 1, np.uint64)),
        "inside 32x32",
    ),
}


def with_text(path, text):
    with zipfile.ZipFile(path, "a") as held:
        held.writestr("classes.npy", text)


@pytest.mark.parametrize("case", NPZ)
def test_what_is_wrong_in_a_npz_file_is_a_line_before_memory_is_taken(case, robench, tmp_path):
    make, fault = NPZ[case]
    path = archive(tmp_path / "mine.npz")
    make(path)
    said = robench("evaluate", "-m", "tiny_cnn=digits-clean", "-d", f"npz:{path}", *AWGN, "-o", tmp_path / "run")
    assert (said.code, len(said.lines), (tmp_path / "run").exists()) == (1, 1, False)
    assert "mine.npz" in said.err
    assert fault in said.err


def test_labels_of_floats_are_not_cut(robench, tmp_path):
    content = {"data": np.zeros((2, 3072), np.uint8), "labels": [0.2, 1.9]}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content))
    said = robench("generate", "-d", f"cifar10:{tmp_path}", "-c", "awgn@0.1", "-o", tmp_path / "set")
    assert (said.code, (tmp_path / "set").exists()) == (1, False)
    assert "test_batch: expected labels as whole numbers (2), got float64" in said.lines[0]


def test_ids_beyond_int64_are_refused_by_corruptions_too():
    with pytest.raises(corruptions.CorruptionError, match="ids must be 1 whole numbers"):
        corruptions.apply(np.zeros((1, 8, 8, 3), np.uint8), "awgn", level=0.1, ids=np.array([2**63], np.uint64))


@pytest.fixture
def photos(tmp_path):
    """A folder of two classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        place = tmp_path / "photos" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_pipe_or_a_device_among_images_is_refused_without_waiting(kind, photos, tmp_path):
    if kind == "pipe":
        os.mkfifo(photos / "a" / "x.png")
    else:
        (photos / "a" / "x.png").symlink_to("/dev/zero")
    work = ("generate", "-d", f"folder:{photos}", "-c", "awgn@0.1", "-o", tmp_path / "set")
    with command(*work, stdout=subprocess.DEVNULL) as running:
        try:
            said = running.communicate(timeout=60)[1]
        finally:
            running.kill()
    assert running.returncode == 1
    assert said == f"robench: {photos}/a/x.png: cannot be read: expected an image file, got a pipe or a device\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("what", ["file", "class"])
def test_a_name_that_is_no_utf_8_is_a_line(what, photos, robench, tmp_path):
    place = os.fsencode(photos) + (b"/a/caf\xe9.png" if what == "file" else b"/caf\xe9")
    shutil.copy(photos / "a" / "0.png", place) if what == "file" else os.mkdir(place)
    said = robench("generate", "-d", f"folder:{photos}", "-c", "awgn@0.1", "-o", tmp_path / "set")
    assert (said.code, len(said.lines), (tmp_path / "set").exists()) == (1, 1, False)
    assert r"expected names in UTF-8, got 'caf\udce9" in said.err


def test_a_long_image_is_refused_before_it_is_made_huge(photos, robench, tmp_path):
    Image.new("RGB", (20_000, 1)).save(photos / "a" / "long.png")
    said = robench("generate", "-d", f"folder:{photos}", "--view", "side224", "-c", "awgn@0.1", "-o", tmp_path / "set")
    assert said.code == 1
    assert "long.png: view 'side224' makes 4480000x224 pixels of its 20000x1" in said.err


def test_a_long_image_takes_no_gigabytes():
    with pytest.raises(corruptions.CorruptionError, match="at most 8192 pixels, got 20000"):
        corruptions.apply(np.zeros((1, 20_000, 1, 3), np.uint8), "elastic_transform", 3)
    assert corruptions.apply(np.zeros((1, 20_000, 1, 3), np.uint8), "fog", 3).shape == (1, 20_000, 1, 3)


def test_another_file_of_the_same_size_and_time_is_decoded_anew(photos):
    first = datasets.load(f"folder:{photos}")
    before = _cache.entry(first).made_from
    place = photos / "a" / "0.png"
    times = place.stat()
    content = bytearray(place.read_bytes())
    content[-5] ^= 1
    place.write_bytes(content)
    os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert place.stat().st_mtime_ns == times.st_mtime_ns
    assert _cache.entry(datasets.load(f"folder:{photos}")).made_from != before


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_a_disk_that_is_full_while_training_is_a_line(tmp_path):
    program = (
        "import resource, sys; from robench.cli import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); main(sys.argv[1:])"
    )
    train = ("train", "clean", "-d", "digits", "-m", "tiny_cnn", "--train-n", "20", "--epochs", "1", "--device", "cpu")
    out = tmp_path / "out" / "w.safetensors"
    said = subprocess.run(
        [sys.executable, "-c", program, *train, "-o", str(out)], capture_output=True, text=True, env=quiet(tmp_path)
    )
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1] == f"robench: {out.with_suffix('.ckpt')}: cannot be written: File too large"
    assert "Traceback" not in said.stderr
    assert not list(tmp_path.glob("out/*"))


def quiet(folder):
    return os.environ | {"ROBENCH_CACHE": "off", "NUMBA_CACHE_DIR": str(folder / "numba")}


def test_a_reader_that_leaves_ends_a_list_without_a_word():
    for _ in range(3):
        with command("list", "models", stdout=subprocess.PIPE) as running:
            running.stdout.readline()
            running.stdout.close()
            assert running.stderr.read() == ""
