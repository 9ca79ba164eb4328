"""The page of a report: what stands on it, from the tables and figures of its sections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robench import plots, tables, web
from robench.report._rows import accuracy_rows, groups, summary_rows
from robench.report._section import PARTS, Figure, Section

LINKS = {"svg": "SVG", "png": "PNG", "csv": "data", "pdf": "PDF"}
MOST_INLINE = 12
"""So many heatmaps stand in the page; of more models the others are linked."""


def render(sections: Sequence[Section], folder: Path) -> str:
    """The page as HTML, charts, figures and example images inside it; links to data files are relative to `folder`."""
    shown = [_shown(section, folder) for section in sections]
    title = ", ".join(section.title for section in sections)
    return web.page("robench.report", "report.html.j2", title=f"robench: {title}", sections=shown)


def _shown(section: Section, folder: Path) -> dict[str, Any]:
    done = section.cells["status"].value_counts()
    looks = plots.page_looks(len(section.models))
    return {
        "title": section.title,
        "anchor": re.sub(r"\W+", "-", section.title),
        "dataset": section.dataset,
        "summary": summary_rows(section),
        "tables": tuple(tables.COMPARISONS) if len(section.models) > 1 else (),
        "baseline": section.baseline.name if section.baseline else "",
        "groups": groups(section),
        "accuracies": accuracy_rows(section.cells),
        "models": [model | look for model, look in zip(section.models.values(), looks, strict=True)],
        "environment": section.environment,
        "missing": int(len(section.cells) - done.get("ok", 0)),
        "gaps": tables.gaps(section.cells).splitlines(),
        "cells": len(section.cells),
        "figures": _figures(section, folder),
    }


def _figures(section: Section, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """By the part of the page where they stand."""
    labels = list(section.models)
    found: dict[str, list[dict[str, Any]]] = {part: [] for part in PARTS}
    for figure in section.figures:
        part = found[figure.part]
        part.append(_figure(figure, folder, labels, inline=len(part) < MOST_INLINE))
    return found


def _figure(figure: Figure, folder: Path, models: Sequence[str], *, inline: bool) -> dict[str, Any]:
    links = {path.suffix[1:]: path.relative_to(folder).as_posix() for path in figure.files}
    chart = figure.drawing.chart(models)
    return {
        "title": figure.title,
        "text": figure.text,
        "chart": chart,
        "wide": figure.drawing.wide,
        "svg": web.inline_svg(figure.files[0]) if inline and not chart else "",
        "links": {LINKS[kind]: address for kind, address in links.items()},
        "examples": [(strength, web.data_address(path)) for strength, path in figure.examples],
    }
