"""What a sweep has left to do: its units, the cells that each lacks, and the fingerprints of those that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from robench.errors import RunError
from robench.store import Cell, Run
from robench.sweep._config import SweepConfig
from robench.sweep._plan import Condition, Planned

Fingerprints = Sequence[Mapping[str, Any] | None]
"""Of stored cells; None of one that an older robench wrote."""


@dataclass(frozen=True)
class Work:
    """missing: of each unit of this process the cells to compute, by model. found: how many of its cells are there.

    stored: by model the fingerprints of all cells of the plan that are there.
    """

    missing: Mapping[Condition, Mapping[str, Cell]]
    found: int
    stored: Mapping[str, Fingerprints]

    @property
    def labels(self) -> set[str]:
        """The models with cells to compute."""
        return {label for cells in self.missing.values() for label in cells}


def work_of(run: Run, planned: Planned, config: SweepConfig) -> Work:
    """What of a plan is missing in a run, in this process's shard.

    A stateful sweep has no part that can be done alone: where one cell is missing, all are. RunError where the run
    holds other cells beside them.
    """
    conditions = list(planned)[config.shard[0] - 1 :: config.shard[1]] if config.shard else list(planned)
    every = [cell for pairs in planned.values() for _, cell in pairs]
    records = {cell: record for cell in every if (record := run.record(cell)) and not record["error"]}
    stored: dict[str, list[Mapping[str, Any] | None]] = {}
    for cell, record in records.items():
        stored.setdefault(cell.model, []).append(record["fingerprint"])
    _add_others(run, stored, {cell.model for cell in every})
    mine = [cell for condition in conditions for _, cell in planned[condition]]
    done = {cell for cell in mine if cell in records}
    if config.stateful:
        _check_whole(run, {cell.key for cell in every})
        done = done if len(done) == len(mine) else set()
    missing = {
        condition: {cell.model: cell for _, cell in planned[condition] if cell not in done} for condition in conditions
    }
    missing = {condition: cells for condition, cells in missing.items() if cells}
    return Work(missing, len(done), stored)


def _add_others(run: Run, stored: dict[str, list[Mapping[str, Any] | None]], labels: set[str]) -> None:
    """Of a model without a stored cell in the plan, the fingerprint of one that the run holds besides."""
    held = run.cells() if run.manifest_path.exists() else []
    for cell in held:
        if cell.model in labels - stored.keys():
            record = run.record(cell)
            if record is not None and not record["error"]:
                stored[cell.model] = [record["fingerprint"]]


def _check_whole(run: Run, keys: set[str]) -> None:
    held = {cell.key for cell in run.cells()} if run.manifest_path.exists() else keys
    if held != keys:
        raise RunError(
            f"{run.folder}: a stateful run is made by one call, got other cells than those it holds; "
            "choose another folder"
        )
