"""Which suite a cell belongs to, and whether a suite is whole, so that a mean says of what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import corruptions
from corruptions import Suite
from robench.store import Cell
from robench.tables._scored import CLEAN, Scored

NO_SUITE = "no suite"
"""What tables call the cells that no suite has."""

SETS = {"imagenet": "imagenet-c", "tiny-imagenet": "tiny-imagenet-c"}
"""The published set of a data set; of every other one it is that of `OTHERS`."""

OTHERS = "cifar10-c"
PUBLISHED = tuple(f"{name}{part}/1" for name in (OTHERS, *SETS.values()) for part in ("", "-extra"))
"""The suites of published sets, whose cells are theirs even where nobody named the suite."""

MOST_NAMED = 3
Place = tuple[str, str]


def with_suites(found: Sequence[Scored]) -> list[Scored]:
    """The cells, those of no suite moved into the published suites that they fill.

    A folder with the 19 arrays of CIFAR-10-C is `cifar10-c/1` and `cifar10-c-extra/1`. The clean cell of a model stands
    in each of its suites, and with the cells that no suite has. A cell of a suite is not one of no suite too.
    """
    of_suites = {replace(one.cell, suite="") for one in found if one.cell.suite and one.cell.corruption != CLEAN}
    found = [one for one in found if one.cell not in of_suites]
    home = _filled([one.cell for one in found if not one.cell.suite and one.cell.corruption != CLEAN])
    moved = [one if one.cell.suite else _in_suite(one, home.get(_place(one.cell), "")) for one in found]
    suites: dict[str, dict[str, None]] = {}
    for one in moved:
        if one.cell.corruption != CLEAN:
            suites.setdefault(one.cell.model, {})[one.cell.suite] = None
    everywhere: dict[Cell, Scored] = {}
    for one in moved:
        clean = one.cell.corruption == CLEAN
        for suite in suites.get(one.cell.model, [one.cell.suite]) if clean else [one.cell.suite]:
            here = _in_suite(one, suite)
            everywhere.setdefault(here.cell, here)
    return list(everywhere.values())


def mean_note(members: Sequence[Scored], group: str = "") -> str:
    """Why there is no mean over the corruptions of these cells of one model in one suite; empty where there is one.

    group: of the suite's corruptions those of this group alone.
    """
    cells = [one.cell for one in members if one.cell.corruption != CLEAN]
    suite = cells[0].suite if cells else ""
    if not suite:
        return _unequal(cells)
    if suite not in corruptions.suites():
        return ""
    wanted = _places(corruptions.suite(suite), made_elsewhere=not cells[0].corruption_version)
    wanted = [(name, key) for name, key in wanted if not group or corruptions.get(name).group == group]
    there = {_place(cell) for cell in cells}
    if lacking := [place for place in wanted if place not in there]:
        return f"incomplete: {len(lacking)} of the {len(wanted)} cells of {suite} were not asked for, {_named(lacking)}"
    foreign = sorted(there - set(wanted))
    return f"not defined: {' '.join(foreign[0])} is not of {suite}" if foreign else ""


def part_note(members: Sequence[Scored]) -> str:
    """Of downloaded images of no suite, what the mean lacks of a published suite; empty where they are of none."""
    cells = [one.cell for one in members]
    if cells[0].suite or cells[0].corruption_version:
        return ""
    there = {_place(cell) for cell in cells}
    for suite in _suites_for(cells[0]):
        wanted = _places(suite, made_elsewhere=True)
        if there <= set(wanted):
            lacking = [place for place in wanted if place not in there]
            return f"not {suite.name}: {len(lacking)} of its {len(wanted)} cells are not there, {_named(lacking)}"
    return ""


def _in_suite(one: Scored, suite: str) -> Scored:
    return replace(one, cell=replace(one.cell, suite=suite), row=one.row | {"suite": suite})


def _place(cell: Cell) -> Place:
    return cell.corruption, cell.strength


def _filled(cells: Sequence[Cell]) -> dict[Place, str]:
    """The suite of each place of the published suites that these cells fill."""
    home: dict[Place, str] = {}
    for made_elsewhere in (False, True):
        some = [cell for cell in cells if (cell.corruption_version == 0) is made_elsewhere]
        there = {_place(cell) for cell in some}
        for suite in _suites_for(some[0]) if some else ():
            wanted = _places(suite, made_elsewhere)
            if there.issuperset(wanted):
                home |= dict.fromkeys(wanted, suite.name)
    return home


def _suites_for(cell: Cell) -> list[Suite]:
    """The published suites whose geometry, or whose data set, is that of the cell."""
    found = [corruptions.suite(name) for name in PUBLISHED]
    if cell.corruption_version == 0:
        its = SETS.get(cell.dataset, OTHERS)
        return [suite for suite in found if suite.name in (f"{its}/1", f"{its}-extra/1")]
    return [
        suite
        for suite in found
        if (not suite.views or cell.view in suite.views) and suite.image_size in (None, cell.native)
    ]


def _places(suite: Suite, made_elsewhere: bool) -> list[Place]:
    """The places of a suite; images that were made elsewhere do not say in which form they are stored."""
    pairs = ((name, key) for name, keys in suite.keys.items() for key in keys)
    return [(name, key.partition("@")[0] if made_elsewhere else key) for name, key in pairs]


def _named(places: Sequence[Place]) -> str:
    """The first of these places, corruption by corruption."""
    by_name: dict[str, list[str]] = {}
    for name, key in places:
        by_name.setdefault(name, []).append(key)
    texts = [f"{name} {', '.join(keys)}" for name, keys in by_name.items()]
    more = f" and {len(texts) - MOST_NAMED} corruptions more" if len(texts) > MOST_NAMED else ""
    return "; ".join(texts[:MOST_NAMED]) + more


def _unequal(cells: Sequence[Cell]) -> str:
    """That corruptions with severities do not have the same ones; empty where they do."""
    severities: dict[str, set[int]] = {}
    for cell in cells:
        if cell.severity is not None:
            severities.setdefault(cell.corruption, set()).add(cell.severity)
    if len(set(map(frozenset, severities.values()))) < 2:
        return ""
    every = set().union(*severities.values())
    lacking = [(name, str(one)) for name, some in severities.items() for one in sorted(every - some)]
    return f"incomplete: unequal severities, without {_named(lacking)}"
