"""The page of a report: one file, no network, readable in light and dark."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from robench import tables
from robench.report._section import Figure, Section


def render(sections: Sequence[Section], folder: Path) -> str:
    """The page as HTML, figures and example images inside it; links to data files are relative to `folder`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("robench.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = [_shown(section, folder) for section in sections]
    title = ", ".join(section.title for section in sections)
    return environment.get_template("page.html.j2").render(title=title, sections=shown)


def _shown(section: Section, folder: Path) -> dict[str, Any]:
    done = section.cells["status"].value_counts()
    return {
        "title": section.title,
        "anchor": re.sub(r"\W+", "-", section.title),
        "dataset": section.dataset,
        "summary": summary_rows(section),
        "tables": tuple(tables.COMPARISONS) if len(section.models) > 1 else (),
        "baseline": section.baseline.name if section.baseline else "",
        "groups": sorted({name for name in section.metrics["metric"] if name.startswith("mean_corruption_accuracy[")}),
        "accuracies": accuracy_rows(section.cells),
        "models": list(section.models.values()),
        "environment": section.environment,
        "missing": int(len(section.cells) - done.get("ok", 0)),
        "cells": len(section.cells),
        "figures": [_figure(figure, folder) for figure in section.figures],
    }


def summary_rows(section: Section) -> list[dict[str, Any]]:
    """One row a model and suite: every aggregate as text, behind a bar its interval; or the note on what is missing."""
    several = section.metrics["suite"].nunique() > 1
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for _, row in section.metrics.iterrows():
        model, suite = str(row["model"]), str(row["suite"])
        head = {"model": f"{model}, {suite or 'no suite'}" if several else model}
        rows.setdefault((model, suite), head)[str(row["metric"])] = _percent(row)
    return list(rows.values())


def _percent(row: Any) -> str:
    """Value and interval in percent; corruption errors are in percent already."""
    if pd.isna(row["value"]):
        return str(row["note"])
    scale = 1 if row["baseline"] else 100
    value = f"{scale * row['value']:.2f}"
    return f"{value}|" + (row["note"] or f"{scale * row['ci_low']:.2f} to {scale * row['ci_high']:.2f}")


def accuracy_rows(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a corruption and strength: each model's accuracy in percent, or the status of a cell without one."""
    rows = []
    for (corruption, strength), some in cells.groupby(["corruption", "strength"], sort=False):
        by_model = {}
        for label, few in some.groupby("model", sort=False):
            ok = few["status"] == "ok"
            by_model[label] = f"{100 * few['top1'].mean():.2f}" if ok.all() else few.loc[~ok, "status"].iloc[0]
        shown = "" if corruption == tables.CLEAN else strength
        rows.append({"corruption": corruption, "strength": shown, "by_model": by_model})
    return rows


def _figure(figure: Figure, folder: Path) -> dict[str, Any]:
    links = (path.relative_to(folder).as_posix() for path in figure.files)
    return {
        "title": figure.title,
        "text": figure.text,
        "svg": _inline(figure.files[0]),
        "links": dict(zip(("SVG", "PDF", "PNG", "data"), links, strict=True)),
        "examples": [(strength, _data_address(path)) for strength, path in figure.examples],
    }


def _inline(path: Path) -> str:
    """The svg element alone, its identifiers made the file's own."""
    text = path.read_text(encoding="utf-8")
    element = text[text.index("<svg") :]
    mark = re.sub(r"\W", "-", path.stem + "-" + path.parent.name)
    element = re.sub(r'\bid="([^"]+)"', rf'id="{mark}-\1"', element)
    return re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{mark}-", element)


def _data_address(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
