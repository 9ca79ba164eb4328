"""The same figures for a page: Vega-Lite specifications, which a browser draws with values under the pointer.

Each has the parameter `shown`, the list of models that are drawn; a page may change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from robench.plots._look import colour

Spec = dict[str, Any]

STROKES: tuple[list[int], ...] = ([], [6, 3], [6, 2, 1, 2], [1, 2], [6, 2, 1, 2, 1, 2], [1, 4])
SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")
DIGITS = 3  # of percent
CONFIG = {
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "domain": False},
    "axisQuantitative": {"labelFlush": False, "labelSeparation": 8},
    "font": "system-ui, sans-serif",
}


def hex_colour(number: int) -> str:
    """`colour` as #rrggbb."""
    from matplotlib.colors import to_hex

    return str(to_hex(colour(number)))


def base(rows: pd.DataFrame, models: Sequence[str], description: str, height: int) -> Spec:
    """What all charts have: data, the parameter, the filter, one look a model."""
    return {
        "description": description,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": CONFIG,
        "params": [{"name": "shown", "value": list(models)}],
        "data": {"values": records(rows)},
        "transform": [{"filter": "indexof(shown, datum.model) >= 0"}],
        "encoding": {"color": _by_model(models, [hex_colour(number) for number in range(len(models))])},
    }


def records(rows: pd.DataFrame) -> list[Spec]:
    """Rows as JSON, percent rounded, places on the x axis as they are; what is not a number is null."""
    rounded = rows.round(dict.fromkeys(rows.columns.drop("x", errors="ignore"), DIGITS)).astype(object)
    whole = rounded.where(rounded.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in whole.to_dict("records")]


def strokes(models: Sequence[str]) -> Spec:
    """One dash a model."""
    return _by_model(models, [STROKES[number % len(STROKES)] for number in range(len(models))])


def shapes(models: Sequence[str]) -> Spec:
    """One mark a model."""
    return _by_model(models, [SHAPES[number % len(SHAPES)] for number in range(len(models))])


def _by_model(models: Sequence[str], looks: Sequence[Any]) -> Spec:
    return {"field": "model", "type": "nominal", "scale": {"domain": list(models), "range": looks}, "legend": None}


def number(field: str, title: str, **options: Any) -> Spec:
    """A field on an axis of numbers."""
    return {"field": field, "type": "quantitative", "title": title} | options


def tooltip(**fields: str) -> list[Spec]:
    """What stands under the pointer: titles by field."""
    return [{"field": field, "title": title} for field, title in fields.items()]


def near(name: str = "near") -> Spec:
    """The parameter of a layer whose mark next to the pointer is meant."""
    return {"name": name, "select": {"type": "point", "on": "pointerover", "nearest": True, "clear": "pointerout"}}


def swell(small: int, big: int, name: str = "near") -> Spec:
    """The size of a mark, larger when it is meant."""
    return {"condition": {"param": name, "empty": False, "value": big}, "value": small}


def page_looks(models: int) -> list[dict[str, str]]:
    """Colour and dash of so many models, as a page writes them."""
    return [
        {"colour": hex_colour(place), "dash": " ".join(map(str, STROKES[place % len(STROKES)]))}
        for place in range(models)
    ]
