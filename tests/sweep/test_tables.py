"""cells.csv and metrics.csv from predictions worked out by hand; nothing is averaged over what is missing."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from robench import metrics, tables
from robench.errors import RunError
from robench.store import Cell, Predictions, Run

CELL = Cell(
    model="net", weights_sha256="0" * 64, dataset="made", split="test", view="native", data_digest="1" * 64,
    suite="made/1", corruption="clean", corruption_version=0, group="", severity=0, strength="clean", level_name="",
    level=None, seed=0, native=0, n=4, fit="none", normalize="none", precision="fp32",
)  # fmt: skip
AWGN = replace(
    CELL, corruption="awgn", group="noise", severity=None, strength="sigma=0.1", level_name="sigma", level=0.1
)
CONTRAST = replace(CELL, corruption="contrast", group="digital", severity=1, strength="1")
PROBABILITIES = np.array(
    [
        [0.70, 0.10, 0.05, 0.05, 0.05, 0.05],
        [0.10, 0.40, 0.20, 0.15, 0.10, 0.05],
        [0.30, 0.25, 0.20, 0.15, 0.06, 0.04],
        [0.02, 0.08, 0.10, 0.10, 0.10, 0.60],
    ]
)
LABELS = np.array([0, 2, 5, 5])


def predictions(probabilities=PROBABILITIES, labels=LABELS) -> Predictions:
    """What a model with these probabilities is recorded to have said."""
    rows = np.arange(len(labels))
    order = np.argsort(-probabilities, axis=1, kind="stable").astype(np.int32)
    return Predictions(
        ids=rows.astype(np.int64),
        labels=labels.astype(np.int32),
        pred=order[:, 0],
        top5=order[:, :5],
        confidence=probabilities.max(axis=1).astype(np.float32),
        log_p_true=np.log(probabilities[rows, labels]).astype(np.float32),
        sum_p_squared=(probabilities**2).sum(axis=1).astype(np.float32),
        probabilities=probabilities.astype(np.float16),
    )


def answering(*right) -> Predictions:
    """Four images of class 0; answered right or wrong, with probability 0.9."""
    rows = [[0.9, 0.1] if one else [0.1, 0.9] for one in right]
    return predictions(np.array(rows), np.zeros(len(right), np.int64))


DATASET = {
    "name": "d",
    "split": "test",
    "view": "native",
    "digest": "",
    "n": 4,
    "shape": [8, 8, 3],
    "classes": ["a", "b"],
}


@pytest.fixture
def made(tmp_path):
    """made({cell: predictions, error or None}) -> Run"""

    def make(held, order=None):
        run = Run(tmp_path / "run")
        run.write_manifest(
            {"schema": "robench-run/1", "dataset": DATASET, "models": [], "corruptions": {}, "environment": {}}
            | {"cells": [vars(cell) for cell in order or held]}
        )
        for cell, found in held.items():
            if isinstance(found, str):
                run.write_error(cell, found)
            elif found is not None:
                run.write(cell, found)
        return run

    return make


def test_the_columns_are_those_of_the_schema(made):
    run = made({CELL: predictions()})
    tables.write(run)
    cells, aggregated = ((run.folder / name).read_text().splitlines()[0] for name in ("cells.csv", "metrics.csv"))
    assert cells == (
        "model,weights_sha256,dataset,split,view,data_digest,suite,corruption,corruption_version,group,severity,"
        "strength,level_name,level,seed,native,n,n_correct,n_correct_top5,top1,top1_ci_low,top1_ci_high,nll,brier,"
        "ece15,mean_conf,fit,normalize,precision,status,error"
    )
    assert aggregated == (
        "model,dataset,suite,metric,value,ci_low,ci_high,ci_method,seed_sd,n_images,n_cells,n_corruptions,baseline,note"
    )


def test_a_cell_by_hand(made):
    """Predicted 0, 1, 0, 5 for labels 0, 2, 5, 5: two right; of image 2 the label is sixth of six."""
    row = tables.cells(made({CELL: predictions()})).iloc[0]
    assert (row["n"], row["n_correct"], row["n_correct_top5"], row["top1"]) == (4, 2, 3, 0.5)
    assert (row["top1_ci_low"], row["top1_ci_high"]) == pytest.approx(proportion_confint(2, 4, 0.05, method="wilson"))
    p = np.array([0.7, 0.2, 0.04, 0.6])
    assert row["nll"] == pytest.approx(-np.log(p).mean(), abs=1e-6)
    one_hot = np.eye(6)[LABELS]
    assert row["brier"] == pytest.approx(((PROBABILITIES - one_hot) ** 2).sum(axis=1).mean(), abs=1e-6)
    assert row["mean_conf"] == pytest.approx(0.5, abs=1e-6)
    # of 15 bins: 0.7 in 11, 0.4 in 6, 0.3 in 5, 0.6 in 9
    assert row["ece15"] == pytest.approx((0.3 + 0.4 + 0.3 + 0.4) / 4, abs=1e-6)
    assert (row["status"], row["error"]) == ("ok", "")


def test_severity_and_level_are_empty_where_they_do_not_apply(made):
    pair = replace(AWGN, strength="sigma=0.5:0", level=None)
    run = made({CELL: predictions(), AWGN: predictions(), CONTRAST: None, pair: "no such luck"})
    text = tables.to_csv(tables.cells(run))
    fields = [dict(zip(tables.CELL_COLUMNS, line.split(","), strict=True)) for line in text.splitlines()[1:]]
    assert [field["severity"] for field in fields] == ["0", "", "1", ""]
    assert [field["level"] for field in fields] == ["", "0.1", "", ""]
    assert [field["status"] for field in fields] == ["ok", "ok", "missing", "error"]
    assert [field["n_correct"] for field in fields] == ["2", "2", "", ""]
    assert fields[3]["error"] == "no such luck"


def aggregates(run, baseline=None):
    return tables.metrics_table(tables.measure(run), baseline)


def _value(frame, metric):
    return frame.set_index("metric").loc[metric]


SECOND = replace(AWGN, strength="sigma=0.2", level=0.2)
HELD = {
    CELL: answering(1, 1, 1, 1),
    AWGN: answering(1, 1, 1, 0),
    SECOND: answering(1, 0, 0, 0),
    CONTRAST: answering(0, 0, 0, 0),
}


def test_the_mean_is_over_corruptions_of_means_over_strengths(made):
    """awgn 0.75 and 0.25, contrast 0: 0.25, where the mean over cells would be a third."""
    frame = aggregates(made(HELD))
    mean, error = _value(frame, "mean_corruption_accuracy"), _value(frame, "mean_corruption_error")
    assert mean["value"] == pytest.approx(0.25)
    assert error["value"] == pytest.approx(0.75)
    assert (error["ci_low"], error["ci_high"]) == pytest.approx((1 - mean["ci_high"], 1 - mean["ci_low"]))
    assert mean["ci_low"] <= mean["value"] <= mean["ci_high"]
    assert mean["ci_method"] == "image bootstrap, 2000 resamples"
    assert (mean["n_cells"], mean["n_images"]) == (3, 4)
    assert _value(frame, "mean_corruption_accuracy[noise]")["value"] == pytest.approx(0.5)
    assert _value(frame, "mean_corruption_accuracy[digital]")["value"] == 0
    assert _value(frame, "mean_accuracy[awgn]")["value"] == pytest.approx(0.5)
    assert _value(frame, "mean_accuracy[contrast]")["n_cells"] == 1
    clean = _value(frame, "clean_accuracy")
    assert (clean["value"], clean["ci_method"]) == (1, "wilson")


def test_a_strength_with_more_seeds_weighs_no_more(made):
    seeds = {replace(AWGN, seed=seed): answering(0, 0, 0, 0) for seed in (1, 2, 3)}
    frame = aggregates(made({AWGN: answering(0, 0, 0, 0), SECOND: answering(1, 1, 1, 1)} | seeds))
    assert _value(frame, "mean_corruption_accuracy")["value"] == pytest.approx(0.5)


@pytest.mark.parametrize("instead", [None, "it broke"])
def test_nothing_is_averaged_over_what_is_missing_or_failed(made, instead):
    run = made(HELD | {SECOND: instead})
    frame = aggregates(run)
    for metric in ("mean_corruption_accuracy", "mean_corruption_error", "mean_corruption_accuracy[noise]"):
        assert pd.isna(_value(frame, metric)["value"])
    assert _value(frame, "mean_corruption_accuracy")["note"] == "incomplete: 1 of 3 cells are missing or failed"
    assert _value(frame, "mean_corruption_accuracy[noise]")["note"] == "incomplete: 1 of 2 cells are missing or failed"
    assert _value(frame, "mean_corruption_accuracy[digital]")["value"] == 0
    text = tables.summary(tables.cells(run), frame)
    assert "1 of 2 missing or failed" in text
    assert "incomplete: 1 of 3 cells" in text


def test_a_model_that_was_asked_for_less_is_marked(made):
    other = replace(CELL, model="other")
    fewer = {other: predictions(), replace(AWGN, model="other"): answering(1, 1, 0, 0)}
    run = made(HELD | fewer)
    found = tables.metrics_table(tables.measure(run)).set_index(["model", "metric"])
    assert found.loc[("other", "mean_corruption_accuracy"), "note"] == "over 1 of the 3 cells of all models"
    assert found.loc[("other", "mean_corruption_accuracy[noise]"), "note"] == "over 1 of the 2 cells of all models"
    assert found.loc[("other", "mean_accuracy[awgn]"), "note"] == "over 1 of the 2 cells of all models"
    assert set(found.loc["net", "note"]) == {""}
    text = tables.summary(tables.cells(run), tables.metrics_table(tables.measure(run)))
    assert "50.00 (of 1 of 2)" in text
    assert "] over 1 of the 3 cells of all models" in text


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ({"normalize": "imagenet"}, "net awgn sigma=0.1 0: expected cells of one normalize, got none and imagenet"),
        ({"precision": "bf16"}, "net awgn sigma=0.1 0: expected cells of one precision, got fp32 and bf16"),
        (
            {"model": "b", "corruption_version": 2},
            "awgn sigma=0.1 0: expected cells of one corruption version, got 0 and 2",
        ),
        ({"model": "b", "native": 64}, "awgn sigma=0.1 0: expected cells of one native, got 0 and 64"),
    ],
)
def test_cells_that_are_not_comparable_are_refused(made, other, complaint):
    run = made({CELL: predictions(), AWGN: answering(1, 1, 0, 0), replace(AWGN, **other): answering(1, 0, 0, 0)})
    with pytest.raises(RunError, match=complaint):
        tables.measure(run)


def test_a_missing_clean_cell_is_said(made):
    frame = aggregates(made({CELL: None}))
    assert list(frame["note"]) == ["incomplete: the clean cell is missing or failed"]


def test_the_order_of_cells_changes_nothing(made):
    first = tables.to_csv(aggregates(made(HELD)))
    cells = set(tables.to_csv(tables.cells(made(HELD))).splitlines())
    shuffler = random.Random(3)
    for _ in range(4):
        order = shuffler.sample(list(HELD), len(HELD))
        run = made(HELD, order)
        assert set(tables.to_csv(tables.cells(run)).splitlines()) == cells
        found = set(tables.to_csv(aggregates(run)).splitlines())
        assert found == set(first.splitlines())


def test_shuffled_rows_change_nothing(made):
    """The rows of every file in another order, each file in one of its own."""
    other = {replace(cell, model="other"): found for cell, found in zip(HELD, list(HELD.values())[::-1], strict=True)}
    held = HELD | other | {replace(CELL, model="third"): predictions()}
    straight = tables.measure(made(held))
    shuffler = np.random.default_rng(0)
    shuffled = {
        cell: Predictions(**{name: column[order] for name, column in vars(found).items()})
        for cell, found in held.items()
        for order in [shuffler.permutation(4)]
    }
    mixed = tables.measure(made(shuffled))
    assert any(not np.array_equal(found.ids, np.arange(4)) for found in shuffled.values())
    for table in (tables.pairs, tables.ranks, tables.error_consistency, tables.metrics_table):
        assert tables.to_csv(table(straight)) == tables.to_csv(table(mixed))
    assert tables.to_csv(tables.derive(straight)[0]) == tables.to_csv(tables.derive(mixed)[0])


def test_a_run_is_written_with_a_baseline(made):
    base = {replace(cell, model="base"): answering(1, 1, 0, 0) for cell in HELD}
    run = made(HELD | base)
    tables.write(run, metrics.baseline("base", dataset="made", models=["net", "base"]))
    frame = pd.read_csv(run.folder / "metrics.csv", keep_default_na=False).set_index(["model", "metric"])
    assert float(frame.loc[("net", "ce[awgn]"), "value"]) == pytest.approx(100)
    assert float(frame.loc[("net", "ce[contrast]"), "value"]) == pytest.approx(200)
    assert frame.loc[("net", "ce[contrast]"), "baseline"] == "base"
    tables.write(run)
    assert "ce[" not in (run.folder / "metrics.csv").read_text()


def test_every_file_is_read_once(made, monkeypatch):
    run = made(HELD | {replace(AWGN, suite="other/1"): HELD[AWGN]})
    reads = []
    read = Run.read
    monkeypatch.setattr(Run, "read", lambda self, cell: reads.append(cell.key) or read(self, cell))
    tables.write(run)
    assert len(reads) == len(set(reads)) == 4


def test_predictions_come_back_as_they_went(made):
    run = made({CELL: predictions()})
    found = run.read(CELL)
    for name, value in vars(predictions()).items():
        assert np.asarray(getattr(found, name)).dtype == np.asarray(value).dtype, name
        assert np.array_equal(getattr(found, name), value), name
    many = replace(predictions(), probabilities=None)
    run.write(CELL, many)
    assert run.read(CELL).probabilities is None


def test_no_changed_byte_goes_unseen(made):
    """A byte that is not seen may only be one that means nothing."""
    run = made({CELL: predictions()})
    right = run.path(CELL).read_bytes()
    seen = 0
    for place in range(0, len(right), 5):
        run.path(CELL).write_bytes(right[:place] + bytes([right[place] ^ 4]) + right[place + 1 :])
        try:
            found = run.read(CELL)
        except RunError:
            seen += 1
        else:
            assert all(np.array_equal(getattr(found, name), value) for name, value in vars(predictions()).items())
    assert seen > 50


def test_means_are_the_same_to_the_last_bit_in_any_order():
    rng = np.random.default_rng(0)
    members = [
        tables.Scored(replace(AWGN, corruption=f"c{i % 7}", strength=f"{i // 7 % 3}"), {}, rng.random(50) < 0.7)
        for i in range(21)
    ]
    forwards, backwards = (tables.CellScores(some).grid(some).mean() for some in (members, members[::-1]))
    assert np.array_equal(forwards, backwards)


def test_a_cell_file_stays_in_its_folder():
    strange = replace(CELL, model="../../up", corruption="..", strength="a/b:c")
    assert ".." not in strange.place.parts
    assert len(strange.place.parts) == 3
    assert replace(CELL, suite="x").key == CELL.key
    assert replace(CELL, seed=1).key != CELL.key


def test_what_is_missing_is_named(tmp_path):
    rows = [
        ("net", "awgn", "sigma=0.1", 0, "missing", ""),
        ("net", "awgn", "sigma=0.2", 0, "missing", ""),
        ("net", "awgn", "sigma=0.3", 0, "ok", ""),
        ("net", "fog", "3", 0, "error", "ValueError: no room"),
        ("other", "shot_noise", "3", 0, "missing", ""),
        ("other", "shot_noise", "3", 2, "missing", ""),
        ("other", "clean", "clean", 0, "missing", ""),
        ("other", "clean", "clean", 0, "missing", ""),
    ]
    frame = pd.DataFrame(rows, columns=["model", "corruption", "strength", "seed", "status", "error"])
    assert tables.gaps(frame).splitlines() == [
        "missing: net, awgn sigma=0.1, sigma=0.2",
        "failed: net, fog 3: ValueError: no room",
        "missing: other, shot_noise 3, seeds 0, 2",
        "missing: other, clean",
    ]
    assert tables.gaps(frame[frame["status"] == "ok"]) == ""


def test_of_many_that_are_missing_twenty_lines_are_shown():
    rows = [("net", f"corruption{number}", "1", 0, "missing", "") for number in range(23)]
    frame = pd.DataFrame(rows, columns=["model", "corruption", "strength", "seed", "status", "error"])
    lines = tables.gaps(frame).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 3 lines more; see cells.csv"


def test_strengths_stand_from_weak_to_strong_however_they_were_asked_for() -> None:
    def strengths(places, more_is_stronger=True) -> list[str]:
        found = [tables.Scored(replace(AWGN, **place), {}, None) for place in places]
        level = {"more_is_stronger": more_is_stronger}
        return [one.cell.strength for one in tables.CellScores(found, {"awgn": {"level": level}}).found]

    levels = [{"strength": f"sigma={level}", "level": level} for level in (0.3, 0.1, 0.5)]
    assert strengths(levels) == ["sigma=0.1", "sigma=0.3", "sigma=0.5"]
    assert strengths(levels, more_is_stronger=False) == ["sigma=0.5", "sigma=0.3", "sigma=0.1"]
    severities = [{"strength": str(place), "severity": place, "level": level} for place, level in ((3, 1.0), (1, 2.0))]
    assert strengths(severities) == ["1", "3"]
    unknown = [{"strength": name, "level": None} for name in ("width=9,length=1", "width=3,length=1")]
    assert strengths(unknown + levels) == [place["strength"] for place in unknown + levels]
