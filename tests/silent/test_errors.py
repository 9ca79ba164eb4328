"""Whatever a command trips over is one line: the thing, what was expected, what came; and no number is made of it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from robench import models
from robench.errors import ModelError

AWGN = ("-c", "awgn@0.1", "--limit", "8", "--device", "cpu")


def lines(said):
    """The command's own lines on stderr, of which there are some; the others tell of progress."""
    assert "Traceback" not in said.err
    found = [line for line in said.err.splitlines() if line.startswith("robench: ")]
    assert found, said.err
    return found


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
    assert "nets:leaves: failed: SystemExit" in lines(said)[0]
    assert not (tmp_path / "run").exists()


def test_sys_exit_in_a_network_is_the_cell_s_failure(robench, nets, tmp_path):
    said = robench("evaluate", "-m", f"{nets}:leaves_later", "-d", "digits", *AWGN, "-o", tmp_path / "run")
    assert said.code == 1
    assert "2 cells failed" in lines(said)[-1]
    assert "SystemExit" in said.out


def test_sys_exit_in_a_training_is_its_failure(robench, nets, tmp_path):
    out = tmp_path / "w.safetensors"
    said = robench("train", "clean", "-m", f"{nets}:leaves_later", "-d", "digits", "--epochs", "1", "-o", out)
    assert (said.code, out.exists()) == (1, False)
    assert "sys.exit(0)" in lines(said)[-1]


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


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_with_workers_is_a_line(tmp_path):
    work = ("generate", "-d", "digits", "-c", "elastic_transform@1-5", "-c", "fog@1-5", "--workers", "2")
    running = command(*work, "-o", tmp_path / "set", stdout=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and not workers_of(running.pid):
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=120)[1]
    assert said.strip() == "robench: stopped; the same command goes on from here"
    assert running.returncode == 130


def workers_of(pid):
    """Whether a process has begun to start its workers."""
    found = subprocess.run(["ps", "-o", "args=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return "spawn_main" in found


def test_an_argument_that_is_no_utf_8_is_a_line(robench):
    said = robench("status", os.fsdecode(b"caf\xe9"))
    assert said.code == 2
    assert r"argument 'caf\udce9': expected text in UTF-8" in lines(said)[0]
