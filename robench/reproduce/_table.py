"""A paper's table with what was measured beside what was printed, as CSV and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from robench.files import write_text
from robench.reproduce._entry import Entry
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
    entries: Mapping[tuple[str, str], Entry]
    form: str = ".1f"
    forms: Mapping[str, str] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """One line a number."""
        rows = []
        for row, printed in self.paper.items():
            for column, number in zip(self.columns, printed, strict=True):
                entry = self.entries.get((row, column), Entry(None, note="not run"))
                ours = {"ours": entry.value, "ci_low": entry.low, "ci_high": entry.high, "note": entry.note}
                rows.append({"row": row, "column": column, "paper": number} | ours | dict(entry.facts))
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
        return [rows, *page.write(stem, self.markdown(), self.entries)]

    def _field(self, row: str, column: str, number: float | None) -> str:
        entry = self.entries.get((row, column))
        printed = "–" if number is None else f"{number:g}"
        if entry is None or entry.value is None:
            return f"{printed} / –"
        numbers = (entry.value, entry.low, entry.high)
        form = self.forms.get(column, self.form)
        value, *ends = (None if one is None else format(round(one, 12), form) for one in numbers)
        interval = "" if None in ends else f" [{ends[0]}, {ends[1]}]"
        return f"{printed} / **{value}**{interval}"
