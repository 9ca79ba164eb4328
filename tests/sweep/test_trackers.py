"""What a sweep tells TensorBoard and Weights & Biases, and that neither can spoil it."""

from __future__ import annotations

import sys

import pandas as pd
import pytest
from processes import untimed

from robench.errors import ConfigError, RobenchError
from robench.sweep import SweepConfig, run
from robench.trackers import KINDS, Tracker, track

MODEL = "tiny_cnn=digits-clean"


def request(folder, tracker=None, **changes):
    chosen = changes.pop("corruptions", ("awgn@0.1,0.5", "contrast@1,5"))
    return SweepConfig(
        (MODEL,), "digits", folder, corruptions=chosen, limit=40, logger=tracker, device="cpu", **changes
    )


def events(folder):
    """{(tag, step): value} of all event files below."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder)).Reload()
    return {(tag, one.step): one.value for tag in found.Tags()["scalars"] for one in found.Scalars(tag)}


def test_tensorboard_has_every_cell_at_its_strength(tmp_path):
    outcome = run(request(tmp_path / "run", f"tensorboard={tmp_path / 'board'}"))
    seen = events(tmp_path / "board" / "run" / MODEL)
    cells = outcome.cells.set_index(["corruption", "strength"])
    steps = {("clean", "clean"): 0, ("awgn", "sigma=0.1"): 1, ("awgn", "sigma=0.5"): 2}
    steps |= {("contrast", "1"): 1, ("contrast", "5"): 5}
    assert len(cells) == len(steps)
    for (corruption, strength), step in steps.items():
        for score in ("top1", "nll"):
            assert seen[f"{score}/{corruption}", step] == pytest.approx(cells.loc[(corruption, strength), score])
    assert seen["metrics/clean_accuracy", 0] == pytest.approx(cells.loc[("clean", "clean"), "top1"])


def test_a_tracker_changes_nothing_in_the_run(tmp_path):
    run(request(tmp_path / "plain"))
    run(request(tmp_path / "tracked", f"tensorboard={tmp_path / 'board'}"))
    assert untimed(tmp_path / "plain") == untimed(tmp_path / "tracked")


def test_a_cell_that_was_there_is_not_told_again(tmp_path):
    run(request(tmp_path / "run", corruptions=("awgn@0.1",)))
    run(request(tmp_path / "run", f"tensorboard={tmp_path / 'board'}"))
    seen = events(tmp_path / "board" / "run" / MODEL)
    assert [step for tag, step in seen if tag == "top1/awgn"] == [2]


def test_wandb_has_every_cell_and_both_tables(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    told = Told()
    monkeypatch.setattr(wandb, "init", lambda **how: told.begin(how))
    outcome = run(request(tmp_path / "run", "wandb=robustness"))
    assert (told.how["project"], told.how["name"], told.ended) == ("robustness", "run", 0)
    assert told.how["config"]["models"] == [MODEL]
    *cells, tables = told.logged
    assert len(cells) == len(outcome.cells)
    last = cells[-1]
    assert last["strength"] == 5
    assert last[f"{MODEL}/contrast/top1"] == outcome.cells["top1"].iloc[-1]
    assert pd.DataFrame(tables["cells"].data, columns=tables["cells"].columns)["top1"].equals(outcome.cells["top1"])
    assert told.summary[f"{MODEL}/clean_accuracy"] == outcome.cells["top1"].iloc[0]


class Told:
    """A run of wandb that listens."""

    def __init__(self):
        self.logged, self.summary, self.how, self.ended = [], {}, {}, None

    def begin(self, how):
        self.how = how
        return self

    def define_metric(self, name, step_metric=None):
        assert name in ("strength", "*")

    def log(self, values):
        self.logged.append(values)

    def finish(self, exit_code):
        self.ended = exit_code


@pytest.mark.slow
def test_wandb_itself_takes_a_sweep(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    for name, value in (("MODE", "offline"), ("SILENT", "true"), ("DIR", str(tmp_path))):
        monkeypatch.setenv(f"WANDB_{name}", value)
    assert run(request(tmp_path / "run", "wandb=robustness")).failed == []
    [written] = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    assert b"contrast/top1" in written.read_bytes()


class Broken(Tracker):
    def __init__(self, place, name, facts):
        self.heard = 0

    def cell(self, row, step):
        self.heard += 1
        raise OSError("no room")


def test_a_tracker_that_fails_is_one_warning_and_the_sweep_goes_on(tmp_path, monkeypatch):
    monkeypatch.setitem(KINDS, "broken", Broken)
    with pytest.warns(UserWarning, match="nothing more is tracked: no room") as said:
        outcome = run(request(tmp_path / "run", "broken=x"))
    assert len(said) == 1
    assert (outcome.computed, outcome.failed) == (5, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tensorbord=x", "did you mean tensorboard?; expected tensorboard=FOLDER or wandb=PROJECT"),
        ("tensorboard", "tracker 'tensorboard': expected tensorboard=FOLDER or wandb=PROJECT"),
        ("wandb=", "tracker 'wandb='"),
    ],
)
def test_another_text_is_one_line(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        run(request(tmp_path / "run", text))
    assert said in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_library_that_is_missing_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match=r"pip install 'robench\[wandb\]'"), track("wandb=x", "run", {}):
        pass


def test_a_tracker_that_cannot_begin_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RobenchError, match=r"tracker 'tensorboard=.*' cannot begin: .*File exists") as caught:
        run(request(tmp_path / "run", f"tensorboard={tmp_path / 'file'}"))
    assert "\n" not in str(caught.value)
