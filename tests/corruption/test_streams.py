"""The generator: known answers, distributions over a million draws, and the draws at the edges."""

import hashlib

import numpy as np
import pytest
from scipy import stats

from corruptions import _streams
from corruptions._streams import Draws, normal_tables, philox, poisson_tables

# Random123's known-answer file, philox4x32 with 10 rounds.
KNOWN = [
    ([0] * 6, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 6, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("given", "expected"), KNOWN)
def test_philox_gives_the_published_answers(given, expected):
    assert [int(word) for word in philox(*map(np.uint64, given))] == expected


def test_the_tables_are_those_of_every_machine():
    table, tail = normal_tables()
    digest = hashlib.sha256(table.tobytes() + tail.tobytes()).hexdigest()
    assert digest == "110a64669945e3b397235980034309b67afd50cc59e93cddf21d044eb81f7b91"


@pytest.mark.parametrize("step", [0, 3])
def test_normals_are_normal(step):
    z = Draws("test", np.arange(400)).normals("z", 50, 53, 1, step=step).ravel().astype(np.float64)
    assert z.size > 10**6
    assert stats.kstest(z[: 10**6], "norm").pvalue > 1e-3
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / z.size)
    assert abs(stats.kurtosis(z)) < 4 * np.sqrt(24 / z.size)


def test_the_tails_of_the_normals_reach_as_far_as_stated():
    z = np.abs(Draws("test", np.arange(4000)).normals("z", 32, 32, 3))
    expected = z.size * 2 * stats.norm.sf(4.5)
    assert abs((z > 4.5).sum() - expected) < 5 * np.sqrt(expected)
    assert float(normal_tables()[1].max()) == pytest.approx(6.338, abs=1e-3)


def test_uniforms_integers_and_words_are_uniform():
    draws = Draws("test", np.arange(1000))
    assert stats.kstest(draws.uniforms("u", 32, 32).ravel(), "uniform").pvalue > 1e-3
    words = draws.words("w", 32, 32).ravel()
    for shift in (0, 8, 16, 24):
        assert stats.chisquare(np.bincount(words >> shift & 255, minlength=256)).pvalue > 1e-3
    each = Draws("test", np.arange(10**6))
    assert stats.kstest(each.uniform("angle", -45, 45), stats.uniform(-45, 90).cdf).pvalue > 1e-3
    numbers = each.integers("i", -2, 5)
    assert stats.chisquare(np.bincount(numbers + 2, minlength=7)).pvalue > 1e-3
    assert numbers.min() == -2
    assert numbers.max() == 4


# Sample ids, found by search, whose draw is the lowest or the highest of all.
LOWEST_WORD, HIGHEST_WORD = 5_993_543_029, 5_177_554_057
LOWEST_NORMAL, HIGHEST_NORMAL = (277_718_063, 0), (70_084_127, 3)


@pytest.mark.parametrize(("sample", "word"), [(LOWEST_WORD, 0), (HIGHEST_WORD, 2**32 - 1)])
def test_the_lowest_and_the_highest_word_stay_within_the_range_of_every_draw(sample, word):
    draws = Draws("test", [sample])
    assert draws.words("w").item() == word
    assert draws.uniforms("w", 1, 1).item() == (word >> 8) / 2**24
    for low, high in ((0, 1), (-45, 45), (-135, -45), (0, np.pi), (0.05, 0.5), (3, 3)):
        assert draws.uniform("w", low, high).item() == pytest.approx(high if word else low)
        assert low <= draws.uniform("w", low, high).item() < max(high, np.nextafter(low, np.inf))
    for low, high in ((0, 1), (0, 5), (-2, 5), (0, 65_535), (0, 2**31)):
        assert draws.integers("w", low, high).item() == (high - 1 if word else low)
        assert draws.integers("w", np.array([low]), np.array([high])).item() == (high - 1 if word else low)
    rates = (0.0, 0.5, 500.0)
    counts = [draws.poisson("w", rates, np.full((1, 1, 1, 1), which)).item() for which in range(3)]
    assert counts == (stats.poisson.isf(2.0**-33, rates) if word else stats.poisson.ppf(2.0**-33, rates)).tolist()


@pytest.mark.parametrize(("sample", "column", "sign"), [(*LOWEST_NORMAL, -1), (*HIGHEST_NORMAL, 1)])
def test_the_lowest_and_the_highest_normal_are_the_ends_of_the_table(sample, column, sign):
    assert Draws("test", [sample]).normals("z", 1, 8)[0, 0, column, 0] == sign * normal_tables()[1].max()


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.5, 3.0, 12.0, 60.0, 500.0])
def test_poisson_counts_follow_their_distribution(rate):
    counts = Draws("test", np.arange(100)).poisson("k", (7.0, rate), np.ones((100, 101, 100, 1), np.uint8))
    assert counts.size > 10**6
    seen = np.bincount(counts.ravel())
    expected = stats.poisson.pmf(np.arange(len(seen)), rate) * counts.size
    kept = expected > 5
    chi2 = (np.square(seen - expected)[kept] / expected[kept]).sum()
    assert stats.chi2.sf(chi2, max(kept.sum() - 1, 1)) > 1e-3


@pytest.mark.parametrize("word", [0, 1, 2**31, 2**32 - 1])
def test_poisson_takes_every_word(word):
    rates = (0.0, 0.5, 500.0)
    which = np.arange(3)
    counts = np.full(3, -1, np.int32)
    _streams._fill_poisson(counts, np.full(3, word, np.uint32), which, *poisson_tables(rates))
    # P(X <= k - 1) <= (word + a half) / 2^32 <= P(X <= k), to the table's half step
    share = (word + 0.5) / 2**32
    half_step = 2.0**-32
    assert np.all(stats.poisson.cdf(counts - 1, rates) <= share + half_step)
    assert np.all(stats.poisson.cdf(counts, rates) >= share - half_step)


@pytest.mark.parametrize("bits", [0, 0xFFFF])
def test_an_outermost_normal_is_resolved_further(bits):
    table, tail = normal_tables()
    z = Draws("test", np.arange(20_000)).normals("z", 16, 16).ravel()
    outer = z[z < table[1] - 0.1] if bits == 0 else z[z > table[-2] + 0.1]
    assert len(outer) > 20
    assert len(np.unique(outer)) > 0.9 * len(outer)
    assert np.isin(np.abs(outer), tail).all()


def test_a_smaller_field_is_the_corner_of_a_larger_one():
    draws = Draws("test", [3, 9])
    for kind in (draws.words, draws.normals, draws.uniforms):
        large = kind("field", 21, 19, 3)
        assert np.array_equal(kind("field", 5, 17, 3), large[:, :5, :17])
        assert np.array_equal(kind("field", 21, 19, 1), large[..., :1])


def test_streams_are_apart():
    base = {"corruption": "a", "ids": [1], "seed": 0, "stream": "test", "position": 0}
    others = [{"corruption": "b"}, {"ids": [2]}, {"ids": [1 + 2**32]}, {"seed": 1}, {"seed": -1}]
    others += [{"stream": "train/0"}, {"position": 1}]
    fields = [Draws(**(base | change)).words("w", 4, 4).tobytes() for change in [{}, *others]]
    fields += [Draws(**base).words("v", 4, 4).tobytes(), Draws(**base).words("w", 4, 4, step=1).tobytes()]
    fields += [Draws(**base).normals("w", 4, 4).tobytes()]
    assert len(set(fields)) == len(fields)


def test_neighbouring_images_and_pixels_are_not_correlated():
    z = Draws("test", np.arange(2000)).normals("z", 16, 16, 3)
    limit = 5 / np.sqrt(z.size)
    for shifted in (np.roll(z, 1, axis) for axis in range(4)):
        assert abs(np.mean(z * shifted)) < limit


@pytest.mark.parametrize("rows", [[0], [1, 3]])
def test_draws_of_some_rows_are_those_rows(rows):
    draws = Draws("test", [5, 6, 7, 8])
    assert np.array_equal(draws.at(np.array(rows)).words("w", 3, 3), draws.words("w", 3, 3)[rows])
