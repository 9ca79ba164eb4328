"""Who is better where, of the models of two runs on the same images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path

import pandas as pd

from corruptions import unknown
from robench import plots, tables
from robench.errors import ConfigError, RunError
from robench.files import write_text
from robench.metrics import CONFIDENCE
from robench.store import Run
from robench.tables import MEAN, CellScores, Scored


@dataclass(frozen=True)
class Comparison:
    """Two models: their names, what `tables.differences` says of them, and `tables.pairs` of their cells.

    notes: what must be said of the runs beside the numbers.
    """

    model_a: str
    model_b: str
    differences: pd.DataFrame
    cells: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """For the terminal."""
        rows = [["top-1 accuracy, %", "A", "B", "A - B", "95 % interval", "better"]]
        rows += [_texts(row) for row in self.differences.to_dict("records")]
        notes = [str(note) for note in self.differences["note"] if note]
        names = [f"A  {self.model_a}", f"B  {self.model_b}", ""]
        notes += [*filter(None, [tables.clean_note(self.cells["corruption"])]), *self.notes]
        return "\n".join([*names, tables.aligned(rows), "", *notes, self._of_cells()])

    def _of_cells(self) -> str:
        some = self.cells.dropna(subset=["p_holm"])
        sure = some[some["p_holm"] < 1 - CONFIDENCE]
        better = [int((sign * sure["diff"] > 0).sum()) for sign in (1, -1)]
        cells = "the one cell" if len(some) == 1 else f"{len(some)} cells"
        return f"of {cells} A is better in {better[0]}, B in {better[1]} (McNemar, Holm, 5 %)"


def _texts(row: dict[object, object]) -> list[str]:
    name = f"mean over {tables.counted(int(str(row['n_corruptions'])))}" if row["what"] == MEAN else str(row["what"])
    name += f", {row['suite']}" if row["suite"] else ""
    a, b, diff, low, high = (float("nan") if row[key] is None else 100 * float(str(row[key])) for key in NUMBERS)
    better = {"a": "A", "b": "B"}.get(str(row["better"]), str(row["better"]))
    return [name, f"{a:.2f}", f"{b:.2f}", f"{diff:+.2f}", f"{low:+.2f} to {high:+.2f}", better]


NUMBERS = ("a", "b", "diff", "ci_low", "ci_high")


def compare(run_a: Path, run_b: Path, model_a: str = "", model_b: str = "") -> list[Comparison]:
    """Every model of one run with its namesake in the other; where no name is in both, or in one run, each with each.

    model_a, model_b: the label of one model of a run, to compare it alone. Raises RunError for a folder that holds no
    run, or where the runs are not of the same images; ConfigError for a label that is not there, or a run of one model
    with itself.
    """
    runs = [Run(run_a), Run(run_b)]
    _check_same_images(runs)
    facts = runs[0].manifest()["corruptions"] | runs[1].manifest()["corruptions"]
    compared = []
    chosen = [_labels(run, label) for run, label in zip(runs, (model_a, model_b), strict=True)]
    names = [_names(run, other) for run, other in (runs, runs[::-1])]
    found = [_renamed(run, mark, own) for run, mark, own in zip(runs, "AB", names, strict=True)]
    suites = _suites(runs)
    within = runs[0] == runs[1] and not (model_a or model_b)
    if within and len(chosen[0]) == 1:
        raise ConfigError(f"{run_a}: expected two models to compare, got {chosen[0][0]} alone; name another run")
    for a, b in combinations(chosen[0], 2) if within else _couples(*chosen):
        shown = names[0][a], names[1][b]
        labels = f"A {shown[0]}", f"B {shown[1]}"
        two = CellScores([one for side in found for one in side if one.cell.model in labels], facts)
        frame = tables.pairs(two)
        cells = frame[frame["corruption"] != MEAN]
        compared.append(Comparison(*shown, tables.differences(two, *labels, suites), cells, _notes(runs)))
    return compared


def write(compared: Sequence[Comparison], folder: Path) -> list[Path]:
    """differences.csv, pairs.csv, and a heatmap of the differences of every two models; what was made."""
    names = [{"model_a": one.model_a, "model_b": one.model_b} for one in compared]
    frames = {
        "differences.csv": pd.concat(
            [
                one.differences.assign(**name)[[*name, *one.differences]]
                for one, name in zip(compared, names, strict=True)
            ]
        ),
        "pairs.csv": pd.concat([one.cells.assign(**name) for one, name in zip(compared, names, strict=True)]),
    }
    made = []
    for name, frame in frames.items():
        write_text(folder / name, tables.to_csv(frame))
        made.append(folder / name)
    for number, one in enumerate(compared, start=1):
        rows = plots.difference_rows(one.cells, f"A {one.model_a}", f"B {one.model_b}")
        if len(rows):
            stem = folder / ("difference" if len(compared) == 1 else f"difference-{number}")
            made += plots.Difference(rows, f"A {one.model_a}", f"B {one.model_b}").save(stem)
    return made


def _check_same_images(runs: Sequence[Run]) -> None:
    one, other = (run.manifest()["dataset"] for run in runs)
    if one["digest"] != other["digest"]:
        raise RunError(
            f"{runs[1].folder}: expected the images of {runs[0].folder}, {_images(one)}, got {_images(other)}"
        )
    tables.check_images(runs)


def _notes(runs: Sequence[Run]) -> tuple[str, ...]:
    """What the runs' manifests record that must be said, with the run's folder."""
    return tuple(f"{run.folder}: {note}" for run in dict.fromkeys(runs) for note in tables.run_notes(run.manifest()))


def _images(dataset: dict[str, str]) -> str:
    return f"{dataset['name']} {dataset['split']} ({dataset['n']}, digest {dataset['digest'][:12]})"


def _names(run: Run, other: Run) -> dict[str, str]:
    """What each model of a run is called; with the run's folder where the other run has one of its name."""
    shared = set() if run == other else {*_labels(other, "")}
    return {label: f"{label} ({run.folder})" if label in shared else label for label in _labels(run, "")}


def _suites(runs: Sequence[Run]) -> dict[tuple[str, str, int], list[str]]:
    """The suites that the cells of the runs belong to, by corruption, strength and seed."""
    found: dict[tuple[str, str, int], dict[str, None]] = {}
    for run in runs:
        for one in tables.with_suites(tables.scored(run)):
            found.setdefault((one.cell.corruption, one.cell.strength, one.cell.seed), {})[one.cell.suite] = None
    return {place: [suite for suite in names if suite] or [""] for place, names in found.items()}


def _renamed(run: Run, mark: str, names: Mapping[str, str]) -> list[Scored]:
    """The cells of a run under the names of models that no other run has, each once, of no suite."""
    cells = {one.cell.key: one for one in tables.scored(run)}
    models = {label: f"{mark} {name}" for label, name in names.items()}
    return [replace(one, cell=replace(one.cell, model=models[one.cell.model], suite="")) for one in cells.values()]


def _labels(run: Run, wanted: str) -> list[str]:
    labels = [str(model["label"]) for model in run.manifest()["models"]]
    if wanted and wanted not in labels:
        raise ConfigError(f"{run.folder}: {unknown('model', wanted, labels)}")
    return [wanted] if wanted else labels


def _couples(of_a: Sequence[str], of_b: Sequence[str]) -> Iterator[tuple[str, str]]:
    shared = [name for name in of_a if name in of_b]
    if shared and (len(of_a), len(of_b)) != (1, 1):
        yield from zip(shared, shared, strict=True)
    else:
        yield from product(of_a, of_b)
