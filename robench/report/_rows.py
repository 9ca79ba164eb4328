"""The rows of a report's tables, as numbers and as text."""

from __future__ import annotations

from typing import Any

import pandas as pd

from robench import plots, tables
from robench.report._section import Section


def groups(section: Section) -> list[str]:
    """The metrics that are means over a group of corruptions."""
    return sorted({name for name in section.metrics["metric"] if name.startswith(f"{tables.MEAN}[")})


def summary_rows(section: Section) -> list[dict[str, Any]]:
    """One row a model and suite, suite by suite in the order of ranks: every aggregate as a number and as text.

    corruptions: how many the mean is over.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for _, row in section.metrics.iterrows():
        model, suite = str(row["model"]), str(row["suite"])
        its = rows.setdefault((model, suite), {"model": model, "suite": suite or tables.NO_SUITE, "corruptions": 0})
        its[str(row["metric"])] = _percent(row)
        if row["metric"] == tables.MEAN:
            its["corruptions"] = int(row["n_corruptions"])
    for rank in section.ranks.dropna(subset=["rank"]).itertuples():
        rows[str(rank.model), str(rank.suite)]["rank"] = (
            int(str(rank.rank)),
            plots.rank_text(rank.rank_low, rank.rank_high),
        )
    of_suites = ([row for (_, its), row in rows.items() if its == suite] for suite in section.suites)
    last = (len(rows) + 1, "")
    return [row for some in of_suites for row in sorted(some, key=lambda row: row.get("rank", last)[0])]


def _percent(row: Any) -> tuple[float | None, str]:
    """Value and interval in percent; corruption errors are in percent already."""
    if pd.isna(row["value"]):
        return None, str(row["note"])
    scale = 1 if row["baseline"] else 100
    value = scale * row["value"]
    interval = "" if pd.isna(row["ci_low"]) else f"{scale * row['ci_low']:.2f} to {scale * row['ci_high']:.2f}"
    return round(value, 4), f"{value:.2f}|{'; '.join(filter(None, (interval, row['note'])))}"


def accuracy_rows(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a corruption and strength: each model's accuracy in percent, or the status of a cell without one."""
    rows = []
    for (corruption, strength), some in cells.groupby(["corruption", "strength"], sort=False):
        by_model = {}
        for label, few in some.groupby("model", sort=False):
            ok = few["status"] == "ok"
            by_model[label] = f"{100 * few['top1'].mean():.2f}" if ok.all() else few.loc[~ok, "status"].iloc[0]
        shown = "" if corruption == tables.CLEAN else strength
        group = str(some["group"].iloc[0])
        rows.append({"corruption": corruption, "group": group, "strength": shown, "by_model": by_model})
    return rows
