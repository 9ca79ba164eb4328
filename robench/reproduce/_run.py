"""From a paper's name to its tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from corruptions import unknown
from robench.errors import ConfigError
from robench.reproduce._experiments import BUDGETS, ExperimentRunner
from robench.reproduce._items import get


def reproduce(
    paper: str,
    out: Path,
    name: str | None = None,
    *,
    budget: str = "small",
    data: Mapping[str, str] | None = None,
    work: Path | None = None,
    device: str = "auto",
    precision: str = "fp32",
    compiled: bool = False,
    progress: bool = False,
) -> list[Path]:
    """Make a table or figure of a paper, or all of them, in `out`; what was written.

    budget: "smoke" tries everything on a few digits, "small" is what two cores can do, "paper" the full protocol.
    data: DATASET by the name that the paper's recipes give it, such as {"cifar10": "cifar10:data"}.
    work: for runs, `out`/work unless told. Networks that are there are not trained again, nor cells computed again.
    device, precision, compiled: of the trainings, as for `robench.training.train`.
    Raises ConfigError for what is unknown, before anything is trained.
    """
    if budget not in BUDGETS:
        raise ConfigError(unknown("budget", budget, BUDGETS))
    runs, stands_for = work or out / "work", dict(data or {})
    runner = ExperimentRunner(out, runs, BUDGETS[budget], stands_for, device, precision, compiled, progress)
    items = get(paper, name)
    for one in items:
        for needed in one.data if runner.in_full else (*one.data, *one.small_data):
            runner.dataset(needed)
    return [path for one in items for path in one.make(runner)]
