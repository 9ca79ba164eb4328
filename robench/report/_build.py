"""From run folders to a report folder; nothing but the runs' files is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from robench import metrics, plots, tables
from robench.errors import RunError
from robench.files import write_text
from robench.report._page import render
from robench.report._section import Figure, Section
from robench.store import Run


def build(runs: Sequence[Path], folder: Path, baseline: str = "") -> list[Path]:
    """Write index.html, tables and figures/ to `folder` from the predictions of `runs`; what was made.

    Tables are cells.csv and metrics.csv, and pairs.csv, ranks.csv, consistency.csv and effective_robustness.csv where
    a data set has more than one model. Runs on the same images stand in one section. baseline: a name for
    `metrics.baseline`; with it metrics.csv has the corruption errors. Raises RunError for a folder that holds no run,
    or two runs that call different weights by one name; UsageError for a baseline that one of the data sets lacks.
    """
    sections: dict[str, Section] = {}
    for path in runs:
        _add(sections, Run(path))
    if baseline:
        for section in sections.values():
            section.baseline = metrics.baseline(baseline, dataset=section.dataset["name"], models=section.models)
    frames = _tables(list(sections.values()))
    made = [_write(folder / name, some) for name, some in frames.items()]
    for name in tables.COMPARISONS.keys() - frames:  # of an earlier report of other runs
        (folder / name).unlink(missing_ok=True)
    with plots.settings():
        for section in sections.values():
            _draw(section, folder / "figures" / _file_name(section.title))
    write_text(folder / "index.html", render(list(sections.values()), folder))
    figures = [path for section in sections.values() for figure in section.figures for path in figure.files]
    return [folder / "index.html", *made, *figures]


def _tables(sections: Sequence[Section]) -> dict[str, list[pd.DataFrame]]:
    """The frames of each file, one a section; those that compare models only from sections with several."""
    several = [section.measured for section in sections if len(section.models) > 1]
    made = {name: [compare(one) for one in several] for name, compare in tables.COMPARISONS.items() if several}
    return {
        "cells.csv": [section.rows for section in sections],
        "metrics.csv": [section.metrics for section in sections],
    } | made


def _write(path: Path, frames: Sequence[pd.DataFrame]) -> Path:
    """One CSV of all frames, which have the same columns."""
    texts = [tables.to_csv(frame) for frame in frames]
    write_text(path, texts[0] + "".join(text.partition("\n")[2] for text in texts[1:]))
    return path


def _add(sections: dict[str, Section], run: Run) -> None:
    manifest = run.manifest()
    found = tables.scored(run)
    section = sections.setdefault(
        manifest["dataset"]["digest"], Section(manifest["dataset"], environment=manifest["environment"])
    )
    for model in manifest["models"]:
        there = section.models.setdefault(model["label"], model)
        if there["weights_sha256"] != model["weights_sha256"]:
            raise RunError(
                f"{run.folder}: '{model['label']}' has other weights than in {section.runs[0]}; report them apart"
            )
    section.add(found)
    section.corruptions |= manifest["corruptions"]
    section.runs.append(run.folder)


def _draw(section: Section, folder: Path) -> None:
    chance = 1 / len(section.dataset["classes"])
    panels = {}
    for corruption in dict.fromkeys(section.cells["corruption"]):
        if corruption == tables.CLEAN:
            continue
        rows = section.cells[section.cells["corruption"] == corruption]
        axis = plots.axis_of(rows, section.corruptions.get(corruption, {}))
        panels[corruption] = (plots.curve_rows(section.cells, corruption, axis), axis)
    if not panels:
        return
    together = pd.concat([frame for frame, _ in panels.values()])
    overview = plots.save(plots.curves(panels, chance), together, folder / "curves")
    text = "Top-1 accuracy over strength. Bands are 95 % Wilson intervals; the dotted line is chance."
    section.figures.append(Figure("All corruptions", text, tuple(overview)))
    for label in section.models:
        rows = plots.heatmap_rows(section.cells, label)
        if len(rows):
            files = plots.save(plots.heatmap(rows, label), rows, folder / f"heatmap-{_file_name(label)}")
            text = "Top-1 accuracy in percent; under it the level, where the strength is not a severity."
            section.figures.append(Figure(f"{label}: corruption x strength", text, tuple(files)))
    for corruption, panel in panels.items():
        files = plots.save(plots.curves({corruption: panel}, chance), panel[0], folder / corruption)
        summary = section.corruptions.get(corruption, {}).get("summary", "")
        section.figures.append(Figure(corruption, summary, tuple(files), _examples(section, corruption)))


def _examples(section: Section, corruption: str) -> tuple[tuple[str, Path], ...]:
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


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.@=+-]+", "-", text)
