"""Reports of several runs, and over an earlier report: put together where they fit, refused where they do not."""

import re

import pandas as pd
import pytest
from sweeps import CLEAN, sweep

from robench import models, tables
from robench.errors import RunError
from robench.report import build


def test_runs_on_other_images_get_a_section_of_their_own(unpainted, one_corruption, tmp_path):
    sweep(tmp_path / "other", corruptions=("awgn@0.1",), limit=30, dataset_name="thirty <digits>")
    build([one_corruption, tmp_path / "other"], tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "<h2>digits test</h2>" in page
    assert "<h2>thirty &lt;digits&gt; test</h2>" in page
    assert "<digits>" not in page


@pytest.mark.parametrize(
    ("options", "title"),
    [({"limit": 30}, "digits test, 30 images"), ({"view": "side16"}, "digits test, side16")],
)
def test_two_sections_of_one_name_keep_their_figures_apart(unpainted, one_corruption, tmp_path, options, title):
    sweep(tmp_path / "other", corruptions=("awgn@0.1",), **options)
    made = build([one_corruption, tmp_path / "other"], tmp_path / "report")
    assert len(made) == len(set(made))
    page = (tmp_path / "report" / "index.html").read_text()
    assert f"<h2>{title}</h2>" in page
    assert page.count("<section id=") == len(set(re.findall(r'<section id="([^"]+)"', page))) == 2


def test_figures_of_an_earlier_report_go_and_other_files_stay(unpainted, one_corruption, tmp_path):
    sweep(tmp_path / "other", corruptions=("contrast@1",))
    build([one_corruption], tmp_path / "report")
    folder = tmp_path / "report" / "figures" / "digits-test"
    (folder / "mine.svg").write_text("mine")
    note = folder.parent / "files.txt"
    note.write_text(note.read_text() + "../report.md\n")
    assert (folder / "awgn.svg").exists()
    build([tmp_path / "other"], tmp_path / "report")
    assert not list(folder.glob("awgn.*"))
    assert (folder / "contrast.svg").exists()
    assert (folder / "mine.svg").read_text() == "mine"
    assert (tmp_path / "report" / "report.md").exists()


def test_one_model_fed_in_two_ways_is_refused(unpainted, one_corruption, tmp_path):
    sweep(tmp_path / "run", corruptions=("awgn@0.1",), normalize="0.2/0.9")
    with pytest.raises(RunError, match=r"'tiny_cnn=digits-clean' has another normalize than in .*; report them apart"):
        build([one_corruption, tmp_path / "run"], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_other_pictures_of_frost_are_refused(unpainted, tmp_path):
    for name in ("one", "other"):
        sweep(tmp_path / name, CLEAN, corruptions=("frost@1",))
    path = tmp_path / "other" / "manifest.json"
    path.write_text(path.read_text().replace('"textures": ""', '"textures": "0123456789abcdef"'))
    with pytest.raises(RunError, match=r"expected the pictures of frost of .*one, got robench's own and 0123456789ab"):
        build([tmp_path / "one", tmp_path / "other"], tmp_path / "report")


def test_a_run_reported_with_itself_changes_nothing(unpainted, one_corruption, tmp_path):
    build([one_corruption], tmp_path / "once")
    build([one_corruption, one_corruption], tmp_path / "twice")
    assert (tmp_path / "once" / "cells.csv").read_bytes() == (tmp_path / "twice" / "cells.csv").read_bytes()


def test_a_report_of_one_model_keeps_no_comparison_of_an_earlier_one(unpainted, one_corruption, tmp_path):
    sweep(tmp_path / "run", CLEAN, corruptions=("awgn@0.1",))
    build([one_corruption], tmp_path / "report")
    assert (tmp_path / "report" / "pairs.csv").exists()
    build([tmp_path / "run"], tmp_path / "report")
    assert not {path.name for path in (tmp_path / "report").iterdir()} & set(tables.COMPARISONS)


def test_two_runs_on_the_same_images_are_one_table(unpainted, tmp_path):
    sweep(tmp_path / "both", corruptions=("awgn@0.1", "contrast@3"))
    sweep(tmp_path / "first", corruptions=("awgn@0.1",))
    sweep(tmp_path / "second", corruptions=("contrast@3",))
    build([tmp_path / "both"], tmp_path / "one")
    build([tmp_path / "first", tmp_path / "second"], tmp_path / "two")
    assert (tmp_path / "one" / "metrics.csv").read_bytes() == (tmp_path / "two" / "metrics.csv").read_bytes()


def test_two_suites_have_a_row_each(unpainted, tmp_path):
    sweep(tmp_path / "run", corruptions=("awgn@0.1",))
    sweep(tmp_path / "run", corruptions=(), suites=("pivot/1",))
    build([tmp_path / "run"], tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text().replace("<wbr>", "")
    shown = re.findall(r'<th scope="row">(tiny_cnn=\S+)</th><td class="text">([^<]+)</td><td data-order="(\d)"', page)
    assert [row[1:] for row in shown] == [("no suite", "1"), ("no suite", "2"), ("pivot/1", "1"), ("pivot/1", "2")]
    lines = re.findall(r"^\| (tiny_cnn=\S+) \| ([^|]+) \| \d", (tmp_path / "report" / "report.md").read_text(), re.M)
    assert lines == [(model, suite) for model, suite, _ in shown]
    assert "& suite &" in (tmp_path / "report" / "accuracy.tex").read_text()
    metrics = pd.read_csv(tmp_path / "report" / "metrics.csv", keep_default_na=False)
    means = metrics[metrics["metric"] == "mean_corruption_accuracy"].set_index(["model", "suite"])["n_cells"]
    assert means["tiny_cnn=digits-clean", ""] == 1
    assert means["tiny_cnn=digits-clean", "pivot/1"] == 8


def test_one_name_for_two_weights_is_refused(one_corruption, tmp_path):
    net = models.load("tiny_cnn", classes=10, random_weights=True, seed=3)
    models.save(tmp_path / "digits-clean.safetensors", net.module, {})
    sweep(tmp_path / "run", f"tiny_cnn={tmp_path / 'digits-clean.safetensors'}", corruptions=("awgn@0.1",))
    with pytest.raises(RunError, match="'tiny_cnn=digits-clean' has another weights_sha256"):
        build([one_corruption, tmp_path / "run"], tmp_path / "report")
    assert not (tmp_path / "report").exists()
