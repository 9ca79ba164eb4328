"""Two models on the same images, and many models in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.metrics._bootstrap import CONFIDENCE, interval

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


def discordant(a: Bools, b: Bools) -> tuple[int, int]:
    """n01, the images that only b answers right, and n10, those that only a does; a, b: (N,)."""
    return int(np.sum(~a & b)), int(np.sum(a & ~b))


def mcnemar(n01: int, n10: int) -> float:
    """The two-sided exact p of McNemar's test: whether the discordant images fall to both models alike.

    >>> mcnemar(0, 5)
    0.0625
    """
    from statsmodels.stats.contingency_tables import mcnemar as exact

    return float(exact([[0, n10], [n01, 0]], exact=True).pvalue)


def unseen(n: int) -> float:
    """The most that the share of a kind of images can be of which none is among n: 1 - 0.025^(1/n), near 3.7 / n.

    The upper end of the exact 95 % interval of 0 in n (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404). With one
    side alone it would be the rule of three, 3 / n (Hanley and Lippman-Hand 1983,
    doi:10.1001/jama.1983.03330370053031).

    >>> round(unseen(100), 4)
    0.0362
    """
    return float(1 - ((1 - CONFIDENCE) / 2) ** (1 / n))


def alike(value: float, n: int, least: float, most: float) -> tuple[float, float]:
    """The 95 % interval of the mean of a number in least..most that was `value` in each of n images.

    No image differed, so at most the share `unseen(n)` of all images does, and that by at most the whole range. A
    bootstrap, or a t interval, of numbers that are all the same would have no width, whatever n is.

    >>> [round(end, 4) for end in alike(0.0, 100, -1.0, 1.0)]
    [-0.0362, 0.0362]
    """
    share = unseen(n)
    return value - share * (value - least), value + share * (most - value)


def holm(p: Sequence[float]) -> list[float]:
    """The values of p adjusted for their number (Holm 1979); one that is not a number counts as 1 and stays none.

    The k-th smallest of m is multiplied by m + 1 - k, and is at least as large as those before it and at most 1.

    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    given = np.asarray(p, dtype=np.float64)
    order = np.argsort(np.nan_to_num(given, nan=1.0), kind="stable")
    stepped = np.nan_to_num(given[order], nan=1.0) * np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return [float(one) for one in np.where(np.isnan(given), np.nan, adjusted)]


def error_consistency(a: Bools, b: Bools) -> tuple[float, float, float]:
    """c_obs, c_exp and kappa of two models' answers, right or wrong, (N,) (Geirhos et al. 2020, arXiv:2006.16736).

    c_obs: share of images that both answer right or both wrong. c_exp: the share expected of independent models of
    these accuracies. kappa = (c_obs - c_exp) / (1 - c_exp), and 1 where c_obs is 1.
    """
    observed = float(np.mean(a == b))
    p, q = float(np.mean(a)), float(np.mean(b))
    expected = p * q + (1 - p) * (1 - q)
    return observed, expected, 1.0 if observed == 1 else (observed - expected) / (1 - expected)


def rank_intervals(samples: Floats) -> list[tuple[int, int, int]]:
    """Of each model its rank and the ranks that its data leave open; samples: (models, 1 + resamples), more is better.

    rank: 1 + the number of models above, so models that are equal, to 1e-12, share the lower number. Two models are
    told apart where the 95 % interval of their paired difference leaves out 0: the open ranks go from 1 + the models
    surely better to the number of models - those surely worse. The intervals are not adjusted for the number of pairs.
    """
    found = []
    for own in samples:
        low, high = interval(samples - own)
        rank = 1 + int(np.sum(samples[:, 0] > own[0] + 1e-12))
        found.append((rank, 1 + int(np.sum(low > 0)), len(samples) - int(np.sum(high < 0))))
    return found
