"""Tables as text: CSV, and a summary for the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

import corruptions
from robench.tables._metrics import MEAN
from robench.tables._scored import CLEAN
from robench.tables._suites import NO_SUITE

MOST_LINES = 20
MOST_COLUMNS = 5
"""Models beside each other in the summary; more stand below each other."""
SHORT = 30
"""Characters of a note that fits into a field of the summary."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a cell begins with that a spreadsheet takes for a formula, and the sign that says it is none."""
NO_CLEAN = "The set has no clean images; clean accuracy is not measured."


def to_csv(frame: pd.DataFrame, float_format: str = "%.9g") -> str:
    """CSV with \\n line ends; floats with 9 significant digits, which tell any two float32 apart.

    A text that a spreadsheet would compute gets an apostrophe in front, which `from_csv` takes off again.
    """
    safe = frame.rename(columns=csv_text)
    for place, (_, column) in enumerate(frame.items()):
        texts = [csv_text(value) for value in column]
        if any(one is not value for one, value in zip(texts, column, strict=True)):
            safe.isetitem(place, texts)
    return str(safe.to_csv(index=False, float_format=float_format, lineterminator="\n"))


def csv_text(value: Any) -> Any:
    """A cell of a CSV file, with an apostrophe before a text that begins as a formula does and is no number.

    >>> csv_text("=1+1"), csv_text("-0.5"), csv_text("awgn")
    ("'=1+1", '-0.5', 'awgn')
    """
    if not isinstance(value, str) or not value.startswith(FORMULA):
        return value
    try:
        corruptions.read_number(value)
    except ValueError:
        return f"'{value}"
    return value


def from_csv(text: str) -> str:
    """What `csv_text` made a cell of.

    >>> from_csv("'=1+1"), from_csv("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def summary(cells: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """Accuracy in percent as text: a row per corruption and a column per model, or the reverse for many models.

    The mean of a suite has its interval; it says over how many corruptions it is, and of which suite where there are
    several.
    """
    labels = list(dict.fromkeys(cells["model"]))
    rows = [["top-1 accuracy, %", *labels], *(list(map(str, row)) for row in by_corruption(cells).itertuples())]
    notes: list[str] = []
    means = _mean_rows(metrics[metrics["metric"] == MEAN], labels, notes)
    if len(labels) > MOST_COLUMNS:
        wide = [row for row in rows if len(rows) <= MOST_COLUMNS + 2 or row[0] in (rows[0][0], CLEAN)]
        rows = [list(row) for row in zip(*wide, *means, strict=True)]
    else:
        rows += means
    return "\n".join([aligned(rows), *(f"[{place}] {note}" for place, note in enumerate(notes, start=1))])


def _mean_rows(means: pd.DataFrame, labels: Sequence[str], notes: list[str]) -> list[list[str]]:
    suites = list(dict.fromkeys(means["suite"]))
    rows = []
    for suite in suites:
        of_suite = means[means["suite"] == suite].set_index("model")
        texts = (_noted(of_suite.loc[label], notes) if label in of_suite.index else "" for label in labels)
        name = f"mean over {counted(of_suite['n_corruptions'].max())}"
        rows.append([name + (f", {suite or NO_SUITE}" if len(suites) > 1 else ""), *texts])
    return rows


def counted(corruptions: int) -> str:
    """`1 corruption`, `15 corruptions`."""
    return f"{corruptions} corruption{'' if corruptions == 1 else 's'}"


def by_corruption(cells: pd.DataFrame) -> pd.DataFrame:
    """The mean over strengths in percent, as text, a row a corruption, a column a model, in the order of the cells.

    What is missing or failed is said in place of a mean; so is what only other models were asked for, behind it.
    """
    cells = cells.drop_duplicates(["model", "corruption", "strength", "seed"])
    labels = list(dict.fromkeys(cells["model"]))
    rows = {}
    for corruption, some in cells.groupby("corruption", sort=False):
        everything = len(some.drop_duplicates(["strength", "seed"]))
        rows[corruption] = [_mean_text(some[some["model"] == label], everything) for label in labels]
    return pd.DataFrame.from_dict(rows, orient="index", columns=labels)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns for a terminal: the first row a header with a line below, the first column to the left, others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown(frame: pd.DataFrame) -> str:
    """A table in Markdown, without a line end after its last row."""
    head, *body = [list(map(str, frame.columns)), *frame.astype(str).to_numpy().tolist()]
    lines = [map(in_markdown, head), ["---"] * len(head), *(map(in_markdown, row) for row in body)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def in_markdown(text: str) -> str:
    """A text as Markdown that shows it as it is, in one line: no HTML, no column of a table, no code, no escape.

    >>> print(in_markdown("a|b <c>"))
    a\\|b &lt;c>
    """
    line = re.sub(r"([\\|`])", r"\\\1", " ".join(text.splitlines()))
    return re.sub(r"&(?=#?\w+;)", "&amp;", line).replace("<", "&lt;")


def fenced(text: str) -> str:
    """Lines as a block of Markdown in which nothing is Markdown, whatever backticks they hold."""
    fence = "`" * max(3, *(len(found) + 1 for found in re.findall("`+", text)), 3)
    return f"{fence}\n{text}\n{fence}"


def gaps(cells: pd.DataFrame) -> str:
    """The cells without a result as text: a line for each model, corruption and error, at most twenty; empty if none.

    cells: columns model, corruption, strength, seed, status ("ok", "error", "missing") and error.
    """
    some = cells[cells["status"] != "ok"].drop_duplicates(["model", "corruption", "strength", "seed"])
    groups = some.groupby(["status", "model", "corruption", "error"], sort=False, dropna=False)
    lines = [_gap(its) for _, its in groups]
    more = [f"and {len(lines) - MOST_LINES} lines more; see cells.csv"] if len(lines) > MOST_LINES else []
    return "\n".join(lines[:MOST_LINES] + more)


def superseded_note(versions: Mapping[str, int]) -> str:
    """Name the corruptions whose recorded versions are older than the installed ones; empty if there are none.

    >>> superseded_note({"fog": 1, "frost": 2, "awgn": 1})
    'Superseded: measured with older pixels of fog (version 1, now 2); frost (version 2, now 3).'
    """
    by_versions: dict[tuple[int, int], list[str]] = {}
    for name, pair in corruptions.superseded(versions).items():
        by_versions.setdefault(pair, []).append(name)
    parts = [f"{', '.join(names)} (version {old}, now {new})" for (old, new), names in by_versions.items()]
    return f"Superseded: measured with older pixels of {'; '.join(parts)}." if parts else ""


def clean_note(measured: Iterable[str]) -> str:
    """What is said of cells of these corruptions if the clean images are not among them; empty if they are."""
    names = set(measured)
    return NO_CLEAN if names and CLEAN not in names else ""


def _gap(cells: pd.DataFrame) -> str:
    status, model, corruption, error = (str(cells[name].iloc[0]) for name in ("status", "model", "corruption", "error"))
    seeds = sorted(set(cells["seed"]) - {0})
    of_seeds = f", seeds {', '.join(map(str, sorted(set(cells['seed']))))}" if seeds else ""
    strengths = ", ".join(dict.fromkeys(cells["strength"]))
    place = f"{model}, {corruption if corruption == strengths else f'{corruption} {strengths}'}"
    whole = {"error": "failed: ", "missing": "missing: "}[status] + place + of_seeds + (f": {error}" if error else "")
    return " ".join(whole.splitlines())


def _mean_text(asked: pd.DataFrame, everything: int) -> str:
    done = asked[asked["status"] == "ok"]
    if len(done) < len(asked):
        return f"{len(asked) - len(done)} of {len(asked)} missing or failed"
    if asked.empty:
        return ""
    some = f" (of {len(asked)} of {everything})" if len(asked) < everything else ""
    return f"{100 * done['top1'].mean():.2f}{some}"


def _noted(row: Any, notes: list[str]) -> str:
    """A value with its interval; a note stands below the table, among `notes`, with its number in the field."""
    interval = "" if pd.isna(row["ci_low"]) else f"[{100 * row['ci_low']:.2f}, {100 * row['ci_high']:.2f}]"
    value = "" if pd.isna(row["value"]) else f"{100 * row['value']:.2f}"
    note = str(row["note"])
    if len(note) <= SHORT:
        return " ".join(filter(None, (value, interval, note)))
    if note not in notes:
        notes.append(note)
    return " ".join(filter(None, (value or "none", interval, f"[{notes.index(note) + 1}]")))
