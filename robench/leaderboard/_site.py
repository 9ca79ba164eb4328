"""The static site of the boards: a page a board, a page an entry, and a list of the boards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from robench import plots, web
from robench.files import file_name
from robench.leaderboard._board import Entry
from robench.leaderboard._external import reported
from robench.leaderboard._rank import Ranking, training_data
from robench.tables import CLEAN, MEAN

PACKAGE = "robench.leaderboard"


def pages(standings: Sequence[Ranking]) -> dict[str, str]:
    """The text of every file by its address in the site."""
    made = {"index.html": _list_page(standings)}
    for one in standings:
        made[_address(one)] = _board_page(one)
        made[f"{_folder(one)}/{one.board.stem}.csv"] = one.text
        for entry in one.board.entries:
            made[f"{_folder(one)}/{one.board.stem}/{entry.id}.html"] = _entry_page(one, entry)
    return made | {f"assets/{name}": text for name, text in web.shared_assets().items()}


def _list_page(standings: Sequence[Ranking]) -> str:
    by_dataset: dict[str, list[Ranking]] = {}
    for one in standings:
        by_dataset.setdefault(_folder(one), []).append(one)
    return web.page(
        PACKAGE,
        "index.html.j2",
        assets="assets",
        title="robench: boards",
        boards=[_listed(one) for one in standings],
        across=[_across(found) for found in by_dataset.values() if len(found) > 1],
    )


def _across(standings: Sequence[Ranking]) -> dict[str, Any]:
    """What every model of a data set has under each suite; the models in the order of the fullest board."""
    by_entry: dict[str, dict[str, Any]] = {}
    for one in sorted(standings, key=lambda one: -len(one.frame)):
        for row in one.frame.to_dict("records"):
            by_entry.setdefault(row["entry"], {})[one.board.suite] = _shown(one, row)
    return {
        "folder": _folder(standings[0]),
        "dataset": standings[0].board.dataset,
        "suites": [one.board.suite for one in standings],
        "superseded": [one.board.suite for one in standings if one.board.superseded],
        "rows": [{"first": next(iter(by_suite.values())), "by_suite": by_suite} for by_suite in by_entry.values()],
    }


def _folder(standing: Ranking) -> str:
    return file_name(str(standing.board.dataset["name"]))


def _address(standing: Ranking) -> str:
    return f"{_folder(standing)}/{standing.board.stem}.html"


def _listed(standing: Ranking) -> dict[str, Any]:
    best = standing.frame.iloc[0] if len(standing.frame) else None
    return {
        "address": _address(standing),
        "dataset": standing.board.dataset,
        "suite": standing.board.suite,
        "classes": standing.board.classes,
        "entries": len(standing.frame),
        "superseded": standing.superseded_count,
        "best": "" if best is None else f"{best['model']}, {best['mean']:.2f} %",
    }


def _board_page(standing: Ranking) -> str:
    board, frame = standing.board, standing.frame
    labels = list(frame["model"])
    looks = plots.page_looks(len(labels))
    means = frame[["model", "rank", "rank_low", "rank_high"]].assign(
        **{MEAN: frame["mean"] / 100, "ci_low": frame["mean_ci_low"] / 100, "ci_high": frame["mean_ci_high"] / 100}
    )
    sides = {"clean": "clean", "robust": "mean"}
    ends = [(name + end, column + end) for name, column in sides.items() for end in ("", "_ci_low", "_ci_high")]
    traded = frame[["model"]].assign(**{name: frame[column] / 100 for name, column in ends})
    return web.page(
        PACKAGE,
        "board.html.j2",
        assets="../assets",
        title=f"robench: {board.title}",
        board=board,
        numbers=f"{board.stem}.csv",
        rows=[_shown(standing, row) for row in frame.to_dict("records")],
        groups=standing.groups,
        has_notes=standing.has_notes,
        has_mce=bool(frame["mce"].notna().any()),
        datasets=sorted(set(frame["training_data"])),
        models=[{"label": label} | look for label, look in zip(labels, looks, strict=True)],
        ranking=plots.Ranking(means).vega_spec(labels),
        trade_off=plots.CleanVsRobust(traded).vega_spec(labels),
        charts=_charts(standing, labels, labels),
        reported=reported(board),
    )


def _shown(standing: Ranking, row: dict[Any, Any]) -> dict[str, Any]:
    return {
        **row,
        "ranks": plots.rank_text(row["rank_low"], row["rank_high"]),
        "address": f"{standing.board.stem}/{row['entry']}.html",
    }


def _charts(standing: Ranking, models: Sequence[str], of: Sequence[str]) -> list[tuple[str, str, Any]]:
    """Of each corruption its name, what it is in words, and accuracy over strength of the models `of`."""
    cells = standing.rates[standing.rates["model"].isin(of)]
    found = []
    for name, fact in standing.board.corruptions.items():
        axis = plots.axis_of(cells[cells["corruption"] == name], fact)
        drawing = plots.Curves(plots.curve_rows(cells, name, axis), {name: axis}, 1 / standing.board.classes)
        found.append((name, fact.get("summary", ""), drawing.vega_spec(models)))
    return found


def _entry_page(standing: Ranking, entry: Entry) -> str:
    own = standing.rates[standing.rates["entry"] == entry.id]
    [row] = standing.frame[standing.frame["entry"] == entry.id].to_dict("records")
    return web.page(
        PACKAGE,
        "entry.html.j2",
        assets="../../assets",
        title=f"robench: {entry.label} on {standing.board.title}",
        board=standing.board,
        entry=entry,
        row=_shown(standing, row),
        training=entry.model.get("training") or {},
        trained_on=training_data(entry),
        cells=own[own["corruption"] != CLEAN].to_dict("records"),
        charts=_charts(standing, [entry.label], [entry.label]),
        back=f"../{standing.board.stem}.html",
    )
