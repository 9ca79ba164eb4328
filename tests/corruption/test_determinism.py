"""The same pixels whatever else goes on: global seeds, threads of OpenCV and numba, blocks and their order."""

import functools
import random

import cv2
import numba
import numpy as np
import pytest

import corruptions
from corruptions.testing import pictures

IDS = np.array([7, 2**40, 3])
EVERY = [(name, side) for name in corruptions.names() for side in (32, 224)]


def strengths(chosen):
    """The first and the last of the default strengths, and where there is a level one that each image draws."""
    known = chosen.default_strengths()
    if chosen.level is None or chosen.level.parts > 1:
        return known[0], known[-1]
    low, high = sorted((chosen.level.defaults[0], chosen.level.defaults[-1]))
    return known[0], known[-1], chosen.strength(level=f"{low}..{high}")


def made(name, side, rows=slice(None)):
    """At every strength what becomes of three pictures, or of some of them, one below the other."""
    chosen = corruptions.get(name)
    images = pictures(side, count=len(IDS))[rows]
    return np.stack([corruptions.apply_strength(images, chosen, one, ids=IDS[rows]) for one in strengths(chosen)])


usual = functools.cache(made)


@pytest.fixture
def threads():
    """Set how many threads OpenCV and numba take, and give them back theirs at the end."""
    before = cv2.getNumThreads(), numba.get_num_threads()

    def take(number):
        cv2.setNumThreads(number)
        numba.set_num_threads(number)
        return cv2.getNumThreads(), numba.get_num_threads()

    yield take
    cv2.setNumThreads(before[0])
    numba.set_num_threads(before[1])


@pytest.mark.parametrize(("name", "side"), EVERY)
def test_global_seeds_do_not_show(name, side):
    np.random.seed(1)
    random.seed(1)
    cv2.setRNGSeed(1)
    assert np.array_equal(made(name, side), usual(name, side))


@pytest.mark.parametrize(("name", "side"), EVERY)
def test_threads_do_not_show(name, side, threads):
    for number in (1, 2, 4):
        assert threads(number) == (number, number)
        assert np.array_equal(made(name, side), usual(name, side))


@pytest.mark.parametrize(("name", "side"), EVERY)
def test_blocks_and_their_order_do_not_show(name, side, monkeypatch):
    """One image, two and all three in a block, as its limit has it; and cut and shuffled by the caller."""
    for number in (1, 2, 3):
        monkeypatch.setattr(corruptions._core, "VALUES_AT_ONCE", number * side * side * 3)
        assert np.array_equal(made(name, side), usual(name, side))
    for rows in ([2, 0], [1]):
        assert np.array_equal(made(name, side, rows), usual(name, side)[:, rows])
