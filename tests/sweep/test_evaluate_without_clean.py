"""A downloaded set without clean images: evaluated, reported and compared without a clean cell, and said so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import corruptions
from robench import comparison, datasets, leaderboard, report
from robench.cli import main
from robench.errors import BoardError, ConfigError, DatasetError, RunError
from robench.store import Run
from robench.sweep import SweepConfig, run
from robench.tables import effective_robustness, measure

N = 40
NOTE = "The set has no clean images; clean accuracy is not measured."
NETS = ("tiny_cnn=digits-clean", "tiny_cnn=digits-noise")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Digits darker with each severity, in CORRUPTION/SEVERITY/WNID/FILE as in Tiny-ImageNet-C."""
    root = tmp_path_factory.mktemp("down") / "Digits-C"
    clean = datasets.load("digits", limit=N)
    for name in ("fog", "contrast"):
        for severity in range(1, 6):
            for place, image in enumerate(clean.images(0, N)):
                path = root / name / str(severity) / f"n0{clean.labels[place]}" / f"test_{clean.ids[place]}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image[..., 0] // (severity + 1)).save(path)
    return root


def request(folder: Path, out: Path, *models: str, **options) -> SweepConfig:
    return SweepConfig(models or NETS, f"generated:{folder}", out, device="cpu", **options)


@pytest.fixture(scope="module")
def measured(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    return out, run(request(folder, out, baseline="tiny_cnn=digits-clean"))


def test_there_is_no_clean_cell_and_the_summary_says_so(measured, folder):
    out, outcome = measured
    assert (outcome.failed, outcome.computed) == ([], 20)
    assert sorted(set(outcome.cells["corruption"])) == ["contrast", "fog"]
    assert NOTE in outcome.text().splitlines()
    assert outcome.to_dict()["notes"] == [NOTE]
    told = Run(out).manifest()["dataset"]
    assert (told["name"], told["n"], told["classes"]) == ("Digits-C", N, [f"n0{digit}" for digit in range(10)])
    assert run(request(folder, out)).found == 20


def test_labels_are_the_sorted_class_folders(measured, folder):
    """The networks are right as often as on the same pixels with the labels of the data set."""
    _, outcome = measured
    clean = datasets.load("digits", limit=N)
    cells = outcome.cells.set_index(["model", "corruption", "strength"])
    np.savez(folder.parent / "dark.npz", images=clean.images(0, N) // 2, labels=clean.labels)
    other = run(
        SweepConfig(
            NETS, f"npz:{folder.parent / 'dark.npz'}", folder.parent / "dark", corruptions=("awgn@0.1",), device="cpu"
        )
    )
    dark = other.cells.set_index(["model", "corruption"])
    for model in NETS:
        assert cells.loc[(model, "fog", "1"), "n_correct"] == dark.loc[(model, "clean"), "n_correct"] > N / 2


def test_what_needs_clean_accuracy_is_left_out_with_the_reason(measured):
    out, outcome = measured
    metrics = outcome.metrics.set_index(["model", "metric"])
    assert "clean_accuracy" not in metrics.index.get_level_values("metric")
    for metric in ("relative_ce[fog]", "relative_mce"):
        assert pd.isna(metrics.loc[(NETS[1], metric), "value"])
        assert metrics.loc[(NETS[1], metric), "note"] == "not defined: the set has no clean images"
    assert metrics.loc[(NETS[0], "ce[fog]"), "value"] == 100
    frame = effective_robustness(measure(Run(out)))
    assert set(frame["note"]) == {"not defined: the set has no clean images"}
    assert frame["clean_accuracy"].isna().all()


def test_the_mean_is_over_the_corruptions_alone(measured):
    _, outcome = measured
    cells, metrics = outcome.cells, outcome.metrics.set_index(["model", "metric"])
    mean = cells[cells["model"] == NETS[0]]["top1"].mean()
    assert metrics.loc[(NETS[0], "mean_corruption_accuracy"), "value"] == pytest.approx(mean)


def test_a_report_says_so_and_shows_no_clean_column(measured, tmp_path):
    out, _ = measured
    report.build([out], tmp_path, "tiny_cnn=digits-clean")
    page, text, latex = ((tmp_path / name).read_text() for name in ("index.html", "report.md", "accuracy.tex"))
    assert f"<p>{NOTE}</p>" in page
    assert '<th scope="col">clean</th>' not in page
    assert NOTE in text.splitlines()
    assert "| model | corruptions | mean |" in text
    assert "& clean" not in latex
    assert "& mean" in latex
    assert not list((tmp_path / "figures").rglob("clean-and-robust*"))


def test_runs_are_compared_without_a_clean_row(measured, folder, tmp_path):
    out, _ = measured
    [one] = comparison.compare(out, out)
    assert NOTE in one.text.splitlines()
    assert list(one.differences["what"]) == ["contrast", "fog", "mean_corruption_accuracy"]
    comparison.write([one], tmp_path)
    run(request(folder, tmp_path / "some", limit=20))
    with pytest.raises(RunError, match="expected the images of"):
        comparison.compare(out, tmp_path / "some")


def test_a_board_takes_no_run_without_clean_images(tmp_path):
    root = tmp_path / "All-C"
    root.mkdir()
    clean = datasets.load("digits", limit=N)
    for name in corruptions.suite("cifar10-c/1").keys:
        np.save(root / f"{name}.npy", np.concatenate([clean.images(0, N)] * 5))
    np.save(root / "labels.npy", np.tile(clean.labels, 5))
    run(request(root, tmp_path / "run", suites=("cifar10-c/1",)))
    with pytest.raises(BoardError, match="expected a run with clean images, which a board shows"):
        leaderboard.add(tmp_path / "run", tmp_path / "boards")
    assert not (tmp_path / "boards").exists()


def test_a_limit_and_a_list_choose_its_images(folder, tmp_path):
    whole = datasets.open_generated(folder)
    some = datasets.open_generated(folder, limit=10)
    assert some.base.ids.tolist() == list(range(0, N, 4))
    assert np.array_equal(some.cell("fog", "2").images(0, 10), whole.cell("fog", "2").images(0, N)[::4])
    name = f"n0{whole.base.labels[7]}/{whole.base.stems[7]}"
    (tmp_path / "list.txt").write_text(f"{name}.png\n")
    outcome = run(request(folder, tmp_path / "run", NETS[0], corruptions=("fog@1",), ids=tmp_path / "list.txt"))
    assert outcome.cells["n"].tolist() == [1]
    with pytest.raises(DatasetError, match=r"Digits-C@test has no image 'n00/test\.png'; did you mean n00/test_"):
        datasets.open_generated(folder, ids=["n00/test.png"])


def test_a_limit_of_a_written_set_is_refused(tmp_path):
    from robench.export import generate
    from robench.selection import select

    generate(datasets.load("digits", limit=8), select([], ["contrast@1"]), tmp_path / "set")
    with pytest.raises(ConfigError, match="a set that robench generate wrote has its images; got a limit or ids"):
        run(request(tmp_path / "set", tmp_path / "run", limit=4))
    with pytest.raises(ConfigError, match="a limit and ids choose clean images"):
        datasets.open_generated(tmp_path / "set", clean=datasets.load("digits"), limit=4)


def test_a_model_that_needs_clean_images_is_refused(folder, tmp_path, monkeypatch):
    from robench.models import Classifier

    monkeypatch.setattr(Classifier, "needs_clean", True)
    with pytest.raises(ConfigError, match=r"'tiny_cnn=digits-clean' needs the clean images of generated:.*: --clean"):
        run(request(folder, tmp_path / "run"))


def test_data_are_told_apart_by_their_labels_names_and_ids(folder):
    whole = datasets.open_generated(folder)
    digests = {whole.base.digest, datasets.open_generated(folder, limit=20).base.digest}
    digests.add(datasets.open_generated(folder, ids=[0, 1]).base.digest)
    assert len(digests) == 3
    assert datasets.open_generated(folder, name="mine").base.digest == whole.base.digest


def test_the_command_line(folder, tmp_path, capsys):
    args = ["evaluate", "-m", NETS[0], "-d", f"generated:{folder}", "--limit", "10", "--device", "cpu"]
    with pytest.raises(SystemExit) as ended:
        main([*args, "-o", str(tmp_path / "run"), "--json"])
    assert not ended.value.code
    assert json.loads(capsys.readouterr().out)["notes"] == [NOTE]
    with pytest.raises(SystemExit) as ended:
        main([*args, "-o", str(tmp_path / "run"), "--view", "side16"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "robench: a generated set has its view; got --view side16\n"
