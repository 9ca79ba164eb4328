"""A sweep on a Ray cluster of two nodes, one of which is killed half-way, finds what a local one does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque

import pytest
from processes import finish, untimed

from robench import engines
from robench.engines import run_ray
from robench.errors import ConfigError, RobenchError
from robench.sweep import SweepConfig

pytest.importorskip("ray")

CLUSTER = """
import os, subprocess, sys, time
from pathlib import Path
from ray.cluster_utils import Cluster

folder, kill = Path(sys.argv[1]), sys.argv[2] == "kill"
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
second = cluster.add_node(num_cpus=1)
os.environ["RAY_ADDRESS"] = cluster.address
sweep = subprocess.Popen([sys.executable, "-m", "robench", *sys.argv[3:]])
while sweep.poll() is None and kill:
    if len([*(folder / "predictions").glob("*/*/[!.]*.parquet")]) >= 10:
        cluster.remove_node(second, allow_graceful=False)
        print("killed a node", flush=True)
        kill = False
    time.sleep(0.01)
code = sweep.wait(180)
cluster.shutdown()
sys.exit(code)
"""


def words(folder):
    models = ["-m", "tiny_cnn=digits-clean", "-m", "tiny_cnn=digits-noise"]
    return ["evaluate", *models, "-d", "digits", "--limit", "200", "-s", "demo/1", "--device", "cpu", "-o", str(folder)]


def on_cluster(folder, kill, *more):
    line = [sys.executable, "-c", CLUSTER, str(folder), "kill" if kill else "keep", *words(folder), *more]
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(line, env=os.environ | quiet, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_node_that_dies_half_way_changes_nothing(tmp_path):
    assert finish(words(tmp_path / "local"))[0] == 0
    done = on_cluster(tmp_path / "ray", True, "--engine", "ray")
    assert done.returncode == 0, done.stderr
    assert "killed a node" in done.stdout
    assert "68 cells computed, 0 found, 0 failed" in done.stdout
    assert untimed(tmp_path / "ray") == untimed(tmp_path / "local")


def test_a_model_that_no_node_can_load_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    code = (
        "from robench.engines import run_ray\nfrom robench.errors import RobenchError\n"
        "try:\n    list(run_ray(int, 'x', divmod, [1, 2]))\nexcept RobenchError as fault:\n    print(fault)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("no worker of the Ray cluster can start: "), done.stderr
    assert "invalid literal for int" in done.stdout


def test_an_engine_that_there_is_not_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="unknown executor 'rey'; did you mean ray"):
        SweepConfig(("tiny_cnn=digits-clean",), "digits", tmp_path / "run", corruptions=("awgn@0.1",), executor="rey")


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RobenchError, match=r"pip install 'robench\[ray\]'"):
        next(run_ray(int, "1", divmod, [1]))


def test_a_cluster_without_gpus_says_so(monkeypatch):
    class Empty:
        @staticmethod
        def cluster_resources():
            return {"CPU": 4.0}

    monkeypatch.setattr(engines, "_ray", Empty)
    with pytest.raises(RobenchError, match="has no GPU"):
        next(run_ray(int, "1", divmod, [1], on_gpu=True))


def test_a_unit_that_is_lost_with_every_worker_is_given_up():
    """A cluster in memory, on which the unit 3 takes its worker with it."""

    class LostError(Exception):
        pass

    class Memory:
        class exceptions:  # noqa: N801
            RayTaskError, RayError = KeyError, LostError

        def __init__(self):
            self.killed = []

        def wait(self, refs, num_returns):
            return [refs[0]], refs[1:]

        def get(self, ref):
            if ref[1] == 3:
                raise LostError("the node is gone")
            return ref[1]

        def kill(self, worker):
            self.killed.append(worker)

    class Method:
        def __init__(self, worker):
            self.worker = worker

        def remote(self, function=None, condition=None):
            return (id(self.worker), condition)

    class Worker:
        def __init__(self):
            self.ready, self.work = Method(self), Method(self)

        @classmethod
        def remote(cls):
            return cls()

    memory = Memory()
    spread = engines._Spread(memory, Worker, (int, "1"), divmod, deque(range(6)))
    results = dict(spread.results(2))
    assert [results[condition] for condition in (0, 1, 2, 4, 5)] == [0, 1, 2, 4, 5]
    assert str(results[3]) == "lost with its worker 3 times: the node is gone"
    spread.end()
    assert len(memory.killed) == 5
