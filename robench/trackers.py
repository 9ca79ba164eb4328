"""Experiment trackers: what a sweep finds, while it finds it, for TensorBoard or Weights & Biases."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corruptions import unknown
from robench.errors import ConfigError, RobenchError
from robench.files import one_line

if TYPE_CHECKING:
    import pandas as pd

FORMS = "tensorboard=FOLDER or wandb=PROJECT"
SCORES = ("top1", "nll", "ece15")
MOST_SAID = 300


class Tracker:
    """What hears of finished cells. This one forgets them."""

    def cell(self, row: Mapping[str, Any], step: int) -> None:
        """A finished cell as a row of cells.csv; step: its severity, or the place of its level, from 1; clean is 0."""

    def end(self, cells: pd.DataFrame, metrics: pd.DataFrame) -> None:
        """Both tables, when the sweep is over."""

    def close(self, failed: bool) -> None:
        """Let go of what is open; failed: the sweep did not come to its end."""


@contextmanager
def track(text: str | None, name: str, facts: Mapping[str, Any]) -> Iterator[Tracker | None]:
    """The tracker that `tensorboard=FOLDER` or `wandb=PROJECT` names, for the block; none for None.

    name: of the run. facts: JSON values to show with it. Raises ConfigError for another text and where the library is
    missing, RobenchError where it cannot begin. What goes wrong later is one warning, and no more is tracked.
    """
    if not text:
        yield None
        return
    tracker, failed = _Careful(_opened(text, name, facts)), True
    try:
        yield tracker
        failed = False
    finally:
        tracker.close(failed)


def taken_apart(text: str) -> tuple[str, str]:
    """`tensorboard=FOLDER` or `wandb=PROJECT` in two; ConfigError for another text."""
    kind, _, place = text.partition("=")
    if kind not in KINDS:
        raise ConfigError(f"{unknown('tracker', kind, KINDS)}; expected {FORMS}")
    if not place:
        raise ConfigError(f"tracker '{text}': expected {FORMS}")
    return kind, place


def not_installed(kind: str) -> ConfigError:
    """Which extra a tracker needs."""
    return ConfigError(f"tracker '{kind}' is not installed: pip install 'robench[{kind}]'")


def _opened(text: str, name: str, facts: Mapping[str, Any]) -> Tracker:
    kind, place = taken_apart(text)
    try:
        return KINDS[kind](place, name, facts)
    except ImportError:
        raise not_installed(kind) from None
    except Exception as fault:
        raise RobenchError(f"tracker '{text}' cannot begin: {one_line(fault)}") from fault


class _Careful(Tracker):
    """Another tracker, whose faults do not end a sweep."""

    def __init__(self, inner: Tracker) -> None:
        self._inner: Tracker = inner

    def cell(self, row: Mapping[str, Any], step: int) -> None:
        self._try(lambda: self._inner.cell(row, step))

    def end(self, cells: pd.DataFrame, metrics: pd.DataFrame) -> None:
        self._try(lambda: self._inner.end(cells, metrics))

    def close(self, failed: bool) -> None:
        self._try(lambda: self._inner.close(failed))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as fault:
            self._inner = Tracker()
            warnings.warn(f"nothing more is tracked: {one_line(fault)[:MOST_SAID]}", stacklevel=4)


class TensorBoard(Tracker):
    """Event files in a folder, one sub-folder a model: accuracy over strength for every corruption."""

    def __init__(self, folder: str, name: str, facts: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._folder = Path(folder) / name
        self._writer: Any = SummaryWriter
        self._writers: dict[str, Any] = {}
        Path(folder).mkdir(parents=True, exist_ok=True)

    def cell(self, row: Mapping[str, Any], step: int) -> None:
        for score in SCORES:
            self._of(row["model"]).add_scalar(f"{score}/{_curve(row)}", row[score], step)

    def end(self, cells: pd.DataFrame, metrics: pd.DataFrame) -> None:
        for row in metrics.dropna(subset=["value"]).to_dict("records"):
            tag = f"metrics/{row['metric']}" + (f"/{row['suite']}" if row["suite"] else "")
            self._of(row["model"]).add_scalar(tag, row["value"], 0)

    def close(self, failed: bool) -> None:
        for writer in self._writers.values():
            writer.close()

    def _of(self, model: str) -> Any:
        if model not in self._writers:
            self._writers[model] = self._writer(str(self._folder / re.sub(r"[^\w=.@+-]", "_", model)))
        return self._writers[model]


class WeightsAndBiases(Tracker):
    """A run of a project: accuracy over strength for every model and corruption, and both tables at the end."""

    def __init__(self, project: str, name: str, facts: Mapping[str, Any]) -> None:
        import wandb

        self._table = wandb.Table
        self._run = wandb.init(project=project, name=name, config=dict(facts), job_type="evaluate")
        self._run.define_metric("strength")
        self._run.define_metric("*", step_metric="strength")

    def cell(self, row: Mapping[str, Any], step: int) -> None:
        scores = {f"{row['model']}/{_curve(row)}/{score}": row[score] for score in SCORES}
        self._run.log(scores | {"strength": step})

    def end(self, cells: pd.DataFrame, metrics: pd.DataFrame) -> None:
        tables = {"cells": cells, "metrics": metrics}
        self._run.log({name: self._table(dataframe=_plain(frame)) for name, frame in tables.items()})
        for row in metrics.dropna(subset=["value"]).to_dict("records"):
            parts = (row["model"], row["metric"], row["suite"])
            self._run.summary["/".join(filter(None, parts))] = row["value"]

    def close(self, failed: bool) -> None:
        self._run.finish(exit_code=int(failed))


KINDS: dict[str, Callable[[str, str, Mapping[str, Any]], Tracker]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
}


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """None for what is missing, whatever the column's type."""
    return frame.astype(object).where(frame.notna(), None)


def _curve(row: Mapping[str, Any]) -> str:
    """The corruption, and the seed where it is not the canonical one."""
    return f"{row['corruption']} seed {row['seed']}" if row["seed"] else str(row["corruption"])
