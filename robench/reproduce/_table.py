"""A paper's table with what was measured beside what was printed, as CSV and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from robench.files import write_text
from robench.tables import to_csv

COLUMNS = (
    *("row", "column", "paper", "ours", "ci_low", "ci_high", "n", "dataset", "data_digest"),
    *("model", "recipe", "train_n", "epochs", "paper_epochs", "seed", "weights_sha256", "budget", "note"),
)


@dataclass(frozen=True)
class Entry:
    """A measured number in the unit of the paper, with the 95 % interval and all it rests on."""

    value: float | None
    low: float | None = None
    high: float | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows and columns as the paper has them. paper: its numbers by row; entries: ours, by (row, column).

    form: of our numbers, as for `format`.
    """

    title: str
    source: str
    columns: Sequence[str]
    paper: Mapping[str, Sequence[float | None]]
    entries: Mapping[tuple[str, str], Entry]
    notes: Sequence[str] = ()
    form: str = ".1f"

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
        """`paper / ours [interval]` in every field, and below what the numbers rest on."""
        lines = [f"# {self.title}", "", f"{self.source}. Each field: paper / ours [95 % interval].", ""]
        lines += [f"| | {' | '.join(self.columns)} |", "|---" * (len(self.columns) + 1) + "|"]
        for row, printed in self.paper.items():
            fields = (self._field(row, column, number) for column, number in zip(self.columns, printed, strict=True))
            lines.append(f"| {row} | {' | '.join(fields)} |")
        lines += ["", *(f"- {note}" for note in [*self.notes, *self._budgets()]), ""]
        return "\n".join(lines)

    def write(self, stem: Path) -> list[Path]:
        """STEM.csv and STEM.md."""
        files = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".csv", ".md")]
        write_text(files[0], to_csv(self.frame()))
        write_text(files[1], self.markdown())
        return files

    def _field(self, row: str, column: str, number: float | None) -> str:
        entry = self.entries.get((row, column))
        printed = "–" if number is None else f"{number:g}"
        if entry is None or entry.value is None:
            return f"{printed} / –"
        numbers = (entry.value, entry.low, entry.high)
        value, *ends = (None if one is None else format(round(one, 12), self.form) for one in numbers)
        interval = "" if None in ends else f" [{ends[0]}, {ends[1]}]"
        return f"{printed} / **{value}**{interval}"

    def _budgets(self) -> list[str]:
        """What each network was really trained with, and in which rows it stands."""
        rows: dict[str, list[str]] = {}
        facts: dict[str, Mapping[str, object]] = {}
        for (row, _), entry in self.entries.items():
            if "train_n" in entry.facts:
                model = str(entry.facts["model"])
                facts[model] = entry.facts
                rows[model] = list(dict.fromkeys([*rows.get(model, []), row]))
        return [f"{'; '.join(rows[model])}: {_told(one)}" for model, one in facts.items()]


def _told(facts: Mapping[str, object]) -> str:
    """One network in words."""
    trained = "weights as published"
    if facts["train_n"]:
        epochs = f"{facts['epochs']} epochs (paper: {facts['paper_epochs']})"
        trained = f"{facts['train_n']} training images of {facts['dataset']}, {epochs}"
    return f"{facts['model']}, {trained}, n = {facts['n']}, weights {str(facts['weights_sha256'])[:12]}"
