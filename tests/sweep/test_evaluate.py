"""`evaluate`: equal runs, nothing computed twice, what fails is recorded, what does not fit is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from processes import tree, untimed

import corruptions
from robench import datasets, models
from robench.errors import ConfigError, DatasetError, ModelError, RunError
from robench.export import generate
from robench.selection import select
from robench.store import Run
from robench.sweep import SweepConfig, SweepPlan, evaluate, run
from robench.sweep import _plan as plan_module

CHOSEN = ("awgn@0.1,0.5", "contrast@1,5", "salt_and_pepper@0.1")


def files(folder):
    """Each finished cell's file with what would change if it were written again."""
    found = (folder / "predictions").rglob("*.parquet")
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def columns(folder, corruption="*"):
    """Corruption and strength of every cell -> its columns."""
    read = {}
    for cell in Run(folder).cells():
        if corruption in ("*", cell.corruption):
            read[cell.corruption, cell.strength, cell.seed] = Run(folder).read(cell)
    return read


def same(first, second):
    return first.keys() == second.keys() and all(
        np.asarray(value).tobytes() == np.asarray(getattr(second[key], name)).tobytes()
        for key, predictions in first.items()
        for name, value in vars(predictions).items()
    )


def test_two_runs_are_equal_but_for_their_times(sweep, tmp_path):
    for name in ("one", "two"):
        outcome = sweep(name, *CHOSEN)
        assert (outcome.computed, outcome.found, outcome.failed) == (6, 0, [])
    assert untimed(tmp_path / "one") == untimed(tmp_path / "two")
    assert {name for name in tree(tmp_path / "one") if "/" not in name} == {
        "cells.csv", "manifest.json", "metrics.csv", "timings.csv"
    }  # fmt: skip
    assert not [name for name in tree(tmp_path / "one") if "/." in f"/{name}"]


def test_a_second_call_computes_nothing(sweep, tmp_path):
    sweep("run", *CHOSEN)
    before, all_before = files(tmp_path / "run"), untimed(tmp_path / "run")
    outcome = sweep("run", *CHOSEN)
    assert (outcome.computed, outcome.found) == (0, 6)
    assert files(tmp_path / "run") == before
    assert untimed(tmp_path / "run") == all_before


def test_the_batch_size_changes_no_count(sweep):
    small, large = (sweep(f"{size}", *CHOSEN, how={"batch_size": size}).cells for size in (7, 256))
    names = ["corruption", "strength", "n", "n_correct", "n_correct_top5"]
    pd.testing.assert_frame_equal(small[names], large[names])


def test_several_models_are_each_as_alone(sweep, net, robust, tmp_path):
    sweep("both", *CHOSEN, nets=(net, robust))
    for name, alone in (("clean", net), ("noise", robust)):
        sweep(name, *CHOSEN, nets=(alone,))
        files_of = {path.name: path for path in (tmp_path / "both/predictions" / alone.label).rglob("*.parquet")}
        assert len(files_of) == 6
        for path in (tmp_path / name / "predictions").rglob("*.parquet"):
            assert files_of[path.name].read_bytes() == path.read_bytes()


def test_seeds_multiply_only_what_draws(sweep, tmp_path):
    cells = sweep("run", "awgn@0.5", "contrast@5", "gaussian_blur_13x13@1..4", seeds=(0, 1, 2)).cells
    seeds = cells.groupby("corruption", sort=False)["seed"].agg(list).to_dict()
    assert seeds == {"clean": [0], "awgn": [0, 1, 2], "contrast": [0], "gaussian_blur_13x13": [0, 1, 2]}
    read = columns(tmp_path / "run", "awgn")
    assert len({predictions.log_p_true.tobytes() for predictions in read.values()}) == 3


def test_seeds_may_be_added(sweep, tmp_path):
    sweep("run", "awgn@0.5", "contrast@5", seeds=(1,))
    before = files(tmp_path / "run")
    assert sweep("run", "awgn@0.5", "contrast@5", seeds=(0, 1)).computed == 1
    sweep("whole", "awgn@0.5", "contrast@5", seeds=(0, 1))
    assert before.items() <= files(tmp_path / "run").items()
    assert tree(tmp_path / "run/examples") == tree(tmp_path / "whole/examples")


def test_models_and_corruptions_may_be_added(sweep, net, robust, tmp_path):
    sweep("run", "awgn@0.1")
    before = files(tmp_path / "run")
    outcome = sweep("run", "awgn@0.1", "contrast@1", nets=(net, robust))
    assert (outcome.computed, outcome.found) == (4, 2)
    assert before.items() <= files(tmp_path / "run").items()
    assert len(outcome.cells) == 6
    manifest = Run(tmp_path / "run").manifest()
    assert [model["label"] for model in manifest["models"]] == [net.label, robust.label]
    assert list(manifest["corruptions"]) == ["awgn", "contrast"]


def test_a_cell_stands_once_in_every_suite_that_asked_for_it(sweep, tmp_path):
    sweep("run", "awgn@0.1")
    sweep("run", "awgn@0.1", suites=["one/1"])
    outcome = sweep("run", "awgn@0.1", "contrast@1", suites=["two/1"])
    assert outcome.found == 2
    assert sorted(zip(outcome.cells["suite"], outcome.cells["corruption"], strict=True)) == [
        ("one/1", "awgn"), ("one/1", "clean"), ("two/1", "awgn"), ("two/1", "clean"), ("two/1", "contrast"),
    ]  # fmt: skip
    means = outcome.metrics[outcome.metrics["metric"] == "mean_corruption_accuracy"].set_index("suite")["n_cells"]
    assert means.to_dict() == {"one/1": 1, "two/1": 2}
    assert "mean over 2 corruptions, two/1" in outcome.text()


def test_two_suites_in_one_call_are_two_calls_of_one_suite_each(digits, net, tmp_path):
    noise, both = select([], ["awgn@0.1"]), select([], ["awgn@0.1", "contrast@1"])
    one, other = {"one/1": noise}, {"two/1": both}
    together = evaluate(digits, [net], SweepPlan(both, suites=one | other), SweepConfig((), "", tmp_path / "together"))
    evaluate(digits, [net], SweepPlan(noise, suites=one), SweepConfig((), "", tmp_path / "apart"))
    evaluate(digits, [net], SweepPlan(both, suites=other), SweepConfig((), "", tmp_path / "apart"))
    assert together.computed == 3
    for file in ("cells.csv", "metrics.csv"):
        assert (tmp_path / "together" / file).read_bytes() == (tmp_path / "apart" / file).read_bytes()
    assert len(together.cells) == 2 + 3
    assert files(tmp_path / "together").keys() == files(tmp_path / "apart").keys()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda d, n: {"data": replace(d, name="other")}, "with dataset name digits, asked for other"),
        (lambda d, n: {"data": replace(d, view="side32")}, "with dataset view native, asked for side32"),
        (lambda d, n: {"data": replace(d, split="val")}, "with dataset split test, asked for val"),
        (lambda d, n: {"data": d.limited(20)}, "with dataset n 60, asked for 20"),
        (lambda d, n: {"data": replace(d, labels=(d.labels + 1) % 10)}, "with dataset digest "),
        (lambda d, n: {"precision": "bf16"}, "with precision fp32, asked for bf16"),
        (lambda d, n: {"severity_table": 64}, "with native None, asked for 64"),
        (lambda d, n: {"nets": (replace(n, weights_sha256="1" * 64),)}, "'tiny_cnn=digits-clean' of weights_sha256 "),
        (
            lambda d, n: {"nets": (replace(n, card=replace(n.card, code_sha256="1" * 64)),)},
            "'tiny_cnn=digits-clean' of code_sha256 ",
        ),
        (lambda d, n: {"data": replace(d, ids=d.ids + 100)}, "dataset ids_sha256 "),
        (lambda d, n: {"nets": (replace(n, normalization=n.normalization._replace(mean=(0.1,))),)}, "of normalize "),
    ],
)
def test_another_run_is_refused(sweep, digits, net, tmp_path, change, line):
    sweep("run", "contrast@1")
    before = tree(tmp_path / "run")
    with pytest.raises(RunError, match="choose another folder") as caught:
        sweep("run", "contrast@1", **change(digits, net))
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert tree(tmp_path / "run") == before


def test_another_version_of_a_corruption_is_refused(sweep, monkeypatch):
    sweep("run", "contrast@1")
    now = corruptions.get("contrast")
    newer = replace(now, version=now.version + 1)
    monkeypatch.setattr(corruptions, "get", lambda name: newer)
    with pytest.raises(RunError, match=f"with contrast of version {now.version}, asked for {newer.version}"):
        sweep("run", "contrast@1")


def test_a_run_of_a_newer_schema_or_a_broken_manifest_is_refused(sweep, tmp_path):
    sweep("run", "contrast@1")
    path = tmp_path / "run" / "manifest.json"
    manifest = json.loads(path.read_text())
    for change, line in (
        ({"schema": "robench-run/2"}, "expected schema robench-run/1, got 'robench-run/2'"),
        ({"models": None}, "expected models as list, got None"),
        ({"cells": [{"model": "x"}]}, "its cells cannot be read"),
    ):
        path.write_text(json.dumps(manifest | change))
        with pytest.raises(RunError, match=line):
            sweep("run", "contrast@1")
    path.write_text("{")
    with pytest.raises(RunError, match=r"manifest\.json: cannot be read"):
        sweep("run", "contrast@1")


def test_a_foreign_folder_is_left_alone(sweep, digits, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "photo.jpg").write_text("mine")
    with pytest.raises(RunError, match=r"expected an empty folder or a run, got 'photo\.jpg' in it"):
        sweep("run", "contrast@1")
    generate(digits, select([], ["contrast@1"]), tmp_path / "set")
    with pytest.raises(RunError, match="expected schema robench-run/1, got 'robench-set/1'"):
        sweep("set", "contrast@1")


def test_a_refusal_leaves_no_folder(sweep, net, tmp_path):
    with pytest.raises(ConfigError, match="two models are called 'tiny_cnn=digits-clean'"):
        sweep("run", "contrast@1", nets=(net, net))
    ten_of_eleven = replace(net, classes=11)
    with pytest.raises(ModelError, match="tiny_cnn=digits-clean: expected 10 classes as digits has, got 11"):
        sweep("run", "contrast@1", nets=(ten_of_eleven,))
    assert not (tmp_path / "run").exists()


def test_labels_outside_the_classes_are_one_line(digits):
    with pytest.raises(DatasetError, match=r"labels must be 0\.\.4, got 0\.\.9"):
        replace(digits, classes=digits.classes[:5])


def test_a_damaged_file_is_named(sweep, tmp_path):
    sweep("run", "contrast@1")
    right = {path: path.read_bytes() for path in (tmp_path / "run/predictions").rglob("*.parquet")}
    (first, data), (_, other) = right.items()
    damaged = bytearray(data)
    damaged[200] ^= 1
    for wrong in (data[:100], b"", b"text", bytes(damaged), other):
        first.write_bytes(wrong)
        with pytest.raises(RunError, match=f"{first.name}: cannot be read: .*; remove it to compute it again"):
            sweep("run", "contrast@1")
    first.unlink()
    assert sweep("run", "contrast@1").computed == 1
    assert first.read_bytes() == data


@pytest.mark.usefixtures("unprobed")
def test_a_failed_cell_is_recorded_and_tried_again(sweep, net, failing, tmp_path):
    """The third batch of the second unit fails; the other model and the later units go on."""
    failing.module.fails_at = range(4 + 2, 4 + 3)
    outcome = sweep("run", "awgn@0.1", "contrast@1", nets=(failing, net))
    assert (outcome.computed, len(outcome.failed)) == (5, 1)
    row = outcome.cells[(outcome.cells["model"] == "failing") & (outcome.cells["corruption"] == "awgn")].iloc[0]
    assert row["status"] == "error"
    raised, nan = "ValueError: the third batch is too much", "the model's logits hold values that are not finite"
    assert row["error"] == (raised if failing.module.how == "raises" else nan)
    assert pd.isna(row["top1"])
    assert Run(tmp_path / "run").counts() == {"asked": 6, "done": 5, "failed": 1, "missing": 0}
    means = outcome.metrics[outcome.metrics["metric"] == "mean_corruption_accuracy"].set_index("model")
    assert pd.isna(means.loc["failing", "value"])
    assert means.loc["failing", "note"] == "incomplete: 1 of 2 cells are missing or failed"
    assert "1 of 1 missing or failed" in outcome.text()
    before = files(tmp_path / "run")
    failing.module.fails_at = range(0)
    again = sweep("run", "awgn@0.1", "contrast@1", nets=(failing, net))
    assert (again.computed, again.found, again.failed) == (1, 5, [])
    assert sum(before[name] != stamp for name, stamp in files(tmp_path / "run").items()) == 1
    failing.module.calls = 0
    sweep("whole", "awgn@0.1", "contrast@1", nets=(failing, net))
    assert untimed(tmp_path / "run") == untimed(tmp_path / "whole")


def test_a_failing_corruption_stops_only_its_cells(sweep):
    def torn(images, strength):
        raise IndexError("no such pixel")

    broken = replace(corruptions.get("contrast"), name="torn", body=torn)
    with corruptions._contract.registry.with_entry("torn", broken):
        outcome = sweep("run", "torn@1,2", "awgn@0.1")
    assert (outcome.computed, len(outcome.failed)) == (2, 2)
    assert outcome.failed[0] == "tiny_cnn=digits-clean, torn 1: IndexError: no such pixel"


@pytest.mark.usefixtures("unprobed")
def test_ctrl_c_keeps_finished_cells(sweep, tmp_path, monkeypatch, net):
    sweep("whole", *CHOSEN)
    calls = iter(range(100))
    logits = type(net).logits

    def stopped(self, images, clean=None):
        if next(calls) == 10:
            raise KeyboardInterrupt
        return logits(self, images)

    with monkeypatch.context() as patch:
        patch.setattr(type(net), "logits", stopped)
        with pytest.raises(KeyboardInterrupt):
            sweep("run", *CHOSEN)
    assert not (tmp_path / "run" / ".work").exists()
    assert sweep("run", *CHOSEN).found == 2
    assert untimed(tmp_path / "run") == untimed(tmp_path / "whole")


# --- generated sets


@pytest.mark.parametrize("form", ["npy", "folder"])
def test_a_generated_set_gives_the_predictions_of_the_fly(sweep, boxed, form, tmp_path):
    chosen = ("mixed_resolution@2,4", "awgn@0.3", "crop@0.5", "contrast@5")
    generate(boxed, select([], chosen), tmp_path / "set", form=form, seed=3)
    net = models.load("tiny_cnn", classes=10, input_size=32, random_weights=True)
    sweep("fly", *chosen, data=boxed, nets=(net,), seeds=(3,))
    spec = f"generated:{tmp_path / 'set'}"
    outcome = run(SweepConfig(("tiny_cnn",), spec, tmp_path / "stored", batch_size=16, random_weights=True))
    assert len(outcome.cells) == 6
    assert same(columns(tmp_path / "fly"), columns(tmp_path / "stored"))
    lines = [sorted((tmp_path / name / "cells.csv").read_text().splitlines()) for name in ("fly", "stored")]
    assert lines[0] == lines[1]


def test_boxes_matter_to_that(boxed, tmp_path):
    generate(boxed, select([], ["mixed_resolution@4"]), tmp_path / "with", form="folder")
    generate(replace(boxed, boxes=None), select([], ["mixed_resolution@4"]), tmp_path / "without", form="folder")
    first, second = (datasets.open_generated(tmp_path / name) for name in ("with", "without"))
    images = [opened.cell("mixed_resolution", "factor=4").images(0, 40) for opened in (first, second)]
    assert not np.array_equal(*images)


@pytest.fixture
def stored_set(digits, tmp_path):
    generate(digits, select([], ["awgn@0.1,0.5", "contrast@1"]), tmp_path / "set")
    return f"generated:{tmp_path / 'set'}"


def test_what_a_set_lacks_is_refused(stored_set, tmp_path):
    ask = partial(SweepConfig, ("tiny_cnn=digits-clean",), stored_set, tmp_path / "run")
    for request, line in (
        (ask(corruptions=("awgn@0.2",)), "holds no awgn sigma=0.2; it has awgn sigma=0.1, sigma=0.5"),
        (ask(corruptions=("crop",)), "holds no crop ratio=0.9"),
        (ask(seeds=(1,)), "was made with seed 0, asked for 1"),
        (ask(severity_table=224), "was made with native 32, asked for 224"),
        (ask(limit=5), "a set that robench generate wrote has its images; got a limit or ids"),
    ):
        with pytest.raises(ConfigError, match=line):
            run(request)
    assert not (tmp_path / "run").exists()
    assert len(run(ask(corruptions=("awgn@0.5",))).cells) == 2


def test_a_set_keeps_the_version_that_made_it(stored_set, tmp_path):
    path = tmp_path / "set" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["corruptions"]["awgn"]["version"] = 9
    path.write_text(json.dumps(manifest))
    cells = run(SweepConfig(("tiny_cnn=digits-clean",), stored_set, tmp_path / "run")).cells
    versions = {"awgn": 9, "clean": 0, "contrast": corruptions.get("contrast").version}
    assert cells.groupby("corruption")["corruption_version"].first().to_dict() == versions
    assert Run(tmp_path / "run").manifest()["corruptions"]["awgn"]["version"] == 9


def test_a_damaged_set_is_refused(stored_set, tmp_path):
    (tmp_path / "set" / "contrast.npy").write_bytes(b"text")
    with pytest.raises(DatasetError, match=r"contrast\.npy: expected the file of manifest\.json, got another sha256"):
        run(SweepConfig(("tiny_cnn=digits-clean",), stored_set, tmp_path / "run"))
    clean = np.load(tmp_path / "set" / "clean.npy")
    clean[3, 0, 0, 0] ^= 1
    np.save(tmp_path / "set" / "clean.npy", clean)
    with pytest.raises(DatasetError, match="its clean images are not those of its manifest; see robench verify"):
        run(SweepConfig(("tiny_cnn=digits-clean",), stored_set, tmp_path / "other"))


def test_nothing_asked_for_is_a_usage_error(tmp_path):
    with pytest.raises(ConfigError, match=r"expected a suite \(-s\) or a corruption \(-c\), got neither"):
        run(SweepConfig(("tiny_cnn=digits-clean",), "digits", tmp_path / "run"))


def test_the_manifest_says_what_was_asked_and_with_what(sweep, digits, net, tmp_path):
    sweep("run", "awgn@0.1")
    manifest = Run(tmp_path / "run").manifest()
    assert manifest["dataset"]["digest"] == digits.digest
    assert manifest["models"][0]["weights_sha256"] == net.weights_sha256
    assert set(manifest["environment"]) >= {*plan_module.LIBRARIES, "python", "robench"}
    assert str(tmp_path) not in json.dumps(manifest)


def test_evaluate_takes_no_global_state(digits, net, tmp_path):
    import torch

    before = (np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes(), torch.get_num_threads())
    evaluate(digits, [net], SweepPlan(select([], ["awgn@0.1"])), SweepConfig((), "", tmp_path / "run"))
    after = (np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes(), torch.get_num_threads())
    assert before == after
