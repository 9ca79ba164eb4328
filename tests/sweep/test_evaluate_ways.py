"""How a sweep is done changes nothing in what it finds: threads, shards, halves of batches. Precision is named."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from processes import finish, killed_when, start, untimed
from torch import nn

from robench.errors import ConfigError, RunError
from robench.store import Run, _folder_lock
from robench.sweep import SweepConfig, run
from robench.sweep._collector import Forward
from robench.sweep._precision import exact_float32

CHOSEN = ("awgn@0.1,0.5", "contrast@1,5", "salt_and_pepper@0.1")


class Short(nn.Module):
    """A network on a machine with memory for `most` images; `sizes` are the batches that came."""

    def __init__(self, module, most, fault):
        super().__init__()
        self.module, self.most, self.fault, self.sizes = module, most, fault, []

    def forward(self, x):
        self.sizes.append(len(x))
        if len(x) > self.most:
            raise self.fault
        return self.module(x)


class Together(nn.Module):
    """A network whose first batch waits for those of the others."""

    def __init__(self, module, barrier):
        super().__init__()
        self.module, self.barrier = module, barrier

    def forward(self, x):
        if self.barrier is not None:
            self.barrier.wait(timeout=30)
            self.barrier = None
        return self.module(x)


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_threads_gives_the_same_run(sweep, tmp_path, workers):
    sweep("plain", *CHOSEN)
    sweep("threads", *CHOSEN, how={"workers": workers})
    assert untimed(tmp_path / "plain") == untimed(tmp_path / "threads")


def test_any_number_of_devices_gives_the_same_run(tmp_path):
    request = SweepConfig(
        ("tiny_cnn=digits-clean",), "digits", tmp_path / "one", corruptions=CHOSEN, limit=60, device="cpu"
    )
    run(request)
    outcome = run(replace(request, out=tmp_path / "three", device="cpu,cpu,cpu"))
    assert (outcome.computed, outcome.failed) == (6, [])
    assert untimed(tmp_path / "one") == untimed(tmp_path / "three")


@pytest.mark.usefixtures("unprobed")
def test_every_device_takes_units_and_one_that_fails_spoils_only_its_own(sweep, net):
    both = threading.Barrier(2)
    sound = replace(net, module=Together(net.module, both))
    broken = replace(net, module=Together(Short(net.module, 0, ValueError("this one is broken")), both))
    outcome = sweep("run", *CHOSEN, nets=(sound,), copies=[(broken,)])
    assert 0 < len(outcome.failed) < 6
    assert outcome.computed == 6 - len(outcome.failed)
    assert "this one is broken" in outcome.failed[0]


def test_with_ray_a_list_of_devices_is_refused(tmp_path):
    request = SweepConfig(("tiny_cnn=digits-clean",), "digits", tmp_path / "run", corruptions=CHOSEN, executor="ray")
    with pytest.raises(ConfigError, match="expected one kind, got cpu,cpu"):
        run(replace(request, device="cpu,cpu"))


@pytest.mark.usefixtures("unprobed")
@pytest.mark.parametrize(
    "fault",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate")],
    ids=["gpu", "cpu"],
)
def test_a_batch_without_room_is_halved_and_stays_so(sweep, net, tmp_path, fault):
    short = Short(net.module, 5, fault)
    sweep("plain", *CHOSEN)
    outcome = sweep("short", *CHOSEN, nets=(replace(net, module=short),))
    assert outcome.failed == []
    assert short.sizes[:5] == [16, 8, 4, 4, 4]
    assert short.sizes.count(16) == short.sizes.count(8) == 1
    names = ["corruption", "strength", "n", "n_correct"]
    assert outcome.cells[names].equals(sweep("plain", *CHOSEN).cells[names])


def test_a_network_that_has_no_room_for_one_image_is_a_failed_cell(sweep, net):
    nothing = Short(net.module, 0, torch.OutOfMemoryError("CUDA out of memory"))
    outcome = sweep("run", nets=(replace(net, module=nothing),))
    assert len(outcome.failed) == 1
    assert "CUDA out of memory" in outcome.failed[0]


def test_another_fault_is_not_tried_again(net):
    broken = Short(net.module, 0, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes"):
        Forward(replace(net, module=broken))(torch.zeros(8, 32, 32, 1, dtype=torch.uint8))
    assert broken.sizes == [8]


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_precision_is_used_and_stands_in_every_row(sweep, net, tmp_path, precision):
    kinds = []
    watched = Short(net.module, 1 << 20, None)
    watched.register_forward_hook(lambda module, given, answer: kinds.append(answer.dtype))
    full = sweep("full", *CHOSEN).cells
    outcome = sweep("some", *CHOSEN, nets=(replace(net, module=watched),), precision=precision)
    assert outcome.failed == []
    assert set(kinds) == {{"bf16": torch.bfloat16, "fp16": torch.float16}[precision]}
    assert set(outcome.cells["precision"]) == {precision}
    assert set(full["precision"]) == {"fp32"}
    assert np.abs(outcome.cells["top1"] - full["top1"]).max() < 0.1
    assert not set(Run(tmp_path / "full").cells()) & set(Run(tmp_path / "some").cells())


def test_two_precisions_do_not_share_a_run(sweep):
    sweep("run", "awgn@0.1")
    with pytest.raises(RunError, match="precision fp32, asked for bf16"):
        sweep("run", "awgn@0.1", precision="bf16")


def test_float32_is_exact_during_a_sweep_and_the_settings_come_back():
    place = torch.backends.cudnn.conv
    before = (place.fp32_precision, torch.backends.cuda.matmul.fp32_precision)
    with exact_float32():
        assert (place.fp32_precision, torch.backends.cuda.matmul.fp32_precision) == ("ieee", "ieee")
    assert (place.fp32_precision, torch.backends.cuda.matmul.fp32_precision) == before
    assert before[0] != "ieee"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"precision": "fp8"}, "precision must be fp32, bf16, fp16, got 'fp8'"),
        ({"shard": "0/2"}, "--shard must be i/n with i from 1 to n, such as 1/4, got '0/2'"),
        ({"shard": "3/2"}, "got '3/2'"),
        ({"shard": "half"}, "got 'half'"),
        ({"seeds": "x"}, "--seed must be whole numbers such as 0 or 0,1,2, got 'x'"),
        ({"limit": 1.5}, "limit must be a whole number of at least 1, got 1.5"),
        ({"batch_size": 0}, "batch-size must be a whole number of at least 1, got 0"),
    ],
)
def test_a_wrong_way_is_one_line(tmp_path, options, said):
    with pytest.raises(ConfigError) as caught:
        SweepConfig.from_cli(
            models=("tiny_cnn=digits-clean",),
            dataset="digits",
            out=tmp_path / "run",
            corruptions=("awgn@0.1",),
            **options,
        )
    assert said in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_shards_one_after_the_other_make_the_whole_run(sweep, tmp_path):
    sweep("whole", *CHOSEN)
    computed = [sweep("parts", *CHOSEN, how={"shard": (part, 4)}).computed for part in (3, 1, 4, 2)]
    assert computed == [1, 2, 1, 2]
    assert untimed(tmp_path / "parts") == untimed(tmp_path / "whole")
    assert sweep("parts", *CHOSEN).computed == 0


def test_a_shard_without_units_is_no_mistake(sweep, tmp_path):
    outcome = sweep("run", "awgn@0.1", how={"shard": (3, 3)})
    assert (outcome.computed, outcome.found) == (0, 0)
    assert Run(tmp_path / "run").counts()["missing"] == 2


def words(folder, *more):
    models = ["-m", "tiny_cnn=digits-clean", "-m", "tiny_cnn=digits-noise"]
    return ["evaluate", *models, "-d", "digits", "--limit", 150, "-s", "demo/1", "--device", "cpu", "-o", folder, *more]


def cells(folder):
    return [*(folder / "predictions").glob("*/*/[!.]*.parquet")]


def test_shards_at_one_time_killed_and_called_again_make_the_whole_run(tmp_path):
    assert finish(words(tmp_path / "whole"))[0] == 0
    folder = tmp_path / "run"
    assert killed_when(words(folder, "--shard", "1/3"), lambda: len(cells(folder)) >= 4)
    parts = [start(words(folder, "--shard", f"{part}/3")) for part in (1, 2, 3)]
    said = [part.communicate(timeout=300)[1] for part in parts]
    assert [part.returncode for part in parts] == [0, 0, 0], said
    assert untimed(folder) == untimed(tmp_path / "whole")


def test_a_shard_that_is_being_computed_is_refused_and_so_is_the_whole(sweep, tmp_path):
    with Run(tmp_path / "run").workplace("1-of-2"):
        with pytest.raises(RunError, match="another robench is at part 1-of-2 of this run"):
            sweep("run", *CHOSEN, how={"shard": (1, 2)})
        with pytest.raises(RunError, match="another robench is writing parts of this run"):
            sweep("run", *CHOSEN)
        assert sweep("run", *CHOSEN, how={"shard": (2, 2)}).computed == 3
    assert sweep("run", *CHOSEN, how={"shard": (1, 2)}).computed == 3
    assert Run(tmp_path / "run").counts()["missing"] == 0


def test_a_shard_that_is_there_waits_for_the_others_however_long_they_write(tmp_path, monkeypatch):
    monkeypatch.setattr(_folder_lock, "SECONDS_TO_WAIT", 0.1)
    run, went_in = Run(tmp_path / "run"), threading.Event()
    with run.workplace("1-of-2") as one, run.workplace("2-of-2") as other:

        def follow() -> None:
            with other.together():
                went_in.set()

        waiting = threading.Thread(target=follow)
        with one.together():
            waiting.start()
            assert not went_in.wait(0.5)
        waiting.join(20)
    assert went_in.is_set()


def test_a_shard_may_begin_while_the_last_of_the_others_tidies_up(tmp_path, monkeypatch):
    refused = []

    class Late(FileLock):
        """The first time its folder goes at that moment, with the process that was there."""

        def acquire(self, *args, **kwargs):
            if not refused:
                refused.append(Path(self.lock_file))
                raise FileNotFoundError(self.lock_file)
            return super().acquire(*args, **kwargs)

    monkeypatch.setattr(_folder_lock, "FileLock", Late)
    with Run(tmp_path / "run").workplace("1-of-2") as place:
        assert place.folder.is_dir()
    assert refused == [tmp_path / "run" / _folder_lock.WORK / _folder_lock.LOCK]
    assert not (tmp_path / "run").exists()


def test_no_shard_comes_beside_a_process_that_has_the_run_for_itself(sweep, tmp_path, monkeypatch):
    monkeypatch.setattr(_folder_lock, "SECONDS_TO_WAIT", 0.1)
    with Run(tmp_path / "run").workplace(), pytest.raises(RunError, match="another robench is writing this run"):
        sweep("run", *CHOSEN, how={"shard": (1, 2)})
    assert sweep("run", *CHOSEN, how={"shard": (1, 2)}).computed == 3


@pytest.mark.slow
def test_a_compiled_network_answers_the_same_and_says_so(sweep, tmp_path):
    request = SweepConfig(
        ("tiny_cnn=digits-clean",), "digits", tmp_path / "run", corruptions=("awgn@0.1",), limit=60, compile=True
    )
    outcome = run(request)
    assert outcome.failed == []
    assert set(outcome.cells["precision"]) == {"fp32+compile"}
    plain = sweep("plain", "awgn@0.1").cells
    assert (outcome.cells["n_correct"] - plain["n_correct"]).abs().max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["end-to-end", "oracle"])
def test_a_fidelity_calibrated_network_may_be_compiled(estimator, tmp_path):
    def cells(name, *, compile_it):
        model = f"fidelity:resnet20,cdncnn,{estimator}"
        options = {"view": "side32", "limit": 60, "random_weights": True, "compile": compile_it}
        outcome = run(SweepConfig((model,), "digits", tmp_path / name, corruptions=("awgn@0.3",), **options))
        assert outcome.failed == []
        return outcome.cells

    plain, fast = cells("plain", compile_it=False), cells("fast", compile_it=True)
    assert set(fast["precision"]) == {"fp32+compile"}
    assert fast["nll"].to_numpy() == pytest.approx(plain["nll"].to_numpy(), abs=1e-5)
    assert (fast["n_correct"] - plain["n_correct"]).abs().max() <= 1
