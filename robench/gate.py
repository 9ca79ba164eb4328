"""Conditions on a run for continuous integration, decided from lower confidence limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import corruptions
from corruptions import unknown
from robench.comparison import compare
from robench.errors import ConfigError, RunError
from robench.files import write_text
from robench.report import Section, sections
from robench.tables import CLEAN, MEAN

ALIASES = {"clean": "clean_accuracy", "mean": MEAN}
XML_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Check:
    """A condition, the model that it is for, and what was measured.

    Attributes:
        model: Label of the model.
        text: The condition, such as `mean >= 70 %`.
        measured: The value with its lower 95 % limit, or why there is none.
        passed: Whether the lower limit fulfils the condition.
    """

    model: str
    text: str
    measured: str
    passed: bool

    def __str__(self) -> str:
        return f"{'pass' if self.passed else 'FAIL'}  {self.model}: {self.text}: {self.measured}"


def gate(
    run: Path,
    minima: Sequence[str] = (),
    *,
    base: Path | None = None,
    margin: float = 0.0,
    model: str = "",
    model_base: str = "",
) -> list[Check]:
    """Check a run against minima and against another run.

    A minimum holds where the lower limit of the 95 % interval reaches it. A model is no worse than another one where
    the lower limit of the 95 % interval of the paired difference is at least -margin, for clean images and for the mean
    over corruptions.

    Args:
        run: Folder of the run.
        minima: `METRIC=VALUE` with a value in [0, 1]: `mean`, `clean`, the name of a corruption, or a metric of
            metrics.csv that is better when higher.
        base: Folder of the run to compare with, on the same images.
        margin: Accuracy in [0, 1] that may be lost.
        model: Label of one model of the run; empty for all.
        model_base: Label of one model of `base`.

    Returns:
        The conditions, in the order of the models.

    Raises:
        ConfigError: A metric, value or label is unknown, or nothing is asked for; RunError for a folder without a run.
    """
    if not 0 <= margin <= 1:
        raise ConfigError(f"--margin: expected an accuracy from 0 to 1, got {margin:g}")
    if not minima and base is None:
        raise ConfigError("expected a condition, --min METRIC=VALUE or --no-worse-than RUN, got none")
    [section] = sections([run])
    labels = list(section.models)
    if model and model not in labels:
        raise ConfigError(f"{run}: {unknown('model', model, labels)}")
    wanted = [_parsed(text) for text in minima]
    checked = [
        _minimum(section, label, metric, least) for label in ([model] if model else labels) for metric, least in wanted
    ]
    return [*checked, *(_against(run, base, margin, model, model_base) if base is not None else ())]


def junit(conditions: Sequence[Check], path: Path) -> None:
    """Write the conditions as JUnit XML: one test case each."""
    failures = sum(not one.passed for one in conditions)
    counts = {"name": "robench gate", "tests": str(len(conditions)), "failures": str(failures)}
    suite = ElementTree.Element("testsuite", counts)
    for one in conditions:
        case = ElementTree.SubElement(suite, "testcase", classname=_xml(one.model), name=_xml(one.text))
        if not one.passed:
            ElementTree.SubElement(case, "failure", message=_xml(one.measured)).text = _xml(str(one))
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode")
    write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _parsed(text: str) -> tuple[str, float]:
    metric, equals, value = text.rpartition("=")
    try:
        least = corruptions.read_number(value)
    except ValueError:
        least = -1.0
    if not (equals and metric and 0 <= least <= 1):
        raise ConfigError(f"--min: expected METRIC=VALUE with a value from 0 to 1, such as mean=0.7, got '{text}'")
    return metric, least


def _minimum(section: Section, label: str, metric: str, least: float) -> Check:
    rows = section.metrics[section.metrics["model"] == label]
    name = ALIASES.get(metric, metric)
    found = rows[rows["metric"].isin([name, f"mean_accuracy[{name}]"])]
    if found.empty:
        there = [one for one in rows["metric"] if not _is_loss(one)]
        known = [*ALIASES, *(one.partition("[")[2].rstrip("]") for one in there if one.startswith("mean_accuracy["))]
        raise ConfigError(f"--min: {unknown('metric', metric, [*known, *there])}")
    if _is_loss(str(found["metric"].iloc[0])):
        raise ConfigError(f"--min: expected a metric that is better when higher, got '{metric}'")
    text = f"{metric} >= {_percent(least)}"
    row = found.iloc[0]
    if row["note"] or row["value"] is None or row["ci_low"] != row["ci_low"]:
        return Check(label, text, f"not measured: {row['note'] or 'no interval'}", passed=False)
    measured = f"{_percent(row['value'])}, lower 95 % limit {_percent(row['ci_low'])}"
    return Check(label, text, measured, bool(row["ci_low"] >= least))


def _against(run: Path, base: Path, margin: float, model: str, model_base: str) -> Iterator[Check]:
    compared = compare(run, base, model, model_base)
    for one in compared:
        rows = one.differences[one.differences["what"].isin([CLEAN, MEAN])]
        text = f"no worse than {one.model_b} by more than {_percent(margin)}"
        for row in rows.to_dict("records"):
            name = ("clean" if row["what"] == CLEAN else "mean") + (f" of {row['suite']}" if row["suite"] else "")
            if row["note"] or row["ci_low"] is None:
                note = row["note"] or "no interval"
                yield Check(one.model_a, f"{name} {text}", f"not measured: {note}", passed=False)
                continue
            measured = f"difference {100 * row['diff']:+.2f}, lower 95 % limit {100 * row['ci_low']:+.2f} points"
            yield Check(one.model_a, f"{name} {text}", measured, bool(row["ci_low"] >= -margin))
    if not compared:
        raise RunError(f"{run}: expected models to compare with {base}, got none")


def _is_loss(metric: str) -> bool:
    return metric.startswith(("mean_corruption_error", "mce", "relative_mce", "ce[", "relative_ce[", "nll", "ece"))


def _percent(value: float) -> str:
    return f"{100 * value:.4g} %"


def _xml(text: str) -> str:
    return XML_ILLEGAL.sub("?", text)
