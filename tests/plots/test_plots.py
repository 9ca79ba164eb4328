"""Figures: each draws the rows beside it, tells models apart without colour, and has the size of its style."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

import corruptions
from robench import metrics, plots
from robench.errors import ConfigError
from robench.store import Cell
from robench.tables import MEAN, CellScores, Scored, pairs, ranks, reliability

AXIS = plots.Axis("σ", {"clean": 0.0, "sigma=0.1": 0.1, "sigma=0.2": 0.2})


def cells(models, corruptions=("awgn",)):
    """Accuracies that fall with sigma, the first model best."""
    rows = []
    for number, model in enumerate(models):
        rows.append((model, "clean", "clean", 0.9))
        for corruption, (step, strength) in itertools.product(corruptions, enumerate(("sigma=0.1", "sigma=0.2"))):
            rows.append((model, corruption, strength, 0.8 - 0.05 * number - 0.1 * step))
    frame = pd.DataFrame(rows, columns=["model", "corruption", "strength", "top1"])
    bounds = {"top1_ci_low": frame["top1"] - 0.02, "top1_ci_high": frame["top1"] + 0.03}
    return frame.assign(**bounds, ece15=0.1, n=100, status="ok")


def curves(models, measure="accuracy", corruptions=("awgn",)):
    found = cells(models, corruptions)
    rows = pd.concat([plots.curve_rows(found, name, AXIS, measure) for name in corruptions])
    return plots.Curves(rows, dict.fromkeys(corruptions, AXIS), 0.1, measure)


def drawn(drawing, style=plots.PAPER):
    with plots.settings(style):
        figure = drawing.drawn(style)
        figure.draw_without_rendering()
    return figure


def lines(axes):
    return {str(line.get_label()): line for line in axes.get_lines() if not str(line.get_label()).startswith("_")}


def test_error_is_accuracy_turned_with_its_interval() -> None:
    accuracy, error = (curves(["a"], measure).rows for measure in ("accuracy", "error"))
    assert np.allclose(error["error"], 1 - accuracy["top1"])
    assert np.allclose(error["ci_low"], 1 - accuracy["ci_high"])
    assert np.allclose(error["ci_high"], 1 - accuracy["ci_low"])
    [axes] = drawn(curves(["a"], "error")).axes
    assert list(lines(axes)["a"].get_ydata()) == pytest.approx([10, 20, 30])
    assert lines(axes)["chance"].get_ydata()[0] == pytest.approx(90)


def test_calibration_error_has_neither_interval_nor_chance() -> None:
    drawing = curves(["a"], "ece")
    assert drawing.rows["ci_low"].isna().all()
    [axes] = drawn(drawing).axes
    assert set(lines(axes)) == {"a"}
    assert list(lines(axes)["a"].get_ydata()) == pytest.approx([10, 10, 10])


def test_six_lines_differ_without_their_colour() -> None:
    [axes] = drawn(curves(list("abcdef"))).axes
    looks = {(line.get_linestyle(), line.get_marker()) for name, line in lines(axes).items() if name != "chance"}
    colours = {to_hex(line.get_color()) for line in lines(axes).values()}
    assert (len(looks), len(colours)) == (6, 7)


def test_of_more_models_the_six_best_have_colours() -> None:
    models = [f"m{number}" for number in range(9)]
    figure = drawn(curves(list(reversed(models))))
    assert set(lines(figure.axes[0])) == {*models[3:], "3 others", "chance"}
    worst = drawn(curves(models, "error"))
    assert set(lines(worst.axes[0])) == {*models[:6], "3 others", "chance"}


def test_beyond_six_models_one_corruption_has_a_panel_a_model() -> None:
    models = [f"m{number}" for number in range(7)]
    rows = curves(models).rows
    assert isinstance(plots.curve(rows[rows["model"] != "m6"], "awgn", AXIS, 0.1), plots.Curves)
    drawing = plots.curve(rows, "awgn", AXIS, 0.1)
    assert isinstance(drawing, plots.Multiples)
    panels = [axes for axes in drawn(drawing).axes if axes.axison]
    assert [axes.get_title() for axes in panels] == models
    for axes, model in zip(panels, models, strict=True):
        own = [line for line in axes.get_lines() if line.get_marker() == "o"]
        expected = 100 * rows.loc[rows["model"] == model, "top1"]
        assert [list(line.get_ydata()) for line in own] == [pytest.approx(list(expected))]


@pytest.mark.parametrize("style", plots.STYLES.values(), ids=plots.STYLES)
@pytest.mark.parametrize("number", [1, 3, 4, 7])
def test_widths_are_those_of_the_style(style, number) -> None:
    figure = drawn(curves(["a", "b"], corruptions=[f"c{place}" for place in range(number)]), style)
    assert figure.get_size_inches()[0] == (style.column if number == 1 else style.page)
    for axes in figure.axes:
        if axes.axison:
            assert axes.title.get_fontsize() == style.font
    legend = figure.legends[0].get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.width


@pytest.mark.parametrize("style", plots.STYLES.values(), ids=plots.STYLES)
def test_no_axis_label_runs_into_its_neighbour(style) -> None:
    levels = [level for name in corruptions.names() if (level := corruptions.get(name).level)]
    label = max((f"{level.name} ({level.unit})" for level in levels), key=len)
    names = [f"c{place}" for place in range(3)]
    axis = plots.Axis(label, AXIS.places)
    rows = pd.concat([plots.curve_rows(cells(["a"], names), name, axis, "accuracy") for name in names])
    figure = drawn(plots.Curves(rows, dict.fromkeys(names, axis), 0.1, "accuracy"), style)
    extents = [axes.xaxis.label.get_window_extent() for axes in figure.axes]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(extents))


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of paper, talk, got 'poster'"):
        plots.style_named("poster")


def test_ticks_that_would_touch_have_no_text() -> None:
    axis = plots.Axis("p", {"clean": 0.0, "p=0.05": 0.05, "p=0.1": 0.1, "p=0.5": 0.5})
    found = cells(["a"]).replace({"sigma=0.1": "p=0.1", "sigma=0.2": "p=0.5"})
    [axes] = drawn(plots.Curves(plots.curve_rows(found, "awgn", axis), {"awgn": axis}, 0.1)).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "", "0.1", "0.5"]


@pytest.mark.parametrize(
    ("apart", "expected"),
    [
        (["ab", "ac", "bc"], []),
        (["ac", "bc"], [(0, 1)]),
        ([], [(0, 2)]),
        (["ac"], [(0, 1), (1, 2)]),
        (["ab"], [(1, 2)]),
    ],
)
def test_ties_join_neighbours_of_which_no_two_are_told_apart(apart, expected) -> None:
    assert plots.ties("abc", frozenset(map(frozenset, apart))) == expected


def test_two_models_are_told_apart_where_the_interval_of_their_mean_difference_leaves_out_0() -> None:
    rows = [("a", "b", 0.01, 0.03), ("a", "c", -0.01, 0.02), ("b", "c", -0.04, -0.01)]
    found = pd.DataFrame(rows, columns=["model_a", "model_b", "ci_low", "ci_high"]).assign(corruption=MEAN, suite="s")
    others = found.assign(ci_low=1.0).assign(corruption="fog")
    both = pd.concat([found, others])
    assert plots.told_apart(both, "s") == {frozenset("ab"), frozenset("bc")}
    assert plots.told_apart(both, "t") == frozenset()


def test_a_chart_keeps_small_levels_where_they_are() -> None:
    axis = plots.Axis("sigma", {"clean": 0.0, "sigma=0.1": 0.0004, "sigma=0.2": 0.0625})
    rows = plots.curve_rows(cells(["a"]), "awgn", axis)
    values = plots.Curves(rows, {"awgn": axis}, 0.1).vega_spec(["a"])["data"]["values"]
    assert [value["x"] for value in values] == [0.0, 0.0004, 0.0625]


def scored(model, corruption, share, *, severity=1, n=400, suite=""):
    """A cell in which the first `share` of the images are right, with confidences that are 10 points too high."""
    strength = "clean" if corruption == "clean" else str(severity)
    severity = 0 if corruption == "clean" else severity
    place = (suite, corruption, 1, "", severity, strength, "", None, 0, 32)
    cell = Cell(model, model, "d", "test", "native", "e", *place, n, "", "", "fp32")
    right = np.arange(n) < share * n
    bins = metrics.calibration_bins(np.full(n, min(1, share + 0.1), np.float32), right)
    row = {"top1": right.mean(), "top1_ci_low": share - 0.02, "top1_ci_high": share + 0.02}
    return Scored(cell, row, right, bins)


@pytest.fixture(scope="module")
def measured():
    shares = {"a": 0.8, "b": 0.79, "c": 0.5}
    places = [("clean", 0), *itertools.product(("fog", "snow"), (1, 2))]
    return CellScores(
        [
            scored(model, corruption, share - 0.1 * severity + 0.1 * (corruption == "clean"), severity=severity)
            for model, share in shares.items()
            for corruption, severity in places
        ]
    )


def test_the_ranking_shows_means_best_on_top(measured) -> None:
    rows = plots.ranked_rows(ranks(measured), "")
    figure = drawn(plots.Ranking(rows, plots.told_apart(pairs(measured), "")))
    [axes] = figure.axes
    assert [label.get_text().split()[0] for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    points = axes.get_lines()[0]
    assert list(points.get_xdata()) == pytest.approx(list(100 * rows[MEAN]))


def test_a_difference_is_of_the_two_models_in_the_order_asked_for(measured) -> None:
    found = pairs(measured)
    one, other = plots.difference_rows(found, "a", "c"), plots.difference_rows(found, "c", "a")
    assert np.allclose(one["diff"], -other["diff"])
    assert list(one["corruption"]) == ["fog", "fog", "snow", "snow"]
    assert list(one["significant"]) == [True] * 4
    close = plots.difference_rows(found, "a", "b")
    assert not close["significant"].any()
    hatched = [patch for patch in drawn(plots.Difference(close, "a", "b")).axes[0].patches if patch.get_hatch()]
    assert len(hatched) == 4
    assert not [patch for patch in drawn(plots.Difference(one, "a", "c")).axes[0].patches if patch.get_hatch()]


def test_reliability_pools_the_cells_of_a_severity(measured) -> None:
    rows = reliability(measured)
    assert list(dict.fromkeys(rows["severity"])) == ["clean", "1", "2"]
    first = rows[(rows["model"] == "a") & (rows["severity"] == "1")]
    assert list(first["n"]) == [800]
    assert first["accuracy"].iloc[0] == pytest.approx(0.7)
    assert first["confidence"].iloc[0] == pytest.approx(0.8)
    assert (first["bin_low"].iloc[0], first["bin_high"].iloc[0]) == pytest.approx((12 / 15, 13 / 15))
    axes = drawn(plots.Reliability(rows)).axes[0]
    assert list(lines(axes)["severity 1"].get_xdata()) == pytest.approx([80])


def test_a_severity_with_a_missing_cell_is_not_pooled(measured) -> None:
    some = [one for one in measured.found if one.cell.model == "a"]
    gone = Scored(some[-1].cell, {}, None)
    assert set(reliability(CellScores([*some[:-1], gone]))["severity"]) == {"clean", "1"}


def test_clean_against_robust_has_lines_of_equal_drop() -> None:
    rows = pd.DataFrame(
        {"model": ["a", "b"], "clean": [0.9, 0.8], "robust": [0.6, 0.7]}
        | {f"{name}_ci_{end}": [0.5, 0.5] for name in ("clean", "robust") for end in ("low", "high")}
    )
    [axes] = drawn(plots.CleanVsRobust(rows)).axes
    assert {text.get_text() for text in axes.texts} >= {"-10", "-20", "-30"}
    assert np.ptp(axes.get_xlim()) == pytest.approx(np.ptp(axes.get_ylim()))


def test_many_models_are_numbered_in_clean_against_robust() -> None:
    names = list("abcdefgh")
    rows = pd.DataFrame({"model": names, "clean": np.linspace(0.7, 0.9, 8), "robust": np.linspace(0.3, 0.6, 8)})
    rows = rows.assign(**{f"{name}_ci_{end}": rows[name] for name in ("clean", "robust") for end in ("low", "high")})
    figure = drawn(plots.CleanVsRobust(rows))
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [f"{n}  {name}" for n, name in enumerate("hgfedcba", 1)]
    places = {text.get_text(): text.xy for text in figure.axes[0].texts}
    assert places["1"] == pytest.approx((90, 60))
    assert places["8"] == pytest.approx((70, 30))


@pytest.mark.parametrize("measure", list(plots.MEASURES))
@pytest.mark.parametrize("models", ["ab", "abcdefgh"])
def test_every_point_is_within_its_panel(models, measure) -> None:
    found = cells(list(models), ("awgn", "fog"))
    found["ece15"] = np.where(found["corruption"] == "fog", 0.9, 0.1)
    rows = pd.concat([plots.curve_rows(found, name, AXIS, measure) for name in ("awgn", "fog")])
    drawings = [plots.Curves(rows, {"awgn": AXIS, "fog": AXIS}, 0.1, measure)]
    drawings += [plots.curve(rows[rows["corruption"] == name], name, AXIS, 0.1, measure) for name in ("awgn", "fog")]
    for drawing in drawings:
        for axes in drawn(drawing).axes:
            low, high = axes.get_ylim()
            assert all(low <= y <= high for line in axes.get_lines() for y in line.get_ydata())


def test_no_difference_has_no_minus() -> None:
    rows = pd.DataFrame({"corruption": ["fog"] * 3, "strength": list("123"), "diff": [0.0, -0.0001, -0.002]})
    rows = rows.assign(place=[1, 2, 3], significant=True)
    texts = [text.get_text() for text in drawn(plots.Difference(rows, "a", "b")).axes[0].texts]
    assert texts == ["+0.0", "+0.0", "-0.2"]


def test_images_stand_under_the_curve_weak_to_strong(tmp_path) -> None:
    for number, strength in enumerate(AXIS.places):
        Image.fromarray(np.full((8, 24, 3), 80 * number, np.uint8)).save(tmp_path / f"{strength}.png")
    examples = {strength: tmp_path / f"{strength}.png" for strength in AXIS.places}
    one = curves(["a", "b"])
    figure = drawn(plots.WithExamples(one.rows, one, AXIS, examples))
    curve, *images = figure.axes
    assert len(images) == 9
    assert [axes.get_title() for axes in images[::3]] == ["0", "0.1", "0.2"]
    assert [int(axes.images[0].get_array().max()) for axes in images] == [0] * 3 + [80] * 3 + [160] * 3
    assert all(axes.get_window_extent().y1 <= curve.get_window_extent().y0 for axes in images)


def test_corruption_errors_stand_beside_the_baselines_line() -> None:
    metrics = ["ce[fog]", "ce[snow]", "mce", "relative_ce[fog]"]
    table = pd.DataFrame({"suite": "", "model": "a", "metric": metrics, "value": [80.0, 110.0, 95.0, 1.0]})
    table = table.assign(ci_low=table["value"] - 1, ci_high=table["value"] + 1, baseline="alexnet")
    rows = plots.corruption_error_rows(table, "")
    assert list(rows["corruption"]) == ["fog", "snow", "mce"]
    [axes] = drawn(plots.CorruptionErrors(rows)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["fog", "snow", "mce"]
    assert list(axes.get_lines()[0].get_xdata()) == [100, 100]


def test_a_drawing_is_saved_as_vector_picture_and_rows_with_the_same_bytes_twice(tmp_path) -> None:
    drawing = curves(["a", "b"])
    first, second = (drawing.save(tmp_path / folder / "curves", pdf=True) for folder in ("one", "two"))
    assert [path.suffix for path in first] == [".svg", ".png", ".csv", ".pdf"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert len(pd.read_csv(first[2])) == len(drawing.rows)
