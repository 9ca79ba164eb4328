"""From run folders to a report folder; nothing but the runs' files is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from robench import metrics, plots, tables
from robench.errors import RunError
from robench.files import file_name, write_text
from robench.report._figures import drawings
from robench.report._page import render
from robench.report._section import PlacedFigure, Section, name_apart
from robench.report._text import latex, markdown
from robench.store import Run, joined_versions, unlike

NOTE = "files.txt"


def build(
    runs: Sequence[Path],
    folder: Path,
    baseline: str = "",
    *,
    style: str = "paper",
    measure: str = "accuracy",
    pdf: bool = False,
) -> list[Path]:
    """Write index.html, report.md, accuracy.tex, tables and figures/ from the predictions of `runs`; what was made.

    Tables are cells.csv and metrics.csv, and pairs.csv, ranks.csv, consistency.csv and effective_robustness.csv where
    a data set has more than one model. Runs on the same images stand in one section. baseline: a name for
    `metrics.baseline`; with it metrics.csv has the corruption errors. style: of the figures, a name of `plots.STYLES`;
    measure: what their curves show, "accuracy" or "error"; pdf: each as PDF too. Raises RunError for a folder
    that holds no run, or two runs of the same images that call different weights by one name, differ in a cell in more
    than its suite, or have other versions of a corruption; ConfigError for a baseline that one of the data sets lacks.
    """
    look = plots.style_named(style)
    every = sections(runs, baseline)
    frames = _tables(every)
    made = [_write(folder / name, some) for name, some in frames.items()]
    for name in tables.COMPARISONS.keys() - frames:  # of an earlier report of other runs
        (folder / name).unlink(missing_ok=True)
    for section in every:
        _draw(section, folder / "figures" / file_name(section.title), look, measure, pdf=pdf)
    pages = {"index.html": render(every, folder), "report.md": markdown(every, folder), "accuracy.tex": latex(every)}
    for name, text in pages.items():
        write_text(folder / name, text)
    figures = [path for section in every for figure in section.figures for path in figure.files]
    note = _noted(folder / "figures", figures)
    return [*(folder / name for name in pages), *made, *figures, note]


def sections(runs: Sequence[Path], baseline: str = "") -> list[Section]:
    """What was measured in the runs, one section per data set. Raises as `build`."""
    found: dict[str, Section] = {}
    for path in runs:
        _add(found, Run(path))
    for section in found.values():
        tables.check_images([Run(folder) for folder in section.runs])
    name_apart(list(found.values()))
    if baseline:
        for section in found.values():
            section.baseline = metrics.baseline(baseline, dataset=section.dataset["name"], models=section.models)
            cells = [one.cell for one in section.scored]
            if all(cell.corruption_version or cell.corruption == tables.CLEAN for cell in cells):
                tables.check_baseline(section.baseline, (cell.strength for cell in cells))
    return list(found.values())


def _noted(folder: Path, made: Sequence[Path]) -> Path:
    """A list of the files that were made; those that an earlier report listed and this one did not make are removed."""
    names = [path.relative_to(folder).as_posix() for path in made]
    note = folder / NOTE
    before = note.read_text(encoding="utf-8").splitlines() if note.exists() else []
    for name in set(before) - set(names):
        if folder.resolve() in (folder / name).resolve().parents:
            (folder / name).unlink(missing_ok=True)
    write_text(note, "".join(f"{name}\n" for name in names))
    return note


def _tables(sections: Sequence[Section]) -> dict[str, list[pd.DataFrame]]:
    """The frames of each file, one a section; those that compare models only from sections with several."""
    several = [section for section in sections if len(section.models) > 1]
    made = {name: [one.compared(name) for one in several] for name in tables.COMPARISONS if several}
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
    section = sections.setdefault(manifest["dataset"]["digest"], Section(manifest["dataset"]))
    section.environment = joined_versions(section.environment, manifest["environment"])
    for model in manifest["models"]:
        model = model | {"precision": manifest["precision"]}
        there = section.models.setdefault(model["label"], model)
        others = [*unlike(there, model), *(["precision"] if there["precision"] != model["precision"] else [])]
        if others:
            raise RunError(
                f"{run.folder}: '{model['label']}' has another {others[0]} than in {section.runs[0]}; report them apart"
            )
    section.add(found)
    section.corruptions |= manifest["corruptions"]
    section.runs.append(run.folder)
    section.published.append(manifest.get("published", {}))
    section.run_notes += tables.run_notes(manifest)


def _draw(section: Section, folder: Path, style: plots.Style, measure: str, *, pdf: bool) -> None:
    for one in drawings(section, measure):
        files = one.drawing.save(folder / one.name, style, pdf=pdf)
        section.figures.append(PlacedFigure(one.part, one.title, one.text, one.drawing, tuple(files), one.examples))
