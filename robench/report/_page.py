"""The page of a report: what stands on it, from the tables and figures of its sections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robench import plots, tables, web
from robench.report._rows import accuracy_rows, groups, summary_rows
from robench.report._section import PARTS, PlacedFigure, Section

TAGS = 150  # bytes of a page around a picture, or in its place
LINKS = {"svg": "SVG", "png": "PNG", "csv": "data", "pdf": "PDF"}
MOST_BYTES = 5_000_000
"""Pictures stand in the page, in its order, as long as it stays below; the files of the others are linked."""


def render(sections: Sequence[Section], folder: Path) -> str:
    """The page as HTML, charts, figures and example images inside it; links to data files are relative to `folder`."""
    shown = [_shown(section, folder) for section in sections]
    room = MOST_BYTES - len(_page(shown).encode())
    for part in PARTS[1:]:  # the overview is linked alone
        for section, values in zip(sections, shown, strict=True):
            figures = [figure for figure in section.figures if figure.part == part]
            for figure, place in zip(figures, values["figures"][part], strict=True):
                room -= _illustrate(place, figure, room)
    return _page(shown)


def _page(shown: Sequence[dict[str, Any]]) -> str:
    title = ", ".join(section["title"] for section in shown)
    return web.page("robench.report", "report.html.j2", title=f"robench: {title}", sections=shown)


def _illustrate(place: dict[str, Any], figure: PlacedFigure, room: int) -> int:
    """Put the figure's pictures where they are shown, each if `room` bytes hold it; the bytes that they take."""
    svg = "" if place["chart"] else web.inline_svg(figure.files[0])
    examples = [(strength, web.data_address(path)) for strength, path in figure.examples]
    taken = 0
    for kind, picture, size in (
        ("svg", svg, len(svg.encode())),
        ("examples", examples, sum(TAGS + len(address) for _, address in examples)),
    ):
        fits = not size or size <= room - taken
        place[kind] = picture if fits else place[kind]
        place["left_out"] |= not fits
        taken += size if fits else TAGS
    return taken


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
        "several_suites": section.several_suites,
        "groups": groups(section),
        "accuracies": accuracy_rows(section.cells),
        "models": [model | look for model, look in zip(section.models.values(), looks, strict=True)],
        "environment": section.environment,
        "missing": int(len(section.cells) - done.get("ok", 0)),
        "has_clean": not section.clean_note,
        "superseded": section.superseded_note,
        "notes": section.notes,
        "gaps": tables.gaps(section.cells).splitlines(),
        "cells": len(section.cells),
        "figures": _figures(section, folder),
    }


def _figures(section: Section, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """By the part of the page where they stand."""
    labels = list(section.models)
    found: dict[str, list[dict[str, Any]]] = {part: [] for part in PARTS}
    for figure in section.figures:
        found[figure.part].append(_figure(figure, folder, labels))
    return found


def _figure(figure: PlacedFigure, folder: Path, models: Sequence[str]) -> dict[str, Any]:
    """Without its pictures."""
    links = {path.suffix[1:]: path.relative_to(folder).as_posix() for path in figure.files}
    return {
        "title": figure.title,
        "text": figure.text,
        "chart": figure.drawing.vega_spec(models),
        "wide": figure.drawing.wide,
        "svg": "",
        "links": {LINKS[kind]: address for kind, address in links.items()},
        "examples": [],
        "left_out": False,
    }
