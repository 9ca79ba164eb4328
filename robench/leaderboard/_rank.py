"""From counts and answers to the order of the models: SUITE.csv, percent with two decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robench import metrics
from robench.leaderboard import _cells, _correct_counts
from robench.leaderboard._board import NOTES, Board, Entry
from robench.tables import CLEAN, to_csv

Floats = NDArray[np.float64]

FIRST = ("rank", "rank_low", "rank_high", "model", "architecture", "parameters")
MIDDLE = (
    *("clean", "clean_ci_low", "clean_ci_high", "mean", "mean_ci_low", "mean_ci_high"),
    *("mce", "mce_ci_low", "mce_ci_high", "mce_baseline"),
)
LAST = (
    *("worst_corruption", "worst", "ece_clean", "ece_corrupted", "n", "seeds", "precision"),
    *("training_data", "train_n", "epochs", "recipe", "weights_sha256", "link", "entry", "suite", "robench"),
)
MCE_SUITE = "cifar10-c/1"


@dataclass(frozen=True)
class Ranking:
    """A board with its counts and its answers, by entry."""

    board: Board
    cells: pd.DataFrame
    answers: Mapping[str, _correct_counts.CorrectCounts]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The models in order, a row each."""
        rows = [self._row(entry) | place for entry, place in zip(self.board.entries, self._places(), strict=True)]
        columns = [*FIRST, *MIDDLE, *self.groups, *LAST, *([NOTES] if self.has_notes else [])]
        frame = pd.DataFrame(rows, columns=columns).sort_values(["rank", "model"], kind="stable", ignore_index=True)
        return frame.astype(dict.fromkeys(("rank", "rank_low", "rank_high", "parameters", "n"), "Int64"))

    @property
    def text(self) -> str:
        """The file."""
        return to_csv(self.frame, "%.2f")

    @property
    def groups(self) -> list[str]:
        """The groups of the suite's corruptions, in its order."""
        return list(dict.fromkeys(fact["group"] for fact in self.board.corruptions.values() if fact["group"]))

    @property
    def has_notes(self) -> bool:
        """Whether something must be known of an entry beside its numbers."""
        return any(entry.notes for entry in self.board.entries)

    @property
    def superseded_count(self) -> str:
        """How many corruptions have an installed version that is newer; empty for none."""
        old = len(self.board.superseded)
        return f"{old} of {len(self.board.corruptions)} corruptions" if old else ""

    @cached_property
    def rates(self) -> pd.DataFrame:
        """The counts with the columns of a run's table that follow from them."""
        rows = zip(self.cells["n_correct"], self.cells["n"], strict=True)
        low, high = zip(*(metrics.wilson(int(right), int(n)) for right, n in rows), strict=True)
        top1 = (self.cells["n_correct"] / self.cells["n"]).astype("float64")
        return self.cells.assign(top1=top1, top1_ci_low=low, top1_ci_high=high, status="ok")

    @cached_property
    def _samples(self) -> dict[str, dict[str, Floats]]:
        """Of each entry and corruption the accuracy, observed and in every resample."""
        columns = [(entry.id, place) for entry in self.board.entries for place in range(len(self.answers[entry.id].of))]
        counts = [self.answers[entry].right[:, place] for entry, place in columns]
        found: dict[str, dict[str, Floats]] = {}
        for (entry, place), samples in zip(columns, metrics.image_bootstrap(counts), strict=True):
            answers = self.answers[entry]
            found.setdefault(entry, {})[answers.corruptions[place]] = samples / answers.of[place]
        return found

    def mean(self, entry: Entry, names: Sequence[str]) -> Floats:
        """The mean accuracy over corruptions, observed and in every resample."""
        return np.asarray(np.mean([self._samples[entry.id][name] for name in names], axis=0))

    @cached_property
    def _corrupted(self) -> list[str]:
        return list(self.board.corruptions)

    def _places(self) -> list[dict[str, int]]:
        samples = np.array([self.mean(entry, self._corrupted) for entry in self.board.entries])
        return [
            dict(zip(("rank", "rank_low", "rank_high"), place, strict=True))
            for place in metrics.rank_intervals(samples)
        ]

    def _row(self, entry: Entry) -> dict[str, Any]:
        samples = self._samples[entry.id]
        by_corruption = {name: 100 * float(samples[name][0]) for name in self._corrupted}
        worst = min(by_corruption, key=lambda name: by_corruption[name])
        own = self.rates[self.rates["entry"] == entry.id]
        clean = own[own["corruption"] == CLEAN].iloc[0]
        groups = {group: self._percent(entry, self._of_group(group)) for group in self.groups}
        return {
            "clean": 100 * float(clean["top1"]),
            "clean_ci_low": 100 * float(clean["top1_ci_low"]),
            "clean_ci_high": 100 * float(clean["top1_ci_high"]),
            **self._with_ends("mean", 100 * self.mean(entry, self._corrupted)),
            **self._mce(samples),
            **groups,
            "worst_corruption": worst,
            "worst": by_corruption[worst],
            "ece_clean": 100 * float(clean["ece15"]),
            "ece_corrupted": 100 * float(_ece(own[own["corruption"] != CLEAN])),
            "n": int(clean["n"]),
            "seeds": " ".join(map(str, self.board.seeds)),
            **about(entry),
            "entry": entry.id,
            "suite": self.board.suite,
        }

    def _percent(self, entry: Entry, names: Sequence[str]) -> float:
        return 100 * float(self.mean(entry, names)[0])

    def _of_group(self, group: str) -> list[str]:
        return [name for name, fact in self.board.corruptions.items() if fact["group"] == group]

    @staticmethod
    def _with_ends(name: str, samples: Floats) -> dict[str, float]:
        low, high = metrics.interval(samples)
        return {name: float(samples[0]), f"{name}_ci_low": float(low), f"{name}_ci_high": float(high)}

    def _mce(self, samples: Mapping[str, Floats]) -> dict[str, Any]:
        """Against published errors, where the board's data set and suite have some."""
        if self.board.suite != MCE_SUITE:
            return {}
        for name, published in metrics.PUBLISHED.items():
            severity_tables = {fact["native"] for fact in self.board.corruptions.values()}
            if published.dataset == self.board.dataset["name"] and severity_tables == {published.severity_table}:
                errors = metrics.published_errors(name)
                ratios = [
                    metrics.corruption_error(1 - samples[one][None], np.array([[errors[one]]]))
                    for one in self._corrupted
                ]
                return self._with_ends("mce", np.asarray(metrics.mean_over_corruptions(ratios), np.float64)) | {
                    "mce_baseline": name
                }
        return {}


def _ece(cells: pd.DataFrame) -> float:
    """The mean over corruptions of the mean over their cells."""
    return float(cells.groupby("corruption")["ece15"].mean().mean())


def about(entry: Entry) -> dict[str, Any]:
    """What an entry's row says of its network and training."""
    training = entry.model.get("training") or {}
    return {
        "model": entry.label,
        "architecture": entry.model["name"],
        "parameters": int(entry.model["parameters"]),
        "precision": entry.precision,
        "training_data": training_data(entry),
        "train_n": training.get("train_n", ""),
        "epochs": training.get("epochs_run", training.get("epochs", "")),
        "recipe": training.get("recipe", ""),
        "weights_sha256": entry.model["weights_sha256"],
        "link": entry.link,
        "robench": entry.environment.get("robench", ""),
        NOTES: "; ".join(entry.notes),
    }


def training_data(entry: Entry) -> str:
    """The data set that the network learned from; what degraded its images, whether a restorer then saw them, and from
    which weights the network began.
    """
    training = entry.model.get("training") or {}
    if not training.get("dataset"):
        return "not stated"
    record = str(training.get("perturbations") or training.get("corruption") or "")
    names = [CLEAN] if training.get("data") == "both" else []
    names += dict.fromkeys(part.partition("@")[0] for part in record.split(", ") if part)
    weights = _weights(str(training.get("start") or ""))
    restored = "restored" if training.get("restorer_sha256") else ""
    ways = [" + ".join(names), restored, f"from {weights}" if weights else ""]
    done = ", ".join(filter(None, ways))
    return str(training["dataset"]) + (f" ({done})" if done else "")


def _weights(start: str) -> str:
    """The weights in a label that a checkpoint holds, which may name parts that are not registered here."""
    return start.rpartition("+")[2].partition("=")[2]


def standing(board: Board) -> Ranking:
    """The board with what its files say."""
    answers = {entry.id: _correct_counts.read(board.folder / entry.file) for entry in board.entries}
    return Ranking(board, _cells.read(board.path(".cells.csv")), answers)
