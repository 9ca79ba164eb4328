"""The cells of one data set with their accuracies, observed and in every resample of the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corruptions
from corruptions import CorruptionError
from robench import metrics
from robench.errors import RunError
from robench.store import Cell, Run, difference, distinct
from robench.tables._order import weak_to_strong
from robench.tables._scored import CLEAN, Scored, scored
from robench.tables._suites import with_suites

Floats = NDArray[np.float64]
NO_CLEAN_IMAGES = "not defined: the set has no clean images"
KEY_FIELDS = tuple(one.name for one in fields(Cell) if one.name != "suite")


@dataclass(frozen=True)
class AccuracyGrid:
    """Accuracies of one model: clean, and by corruption and strength; arrays of one shape, column 0 the observed.

    A strength with several seeds stands here with the mean over them.
    """

    clean: Floats | None
    corrupted: Mapping[str, Mapping[str, Floats]]

    def mean(self) -> Floats:
        """The mean over corruptions of the mean over their strengths."""
        means = [np.mean(list(strengths.values()), axis=0) for strengths in self.corrupted.values()]
        return np.asarray(np.mean(means, axis=0))

    def errors(self, corruption: str) -> Floats:
        """1 - accuracy, (strengths, ...)."""
        return 1 - np.array(list(self.corrupted[corruption].values()))


Statistic = Callable[..., Floats]
"""From one grid or more to numbers, for every column on its own."""


def check_networks(found: Sequence[Scored]) -> None:
    """Raise RunError where finished cells of one model are of different networks, by their fingerprints."""
    by_model: dict[str, list[Any]] = {}
    for one in found:
        by_model.setdefault(one.cell.model, []).append(one.fingerprint)
    for model, prints in by_model.items():
        different = distinct(prints)
        for other in different[1:]:
            if fault := difference(different[0], other):
                raise RunError(
                    f"expected the cells of '{model}' from one network, got some of another: {fault}; "
                    "its code, libraries or machine differed between them; evaluate it anew in another folder"
                )


@dataclass(frozen=True)
class CellScores:
    """Cells of any number of models on the same images. Raises RunError where the images are not the same.

    They are not where the data differ, or a corruption's version or side at one strength. Two cells of one model at
    one place must be the same cell, so that no table mixes two ways to feed a network.

    found: is put in the order of `weak_to_strong`. corruptions: facts of the corruptions by name, as in a manifest.
    seed: of the resamples.
    """

    found: Sequence[Scored]
    corruptions: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "found", weak_to_strong(self.found, self.corruptions))
        digests = sorted({one.cell.data_digest for one in self.found})
        if len(digests) > 1:
            raise RunError(f"expected cells on the same images, got data digests {digests[0][:12]}, {digests[1][:12]}")
        cells = [one.cell for one in self.found]
        check_forms(cells)
        check_networks(self.found)
        _check_alike(cells, ("corruption", "strength", "seed"), ("corruption_version", "native"))
        _check_alike(cells, ("model", "corruption", "strength", "seed"), KEY_FIELDS)

    @property
    def has_clean(self) -> bool:
        """Whether the clean images were among those asked for. They always are, unless the set has none."""
        return any(one.cell.corruption == CLEAN for one in self.found)

    def parts(self) -> Iterator[tuple[str, str, list[Scored]]]:
        """Each model and suite with its cells."""
        for model, suite in dict.fromkeys((one.cell.model, one.cell.suite) for one in self.found):
            yield model, suite, self.cells_of(model, suite)

    def cells_of(self, model: str, suite: str) -> list[Scored]:
        """The cells of one model in one suite."""
        return [one for one in self.found if (one.cell.model, one.cell.suite) == (model, suite)]

    def accuracy(self, one: Scored) -> Floats:
        """A finished cell's accuracy, observed and in every resample: (1 + resamples,)."""
        return self._accuracies[one.cell]

    @cached_property
    def _accuracies(self) -> dict[Cell, Floats]:
        """Of each finished cell; one that stands in two suites is resampled once."""
        keys = {one.cell: one.cell.key for one in self.found if one.correct is not None}
        known = {keys[one.cell]: one.correct for one in self.found if one.correct is not None}
        rows = dict(zip(known, metrics.image_bootstrap(list(known.values()), seed=self.seed), strict=True))
        return {cell: rows[key] for cell, key in keys.items()}

    def grid(self, members: Sequence[Scored], seed: int | None = None) -> AccuracyGrid:
        """The accuracies of one model's cells; of cells with several seeds the mean, or those of one `seed` alone."""
        tree: dict[str, dict[str, dict[int, Floats]]] = {}
        for one in sorted(members, key=lambda one: (one.cell.corruption, one.cell.strength, one.cell.seed)):
            if one.correct is not None:
                strengths = tree.setdefault(one.cell.corruption, {})
                strengths.setdefault(one.cell.strength, {})[one.cell.seed] = self.accuracy(one)
        clean = tree.pop(CLEAN, {}).get(CLEAN)
        return AccuracyGrid(
            None if clean is None else _one_of(clean, seed),
            {
                corruption: {strength: _one_of(seeds, seed) for strength, seeds in strengths.items()}
                for corruption, strengths in tree.items()
            },
        )


def check_forms(cells: Iterable[Cell]) -> None:
    """Raise RunError where images of one corruption are in memory and stored, or stored in several forms.

    They are other images at the same strength, and no mean, area or curve goes over both.
    """
    first: dict[str, Cell] = {}
    for cell in cells:
        held = first.setdefault(cell.corruption, cell)
        if held.strength.partition("@")[2] != cell.strength.partition("@")[2]:
            raise RunError(
                f"{cell.corruption}: expected images in memory or of one stored form, got strengths {held.strength} "
                f"and {cell.strength}; evaluate and report them apart"
            )


def _check_alike(cells: Iterable[Cell], place: Sequence[str], same: Sequence[str]) -> None:
    """Raise RunError where two cells of one place differ in what must be the same."""
    where, what = attrgetter(*place), attrgetter(*same)
    first: dict[Any, Cell] = {}
    for cell in cells:
        held = first.setdefault(where(cell), cell)
        if what(held) != what(cell):
            name = next(name for name in same if getattr(held, name) != getattr(cell, name))
            at = " ".join(str(getattr(cell, one)) for one in place)
            got = f"{getattr(held, name)} and {getattr(cell, name)}"
            raise RunError(f"{at}: expected cells of one {name.replace('_', ' ')}, got {got}; take them apart")


def _one_of(seeds: Mapping[int, Floats], seed: int | None) -> Floats:
    """What has one seed counts once, whichever seed is asked for."""
    if seed is not None and len(seeds) > 1:
        return seeds[seed][:1]
    return np.asarray(np.mean(list(seeds.values()), axis=0)) if seed is None else next(iter(seeds.values()))[:1]


def seeds_of(members: Sequence[Scored]) -> tuple[int, ...]:
    """The seeds of the cells that were run with several; none where there are none, or not the same everywhere."""
    tree: dict[tuple[str, str, str], set[int]] = {}
    for one in members:
        tree.setdefault((one.cell.model, one.cell.corruption, one.cell.strength), set()).add(one.cell.seed)
    several = {tuple(sorted(seeds)) for seeds in tree.values() if len(seeds) > 1}
    return several.pop() if len(several) == 1 else ()


def estimate(
    measured: CellScores,
    statistic: Statistic,
    *members: Sequence[Scored],
    ends: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """A statistic of the grids of `members`: value, 95 % interval, and its spread between seeds where there are some.

    ends: the least and the most that a mean over images can be, for its interval where no image differs from another;
    see `metrics.alike`. The value of a statistic that is not defined is None; so are the ends where it is not defined
    in each resample.
    """
    samples = statistic(*(measured.grid(some) for some in members))
    low, high = map(float, metrics.interval(samples))
    found: dict[str, Any] = {"value": _number(samples[0])}
    if ends is not None and low == high == samples[0]:
        low, high = metrics.alike(float(samples[0]), members[0][0].cell.n, *ends)
        found["ci_method"] = "exact, all images alike"
    found |= {"ci_low": _number(low), "ci_high": _number(high)}
    seeds = seeds_of([one for some in members for one in some])
    if seeds:
        each = [statistic(*(measured.grid(some, seed) for some in members))[0] for seed in seeds]
        found["seed_sd"] = _number(np.std(each, ddof=1))
    return found


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def missing_note(members: Sequence[Scored]) -> str:
    """What is said in place of a number over cells of which some are missing; empty where none is."""
    missing = sum(one.correct is None for one in members)
    return f"incomplete: {missing} of {len(members)} cells are missing or failed" if missing else ""


def check_images(runs: Sequence[Run]) -> None:
    """Raise RunError where runs show other images by the same name: of frost, or of a downloaded set."""
    _check_pictures(runs)
    _check_files(runs)


def _check_files(runs: Sequence[Run]) -> None:
    first: dict[str, tuple[str, Run]] = {}
    for run in runs:
        for name, digest in run.manifest().get("files_sha256", {}).items():
            held, by = first.setdefault(name, (digest, run))
            if held != digest:
                told = f"the files of {name} of {by.folder}, sha256 {held[:12]}"
                raise RunError(f"{run.folder}: expected {told}, got {digest[:12]}")


def _check_pictures(runs: Sequence[Run]) -> None:
    """What shows pictures, as frost does, must show the same in each run."""
    first: tuple[str, Run] | None = None
    for run in runs:
        if any(_shows_pictures(name) for name in dict.fromkeys(cell.corruption for cell in run.cells())):
            digest = str(run.manifest()["textures"])
            first = first or (digest, run)
            if digest != first[0]:
                told = " and ".join(one[:12] or "robench's own" for one in (first[0], digest))
                raise RunError(f"{run.folder}: expected the pictures of frost of {first[1].folder}, got {told}")


def _shows_pictures(name: str) -> bool:
    try:
        return "textures" in corruptions.get(name).requires
    except CorruptionError:
        return False


def by_place(members: Sequence[Scored]) -> dict[tuple[str, str, int], Scored]:
    """Cells of one model by corruption, strength and seed."""
    return {(one.cell.corruption, one.cell.strength, one.cell.seed): one for one in members}


def measure(run: Run) -> CellScores:
    """All cells of a run, those of no suite in the published suites that they fill."""
    return CellScores(with_suites(scored(run)), run.manifest()["corruptions"])
