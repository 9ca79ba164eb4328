"""Baselines of corruption errors, by name: published errors, or a model of the same run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from corruptions import unknown
from robench.errors import ConfigError


@dataclass(frozen=True)
class Published:
    """Errors someone measured: on which data set, in which file, at which native side of the severities.

    suite: whose cells they are of. stored: the form in which the images of those cells are stored.
    """

    dataset: str
    file: str
    severity_table: int
    suite: str
    stored: str


PUBLISHED = {"alexnet": Published("imagenet", "alexnet-imagenet-c.csv", 224, "imagenet-c/1", "jpeg85")}


@dataclass(frozen=True)
class Baseline:
    """What errors are divided by: published ones, or, where `errors` is empty, those of the model of that label.

    errors: of each corruption the mean error over severities 1 to 5, and the clean one, in 0..1. native: the side of
    the images for which those severities are meant. suite, stored: the cells that they are of, and how their images
    are stored.
    """

    name: str
    errors: Mapping[str, float] = field(default_factory=dict)
    severity_table: int = 0
    suite: str = ""
    stored: str = ""


def baseline(name: str, *, dataset: str, models: Iterable[str]) -> Baseline:
    """The baseline of that name; needs no predictions, so it can be asked for before a sweep.

    name: `alexnet`, the published errors on ImageNet-C, or one of `models`, the labels in the run or report. dataset:
    the name of the data set in tables. Raises ConfigError for an unknown name, with the nearest one, and for published
    errors of another data set.
    """
    if name in PUBLISHED:
        published = PUBLISHED[name]
        if dataset != published.dataset:
            raise ConfigError(
                f"baseline '{name}': its errors are published for {published.dataset}, got data set {dataset}; "
                "name a model of the run instead"
            )
        return Baseline(name, published_errors(name), published.severity_table, published.suite, published.stored)
    known = list(models)
    if name not in known:
        fitting = [other for other, published in PUBLISHED.items() if published.dataset == dataset]
        raise ConfigError(unknown("baseline", name, [*known, *fitting]))
    return Baseline(name)


def published_errors(name: str) -> dict[str, float]:
    """The errors in 0..1 that are shipped under that name: `clean`, and of each corruption the mean over severities."""
    text = files(__package__).joinpath(PUBLISHED[name].file).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {row["corruption"]: float(row["error"]) / 100 for row in csv.DictReader(lines)}
