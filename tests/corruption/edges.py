"""Draws that all lie at an end of their range."""

import numpy as np
from scipy import stats

from corruptions._streams import normal_tables

LOWEST, HIGHEST, TURNS = "lowest", "highest", "by turns"
KINDS = (LOWEST, HIGHEST, TURNS)
LAST = 2**32 - 1


class Edge:
    """What `Draws` gives, were all its words 0, or 2^32 - 1, or one and the other by turns.

    test_streams.py shows that draws do reach these values.
    """

    def __init__(self, ids, kind):
        self.ids = np.asarray(ids, np.uint64)
        self.kind = kind

    def words(self, what, height=1, width=1, channels=1, step=0):
        shape = (len(self.ids), height, width, channels)
        words = np.full(shape, LAST if self.kind == HIGHEST else 0, np.uint32)
        if self.kind == TURNS:
            words.reshape(-1)[step % 2 :: 2] = LAST
        return words

    def uniforms(self, what, height, width, channels=1, step=0):
        return (self.words(what, height, width, channels, step) >> np.uint32(8)) * np.float32(2.0**-24)

    def normals(self, what, height, width, channels=1, step=0):
        farthest = normal_tables()[1].max()
        return np.where(self.words(what, height, width, channels, step) == 0, -farthest, farthest)

    def poisson(self, what, rates, which):
        shares = (self.words(what, *which.shape[1:]) + 0.5) / 2.0**32
        return stats.poisson.ppf(shares, np.array(rates)[which]).astype(np.int32)

    def uniform(self, what, low=0.0, high=1.0):
        return low + (high - low) * self.words(what).reshape(-1).astype(np.float64) / 2.0**32

    def integers(self, what, low, high):
        span = np.asarray(high, np.int64) - low
        return low + (self.words(what).reshape(-1).astype(np.int64) * span >> 32)

    def at(self, rows):
        return Edge(self.ids[rows], self.kind)
