"""Whole images drawn again: what every interval of an aggregate rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions import Draws

Floats = NDArray[np.floating[Any]]
Answered = NDArray[np.bool_] | NDArray[np.unsignedinteger[Any]]

RESAMPLES = 2000
CONFIDENCE = 0.95


def image_bootstrap(correct: Sequence[Answered], *, seed: int = 0, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """Accuracies (cells, 1 + resamples): in column 0 those observed, then those of each resample of the images.

    correct: of each cell which of the same N images were answered right, (N,), or of several cells how many;
    then the mean of that number comes out. A resample draws N images with replacement, the same for all cells
    (a cluster bootstrap, the cluster being the image), so a statistic computed column by column keeps what the cells
    share. One image tells nothing of others: its resamples are not numbers.
    Field and Welsh 2007, https://doi.org/10.1111/j.1467-9868.2007.00593.x
    """
    if not len(correct):
        return np.empty((0, 1 + resamples))
    hits = np.stack(correct, axis=1).astype(np.float32)
    if len(hits) == 1:
        return np.concatenate([hits.T, np.full((len(correct), resamples), np.nan)], axis=1, dtype=np.float64)
    parts = [hits.sum(axis=0, dtype=np.float64)[None]]
    # Sums of whole numbers below 2^24 are exact in float32, so the result is the same on every machine.
    parts += [times @ hits for times in _times_drawn(len(hits), seed, resamples)]
    return np.concatenate(parts, dtype=np.float64).T / len(hits)


def interval(samples: Floats) -> tuple[Floats, Floats]:
    """Ends of the 95 % percentile interval; samples: (..., 1 + resamples) as of `image_bootstrap`, ends: (...).

    Not a number where a resample is none.
    """
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples[..., 1:], [tail, 1 - tail], axis=-1)
    return low, high


def _times_drawn(n: int, seed: int, resamples: int) -> Iterator[NDArray[np.float32]]:
    """How often each image is in each resample, (some, n) at a time."""
    for chosen in _resampled(n, seed, resamples):
        offsets = n * np.arange(len(chosen))[:, None]
        yield np.bincount((chosen + offsets).ravel(), minlength=chosen.size).reshape(chosen.shape).astype(np.float32)


def _resampled(n: int, seed: int, resamples: int) -> Iterator[NDArray[np.int64]]:
    """Places 0..n-1 drawn with replacement, (some, n) at a time, the same on every machine."""
    some = max(1, (1 << 22) // n)
    for start in range(0, resamples, some):
        draws = Draws("bootstrap", np.arange(start, min(start + some, resamples)), seed=seed)
        rows = -(-n // 32_768)
        words = draws.words("image", rows, min(n, 32_768)).reshape(len(draws.ids), -1)[:, :n]
        yield (words.astype(np.int64) * n) >> 32
