"""Papers' tables: trained once, measured once, set beside what was printed; whatever does not fit is one line."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from robench import datasets, models
from robench import reproduce as room
from robench.errors import ConfigError, DatasetError, TrainError
from robench.files import sha256_file
from robench.reproduce import BUDGETS, ExperimentRunner, Measurement, Page, Table, get, names, reproduce
from robench.training import get as recipe

Tables = tuple[Path, dict[str, list[Path]]]


def smoke(out: Path, name: str) -> list[Path]:
    return reproduce("pivot-loss", out, name, budget="smoke", device="cpu")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The folder of both tables with their networks, and the files of each; what is there is only read."""
    folder = tmp_path_factory.mktemp("pivot-loss")
    return folder, {name: smoke(folder, name) for name in ("table-1", "table-2")}


def test_a_table_is_trained_measured_and_written_once(tables: Tables) -> None:
    folder, made = tables[0], tables[1]["table-1"]
    assert [path.name for path in made] == [
        *("table-1-mnist.csv", "table-1-mnist.md", "table-1-mnist-claims.csv"),
        *("table-1-cifar10.csv", "table-1-cifar10.md", "table-1-cifar10-claims.csv"),
    ]
    assert "NOT met: these numbers do not count" in made[1].read_text()
    copied, run = (folder / place for place in ("cells/mnist-noise.csv", "work/mnist-noise/cells.csv"))
    assert copied.read_bytes() == run.read_bytes()
    networks = sorted((folder / "networks").glob("*.safetensors"))
    assert len(networks) == 18
    stamps = [path.stat().st_mtime_ns for path in networks]
    texts = [path.read_bytes() for path in made]
    assert smoke(folder, "table-1") == made
    assert [path.stat().st_mtime_ns for path in networks] == stamps
    assert [path.read_bytes() for path in made] == texts


def test_the_numbers_are_those_of_the_run_with_their_budget(tables: Tables) -> None:
    folder = tables[0]
    frame = pd.read_csv(folder / "table-2-cifar10.csv")
    cells = pd.read_csv(folder / "work" / "cifar10-lowres" / "cells.csv")
    row = frame[(frame["row"] == "20-L, LR only") & (frame["column"] == "x4 bicubic")].iloc[0]
    cell = cells[
        (cells["model"] == "resnet20=pivot-cifar10-lowres") & (cells["corruption"] == "low_resolution_bicubic")
    ]
    assert row["ours"] == pytest.approx(100 * cell["top1"].iloc[0])
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(
        (100 * cell["top1_ci_low"].iloc[0], 100 * cell["top1_ci_high"].iloc[0])
    )
    assert row["paper"] == 72.9
    details = ["n", "dataset", "recipe", "train_n", "epochs", "paper_epochs", "budget"]
    assert list(row[details]) == [6, "digits", "pivot-cifar10-lowres", 16, 1, 240, "smoke"]
    assert row["weights_sha256"] == cell["weights_sha256"].iloc[0]
    assert recipe("pivot-cifar10-lowres").epochs == 240


def test_another_training_under_the_name_is_refused(tables: Tables, tmp_path: Path) -> None:
    networks = shutil.copytree(tables[0] / "networks", tmp_path / "networks")
    shutil.copyfile(networks / "pivot-mnist-clean.safetensors", networks / "pivot-mnist-noise.safetensors")
    with pytest.raises(TrainError, match="expected recipe pivot-mnist-noise, got pivot-mnist-clean; remove it"):
        smoke(tmp_path, "table-1")


def test_weights_that_do_not_say_how_they_were_trained_are_refused(tmp_path: Path) -> None:
    runner = ExperimentRunner(
        tmp_path, tmp_path / "work", replace(BUDGETS["smoke"], name="small"), {"mnist": "digits"}, "cpu"
    )
    path = tmp_path / "networks" / "one.safetensors"
    path.parent.mkdir()
    models.save(path, models.load("tiny_cnn=digits-clean", classes=10).module, {})
    with pytest.raises(TrainError, match="expected recipe pivot-mnist-noise, got None; remove it"):
        runner.trained("one", "pivot-mnist-noise", "tiny_cnn", "mnist", small={})


@pytest.mark.parametrize(("field", "first", "then"), [("lr", 0.05, 0.1), ("train_n", 8, 12)])
def test_a_network_of_other_settings_is_refused(field: str, first: float, then: float, tmp_path: Path) -> None:
    runner = ExperimentRunner(
        tmp_path, tmp_path / "work", replace(BUDGETS["smoke"], name="small"), {"mnist": "digits"}, "cpu"
    )
    train = partial(runner.trained, "one", "pivot-mnist-noise", "tiny_cnn", "mnist")
    assert train(small={field: first}).metadata[field] == str(first)
    assert train(small={field: first}).metadata[field] == str(first)
    with pytest.raises(TrainError, match=f"one.safetensors: expected {field} {then}, got {first}; remove it"):
        train(small={field: then})


def shop_of(tmp_path: Path, **data: str) -> ExperimentRunner:
    return ExperimentRunner(tmp_path, tmp_path / "work", BUDGETS["small"], data, "cpu")


def test_a_network_of_other_images_is_refused(tmp_path: Path) -> None:
    for name, number in itertools.product(("one", "other"), range(40)):
        file = tmp_path / name / "train" / f"class{number % 2}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 6 * number).save(file)
    options = {"model": "tiny_cnn", "data": "mnist", "small": {"epochs": 1, "batch_size": 4}}
    trained = shop_of(tmp_path, mnist=f"folder:{tmp_path / 'one'}").trained("a", "clean", **options)
    assert trained.metadata["dataset"] == trained.details["trained_on"] == "one"
    with pytest.raises(TrainError, match=r"a.safetensors: expected dataset other, got one; remove it to train it"):
        shop_of(tmp_path, mnist=f"folder:{tmp_path / 'other'}").trained("a", "clean", **options)


def test_more_training_images_than_there_are_is_all_of_them(tmp_path: Path) -> None:
    runner = shop_of(tmp_path, mnist="digits")
    n = len(datasets.load("digits@train"))
    small = {"epochs": 1, "batch_size": 200, "train_n": n + 1}
    assert runner.trained("a", "clean", "tiny_cnn", "mnist", small=small).metadata["train_n"] == str(n)
    assert runner.trained("a", "clean", "tiny_cnn", "mnist", small=small).metadata["train_n"] == str(n)


def test_a_network_that_began_from_other_weights_is_refused(tmp_path: Path) -> None:
    runner = shop_of(tmp_path, mnist="digits")
    small = {"epochs": 1, "batch_size": 200, "train_n": 20}
    first = runner.trained("first", "clean", "tiny_cnn", "mnist", small=small)
    second = partial(runner.trained, "second", "clean", "tiny_cnn", "mnist", small=small, init=str(first.path))
    assert second().metadata["start_sha256"] == sha256_file(first.path)
    first.path.unlink()
    runner.trained("first", "clean", "tiny_cnn", "mnist", small=small | {"lr": 0.01})
    with pytest.raises(TrainError, match=r"second.safetensors: expected start_sha256 .*; remove it to train it again"):
        second()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"paper": "pivot-los"}, "unknown paper 'pivot-los'; did you mean pivot-loss"),
        ({"name": "table-9"}, "unknown table or figure of pivot-loss 'table-9'; did you mean table-"),
        ({"budget": "smal"}, "unknown budget 'smal'; did you mean small"),
        ({"budget": "small"}, "expected --data mnist=DATASET, got none"),
        ({"budget": "small", "data": {"mnist": "mnist:x"}}, "expected --data cifar10=DATASET, got mnist"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_trained(
    options: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        reproduce(**{"paper": "pivot-loss", "out": tmp_path, "budget": "smoke", **options})  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_the_small_budget_may_need_more_data_than_the_papers(tmp_path: Path) -> None:
    given = {"flowers17": "flowers17:x"}
    with pytest.raises(ConfigError, match="expected --data tiny-imagenet=DATASET, got flowers17"):
        reproduce("low-pass", tmp_path, "table-1", budget="small", data=given)
    with pytest.raises(DatasetError, match="flowers17: x does not exist"):
        reproduce("low-pass", tmp_path, "table-1", budget="paper", data=given)


def test_a_budget_changes_the_recipe_and_the_training_images(tmp_path: Path) -> None:
    runner = ExperimentRunner(tmp_path, tmp_path / "work", BUDGETS["small"], {"mnist": "digits"}, device="cpu")
    small = {"epochs": 1, "train_n": 20, "lr": 0.5, "milestones": (), "schedule": "constant"}
    trained = runner.trained("net", "pivot-mnist-clean", "tiny_cnn", "mnist", small=small)
    assert [trained.metadata[key] for key in ("train_n", "epochs_run", "recipe_epochs", "lr")] == [
        "20",
        "1",
        "19",
        "0.5",
    ]
    changes = ("lr 0.5 (0.1)", "schedule constant (steps)", "in fp32")
    assert trained.details["changed"] == ", ".join(changes)
    assert list(trained.history["epoch"]) == [1]
    assert runner.trained("net", "pivot-mnist-clean", "tiny_cnn", "mnist", small=small) == trained


def test_every_item_is_of_a_paper_and_known_by_its_name() -> None:
    assert len(names()) == len(set(names())) > 1
    for key in names():
        paper, _, name = key.partition("/")
        [one] = get(paper, name)
        assert one.about


def test_the_page_on_papers_has_every_item() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "papers.md").read_text().splitlines()
    paper, shown = "", set()
    for line in lines:
        first, second = ([*line.split("|"), "", "", ""])[1:3]
        paper = first.split("`")[1] if first.count("`") == 2 else paper
        shown |= {f"{paper}/{name}" for name in second.split("`")[1::2]}
    assert set(names()) <= shown


def test_the_page_on_papers_has_a_command_for_every_paper() -> None:
    page = (Path(__file__).parents[2] / "docs" / "papers.md").read_text()
    for paper in {name.partition("/")[0] for name in names()}:
        [command] = [line for line in page.splitlines() if line.startswith(f"robench reproduce {paper} --data")]
        needed = {name for one in get(paper) for name in (*one.data, *one.small_data)}
        assert {part.partition("=")[0] for part in command.split("--data ")[1:]} == needed


def test_a_table_by_hand(tmp_path: Path) -> None:
    names = ("model", "trained_on", "train_n", "epochs", "paper_epochs", "changed", "n", "weights_sha256")
    details = {name: name for name in names}
    measurements = {
        ("a", "x"): Measurement(50.04, 40.0, 60.0, details),
        ("a", "y"): Measurement(None, note="ValueError: no room"),
    }
    table = Table(["x", "y"], {"a": (91.6, 2.0), "b": (None, 3.0)}, measurements)
    frame = table.frame()
    assert list(frame["note"]) == ["", "ValueError: no room", "not run", "not run"]
    assert frame["ours"].notna().tolist() == [True, False, False, False]
    made = table.write(tmp_path / "t", Page("Title", "Someone 2018", ["a note"]))
    assert [path.name for path in made] == ["t.csv", "t.md"]
    lines = made[1].read_text().splitlines()
    assert lines[:3] == ["# Title", "", "Someone 2018."]
    assert "| a | 91.6 / **50.0** [40.0, 60.0] | 2 / – |" in lines
    assert "| b | – / – | 3 / – |" in lines
    trained = "train_n training images of trained_on, epochs epochs (the recipe has paper_epochs), changed"
    assert lines[-2:] == ["- a note", f"- a: model, {trained}, n = n, weights weights_sha2"]


def test_a_column_may_have_a_form_of_its_own() -> None:
    measurements = {("a", "rate"): Measurement(0.001), ("a", "accuracy"): Measurement(75.0, 67.1, 81.52)}
    table = Table(["rate", "accuracy"], {"a": (None, None)}, measurements, ".4g", {"accuracy": ".2f"})
    assert table.markdown().splitlines()[-1] == "| a | – / **0.001** | – / **75.00** [67.10, 81.52] |"


def test_networks_that_were_not_trained_say_so() -> None:
    details = {"model": "alexnet=IMAGENET1K_V1", "train_n": "", "n": 5, "weights_sha256": "abcdef" * 10}
    measurements = {
        ("top-1", "clean"): Measurement(1.0, details=details),
        ("top-5", "clean"): Measurement(2.0, details=details),
    }
    page = Page("T", "S").markdown("", measurements)
    assert "- top-1; top-5: alexnet=IMAGENET1K_V1, weights as published, n = 5, weights abcdefabcdef" in page


def test_public_names_are_there() -> None:
    assert all(hasattr(room, name) for name in room.__all__)


def test_a_figure_has_a_line_a_training_and_its_rows(tmp_path: Path) -> None:
    reproduce("fine-tuning", tmp_path, "figure-8", budget="smoke", device="cpu")
    rows = pd.read_csv(tmp_path / "figure-8.csv")
    lines = ["no train", *(f"first-{first}" for first in range(1, 6)), "retrain"]
    assert list(dict.fromkeys(rows["line"])) == lines
    assert len(rows) == 2 * len(lines) * 5
    assert rows["y"].between(0, 1, inclusive="neither").all()
    start = rows[(rows["x"] == 0) & (rows["line"] == "no train")]
    assert start["y"].nunique() == 1
    with Image.open(tmp_path / "figure-8.png") as figure:
        assert figure.width > 500


@pytest.mark.slow
@pytest.mark.parametrize("paper", sorted({key.partition("/")[0] for key in names()}))
def test_the_smoke_budget_of_every_paper(paper: str, tmp_path: Path) -> None:
    made = reproduce(paper, tmp_path, budget="smoke", device="cpu")
    assert all(path.stat().st_size for path in made)
    for path in made:
        if path.suffix == ".csv":
            rows = pd.read_csv(path)
            measured = next(name for name in ("y", "ours", "value", "difference") if name in rows)
            assert rows[measured].notna().any()
            assert "note" not in rows or set(rows["note"].dropna()) <= {"not run"}
        if path.suffix == ".md" and "training images of" in (page := path.read_text()):
            assert "Floor: " in page, path.name
