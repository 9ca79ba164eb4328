"""Random numbers that depend on what is drawn and for which image, and on nothing else.

The generator is Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a keyed function
from a counter to four 32-bit words, in integer arithmetic alone, so the bits are the same on every machine.

    key      64 bits of BLAKE2b over (seed, stream, corruption, its place in a chain, name and kind of the draw)
    counter  column block and row | channel and step | sample id

A value is addressed by its place. Order, block, worker and earlier calls cannot change it; a smaller field is the
corner of a larger one; a new draw has a new name and shifts no other.

Normals come from a table of 65,536 quantiles. The two outermost entries, met by one draw in 32,768, are resolved by 16
further bits, so |z| reaches 6.34 in steps whose probability is 2^-32. All values are multiples of 2^-16.
Poisson counts compare one 32-bit word with the cumulative distribution in 32-bit fixed point.
"""

from __future__ import annotations

import hashlib
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._jit import jit

Words = NDArray[np.uint32]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MAX_SIDE = 65_535
TAIL_STEP = np.uint64(1 << 31)


@jit
def _round(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
    return (p1 >> half) ^ c1 ^ k0, p1 & low, (p0 >> half) ^ c3 ^ k1, p0 & low


@jit
def _next_key(k0: Any, k1: Any) -> Any:
    low = np.uint64(0xFFFFFFFF)
    return (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low


@jit
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Ten rounds of Philox4x32 on uint64 values below 2^32: four such values."""
    for _ in range(10):
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
        k0, k1 = _next_key(k0, k1)
    return c0, c1, c2, c3


@jit
def _block_words(places: Any, low_id: Any, high_id: Any, key: Any, words: Any) -> None:
    """words[:, t] = the four words at counter (places[0, t], places[1, t], id).

    The rounds are written out, so that the compiler runs several counters side by side.
    """
    a0, b0 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
    a1, b1 = _next_key(a0, b0)
    a2, b2 = _next_key(a1, b1)
    a3, b3 = _next_key(a2, b2)
    a4, b4 = _next_key(a3, b3)
    a5, b5 = _next_key(a4, b4)
    a6, b6 = _next_key(a5, b5)
    a7, b7 = _next_key(a6, b6)
    a8, b8 = _next_key(a7, b7)
    a9, b9 = _next_key(a8, b8)
    for t in range(places.shape[1]):
        c0, c1, c2, c3 = _round(places[0, t], places[1, t], low_id, high_id, a0, b0)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a1, b1)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a2, b2)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a3, b3)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a4, b4)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a5, b5)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a6, b6)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a7, b7)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a8, b8)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a9, b9)
        words[0, t] = c0
        words[1, t] = c1
        words[2, t] = c2
        words[3, t] = c3


@jit
def _fill_words(out: Any, places: Any, ids: Any, key: Any) -> None:
    count, height, width, channels = out.shape
    blocks = (width + 3) // 4
    words = np.empty((4, places.shape[1]), np.uint64)
    for n in range(count):
        _block_words(places, ids[n] & np.uint64(0xFFFFFFFF), ids[n] >> np.uint64(32), key, words)
        t = 0
        for channel in range(channels):
            for row in range(height):
                for block in range(blocks):
                    for lane in range(min(4, width - 4 * block)):
                        out[n, row, 4 * block + lane, channel] = words[lane, t]
                    t += 1


@jit
def _tail(place0: Any, place1: Any, sample: Any, key: Any, lane: Any, tail: Any) -> Any:
    """|z| of an outermost draw, from 16 further bits at the same place."""
    mask = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    four = philox(place0, place1 | TAIL_STEP, sample & mask, sample >> half, key & mask, key >> half)
    return tail[(four[lane >> 1] >> np.uint64(16 * (lane & 1))) & np.uint64(0xFFFF)]


@jit
def _fill_normals(out: Any, places: Any, ids: Any, key: Any, table: Any, tail: Any) -> None:
    count, height, width, channels = out.shape
    blocks = (width + 7) // 8
    words = np.empty((4, places.shape[1]), np.uint64)
    last = np.uint64(0xFFFF)
    for n in range(count):
        _block_words(places, ids[n] & np.uint64(0xFFFFFFFF), ids[n] >> np.uint64(32), key, words)
        t = 0
        for channel in range(channels):
            for row in range(height):
                for block in range(blocks):
                    for lane in range(min(8, width - 8 * block)):
                        bits = (words[lane >> 1, t] >> np.uint64(16 * (lane & 1))) & last
                        z = table[bits]
                        if bits == 0:
                            z = -_tail(places[0, t], places[1, t], ids[n], key, lane, tail)
                        elif bits == last:
                            z = _tail(places[0, t], places[1, t], ids[n], key, lane, tail)
                        out[n, row, 8 * block + lane, channel] = z
                    t += 1


@jit
def _fill_poisson(out: Any, words: Any, which: Any, starts: Any, bounds: Any, guide: Any) -> None:
    """Counts k with bounds[k-1] <= word < bounds[k], read in the stretch of `bounds` that belongs to the rate."""
    for at in range(out.size):
        rate = which[at]
        k = guide[rate, words[at] >> np.uint32(24)]
        stop = starts[rate + 1] - starts[rate]
        while k < stop and bounds[starts[rate] + k] <= words[at]:
            k += 1
        out[at] = k


@lru_cache(maxsize=64)
def _places(height: int, width: int, channels: int, lanes: int, step: int) -> NDArray[np.uint64]:
    """Counter words 0 and 1 of every block of `lanes` columns, channel by channel, row by row."""
    blocks = -(-width // lanes)
    channel, row, block = np.indices((channels, height, blocks)).reshape(3, -1)
    return np.stack([row << 16 | block, step << 8 | channel]).astype(np.uint64)


@lru_cache(maxsize=1)
def normal_tables() -> tuple[Floats, Floats]:
    """Quantiles at the middle of 65,536 equal steps, and |z| at the middle of 65,536 steps of the last of those."""
    from scipy.special import ndtri

    middle = (np.arange(65_536) + 0.5) / 65_536
    grid = 65_536.0
    table = np.rint(ndtri(middle) * grid) / grid
    tail = np.rint(-ndtri(middle / 65_536) * grid) / grid
    return table.astype(np.float32), tail.astype(np.float32)


@lru_cache(maxsize=32)
def poisson_tables(rates: tuple[float, ...]) -> tuple[Ints, NDArray[np.uint64], Ints]:
    """For each rate the cumulative probabilities times 2^32, where its stretch starts, and a guide by the top byte.

    Computed in decimal arithmetic of 40 digits: no machine's exponential function takes part.
    """
    stretches: list[list[int]] = []
    with localcontext(Context(prec=40)):
        for rate in rates:
            stretches.append(_poisson_bounds(Decimal(rate)))
    starts = np.concatenate([[0], np.cumsum([len(stretch) for stretch in stretches])]).astype(np.int64)
    bounds = np.array([bound for stretch in stretches for bound in stretch], dtype=np.uint64)
    edges = np.arange(256, dtype=np.uint64) << np.uint64(24)
    guide = np.stack([np.searchsorted(np.array(stretch, np.uint64), edges, "right") for stretch in stretches])
    return starts, bounds, guide.astype(np.int64)


def _poisson_bounds(rate: Decimal) -> list[int]:
    """round(2^32 P(X <= k)) for k = 0, 1, … up to and without the first that is 2^32."""
    whole = 1 << 32
    term = (-rate).exp()
    total = term
    bounds = []
    count = 0
    while (bound := int((total * whole).to_integral_value())) < whole:
        bounds.append(bound)
        count += 1
        term *= rate / count
        total += term
    return bounds


class Draws:
    """The draws of one corruption for a block of N images, each by its sample id.

    >>> draws = Draws("awgn", ids=[7])
    >>> bool((draws.normals("noise", 4, 4)[:, :2, :3] == draws.normals("noise", 2, 3)).all())
    True
    """

    def __init__(self, corruption: str, ids: Any, *, seed: int = 0, stream: str = "test", position: int = 0) -> None:
        self.ids = np.ascontiguousarray(ids, dtype=np.uint64)
        self._identity = (str(int(seed)), stream, corruption, str(position))

    def _key(self, what: str, kind: str) -> np.uint64:
        text = "\x1f".join((*self._identity, what, kind))
        return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))

    def words(self, what: str, height: int = 1, width: int = 1, channels: int = 1, step: int = 0) -> Words:
        """Uniform 32-bit words, uint32 (N, height, width, channels)."""
        out = np.empty((len(self.ids), height, width, channels), np.uint32)
        _fill_words(out, _places(height, width, channels, 4, step), self.ids, self._key(what, "words"))
        return out

    def normals(self, what: str, height: int, width: int, channels: int = 1, step: int = 0) -> Floats:
        """Standard normals, float32 (N, height, width, channels)."""
        out = np.empty((len(self.ids), height, width, channels), np.float32)
        places = _places(height, width, channels, 8, step)
        _fill_normals(out, places, self.ids, self._key(what, "normals"), *normal_tables())
        return out

    def uniforms(self, what: str, height: int, width: int, channels: int = 1, step: int = 0) -> Floats:
        """Uniform on [0, 1) in steps of 2^-24, float32 (N, height, width, channels)."""
        words = self.words(what, height, width, channels, step)
        return (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)

    def poisson(self, what: str, rates: tuple[float, ...], which: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """Poisson counts of rate rates[which], int32 in the shape of `which`, (N, height, width, channels)."""
        words = self.words(what, *which.shape[1:])
        counts = np.empty(which.size, np.int32)
        flat = np.ascontiguousarray(which).reshape(-1)
        _fill_poisson(counts, words.reshape(-1), flat, *poisson_tables(rates))
        return counts.reshape(which.shape)

    def uniform(self, what: str, low: float = 0.0, high: float = 1.0) -> NDArray[np.float64]:
        """One number an image, uniform on [low, high) in 2^32 steps, float64 (N,)."""
        return low + (high - low) * self.words(what).reshape(-1).astype(np.float64) / 2.0**32

    def integers(self, what: str, low: int | Ints, high: int | Ints) -> Ints:
        """One integer an image from low..high-1, int64 (N,); a value's chance is off by at most 2^-32."""
        span = np.asarray(high, np.int64) - low
        return low + (self.words(what).reshape(-1).astype(np.int64) * span >> 32)

    def at(self, rows: NDArray[np.int64]) -> Draws:
        """The same draws for some of the block's images."""
        chosen = object.__new__(Draws)
        chosen.ids = self.ids[rows]
        chosen._identity = self._identity
        return chosen
