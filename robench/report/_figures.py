"""Which figures a data set's section has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from robench import plots, tables
from robench.files import file_name
from robench.report._section import Section

Examples = tuple[tuple[str, Path], ...]


@dataclass(frozen=True)
class Planned:
    """A figure before it is drawn: part of the page, name of its file, title, what it shows, and what draws it."""

    part: str
    name: str
    title: str
    text: str
    drawing: plots.Figure
    examples: Examples = ()


def drawings(section: Section, measure: str = "accuracy") -> Iterator[Planned]:
    """In the order of the page: all corruptions, models in order, calibration, each model, each corruption."""
    axes = _axes(section)
    if not axes:
        return
    yield _overview(section, axes, measure)
    for suite in section.suites:
        mark = f"-{file_name(suite)}" if section.several_suites and suite else ""
        for one in _of_suite(section, suite):
            yield replace(one, name=one.name + mark, title=one.title + (f", {suite}" if mark else ""))
    yield _overview(section, axes, "ece")
    for label in section.models:
        rows = plots.heatmap_rows(section.cells, label)
        if len(rows):
            text = "Top-1 accuracy in percent; under it the level, where the strength is not a severity."
            drawing = plots.Heatmap(rows, label)
            yield Planned("cells", f"heatmap-{file_name(label)}", f"{label}: corruption x strength", text, drawing)
    for corruption, axis in axes.items():
        yield _of_corruption(section, corruption, axis, measure)


def _axes(section: Section) -> dict[str, plots.Axis]:
    names = [name for name in dict.fromkeys(section.cells["corruption"]) if name != tables.CLEAN]
    return {
        name: plots.axis_of(section.cells[section.cells["corruption"] == name], section.corruptions.get(name, {}))
        for name in names
    }


def _overview(section: Section, axes: dict[str, plots.Axis], measure: str) -> Planned:
    rows = pd.concat([plots.curve_rows(section.cells, name, axis, measure) for name, axis in axes.items()])
    drawing = plots.Curves(rows, axes, section.chance, measure)
    if measure == "ece":
        text = "Expected calibration error in 15 equal bins: how far confidence and accuracy are apart."
        return Planned("calibration", "calibration-error", "Calibration error over strength", text, drawing)
    text = f"Top-1 {measure} over strength. Bands are 95 % Wilson intervals; the dotted line is chance."
    return Planned("overview", "curves", "All corruptions", text, drawing)


def _of_suite(section: Section, suite: str) -> Iterator[Planned]:
    ranked = plots.ranked_rows(section.ranks, suite)
    if len(ranked) > 1:
        text = (
            "Mean corruption accuracy with its 95 % interval; models that are not told apart are joined in the files."
        )
        ranking = plots.Ranking(ranked, plots.told_apart(section.pairs, suite))
        yield Planned("order", "ranking", "Models in order", text, ranking)
    traded = plots.trade_off_rows(section.metrics, suite)
    if len(traded) > 1:
        text = "Mean corruption accuracy over clean accuracy; the files have lines of equal drop."
        yield Planned("order", "clean-and-robust", "Clean against robust", text, plots.CleanVsRobust(traded))
    if len(ranked) > 1:
        yield from _difference(section, suite, *ranked["model"][:2])
    errors = plots.corruption_error_rows(section.metrics, suite)
    if len(errors):
        text = "Corruption error in percent of the baseline's; left of 100 is better."
        yield Planned("errors", "corruption-errors", "Corruption errors", text, plots.CorruptionErrors(errors))
    reliability = section.reliability[section.reliability["suite"] == suite]
    if len(reliability):
        text = "Accuracy over confidence in 15 equal bins; below the diagonal a model trusts itself too much."
        yield Planned("calibration", "reliability", "Reliability", text, plots.Reliability(reliability))


def _difference(section: Section, suite: str, best: str, second: str) -> Iterator[Planned]:
    """The two that lead the ranking, cell by cell."""
    pairs = section.pairs[section.pairs["suite"] == suite]
    rows = plots.difference_rows(pairs, best, second)
    if len(rows):
        text = "Points of accuracy; hatched where the paired difference is not significant (McNemar, Holm, 5 %)."
        yield Planned("cells", "difference", f"{best} less {second}", text, plots.Difference(rows, best, second))


def _of_corruption(section: Section, corruption: str, axis: plots.Axis, measure: str) -> Planned:
    rows = plots.curve_rows(section.cells, corruption, axis, measure)
    drawing = plots.curve(rows, corruption, axis, section.chance, measure)
    examples = _examples(section, corruption)
    if examples and isinstance(drawing, plots.Curves):
        drawing = plots.WithExamples(rows, drawing, axis, dict(examples))
    summary = section.corruptions.get(corruption, {}).get("summary", "")
    return Planned("curves", corruption, corruption, summary, drawing, examples)


def _examples(section: Section, corruption: str) -> Examples:
    """Each strength's strip of example images, where a run kept them; the clean ones first."""
    strengths = list(section.cells.loc[section.cells["corruption"] == corruption, "strength"].drop_duplicates())
    places = [(tables.CLEAN, tables.CLEAN), *((corruption, strength) for strength in strengths)]
    found = []
    for name, strength in places:
        for run in section.runs:
            path = run / "examples" / name / f"{strength}.png"
            if path.exists():
                found.append((strength, path))
                break
    return tuple(found)
