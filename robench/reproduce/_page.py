"""The page of a table or a figure, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from robench.files import write_text
from robench.reproduce._claims import COLUMNS, Floor
from robench.reproduce._measurement import Measurement, networks_told
from robench.tables import to_csv


@dataclass(frozen=True)
class Page:
    """What stands below a table, or beside a figure: notes, floors, findings, and what the networks rest on."""

    title: str
    source: str
    notes: Sequence[str] = ()
    floors: Sequence[Floor] = ()
    found: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))

    def write(self, stem: Path, body: str, measurements: Mapping[tuple[str, str], Measurement]) -> list[Path]:
        """STEM.md, and STEM-claims.csv where there are claims."""
        written = [stem.with_name(f"{stem.name}.md")]
        write_text(written[0], self.markdown(body, measurements))
        if len(self.found):
            written.append(stem.with_name(f"{stem.name}-claims.csv"))
            write_text(written[1], to_csv(self.found))
        return written

    def markdown(self, body: str, measurements: Mapping[tuple[str, str], Measurement]) -> str:
        """The page around a table or a picture."""
        metadata = [
            *self.notes,
            *(floor.text for floor in self.floors),
            *networks_told(measurements),
            *self._beside(measurements),
        ]
        parts = [
            f"# {self.title}",
            self.source + ".",
            body,
            *self._findings(),
            "\n".join(f"- {one}" for one in metadata),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _beside(self, measurements: Mapping[tuple[str, str], Measurement]) -> list[str]:
        """The networks that floors alone rest on."""
        there = {measurement.details.get("model") for measurement in measurements.values()}
        others = [floor for floor in self.floors if floor.measurement.details.get("model") not in there]
        return networks_told({(f"floor, {floor.what}", ""): floor.measurement for floor in others})

    def _findings(self) -> list[str]:
        if not len(self.found):
            return []
        lines = ["| the paper finds | ours, difference [95 % interval] | |", "|---|---|---|"]
        lines += [f"| {row['claim']} | {_numbers(row)} | {row['verdict']} |" for row in self.found.to_dict("records")]
        about = (
            "Differences are paired by image, so the intervals are of the test images; open: the interval holds both "
            "answers. Every line is one training: another of the same kind may lie further away than the interval, so "
            "differences of a point or less are weak evidence of what the paper says."
        )
        return ["\n".join(lines), about]


def _numbers(row: Mapping[Any, Any]) -> str:
    near = "" if pd.isna(row["within"]) else f", within {row['within']:g}"
    return f"{row['difference']:+z.2f} [{row['ci_low']:z.2f}, {row['ci_high']:z.2f}]{near}"
