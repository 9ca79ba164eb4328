"""Figures of matplotlib inside a page, which may hold many."""

from __future__ import annotations

import re
from pathlib import Path

from markupsafe import Markup

UNSEEN = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)
PLACES = re.compile(r'\bd="[^"]*"|\b[xy]="[^"]*"|translate\([^)]*\)')
DIGITS = re.compile(r"(\.\d\d)\d+")
USED = re.compile(r'(?:xlink:href="#|url\(#)([^")]+)')


def inline_svg(path: Path) -> Markup:
    """The svg element of a file alone, about half as long: names that are used are short and the file's own, places
    have two decimals of a point, and what does not show is left out."""
    text = path.read_text(encoding="utf-8")
    element = _renamed(UNSEEN.sub("", text[text.index("<svg") :]), f"{path.parent.name}-{path.stem}")
    element = PLACES.sub(lambda place: DIGITS.sub(r"\1", place[0]), element)
    return Markup(re.sub(r"\s*\n\s*", " ", element).replace("> <", "><").strip())


def _renamed(element: str, whose: str) -> str:
    """Identifiers that something refers to, numbered; the others are left out."""
    mark = re.sub(r"\W", "-", whose)
    names = {name: f"{mark}-{number}" for number, name in enumerate(dict.fromkeys(USED.findall(element)))}
    element = re.sub(r' id="([^"]+)"', lambda at: f' id="{names[at[1]]}"' if at[1] in names else "", element)
    return re.sub(r'(xlink:href="#|url\(#)([^")]+)', lambda at: at[1] + names[at[2]], element)
