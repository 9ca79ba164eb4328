"""Every registered corruption, and chains of them, on whatever pictures, sizes, strengths, seeds and ids come up."""

import itertools
import math
import random
import sys

import numpy as np
import pytest
import watch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import corruptions
from corruptions import CLEAN
from corruptions._contract import SEVERITY_TABLES
from corruptions._strength import chain_strength
from corruptions.testing import pictures

LARGEST, DIGITS = 1000.0, 12
"""Levels are drawn up to here and to so many decimals; the ends of their ranges have a test of their own."""

FIXED = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW, MANY, TEXTS = settings(FIXED, max_examples=25), settings(FIXED, max_examples=500), settings(FIXED)

# Strategies


def levels(level, exact):
    """Any number of a level's range, or, unless exact, one of few digits up to LARGEST."""
    high = min(level.high, sys.float_info.max if exact else LARGEST)
    if level.integer:
        return st.integers(int(level.low), int(high)).map(float)
    numbers = st.floats(level.low, high)
    return numbers if exact else numbers.map(lambda number: round(number, DIGITS))


def strengths(chosen, exact=False):
    """A default strength or none, a level, or two levels to draw from."""
    ways = [st.sampled_from((*chosen.default_strengths(), CLEAN))]
    if chosen.level is not None:
        one = levels(chosen.level, exact)
        many = st.tuples(*[one] * chosen.level.parts)
        ways.append(many.map(lambda level: chosen.strength(level=level)))
        if chosen.level.parts == 1:
            ends = st.tuples(one, one).map(sorted)
            ways.append(ends.map(lambda ends: chosen.strength(level=f"{ends[0]!r}..{ends[1]!r}")))
    return st.one_of(ways)


@st.composite
def chains(draw, exact=False):
    """Two or three corruptions, and a strength: one severity for all, or one of its own for each part."""
    parts = draw(st.lists(st.sampled_from(corruptions.names()), min_size=2, max_size=3))
    chosen = corruptions.get("+".join(parts))
    each = st.tuples(*(strengths(part, exact) for part in chosen.parts)).map(chain_strength)
    return chosen, draw(st.sampled_from(chosen.default_strengths()) | each)


@st.composite
def recipes(draw):
    """A shape of up to 70 x 70 pixels, a value or a kind of content, its order in memory and whether it can change."""
    thin = st.tuples(st.integers(1, 3), st.integers(1, 70))
    sides = st.tuples(st.integers(1, 70), st.integers(1, 70)) | thin | thin.map(lambda sides: sides[::-1])
    shape = (draw(st.integers(1, 3)), *draw(sides), draw(st.sampled_from([1, 3])))
    kinds = st.sampled_from(["drawn", "drawn", "textured", 0, 255]) | st.integers(0, 255)
    return shape, draw(kinds), draw(st.sampled_from("CF")), draw(st.booleans())


def made(recipe):
    """The images of a recipe."""
    shape, kind, order, writeable = recipe
    if kind == "drawn":
        plain = np.random.default_rng(shape).integers(0, 256, shape, np.uint8)
    elif kind == "textured":
        plain = pictures(max(shape[1:3]), shape[3], shape[0])[:, : shape[1], : shape[2]]
    else:
        plain = np.full(shape, kind, np.uint8)
    images = np.array(plain, order=order)
    images.flags.writeable = writeable
    return images


@st.composite
def options(draw, chosen, shape):
    """What `apply` takes beside the images and the strength."""
    count, height, width, _ = shape
    given = {
        "seed": draw(st.integers(-(2**64), 2**64)),
        "ids": draw(st.lists(st.integers(0, 2**63 - 1), min_size=count, max_size=count)),
        "severity_table": draw(st.sampled_from([None, *SEVERITY_TABLES])),
        "stream": draw(st.sampled_from(["test", "val", "train/0"])),
    }
    if "boxes" in chosen.requires and draw(st.booleans()):
        x, y = (st.tuples(st.integers(0, side), st.integers(0, side)).map(sorted) for side in (width, height))
        box = st.tuples(x, y).map(lambda ends: [ends[0][0], ends[1][0], ends[0][1], ends[1][1]])
        given["boxes"] = draw(st.lists(box, min_size=count, max_size=count))
    if "textures" in chosen.requires and draw(st.booleans()):
        sides = draw(st.lists(st.integers(1, 90), min_size=2, max_size=4))
        given["textures"] = tuple(pictures(90)[0, :high, :wide] for high, wide in itertools.pairwise(sides))
    return given


# Properties


def random_states():
    """The global generators of Python and NumPy."""
    numbers = np.random.get_state(legacy=False)["state"]
    return random.getstate(), numbers["key"].tobytes(), numbers["pos"]


def keeps_its_promises(chosen, strength, images, options):
    """Shape, dtype, numbers, input and global state; the same again, alone and in another order."""
    before, states = images.copy(), random_states()
    whole = watch.applied(images, chosen, strength, **options)
    assert whole.shape == images.shape
    assert whole.dtype == np.uint8
    assert np.array_equal(images, before), "the input was changed"
    assert not np.shares_memory(images, whole)
    backwards = {key: options[key][::-1] for key in ("ids", "boxes") if key in options}
    turned = watch.applied(images[::-1], chosen, strength, **options | backwards)
    assert np.array_equal(whole, turned[::-1]), "the order of the images shows"
    for at, image in enumerate(images):
        own = {key: options[key][at : at + 1] for key in backwards}
        single = watch.applied(image, chosen, strength, **options | own)
        assert np.array_equal(whole[at], single), f"image {at} differs when it comes alone"
    assert np.array_equal(whole, watch.applied(images, chosen, strength, **options)), "the same call gave other pixels"
    assert random_states() == states, "it drew from a global generator"


def check(chosen, strength, data):
    recipe = data.draw(recipes(), label="images")
    keeps_its_promises(chosen, strength, made(recipe), data.draw(options(chosen, recipe[0]), label="options"))


@pytest.mark.parametrize("name", corruptions.names())
@given(data=st.data())
@FEW
def test_any_corruption_keeps_its_promises(name, data):
    chosen = corruptions.get(name)
    check(chosen, data.draw(strengths(chosen), label="strength"), data)


@pytest.mark.slow
@pytest.mark.parametrize("name", corruptions.names())
@given(data=st.data())
@MANY
def test_any_corruption_keeps_its_promises_in_many_more_cases(name, data):
    chosen = corruptions.get(name)
    check(chosen, data.draw(strengths(chosen), label="strength"), data)


@given(chain=chains(), data=st.data())
@settings(FEW, max_examples=100)
def test_any_chain_keeps_its_promises(chain, data):
    check(*chain, data)


@pytest.mark.slow
@given(chain=chains(), data=st.data())
@settings(MANY, max_examples=2000)
def test_any_chain_keeps_its_promises_in_many_more_cases(chain, data):
    check(*chain, data)


@pytest.mark.parametrize("name", corruptions.names())
@given(data=st.data())
@TEXTS
def test_any_strength_reads_back(name, data):
    chosen = corruptions.get(name)
    strength = data.draw(strengths(chosen, exact=True))
    assert chosen.parse(str(strength)) == strength


@given(chain=chains(exact=True))
@TEXTS
def test_any_strength_of_a_chain_reads_back(chain):
    chosen, strength = chain
    assert chosen.parse(str(strength)) == strength


def ends():
    """Both ends of every level's range, and the number next to the lower one."""
    for chosen in map(corruptions.get, corruptions.names()):
        if chosen.level is None:
            continue
        low, high = chosen.level.low, chosen.level.high
        above = low + 1 if chosen.level.integer else math.nextafter(low, math.inf)
        for end, value in (("lowest", low), ("next to lowest", above), ("highest", high)):
            yield pytest.param(chosen.name, value, id=f"{chosen.name}-{end}")


@pytest.mark.parametrize(("name", "value"), list(ends()))
def test_the_ends_of_a_level_s_range_are_taken(name, value):
    chosen = corruptions.get(name)
    strength = chosen.strength(level=(value,) * chosen.level.parts)
    keeps_its_promises(chosen, strength, pictures(9, count=2)[:, :7], {"ids": [2**40, 3]})
