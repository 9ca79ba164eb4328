"""Papers' figures: lines, bars and maps, drawn from the rows that stand beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from robench import metrics, plots
from robench.reproduce import Bars, Lines, Measurement, Page, Point
from robench.reproduce._cells import Cells, error
from robench.reproduce._maps import Maps
from robench.reproduce._trained_network import TrainedNetwork
from robench.store import Run

LABEL = "tiny_cnn=weights"


def measurement(value: float, width: float = 2.0) -> Measurement:
    return Measurement(value, value - width, value + width, {"model": LABEL, "n": 10})


def lines() -> Lines:
    points = [
        Point(panel, line, x, measurement(10 * x + 5 * len(line)))
        for panel in ("a", "b", "c")
        for line in ("one", "one, restored", "other")
        for x in (0, 1, 2)
    ]
    return Lines(points, {"a": "sigma", "b": "sigma", "c": "radius"}, "accuracy", {"one, restored": "one"})


def test_a_dashed_line_shares_the_colour_of_its_solid_one() -> None:
    with plots.settings():
        figure = lines().drawn()
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["sigma", "sigma", "radius"]
    drawn = {str(line.get_label()): line for line in figure.axes[0].get_lines()}
    colours = {name: to_hex(line.get_color()) for name, line in drawn.items()}
    assert colours["one"] == colours["one, restored"] != colours["other"]
    assert [drawn[name].get_linestyle() for name in drawn] == ["-", "--", "-"]
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "one, restored", "other"]


def test_the_whole_legend_is_on_the_figure() -> None:
    names = [f"a network with a long name, number {number}" for number in range(6)]
    points = [Point("a", name, x, measurement(50)) for name in names for x in (0, 1)]
    with plots.settings():
        figure = Lines(points, {"a": "sigma"}, "accuracy").drawn()
        figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.width


def test_each_panel_has_its_y_axis() -> None:
    points = [Point(panel, "net", x, Measurement(1.0)) for panel in ("loss", "accuracy") for x in (1, 2)]
    about = {"loss": "cross-entropy", "accuracy": "%"}
    with plots.settings():
        figure = Lines(points, dict.fromkeys(about, "epoch"), about, marked=False).drawn()
    assert [axes.get_ylabel() for axes in figure.axes] == ["cross-entropy", "%"]
    assert figure.axes[0].get_lines()[0].get_marker() == "None"


def test_panels_of_one_scale_share_their_y_axis() -> None:
    def axes(*, one_scale: bool) -> list[Axes]:
        points = [
            Point(panel, "net", x, measurement(height)) for panel, height in (("a", 5), ("b", 80)) for x in (0, 1)
        ]
        with plots.settings():
            return Lines(points, dict.fromkeys("ab", "sigma"), "accuracy", one_scale=one_scale).drawn().axes

    apart, shared = axes(one_scale=False), axes(one_scale=True)
    assert apart[0].get_ylim() != apart[1].get_ylim()
    assert shared[0].get_ylim() == shared[1].get_ylim()
    assert shared[0].get_ylim()[1] >= 82
    assert [one.get_ylabel() for one in apart] == ["accuracy", "accuracy"]
    assert [one.get_ylabel() for one in shared] == ["accuracy", ""]


def test_many_whole_numbers_have_ticks_at_whole_numbers() -> None:
    def ticks(step: float) -> list[float]:
        points = [Point("a", "net", 1 + step * number, measurement(50)) for number in range(18)]
        with plots.settings():
            figure = Lines(points, {"a": "epoch"}, "accuracy").drawn()
            figure.draw_without_rendering()
        return [float(tick) for tick in figure.axes[0].get_xticks()]

    assert all(tick.is_integer() for tick in ticks(1))
    assert not all(tick.is_integer() for tick in ticks(0.1))


def test_a_page_says_in_which_panel_a_network_stands(tmp_path: Path) -> None:
    def trained(model: str) -> Measurement:
        budget = {"train_n": 5, "trained_on": "digits", "epochs": 1, "paper_epochs": 2}
        return Measurement(50.0, 49.0, 51.0, {"model": model, **budget})

    points = [
        *(Point("blur", "tuned", x, trained("for-blur")) for x in (0, 1)),
        *(Point("noise", "tuned", x, trained("for-noise")) for x in (0, 1)),
        *(Point(panel, "untuned", 0, trained("plain")) for panel in ("blur", "noise")),
    ]
    page = Lines(points, dict.fromkeys(("blur", "noise"), "sigma"), "error").write(tmp_path / "f", Page("F", "S"))[-1]
    metadata = [line.partition(", ")[0] for line in page.read_text().splitlines() if line.startswith("- ")]
    assert metadata == ["- blur (tuned): for-blur", "- noise (tuned): for-noise", "- untuned: plain"]


def test_bars_stand_in_groups_with_their_intervals() -> None:
    points = [
        Point("", line, group, measurement(height)) for group, height in (("fog", 40), ("snow", 60)) for line in "ab"
    ]
    with plots.settings():
        [axes] = Bars([*points, Point("", "b", "frost", Measurement(0.0, 0.0, 20.0))], "accuracy").drawn().axes
    heights = [bar.get_height() for bar in axes.patches]
    assert heights[:2] == [40, 60]
    assert heights[3:6] == [40, 60, 0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["fog", "snow", "frost"]
    centres = [bar.get_x() + bar.get_width() / 2 for bar in axes.patches]
    assert np.allclose([(centres[0] + centres[3]) / 2, (centres[1] + centres[4]) / 2], [0, 1])


def test_many_bars_stand_in_panels_below_each_other() -> None:
    groups = [f"corruption_{number}" for number in range(19)]
    points = [
        Point("", line, group, measurement(40.0 + number)) for number, group in enumerate(groups) for line in "abcd"
    ]
    with plots.settings():
        figure = Bars(points, "accuracy").drawn()
    assert figure.get_size_inches()[0] < 8
    names = [[label.get_text() for label in axes.get_xticklabels()] for axes in figure.axes]
    assert [len(some) for some in names] == [7, 7, 5]
    assert [name for some in names for name in some] == [group.replace("_", "\n") for group in groups]
    heights = [bar.get_height() for axes in figure.axes for bar in list(axes.patches)[: len(axes.patches) // 4]]
    assert heights == [40.0 + number for number in range(19)]
    assert {axes.get_xlim() for axes in figure.axes} == {(-0.6, 6.6)}


def test_the_page_of_bars_has_their_numbers(tmp_path: Path) -> None:
    points = [
        Point("", "a", "glass_blur", Measurement(40.04, 38.96, 41)),
        Point("", "a", "fog", Measurement(None, note="failed")),
    ]
    points += [Point("", "b", "fog", Measurement(0.0))]
    page = Bars(points, "accuracy").write(tmp_path / "f", Page("F", "S"))[-1].read_text()
    assert "| | a | b |\n|---|---|---|\n| glass blur | 40.0 [39.0, 41.0] | – |\n| fog | – | 0.0 |\n" in page


def test_the_rows_stand_beside_the_figure(tmp_path: Path) -> None:
    page = Page("A figure", "Someone 2018", ["a note"])
    made = lines().write(tmp_path / "f", page)
    assert [path.name for path in made] == ["f.svg", "f.png", "f.csv", "f.md"]
    assert made[-1].read_text().splitlines()[:5] == ["# A figure", "", "Someone 2018.", "", "![A figure](f.png)"]
    rows = pd.read_csv(made[-2])
    assert len(rows) == 27
    assert list(rows.loc[0, ["panel", "line", "x", "y", "low", "high", "n", "model"]]) == [
        *("a", "one", 0, 15, 13, 17, 10, LABEL)
    ]
    before = [path.read_bytes() for path in made]
    assert [path.read_bytes() for path in lines().write(tmp_path / "f", page)] == before


def test_maps_have_one_scale_with_white_at_zero(tmp_path: Path) -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    evidence = [np.array([[1, -4], [0, 2]], np.float32), np.array([[3, 1], [1, 1]], np.float32)]
    middles = np.array([2.5, 4.5])
    maps = Maps(images, ["cat", "dog"], {"BagNet-9": evidence}, {"BagNet-9": (middles, middles)}, "logit")
    with plots.settings():
        figure = maps._drawn()
    scales = {axes.get_images()[1].get_clim() for axes in figure.axes[1:4:2]}
    assert scales == {(-4.0, 4.0)}
    *_, path, _ = maps.write(tmp_path / "m", Page("Maps", "Someone"), {})
    rows = pd.read_csv(path)
    assert rows.loc[1].to_dict() == {
        **{"image": 0, "name": "cat", "network": "BagNet-9"},
        **{"row": 0, "column": 1, "y": 2.5, "x": 4.5, "value": -4},
    }


def cells(status: str = "ok") -> Cells:
    row = {"model": LABEL, "corruption": "clean", "strength": "clean", "status": status, "error": "no room"}
    counts = {"n": 10, "n_correct_top5": 9, "top1": 0.7, "top1_ci_low": 0.4, "top1_ci_high": 0.9}
    traced = {"dataset": "d", "data_digest": "x", "weights_sha256": "y"}
    mean = {"model": LABEL, "metric": "mean_accuracy[fog]", "value": 0.5, "ci_low": 0.3, "ci_high": 0.6, "note": ""}
    lacking = mean | {"metric": "mean_accuracy[snow]", "value": None, "note": "incomplete: 1 of 5"}
    trained = TrainedNetwork("tiny_cnn=weights.safetensors", Path("weights.safetensors"), {"epochs_run": "2"}, "small")
    assert trained.label == LABEL
    return Cells(
        Run(Path("none")),
        pd.DataFrame([row | counts | traced]),
        pd.DataFrame([mean, lacking]),
        {LABEL: trained},
    )


def test_entries_are_in_percent_with_their_intervals() -> None:
    top1, top5 = cells().accuracy(LABEL), cells().top5_accuracy(LABEL)
    assert (top1.value, top1.low, top1.high) == pytest.approx((70, 40, 90))
    low, high = metrics.wilson(9, 10)
    assert (top5.value, top5.low, top5.high) == pytest.approx((90, 100 * low, 100 * high))
    wrong = error(top1)
    assert (wrong.value, wrong.low, wrong.high) == pytest.approx((30, 10, 60))
    assert (wrong.details["epochs"], wrong.details["budget"]) == ("2", "small")
    mean = cells().aggregate(LABEL, "mean_accuracy[fog]")
    assert (mean.value, mean.low, mean.high, mean.details["n"]) == pytest.approx((50, 30, 60, 10))


def test_what_failed_or_lacks_cells_has_no_number() -> None:
    for made in (cells("failed").accuracy(LABEL), cells("failed").top5_accuracy(LABEL)):
        assert (made.value, made.note) == (None, "no room")
        assert error(made) is made
    lacking = cells().aggregate(LABEL, "mean_accuracy[snow]")
    assert (lacking.value, lacking.note) == (None, "incomplete: 1 of 5")
