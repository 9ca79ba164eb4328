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
AT_ONCE = 8192
GUIDE_SHIFT = np.uint32(25)
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
def _four_words(first: Any, second: Any, sample: Any, key: Any, w0: Any, w1: Any, w2: Any, w3: Any) -> None:
    """w0[t] … w3[t] = the four words at counter (first[t], second[t], sample).

    The rounds are written out, so that the compiler runs several counters side by side.
    """
    low, high = sample & np.uint64(0xFFFFFFFF), sample >> np.uint64(32)
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
    for t in range(w0.size):
        c0, c1, c2, c3 = _round(np.uint64(first[t]), np.uint64(second[t]), low, high, a0, b0)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a1, b1)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a2, b2)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a3, b3)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a4, b4)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a5, b5)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a6, b6)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a7, b7)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a8, b8)
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, a9, b9)
        w0[t], w1[t], w2[t], w3[t] = np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)


@jit
def _words_at(first: Any, second: Any, sample: Any, key: Any, lanes: Any, words: Any) -> None:
    """words[4 t + lane], the words at each of the places, by way of `lanes`, (4, at least T)."""
    count = first.size
    w0, w1, w2, w3 = lanes[0, :count], lanes[1, :count], lanes[2, :count], lanes[3, :count]
    _four_words(first, second, sample, key, w0, w1, w2, w3)
    for t in range(count):
        words[4 * t], words[4 * t + 1], words[4 * t + 2], words[4 * t + 3] = w0[t], w1[t], w2[t], w3[t]


@jit
def _interleave(planes: Any, out: Any) -> None:
    """out[x C + c] = planes[c, x]."""
    channels, size = planes.shape
    if channels == 3:
        red, green, blue = planes[0], planes[1], planes[2]
        for x in range(size):
            out[3 * x], out[3 * x + 1], out[3 * x + 2] = red[x], green[x], blue[x]
        return
    for channel in range(channels):
        plane = planes[channel]
        for x in range(size):
            out[x * channels + channel] = plane[x]


@jit
def _put_rows(values: Any, wide: Any, out: Any) -> None:
    """Rows of `out` (rows, width, C) from values in the order channel, row, column, with `wide` columns in a row."""
    rows, width, channels = out.shape
    planes = values[: channels * rows * wide].reshape(channels, rows * wide)
    flat = out.reshape(out.size)
    if wide == width:
        _interleave(planes, flat)
        return
    padded = np.empty(planes.size, out.dtype)
    _interleave(planes, padded)
    size = width * channels
    for row in range(rows):
        line, source = flat[row * size : (row + 1) * size], padded[row * wide * channels :]
        for at in range(size):
            line[at] = source[at]


@jit
def _fill_words(out: Any, places: Any, rows: Any, ids: Any, key: Any) -> None:
    blocks = (out.shape[2] + 3) // 4
    most = blocks * rows * out.shape[3]
    lanes, words = np.empty((4, most), np.uint32), np.empty(4 * most, np.uint32)
    for n in range(out.shape[0]):
        for top in range(0, out.shape[1], rows):
            part = out[n, top : top + rows]
            start = top * blocks * out.shape[3]
            stop = start + part.shape[0] * blocks * out.shape[3]
            _words_at(places[0, start:stop], places[1, start:stop], ids[n], key, lanes, words)
            _put_rows(words, 4 * blocks, part)


@jit
def _to_unit_interval(words: Any, out: Any) -> None:
    for at in range(words.size):
        out[at] = np.float32(words[at] >> np.uint32(8)) * np.float32(2.0**-24)


@jit
def _tail(place0: Any, place1: Any, sample: Any, key: Any, lane: Any, tail: Any) -> Any:
    """|z| of an outermost draw, from 16 further bits at the same place."""
    mask = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    four = philox(
        np.uint64(place0), np.uint64(place1) | TAIL_STEP, sample & mask, sample >> half, key & mask, key >> half
    )
    return tail[(four[lane >> 1] >> np.uint64(16 * (lane & 1))) & np.uint64(0xFFFF)]


@jit
def _look_up(words: Any, table: Any, values: Any) -> Any:
    """Two normals of each word, its low half first; how many of them met an end of the table."""
    low, high, one = np.uint32(0xFFFF), np.uint32(16), np.uint32(1)
    ends: Any = 0
    for at in range(words.size):
        first, second = words[at] & low, words[at] >> high
        values[2 * at], values[2 * at + 1] = table[first], table[second]
        ends += (np.uint32((first + one) & low) <= one) | (np.uint32((second + one) & low) <= one)
    return ends


@jit
def _fill_normals(out: Any, places: Any, rows: Any, ids: Any, key: Any, table: Any, tail: Any) -> None:
    blocks = (out.shape[2] + 7) // 8
    most = blocks * rows * out.shape[3]
    lanes, words = np.empty((4, most), np.uint32), np.empty(4 * most, np.uint32)
    values = np.empty(8 * most, np.float32)
    for n in range(out.shape[0]):
        for top in range(0, out.shape[1], rows):
            part = out[n, top : top + rows]
            start = top * blocks * out.shape[3]
            count = part.shape[0] * blocks * out.shape[3]
            first, second = places[0, start : start + count], places[1, start : start + count]
            _words_at(first, second, ids[n], key, lanes, words)
            if _look_up(words[: 4 * count], table, values):
                for at in range(8 * count):
                    bits = (words[at >> 1] >> np.uint32(16 * (at & 1))) & np.uint32(0xFFFF)
                    if bits == 0 or bits == 0xFFFF:
                        z = _tail(first[at >> 3], second[at >> 3], ids[n], key, at & 7, tail)
                        values[at] = z if bits else -z
            _put_rows(values, 8 * blocks, part)


@jit
def _fill_poisson(out: Any, words: Any, which: Any, starts: Any, bounds: Any, guide: Any) -> None:
    """Counts k with bounds[k-1] <= word < bounds[k], read in the stretch of `bounds` that belongs to the rate.

    Two steps are taken without a branch; few counts are farther from where the guide begins.
    """
    for at in range(out.size):
        word, rate = np.uint64(words[at]), which[at]
        k = starts[rate] + guide[rate, words[at] >> GUIDE_SHIFT]
        k += bounds[k] <= word
        k += bounds[k] <= word
        while bounds[k] <= word:
            k += 1
        out[at] = k - starts[rate]


@lru_cache(maxsize=64)
def _places(height: int, width: int, channels: int, lanes: int, step: int) -> tuple[Words, int]:
    """Counter words 0 and 1 of every block of `lanes` columns, uint32 (2, T), and the rows that are drawn at once.

    They lie by such groups of rows, within a group by channel, row and block: a group's numbers stay in a near cache.
    """
    blocks = -(-width // lanes)
    rows = min(height, max(1, AT_ONCE // (blocks * lanes * channels)))
    groups = []
    for top in range(0, height, rows):
        channel, row, block = np.indices((channels, min(rows, height - top), blocks)).reshape(3, -1)
        groups.append(np.stack([(row + top) << 16 | block, step << 8 | channel]))
    return np.concatenate(groups, axis=1).astype(np.uint32), rows


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
def poisson_tables(rates: tuple[float, ...]) -> tuple[Ints, NDArray[np.uint64], NDArray[np.int32]]:
    """For each rate where its stretch starts, the cumulative probabilities times 2^32, and a guide by the top bits.

    Computed in decimal arithmetic of 40 digits: no machine's exponential function takes part.
    """
    stretches: list[list[int]] = []
    with localcontext(Context(prec=40)):
        for rate in rates:
            stretches.append(_poisson_bounds(Decimal(rate)))
    starts = np.concatenate([[0], np.cumsum([len(stretch) for stretch in stretches])]).astype(np.int64)
    bounds = np.array([bound for stretch in stretches for bound in stretch], dtype=np.uint64)
    edges = np.arange(1 << (32 - int(GUIDE_SHIFT)), dtype=np.uint64) << np.uint64(GUIDE_SHIFT)
    guide = np.stack([np.searchsorted(np.array(stretch, np.uint64), edges, "right") for stretch in stretches])
    return starts, bounds, guide.astype(np.int32)


def _poisson_bounds(rate: Decimal) -> list[int]:
    """round(2^32 P(X <= k)) for k = 0, 1, … up to the first that is 2^32."""
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
    return [*bounds, whole]


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
        _fill_words(out, *_places(height, width, channels, 4, step), self.ids, self._key(what, "words"))
        return out

    def normals(self, what: str, height: int, width: int, channels: int = 1, step: int = 0) -> Floats:
        """Standard normals, float32 (N, height, width, channels)."""
        out = np.empty((len(self.ids), height, width, channels), np.float32)
        key = self._key(what, "normals")
        _fill_normals(out, *_places(height, width, channels, 8, step), self.ids, key, *normal_tables())
        return out

    def uniforms(self, what: str, height: int, width: int, channels: int = 1, step: int = 0) -> Floats:
        """Uniform on [0, 1) in steps of 2^-24, float32 (N, height, width, channels)."""
        words = self.words(what, height, width, channels, step)
        out = np.empty(words.shape, np.float32)
        _to_unit_interval(words.reshape(-1), out.reshape(-1))
        return out

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
