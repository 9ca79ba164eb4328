"""A report's tables for papers and notes: Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from robench import tables
from robench.report._rows import groups, summary_rows
from robench.report._section import Section
from robench.tables import fenced, in_markdown


def markdown(sections: Sequence[Section], folder: Path) -> str:
    """The sections with aggregates, accuracy by corruption, what is missing, figures, and what the numbers rest on."""
    return "\n\n".join(["# Robustness report", *(part for one in sections for part in _parts(one, folder))]) + "\n"


def _parts(section: Section, folder: Path) -> list[str]:
    width, height = section.dataset["shape"][1], section.dataset["shape"][0]
    about = f"{section.dataset['n']} images of {width} x {height} pixels, view {section.dataset['view']}. "
    gaps = tables.gaps(section.cells)
    pictures = (figure.files[1].relative_to(folder).as_posix() for figure in section.figures)
    shown = zip(section.figures, pictures, strict=True)
    return [
        f"## {in_markdown(section.title)}",
        *([section.superseded_note] if section.superseded_note else []),
        about + "Top-1 accuracy in percent [95 % interval]; the mean weighs each corruption alike.",
        *([baseline_note(section.baseline.name)] if section.baseline else []),
        *section.notes,
        *([f"Incomplete, and no mean is made over it:\n\n{fenced(gaps)}"] if gaps else []),
        tables.markdown(aggregates(section)),
        tables.markdown(by_corruption(section)),
        "\n".join(f"- [{_linked(figure.title)}]({picture})" for figure, picture in shown),
        "\n".join(_told(section)),
    ]


def baseline_note(name: str) -> str:
    """What mCE is a share of."""
    return f"mCE and relative mCE are in percent of the errors of {name}, over the 15 corruptions of the benchmark."


def _told(section: Section) -> list[str]:
    """What the numbers rest on, a line a model, then data and versions."""
    models = [
        f"- {in_markdown(model['label'])}: weights `{model['weights_sha256'][:16]}`, fit {model['fit'] or 'none'}, "
        f"normalisation {model['normalize']}"
        for model in section.models.values()
    ]
    versions = ", ".join(f"{name} {value}" for name, value in section.environment.items())
    return [*models, f"- data digest `{section.dataset['digest']}`", f"- {versions}"]


def latex(sections: Sequence[Section]) -> str:
    """A tabular of aggregates for each section, for the package booktabs."""
    return "\n".join(_tabular(section) for section in sections)


def _tabular(section: Section) -> str:
    style = aggregates(section).set_index("model").style
    for written in (style.format, partial(style.format_index, axis=0), partial(style.format_index, axis=1)):
        written(_in_latex, escape="latex")
    style.index.name = None
    n, digest = section.dataset["n"], section.dataset["digest"][:12]
    title = " ".join(section.title.split())
    about = f"% {title}: top-1 accuracy in percent [95 % interval], n = {n}, data digest {digest}"
    columns = "".join("l" if name == "suite" else "r" for name in style.columns)
    about += f"\n% {section.superseded_note}" if section.superseded_note else ""
    about += f"\n% {baseline_note(section.baseline.name)}" if section.baseline else ""
    return about + "\n" + str(style.to_latex(hrules=True, column_format="l" + columns))


def _in_latex(text: object) -> str:
    """What pandas has escaped for LaTeX, with the signs that its default font lacks, and in one line."""
    line = " ".join(str(text).splitlines())
    for sign, name in (("<", "less"), (">", "greater"), ("|", "bar")):
        line = line.replace(sign, rf"\text{name}{{}}")
    return line


def _linked(title: str) -> str:
    """A text between the brackets of a link."""
    return re.sub(r"([\[\]])", r"\\\1", in_markdown(title))


def aggregates(section: Section) -> pd.DataFrame:
    """A row a model and suite, in the order of ranks where there are any, as text.

    Columns: of how many corruptions the mean is, clean, mean, groups, and with a baseline mCE and relative mCE.
    """
    names = {} if section.clean_note else {"clean_accuracy": "clean"}
    names |= {tables.MEAN: "mean"} | {one: one[len(tables.MEAN) + 1 : -1] for one in groups(section)}
    names |= {"mce": "mCE", "relative_mce": "relative mCE"} if section.baseline else {}
    rows = [
        {"model": row["model"]}
        | ({"suite": row["suite"]} if section.several_suites else {})
        | {"corruptions": str(row["corruptions"] or "")}
        | {title: _interval(row.get(name, (None, ""))[1]) for name, title in names.items()}
        for row in summary_rows(section)
    ]
    return pd.DataFrame(rows)


def _interval(text: str) -> str:
    value, bar, bounds = text.partition("|")
    return f"{value} [{bounds.replace(' to ', ', ')}]" if bar else value


def by_corruption(section: Section) -> pd.DataFrame:
    """A row a corruption, a column a model: the mean over strengths in percent, as text; what is missing is said."""
    return tables.by_corruption(section.cells).rename_axis("corruption").reset_index()
