"""CE, mCE and their relative forms as rows of metrics.csv, against a named baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

import corruptions
from robench import metrics
from robench.errors import ConfigError
from robench.metrics import Baseline
from robench.tables._cell_scores import NO_CLEAN_IMAGES, AccuracyGrid, CellScores, Floats, estimate, missing_note
from robench.tables._rows import ONE_IMAGE, head
from robench.tables._scored import CLEAN, Scored

SUITES = {"": "cifar10-c/1", "jpeg85": "imagenet-c/1"}
"""mCE is the mean over the corruptions and severities of one of these, by the form in which its images are stored."""

SEVERITIES = ("1", "2", "3", "4", "5")
IN_MEMORY = (
    "they are of images stored as JPEG of quality 85, which costs every network some points, so that an mCE in memory "
    "comes out several points too good"
)


def corruption_error_rows(measured: CellScores, model: str, suite: str, baseline: Baseline) -> Iterator[dict[str, Any]]:
    """The rows `ce[…]` and `relative_ce[…]` of each corruption, then `mce` and `relative_mce`.

    The two means stand in the suite that has most of their cells, and in every other one that has as many.
    """
    members = measured.cells_of(model, suite)
    others = [] if baseline.errors else measured.cells_of(baseline.name, suite)
    names = [name for name in dict.fromkeys(one.cell.corruption for one in members) if name != CLEAN]
    for name in names:
        yield _row(measured, f"ce[{name}]", [name], members, others, baseline)
        yield _row(measured, f"relative_ce[{name}]", [name], members, others, baseline)
    fifteen = list(corruptions.suite(SUITES[""]).keys)
    if names and suite in _nearest(measured, model, fifteen):
        yield _row(measured, "mce", fifteen, members, others, baseline)
        yield _row(measured, "relative_mce", fifteen, members, others, baseline)


def _nearest(measured: CellScores, model: str, names: Sequence[str]) -> list[str]:
    """The suites of a model that have most cells of these corruptions; the first where none has any."""
    counts: dict[str, int] = {}
    for one in measured.found:
        if one.cell.model == model and one.cell.corruption != CLEAN:
            counts[one.cell.suite] = counts.get(one.cell.suite, 0) + (one.cell.corruption in names)
    most = max(counts.values())
    return [suite for suite, count in counts.items() if count == most] if most else list(counts)[:1]


def _row(
    measured: CellScores,
    metric: str,
    names: Sequence[str],
    members: Sequence[Scored],
    others: Sequence[Scored],
    baseline: Baseline,
) -> dict[str, Any]:
    relative = metric.startswith("relative")
    wanted = {*names, CLEAN} if relative else set(names)
    own, base = ([one for one in some if one.cell.corruption in wanted] for some in (members, others))
    row = head(members[0].cell, metric, [one.cell for one in own]) | {"baseline": baseline.name}
    no_clean = NO_CLEAN_IMAGES if relative and not measured.has_clean else ""
    note = no_clean or _mean_note(own, metric) or _own_note(own, relative) or _baseline_note(own, base, baseline)
    if note:
        return row | {"note": note}

    def statistic(grid: AccuracyGrid, other: AccuracyGrid | None = None) -> Floats:
        against = _published(baseline, grid) if other is None else other
        ratios = [_error(grid, against, name, relative) for name in names]
        return np.asarray(metrics.mean_over_corruptions(ratios), dtype=np.float64)

    found = estimate(measured, statistic, *([own] if baseline.errors else [own, base]))
    return row | found | _how(found, baseline, own[0].cell.n)


def _how(found: dict[str, Any], baseline: Baseline, n: int) -> dict[str, Any]:
    """How the interval was made, or why there is none."""
    if found["value"] is None:
        return {"ci_low": None, "ci_high": None, "note": f"not defined: '{baseline.name}' makes no such error"}
    if n == 1:
        return {"note": ONE_IMAGE}
    if found["ci_low"] is None or found["ci_high"] is None:
        return {"note": f"no interval: in some resamples '{baseline.name}' makes no such error"}
    paired = "" if baseline.errors else "paired "
    return {"ci_method": f"{paired}image bootstrap, {metrics.RESAMPLES} resamples"}


def _error(grid: AccuracyGrid, other: AccuracyGrid, name: str, relative: bool) -> Floats:
    errors, base = grid.errors(name), other.errors(name)
    if not relative:
        return np.asarray(metrics.corruption_error(errors, base))
    clean, base_clean = (np.subtract(1, one.clean) for one in (grid, other) if one.clean is not None)
    return np.asarray(metrics.relative_corruption_error(errors, clean, base, base_clean))


def _published(baseline: Baseline, grid: AccuracyGrid) -> AccuracyGrid:
    """Published mean errors as a grid: each severity has the mean, which leaves the sums as they are."""
    return AccuracyGrid(
        np.array([1 - baseline.errors[CLEAN]]),
        {name: dict.fromkeys(SEVERITIES, np.array([1 - baseline.errors[name]])) for name in grid.corrupted},
    )


def _mean_note(own: Sequence[Scored], metric: str) -> str:
    """Why there is no mean over the corruptions of the suite: some of its cells were never asked for."""
    if metric not in ("mce", "relative_mce"):
        return ""
    there = {(one.cell.corruption, one.cell.strength) for one in own if one.cell.corruption != CLEAN}
    forms = {_stored(key) for _, key in there}
    suite = SUITES.get(forms.pop(), SUITES[""]) if len(forms) == 1 else SUITES[""]
    wanted = {(name, key) for name, keys in corruptions.suite(suite).keys.items() for key in keys}
    lacking, foreign = len(wanted - there), sorted(there - wanted)
    if lacking:
        return f"incomplete: {lacking} of the {len(wanted)} cells of {suite} were not asked for"
    return f"not defined: {foreign[0][0]} {foreign[0][1]} is not of {suite}" if foreign else ""


def _stored(key: str) -> str:
    """The form in which the images of a strength are stored; empty for those in memory."""
    return key.partition("@")[2]


def check_baseline(baseline: Baseline, strengths: Iterable[str]) -> None:
    """Raise ConfigError for published errors of stored images where none of these strengths has such images.

    strengths: keys of cells that robench degraded; images that were degraded elsewhere may be the published ones.
    """
    forms = {_stored(key) for key in strengths if key != CLEAN}
    if baseline.errors and forms and baseline.stored not in forms:
        raise ConfigError(
            f"baseline '{baseline.name}': its errors do not fit these images: {IN_MEMORY}; "
            f"evaluate the suite {baseline.suite}, or name a model of the run"
        )


def _own_note(own: Sequence[Scored], relative: bool) -> str:
    if relative and all(one.cell.corruption != CLEAN for one in own):
        return "incomplete: the clean cell was not asked for"
    return missing_note(own)


def _baseline_note(own: Sequence[Scored], base: Sequence[Scored], baseline: Baseline) -> str:
    """Why the baseline cannot stand under these errors; empty where it can."""
    if baseline.errors:
        return _published_note(own, baseline)
    asked = {(one.cell.corruption, one.cell.strength) for one in own}
    there = {(one.cell.corruption, one.cell.strength) for one in base}
    if asked != there:
        return f"incomplete: {len(asked ^ there)} cells are not in both this model and the baseline '{baseline.name}'"
    note = missing_note(base)
    return f"{note} of the baseline '{baseline.name}'" if note else ""


def _published_note(own: Sequence[Scored], baseline: Baseline) -> str:
    for name in dict.fromkeys(one.cell.corruption for one in own):
        cells = [one.cell for one in own if one.cell.corruption == name]
        if name not in baseline.errors:
            return f"not defined: no error of '{baseline.name}' is published for {name}"
        if name == CLEAN:
            continue
        strengths = sorted({cell.strength for cell in cells})
        forms = {_stored(key) for key in strengths}
        if forms != {baseline.stored} and cells[0].corruption_version != 0:
            return f"not defined: {name}: the published errors do not fit: {IN_MEMORY}"
        if tuple(key.partition("@")[0] for key in strengths) != SEVERITIES:
            return f"incomplete: {name}: the published error is of severities 1 to 5, got {', '.join(strengths)}"
        if cells[0].native not in (0, baseline.severity_table):
            return (
                f"not defined: the published errors are of the severities of table {baseline.severity_table}, "
                f"got {cells[0].native}"
            )
    return ""
