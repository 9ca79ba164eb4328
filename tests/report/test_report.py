"""Reports and figures: from the runs' files alone, the same bytes twice, nothing shown that was not measured."""

import base64
import io
import re
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sweeps import CLEAN, sweep

from robench import plots, tables, web
from robench.cli import cli, main
from robench.report import _page, build
from robench.store import Run


def test_it_makes_tables_figures_their_data_and_a_page(report):
    stems = {"curves", "heatmap-tiny_cnn=digits-clean", "heatmap-tiny_cnn=digits-noise"}
    stems |= {"calibration-error", "clean-and-robust", "difference", "ranking", "reliability"}
    stems |= {"awgn", "contrast", "spatially_varying_noise_1d", "crop"}
    figures = {path.name for path in (report / "figures" / "digits-test").iterdir()}
    assert figures == {stem + suffix for stem in stems for suffix in (".svg", ".png", ".csv")}
    compared = {"pairs.csv", "ranks.csv", "consistency.csv", "effective_robustness.csv"}
    assert {path.name for path in report.iterdir()} == {
        "index.html",
        "report.md",
        "accuracy.tex",
        "cells.csv",
        "metrics.csv",
        "figures",
    } | compared


def test_a_label_breaks_between_its_words():
    assert web.breakable("lenet5@lp_relu=a<b") == "lenet5@<wbr>lp_<wbr>relu=<wbr>a&lt;b"


def test_the_same_bytes_twice(measured, report, tmp_path):
    build([measured], tmp_path)
    for path in (path for path in report.rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / path.relative_to(report)).read_bytes(), path.name


def test_the_links_of_the_page_are_there(report):
    page = (report / "index.html").read_text()
    markup = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", page, flags=re.DOTALL)
    addresses = re.findall(r'(?:src|href)="([^"]*)"', markup)
    assert len(addresses) > 20
    for address in addresses:
        if not address.startswith(("data:", "#")):
            assert (report / address).exists(), address


def test_identifiers_in_the_page_are_unique(report):
    page = (report / "index.html").read_text()
    page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))
    for used in re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', page):
        assert used in identifiers


def test_the_page_shows_the_measured_numbers(measured, report):
    page = (report / "index.html").read_text()
    cells = tables.cells(Run(measured))
    for accuracy in cells["top1"]:
        assert f">{100 * accuracy:.2f}</td>" in page
    assert cells["data_digest"].iloc[0] in page
    for sha in cells["weights_sha256"].unique():
        assert sha[:16] in page
    assert "Incomplete" not in page


def test_backticks_become_code_and_nothing_else_becomes_markup():
    assert web.with_code("along `length` < 3 & up") == "along <code>length</code> &lt; 3 &amp; up"
    assert web.with_code("`<b>`") == "<code>&lt;b&gt;</code>"


def test_curve_data_are_the_cells_with_the_clean_point_at_the_identity(measured, report):
    rows = pd.read_csv(report / "figures" / "digits-test" / "awgn.csv")
    cells = tables.cells(Run(measured))
    assert list(rows["x"]) == [0, 0.1, 0.3] * 2
    for row in rows.itertuples():
        [cell] = cells[(cells["model"] == row.model) & (cells["strength"] == row.strength)].itertuples()
        assert row.top1 == pytest.approx(cell.top1)
        assert (row.ci_low, row.ci_high) == pytest.approx((cell.top1_ci_low, cell.top1_ci_high))


def facts(**level):
    level = {"name": "q", "unit": "u", "identity": None, "more_is_stronger": True} | level
    return {"level": level}


def frame(strengths, levels, severities):
    return pd.DataFrame(
        {"strength": strengths, "level": levels, "severity": pd.array(severities, "Int64"), "status": "ok"}
    )


def test_axes():
    severities = plots.axis_of(frame(["1", "3"], [0.1, 0.2], [1, 3]), facts(identity=0.0))
    assert (severities.label, dict(severities.places)) == ("severity", {"clean": 0, "1": 1, "3": 3})
    levels = plots.axis_of(frame(["q=2", "q=4"], [2.0, 4.0], [None, None]), facts(identity=1.0))
    assert (levels.label, dict(levels.places), levels.falls) == ("q (u)", {"clean": 1, "q=2": 2, "q=4": 4}, False)
    falling = plots.axis_of(frame(["q=0.5"], [0.5], [None]), facts(identity=1.0, more_is_stronger=False))
    assert falling.falls
    named = plots.axis_of(frame(["q=0.5:0"], [None], [None]), facts())
    assert (named.label, named.ticks, dict(named.places)) == ("strength", True, {"clean": 0, "q=0.5:0": 1})
    stored = plots.axis_of(frame(["1@jpeg85", "3@jpeg85"], [0.1, 0.2], [1, 3]), facts(identity=0.0))
    assert (stored.label, stored.places["3@jpeg85"]) == ("severity, stored as jpeg85", 3.0)
    assert [stored.text(key) for key in stored.places] == ["clean", "1", "3"]
    both = plots.axis_of(frame(["3", "3@jpeg85"], [0.1, 0.1], [3, 3]), facts(identity=0.0))
    assert (both.label, [both.text(key) for key in both.places]) == ("strength", ["clean", "3", "3@jpeg85"])


def test_figures_are_pictures_of_a_legible_size(report):
    for path in (report / "figures").rglob("*.png"):
        with Image.open(path) as picture:
            assert picture.width > 250, path.name
            assert picture.height > 120, path.name
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 50, path.name


def test_missing_cells_are_said_and_not_averaged(unpainted, measured, tmp_path):
    sweep(tmp_path / "run", corruptions=("awgn@0.1,0.3",))
    [one] = (tmp_path / "run").glob("predictions/*noise*/awgn/*0.3*.parquet")
    one.unlink()
    build([tmp_path / "run"], tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Incomplete: 1 of 6 cells" in page
    assert ">missing</td>" in page
    assert "missing: tiny_cnn=digits-noise, awgn sigma=0.3" in page
    metrics = pd.read_csv(tmp_path / "report" / "metrics.csv").set_index(["model", "metric"])
    row = metrics.loc[("tiny_cnn=digits-noise", "mean_corruption_accuracy")]
    assert pd.isna(row["value"])
    assert "1 of 2 cells" in row["note"]


def test_models_are_compared_where_there_are_several(measured, report, tmp_path):
    pairs, ranks = (pd.read_csv(report / f"{name}.csv") for name in ("pairs", "ranks"))
    cells = tables.cells(Run(measured)).set_index(["model", "corruption", "strength"])["top1"]
    assert len(pairs) == len(cells) / 2 + 1
    for row in pairs.iloc[:-1].itertuples():
        one, other = (cells[model, row.corruption, row.strength] for model in (row.model_a, row.model_b))
        assert row.diff == pytest.approx(one - other)
        assert row.diff == pytest.approx((row.n10 - row.n01) / 60)
    assert sorted(ranks["rank"]) in ([1, 1], [1, 2])
    page = (report / "index.html").read_text()
    for name in ("pairs.csv", "ranks.csv", "consistency.csv", "effective_robustness.csv"):
        assert f'href="{name}"' in page
    sweep(tmp_path / "one", CLEAN, corruptions=("awgn@0.1",))
    build([tmp_path / "one"], tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").glob("*.csv")} == {"cells.csv", "metrics.csv"}


def test_a_baseline_is_shown(unpainted, measured, tmp_path):
    build([measured], tmp_path, baseline="tiny_cnn=digits-clean")
    metrics = pd.read_csv(tmp_path / "metrics.csv").set_index(["model", "metric"])
    assert metrics.loc[("tiny_cnn=digits-clean", "ce[awgn]"), "value"] == 100
    assert metrics.loc[("tiny_cnn=digits-noise", "ce[awgn]"), "value"] < 100
    page = (tmp_path / "index.html").read_text()
    assert '<th scope="col">mCE</th>' in page
    assert "of the 75 cells of cifar10-c/1 were not asked for" in page


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("tiny_cnn=digits-cleen", "unknown baseline 'tiny_cnn=digits-cleen'; did you mean tiny_cnn=digits-clean"),
        ("alexnet", "baseline 'alexnet': its errors are published for imagenet, got data set digits"),
    ],
)
def test_a_baseline_that_is_not_there_is_one_line(measured, tmp_path, capsys, name, complaint):
    with pytest.raises(SystemExit) as left:
        main(["report", str(measured), "-o", str(tmp_path / "out"), "--baseline", name])
    said = capsys.readouterr()
    assert (left.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert complaint in said.err
    assert not (tmp_path / "out").exists()


def test_strengths_of_the_table_of_cells_sort_by_strength(unpainted, tmp_path):
    sweep(tmp_path / "run", corruptions=("jpeg_compression@quality=5,quality=100,quality=20",), limit=8)
    build([tmp_path / "run"], tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    found = re.findall(r'data-order="(\d+)">(quality=\d+)</td>', page)
    assert [strength for _, strength in sorted(found, key=lambda pair: int(pair[0]))] == [
        *("quality=100", "quality=20", "quality=5")
    ]


def test_a_report_needs_no_torch(one_corruption, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('poisoned')")
    program = """
        import sys; sys.path.insert(0, sys.argv[1])
        from pathlib import Path
        from robench.report import _page, build
        build([Path(sys.argv[2])], Path(sys.argv[1]) / "report")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(tmp_path), str(one_corruption)], check=True)
    assert (tmp_path / "report" / "index.html").exists()


def test_matplotlib_is_left_as_it_was():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with plots.settings():
        assert mpl.rcParams["svg.hashsalt"] == "robench"
    assert dict(mpl.rcParams) == before


def test_the_command_offers_the_styles_and_measures_that_there_are():
    choices = {option.name: list(getattr(option.type, "choices", ())) for option in cli.commands["report"].params}
    assert choices["style"] == list(plots.STYLES)
    assert set(choices["measure"]) == set(plots.MEASURES) - {"ece"}


def test_the_text_says_the_same_as_the_tables(measured, report):
    text, table = (report / "report.md").read_text(), (report / "accuracy.tex").read_text()
    metrics = pd.read_csv(report / "metrics.csv").set_index(["metric", "model"])
    for _, row in metrics.loc["mean_corruption_accuracy"].iterrows():
        value = f"{100 * row['value']:.2f} [{100 * row['ci_low']:.2f}, {100 * row['ci_high']:.2f}]"
        assert value in text
        assert value in table
    assert "tiny\\_cnn=digits-clean &" in table
    for picture in re.findall(r"\]\((figures/[^)]*)\)", text):
        assert (report / picture).exists()
    cells = tables.cells(Run(measured))
    mean = cells[(cells["model"] == "tiny_cnn=digits-clean") & (cells["corruption"] == "contrast")]["top1"].mean()
    assert re.search(rf"^\| contrast \| {100 * mean:.2f} \|", text, re.MULTILINE)


def test_pdf_files_come_where_asked_for(one_corruption, tmp_path):
    build([one_corruption], tmp_path, pdf=True, measure="error", style="talk")
    assert (tmp_path / "figures" / "digits-test" / "awgn.pdf").read_bytes().startswith(b"%PDF")
    rows = pd.read_csv(tmp_path / "figures" / "digits-test" / "awgn.csv")
    cells = tables.cells(Run(one_corruption))
    assert sorted(rows["error"]) == pytest.approx(sorted(1 - cells["top1"]))
    assert 'href="figures/digits-test/awgn.pdf">PDF</a>' in (tmp_path / "index.html").read_text()


def test_large_examples_stand_in_the_page_as_small_ones(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (224, 224 * 8, 3), np.uint8)).save(tmp_path / "strip.png")
    address = web.data_address(tmp_path / "strip.png")
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
        assert picture.size == (4 * 64, 64)
    assert 75 * len(address) < 4_500_000


@pytest.mark.parametrize("most", ["some", "none"])
def test_a_page_has_the_pictures_that_it_has_room_for(measured, report, tmp_path, monkeypatch, most):
    whole = (report / "index.html").read_bytes()
    svgs, strips = whole.count(b'<div role="img"'), whole.count(b"How it looks")
    room = len(whole) - 100_000 if most == "some" else 0
    monkeypatch.setattr(_page, "MOST_BYTES", room)
    build([measured], tmp_path)
    page = (tmp_path / "index.html").read_bytes()
    shown, left_out = page.count(b'<div role="img"') + page.count(b"How it looks"), page.count(b"are left out")
    assert whole.count(b"are left out") == 0
    assert shown + left_out == svgs + strips
    assert page.count(b'.png">PNG') == whole.count(b'.png">PNG') > 0
    if most == "some":
        assert len(page) < room
        assert shown > left_out > 0
    else:
        assert shown == 0
