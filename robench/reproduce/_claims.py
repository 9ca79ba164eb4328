"""What a paper finds, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from robench import metrics
from robench.reproduce._measurement import Measurement

Spot = tuple[str, str]
"""A row and a column of a table, or a line and a point of a figure."""
Values = Callable[[Spot], NDArray[np.float64]]
"""What was measured there of every image, in the same order everywhere: (N,)."""
COLUMNS = ("claim", "more", "less", "within", "difference", "ci_low", "ci_high", "n", "verdict")
FOUND, NOT_FOUND, OPEN = "found", "not found", "open"


@dataclass(frozen=True)
class Claim:
    """That one number is above another, or `within` so much of it."""

    text: str
    more: Spot
    less: Spot
    within: float | None = None

    def verdict(self, low: float, high: float) -> str:
        """What the 95 % interval of the difference says of it."""
        least, most = (0.0, np.inf) if self.within is None else (-self.within, self.within)
        if least < low and high < most:
            return FOUND
        return NOT_FOUND if high <= least or low >= most else OPEN


@dataclass(frozen=True)
class Floor:
    """What a clean-trained network must reach, in percent, for its page to count."""

    what: str
    least: float
    measurement: Measurement

    @property
    def is_met(self) -> bool:
        """Whether it does."""
        return self.measurement.value is not None and self.measurement.value >= self.least

    @property
    def text(self) -> str:
        """In words."""
        reached = "nothing" if self.measurement.value is None else f"{self.measurement.value:.2f} %"
        verdict = "met" if self.is_met else "NOT met: these numbers do not count"
        return f"Floor: {self.what} at least {self.least:g} %, reached {reached}: {verdict}."


def findings(claims: Iterable[Claim], values: Values) -> pd.DataFrame:
    """A row a claim: the difference of the means, `more` less `less`, with its paired 95 % t interval.

    values: of each image in percent, 0 to 100.
    """
    rows, read = [], cache(values)
    for claim in claims:
        pairs = read(claim.more) - read(claim.less)
        mean, low, high = paired(pairs, (-100, 100))
        places = {"more": ", ".join(claim.more), "less": ", ".join(claim.less), "within": claim.within}
        numbers = {"difference": mean, "ci_low": low, "ci_high": high, "n": len(pairs)}
        rows.append({"claim": claim.text} | places | numbers | {"verdict": claim.verdict(low, high)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def paired(pairs: NDArray[np.float64], ends: tuple[float, float] = (-np.inf, np.inf)) -> tuple[float, float, float]:
    """The mean of a number of every image, (N,), and its 95 % t interval; of one image the interval is everything.

    ends: the least and the most that the number can be. Where all images have the same number, the interval is that of
    `metrics.alike` within these ends, which is everything for a number without ends.
    """
    from statsmodels.stats.weightstats import DescrStatsW

    mean = float(pairs.mean())
    if len(pairs) < 2:
        return mean, *ends
    if np.ptp(pairs) == 0:
        return mean, *metrics.alike(mean, len(pairs), *ends)
    low, high = DescrStatsW(pairs).tconfint_mean()
    return mean, float(low), float(high)
