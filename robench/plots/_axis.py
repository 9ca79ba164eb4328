"""Where a strength stands on the x axis of its corruption."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from corruptions import number_text
from robench.plots._look import MOST_TICKS
from robench.tables import CLEAN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEVERITY = "severity"
LEAST_GAP = 0.12  # of the axis, between two ticks that have texts
LETTER = 0.58  # of the size of a font, its letters' mean width


@dataclass(frozen=True)
class Axis:
    """The x axis of a curve: what it is called, and the place of each strength on it.

    `ticks` are the strengths' texts where the axis has no numbers of its own. `falls` says that smaller is stronger;
    such an axis is drawn with the strong end to the right.
    """

    label: str
    places: Mapping[str, float]
    ticks: bool = False
    falls: bool = False

    def dress(self, axes: Axes) -> None:
        """Label and ticks; call it once the limits are set."""
        axes.set_xlabel(_wrapped(self.label, axes))
        if self.ticks or len(self.places) <= MOST_TICKS:
            apart = self._apart()
            axes.set_xticks(list(self.places.values()), [self.text(key) if key in apart else "" for key in self.places])
        if self.falls:
            axes.invert_xaxis()

    def _apart(self) -> set[str]:
        """The strengths whose ticks have room for a text; of two that are close the stronger has none."""
        ordered = sorted(self.places.items(), key=lambda item: item[1], reverse=self.falls)
        room = LEAST_GAP * abs(ordered[-1][1] - ordered[0][1])
        chosen = ordered[:1]
        for key, place in ordered[1:]:
            if abs(place - chosen[-1][1]) >= room:
                chosen.append((key, place))
        return {key for key, _ in chosen}

    def text(self, key: str) -> str:
        """What stands at the tick of a strength."""
        if key == CLEAN and not self.ticks and not self.label.startswith(SEVERITY):
            return number_text(self.places[CLEAN])
        shown = key if self.ticks else key.partition("@")[0]
        return shown.partition("=")[2] or shown


def _wrapped(label: str, axes: Axes) -> str:
    """The label of an axis, its unit on a line of its own, or more, where the panel is too narrow."""
    place, figure = axes.get_subplotspec(), axes.get_figure(root=True)
    across = place.get_gridspec().ncols if place else 1
    points = 72 * (figure.get_figwidth() if figure else 0) / across
    letters = max(1, int(points / float(axes.xaxis.label.get_fontsize()) / LETTER))
    parts = [label] if len(label) <= letters else label.replace(" (", "\n(", 1).split("\n")
    return "\n".join(textwrap.fill(part, letters) for part in parts)


def axis_of(cells: pd.DataFrame, facts: Mapping[str, Any]) -> Axis:
    """The axis of one corruption's rows; `facts` are the corruption's, from the run's manifest."""
    rows = cells.drop_duplicates("strength")
    keys = [str(key) for key in rows["strength"]]
    level = facts.get("level")
    forms = {key.partition("@")[2] for key in keys}
    stored = "".join(f", stored as {form}" for form in forms if form)
    if len(forms) == 1 and rows["severity"].notna().all():
        places = {CLEAN: 0.0} | dict(zip(keys, rows["severity"].astype(float).tolist(), strict=True))
        return Axis(f"{SEVERITY}{stored}", places)
    if len(forms) == 1 and level and rows["level"].notna().all() and level["identity"] is not None:
        places = {CLEAN: float(level["identity"])} | dict(zip(keys, rows["level"].tolist(), strict=True))
        label = f"{_symbol(level['name'])} ({level['unit']}){stored}"
        return Axis(label, places, falls=not level["more_is_stronger"])
    return Axis("strength", {key: float(place) for place, key in enumerate([CLEAN, *keys])}, ticks=True)


def _symbol(name: str) -> str:
    return {"sigma": "σ", "delta": "Δ"}.get(name, name)
