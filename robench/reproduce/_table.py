"""A paper's table with what was measured beside what was printed, as CSV and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from robench.files import write_text
from robench.reproduce._measurement import Measurement
from robench.reproduce._page import Page
from robench.tables import to_csv

COLUMNS = (
    *("row", "column", "paper", "ours", "ci_low", "ci_high", "n", "dataset", "data_digest"),
    *("model", "recipe", "trained_on", "train_n", "epochs", "paper_epochs", "changed"),
    *("seed", "weights_sha256", "budget", "note"),
)


@dataclass(frozen=True)
class Table:
    """Rows and columns as the paper has them. paper: its numbers by row; entries: ours, by (row, column).

    form: of our numbers, as for `format`; forms: of the columns that have another.
    """

    columns: Sequence[str]
    paper: Mapping[str, Sequence[float | None]]
    measurements: Mapping[tuple[str, str], Measurement]
    form: str = ".1f"
    forms: Mapping[str, str] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """One line a number."""
        rows = []
        for row, printed in self.paper.items():
            for column, number in zip(self.columns, printed, strict=True):
                measurement = self.measurements.get((row, column), Measurement(None, note="not run"))
                ours = {
                    "ours": measurement.value,
                    "ci_low": measurement.low,
                    "ci_high": measurement.high,
                    "note": measurement.note,
                }
                rows.append({"row": row, "column": column, "paper": number} | ours | dict(measurement.details))
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def markdown(self) -> str:
        """`paper / ours [interval]` in every field."""
        lines = ["Each field: paper / **ours** [95 % interval].", "", f"| | {' | '.join(self.columns)} |"]
        lines.append("|---" * (len(self.columns) + 1) + "|")
        for row, printed in self.paper.items():
            fields = (self._field(row, column, number) for column, number in zip(self.columns, printed, strict=True))
            lines.append(f"| {row} | {' | '.join(fields)} |")
        return "\n".join(lines)

    def write(self, stem: Path, page: Page) -> list[Path]:
        """STEM.csv, and its page as STEM.md."""
        rows = stem.with_name(f"{stem.name}.csv")
        write_text(rows, to_csv(self.frame()))
        return [rows, *page.write(stem, self.markdown(), self.measurements)]

    def _field(self, row: str, column: str, number: float | None) -> str:
        measurement = self.measurements.get((row, column))
        printed = "–" if number is None else f"{number:g}"
        if measurement is None or measurement.value is None:
            return f"{printed} / –"
        numbers = (measurement.value, measurement.low, measurement.high)
        form = self.forms.get(column, self.form)
        value, *ends = (None if one is None else format(round(one, 12), form) for one in numbers)
        interval = "" if None in ends else f" [{ends[0]}, {ends[1]}]"
        return f"{printed} / **{value}**{interval}"
