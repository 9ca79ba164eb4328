"""What was measured of some networks, as the entries of tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robench import metrics
from robench.errors import RunError
from robench.reproduce._claims import Spot, Values
from robench.reproduce._measurement import Measurement
from robench.reproduce._trained_network import TrainedNetwork
from robench.store import Cell, Predictions, Run

Places = Mapping[str, tuple[str, str]]
"""Of each column the corruption and the strength; ("clean", "clean") for none."""

MEASURED = ("n", "dataset", "data_digest", "weights_sha256")
"""What a row says of the cell behind its number; the data set is that of the test."""


@dataclass(frozen=True)
class Cells:
    """What was measured of some networks: cells, aggregates, and the networks by label."""

    run: Run
    frame: pd.DataFrame
    aggregates: pd.DataFrame
    trained_networks: Mapping[str, TrainedNetwork]

    def accuracy(self, label: str, corruption: str = "clean", strength: str = "clean") -> Measurement:
        """Top-1 accuracy of one cell in percent, with its Wilson interval."""
        row = self._row(label, corruption, strength)
        if row["status"] != "ok":
            return Measurement(None, note=str(row["error"] or row["status"]))
        top1, low, high = (100 * float(row[name]) for name in ("top1", "top1_ci_low", "top1_ci_high"))
        return Measurement(top1, low, high, self._facts(label, row))

    def top5_accuracy(self, label: str, corruption: str = "clean", strength: str = "clean") -> Measurement:
        """As `accuracy`, of the five classes with the largest logits."""
        row = self._row(label, corruption, strength)
        if row["status"] != "ok":
            return Measurement(None, note=str(row["error"] or row["status"]))
        right, n = int(row["n_correct_top5"]), int(row["n"])
        low, high = metrics.wilson(right, n)
        return Measurement(100 * right / n, 100 * low, 100 * high, self._facts(label, row))

    def aggregate(self, label: str, metric: str) -> Measurement:
        """One row of metrics.csv in percent, with its interval."""
        of_model = self.aggregates[self.aggregates["model"] == label]
        row = of_model[of_model["metric"] == metric].iloc[0]
        if pd.isna(row["value"]):
            return Measurement(None, note=str(row["note"]))
        value, low, high = (100 * float(row[name]) for name in ("value", "ci_low", "ci_high"))
        return Measurement(value, low, high, self._facts(label, self._row(label, "clean", "clean")))

    def measurements(
        self, trained_networks: Mapping[str, TrainedNetwork], places: Places
    ) -> dict[tuple[str, str], Measurement]:
        """The accuracies of a table: nets by row, and of each column the corruption and strength."""
        return {
            (row, column): self.accuracy(trained.label, *place)
            for row, trained in trained_networks.items()
            for column, place in places.items()
        }

    def right(self, label: str, corruption: str = "clean", strength: str = "clean") -> NDArray[np.float64]:
        """Of every image in the order of ids 100 where the answer is right, else 0: (N,)."""
        return self._right(label, lambda cell: (cell.corruption, cell.strength) == (corruption, strength))

    def mean_right(self, label: str) -> NDArray[np.float64]:
        """As `right`, the mean over corruptions and strengths."""
        return self._right(label, lambda cell: cell.corruption != "clean")

    def values(self, trained_networks: Mapping[str, TrainedNetwork], places: Places) -> Values:
        """What claims on a table of these rows and columns are held against."""

        def value(spot: Spot) -> NDArray[np.float64]:
            row, column = spot
            return self.right(trained_networks[row].label, *places[column])

        return value

    def _right(self, label: str, chosen: Callable[[Cell], bool]) -> NDArray[np.float64]:
        found = [self.run.read(cell) for cell in self.run.cells() if cell.model == label and chosen(cell)]
        answered = [one for one in found if isinstance(one, Predictions)]
        if len(answered) < len(found) or not found:
            raise RunError(f"{self.run.folder}: cells of {label} are missing or failed")
        return np.asarray(np.mean([100.0 * one.correct[np.argsort(one.ids)] for one in answered], axis=0))

    def _row(self, label: str, corruption: str, strength: str) -> Any:
        some = self.frame[(self.frame["model"] == label) & (self.frame["corruption"] == corruption)]
        return some[some["strength"] == strength].iloc[0]

    def _facts(self, label: str, row: Any) -> dict[str, object]:
        return self.trained_networks[label].details | {name: row[name] for name in MEASURED}


def wrong(right: Values) -> Values:
    """100 where the answer is wrong, else 0."""
    return lambda spot: 100 - right(spot)


def error(accuracy: Measurement) -> Measurement:
    """The error rate to an accuracy in percent."""
    if accuracy.value is None:
        return accuracy
    low, high = (None if end is None else 100 - end for end in (accuracy.high, accuracy.low))
    return Measurement(100 - accuracy.value, low, high, accuracy.details)


def chosen_of(places: Places) -> list[str]:
    """The columns' corruptions as `evaluate` takes them; the clean images come in any case."""
    return [f"{corruption}@{key}" for corruption, key in places.values() if corruption != "clean"]
