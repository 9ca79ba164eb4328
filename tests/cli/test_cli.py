"""What every command has, and what the listing commands print."""

import json
import shlex
import subprocess
import sys

import click
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageColor

import robench as package
from robench.cli import cli

COMMANDS = sorted(cli.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_parses(name, robench):
    said = robench(name, "--help")
    assert said.code == 0
    assert "Example:" in said.out
    lines = [line.strip() for line in cli.commands[name].help.splitlines()]
    examples = [line for line in lines if line.startswith("robench ")]
    assert examples
    for example in examples:
        words = shlex.split(example)
        assert words[1] == name
        cli.commands[name].make_context(name, words[2:])


def test_the_group_s_help_shows_every_command(robench):
    said = robench("--help")
    assert said.code == 0
    for name in COMMANDS:
        assert f"  {name} " in said.out


def test_options_all_have_one_spelling_per_meaning():
    spelled = {}
    for command in cli.commands.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                spelled.setdefault(parameter.opts[-1], set()).add(tuple(parameter.opts))
    assert all(len(forms) == 1 for forms in spelled.values()), spelled


@pytest.mark.parametrize("group", [(), ("leaderboard",)])
def test_the_help_has_a_whole_sentence_for_every_command(robench, group):
    lines = robench(*group, "--help").out.partition("Commands:\n")[2].splitlines()
    assert len(lines) >= 4
    for line in lines:
        assert line.endswith("."), line
        assert not line.endswith("..."), line


def test_version(robench):
    assert robench("--version").out == f"robench, version {package.__version__}\n"


def test_python_m_robench_is_the_command():
    done = subprocess.run([sys.executable, "-m", "robench", "list", "suites"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "demo/1" in done.stdout


@pytest.mark.parametrize("kind", ["corruptions", "models", "datasets", "suites", "recipes", "papers"])
def test_list_prints_lines_or_json(kind, robench):
    lines = robench("list", kind).out.splitlines()
    rows = json.loads(robench("list", kind, "--json").out)
    assert len(lines) == len(rows) > 0
    for line, row in zip(lines, rows, strict=True):
        assert line.startswith(row["name"])


def test_list_corruptions_as_json_has_the_facts(robench):
    rows = {row["name"]: row for row in json.loads(robench("list", "corruptions", "--json").out)}
    assert rows["awgn"]["level"]["name"] == "sigma"
    assert rows["gaussian_noise"]["severities"]["32"] == [0.04, 0.06, 0.08, 0.09, 0.10]
    assert rows["jpeg_compression"]["bit_exact"] is True


def test_preview_of_a_picture(robench, tmp_path):
    picture = np.tile(np.arange(48, dtype=np.uint8)[:, None, None] * 5, (1, 40, 3))
    Image.fromarray(picture).save(tmp_path / "ramp.png")
    said = robench("preview", tmp_path / "ramp.png", "-c", "awgn@0.1,0.5", "-c", "contrast", "-o", tmp_path / "s.png")
    assert (said.code, said.out.strip()) == (0, str(tmp_path / "s.png"))
    first = (tmp_path / "s.png").read_bytes()
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.width > sheet.height > 200
    robench("preview", tmp_path / "ramp.png", "-c", "awgn@0.1,0.5", "-c", "contrast", "-o", tmp_path / "s.png")
    assert (tmp_path / "s.png").read_bytes() == first


def test_preview_of_everything_on_the_built_in_photograph(robench, tmp_path):
    assert robench("preview", "--view", "side32", "-o", tmp_path / "all.png").code == 0
    with Image.open(tmp_path / "all.png") as sheet:
        assert len(sheet.getcolors(1 << 24)) > 1000


def test_a_sheet_has_a_row_a_corruption_and_an_image_a_strength(robench, tmp_path):
    Image.new("RGB", (30, 60), "teal").save(tmp_path / "tall.png")
    robench("preview", tmp_path / "tall.png", "-c", "contrast", "-c", "pixelate@1,3", "-o", tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as sheet:
        teal = (np.abs(np.asarray(sheet.convert("RGB"), int) - ImageColor.getrgb("teal")) <= 1).all(axis=2)
    starts = np.diff(teal.astype(int), axis=1) == 1
    counts = starts.sum(axis=1)[teal.any(axis=1)]
    assert counts.tolist() == sorted(counts, reverse=True)
    assert dict(zip(*np.unique(counts, return_counts=True), strict=True)).keys() == {6, 3}
    wide, high = teal.sum(axis=1).max() / 6, (counts == 3).sum()
    assert high / wide == pytest.approx(2, rel=0.03)


def test_status_and_the_end_of_a_sweep_name_what_is_missing(robench, tmp_path):
    run = tmp_path / "run"
    sweep = (
        "evaluate",
        "-m",
        "tiny_cnn=digits-clean",
        "-d",
        "digits",
        "--limit",
        "20",
        "-c",
        "awgn@0.1,0.2",
        "-o",
        run,
    )
    said = robench(*sweep, "--shard", "1/3", "--device", "cpu")
    missing = "missing: tiny_cnn=digits-clean, awgn sigma=0.1, sigma=0.2"
    assert (said.code, missing in said.out) == (0, True)
    said = robench("status", run)
    assert said.out.splitlines() == [f"{run}: 1 of 3 cells done, 0 failed, 2 missing", missing]
    facts = json.loads(robench("status", run, "--json").out)
    assert [facts[name] for name in ("asked", "done", "failed", "missing")] == [3, 1, 0, 2]
    assert [(cell["strength"], cell["status"]) for cell in facts["left"]] == [
        ("sigma=0.1", "missing"),
        ("sigma=0.2", "missing"),
    ]
    assert "missing" not in robench(*sweep, "--device", "cpu").out
    assert robench("status", run).out == f"{run}: 3 of 3 cells done, 0 failed, 0 missing\n"


def test_one_image_has_accuracies_but_no_intervals_of_aggregates(robench, tmp_path):
    models = ("-m", "tiny_cnn=digits-clean", "-m", "tiny_cnn=digits-noise")
    said = robench("evaluate", *models, "-d", "digits", "--limit", "1", "-c", "awgn@0.1,0.3", "-o", tmp_path / "run")
    assert said.code == 0
    assert said.out.count("no interval: one image") == 2
    assert robench("report", tmp_path / "run", "--baseline", models[1], "-o", tmp_path / "report").code == 0
    metrics, pairs, ranks = (pd.read_csv(tmp_path / "report" / f"{name}.csv") for name in ("metrics", "pairs", "ranks"))
    means = metrics[metrics["metric"] == "mean_corruption_accuracy"]
    assert list(means["note"]) == ["no interval: one image"] * 2
    assert means["value"].notna().all()
    for frame in (means, pairs, ranks):
        assert frame[["ci_low", "ci_high"]].isna().all(axis=None)
    assert list(ranks["rank_low"]) == [1, 1]
    assert list(ranks["rank_high"]) == [2, 2]
