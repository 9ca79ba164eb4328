"""Chains: one corruption after the other, each with draws of its own."""

from contextlib import ExitStack

import numpy as np
import pytest

import corruptions
from corruptions import Corruption, Level, StrengthError, UnknownName
from corruptions.testing import CHECKS, pictures

NOISES = "awgn+salt_and_pepper"


@pytest.mark.parametrize("name", ["awgn+jpeg_compression", "gaussian_noise+motion_blur", "contrast+pixelate"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_chain_keeps_the_promises_of_a_corruption(name, check):
    check(corruptions.get(name))


def test_a_chain_is_its_parts_one_after_the_other():
    images = pictures(24)
    ids = [4, 9, 1, 0]
    noisy = corruptions.apply(images, "awgn", level=0.1, ids=ids, seed=3)
    expected = corruptions.apply(noisy, "motion_blur_45", level=5)
    chained = corruptions.apply(images, "awgn+motion_blur_45", level="sigma=0.1+length=5", ids=ids, seed=3)
    assert np.array_equal(chained, expected)


def test_parts_of_one_kind_draw_apart():
    gray = np.full((4, 16, 16, 1), 128, np.uint8)
    twice = corruptions.apply(gray, "awgn+awgn", level=(0.05, 0.05)).astype(float) - 128
    once = corruptions.apply(gray, "awgn", level=0.05).astype(float) - 128
    assert np.abs(twice - 2 * once).max() > 10
    assert twice.std() == pytest.approx(np.sqrt(2) * once.std(), rel=0.1)


def test_a_severity_counts_for_every_part():
    images = pictures(32)
    step = corruptions.apply(images, "gaussian_noise", 2)
    expected = corruptions.apply(step, "contrast", 2)
    assert np.array_equal(corruptions.apply(images, "gaussian_noise+contrast", 2), expected)
    assert np.array_equal(corruptions.apply(images, NOISES, 0), images)


@pytest.mark.parametrize("first", ["gaussian_noise", "awgn"])
def test_a_clean_part_changes_nothing(first):
    images = pictures(16)
    chosen = corruptions.get(f"{first}+contrast")
    out = corruptions.apply_strength(images, chosen, chosen.parse("clean+factor=0.5"))
    assert np.array_equal(out, corruptions.apply(images, "contrast", level=0.5))


def as_given(images, shift):
    """Changes nothing."""
    return images


def across(images, shift):
    """Changes nothing but the order in memory."""
    return images.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0)


def test_a_part_takes_what_the_one_before_returns_however_it_lies_in_memory():
    images = pictures(9, count=2)
    level = Level("shift", "of nothing", 0.0, 1.0, (0.5,), identity=0.0)
    with ExitStack() as registered:
        for body in (as_given, across):
            toy = Corruption(body.__name__, "noise", body, "made up for this test", level=level, takes="uint8")
            registered.enter_context(corruptions._contract.registry.with_entry(toy.name, toy))
        for name in corruptions.names():
            key = f"shift=0.5+{corruptions.get(name).default_strengths()[-1]}"
            chains = [corruptions.get(f"{first}+{name}") for first in ("as_given", "across")]
            one, other = (corruptions.apply_strength(images, chosen, chosen.parse(key)) for chosen in chains)
            assert np.array_equal(one, other), name


def test_each_part_draws_its_own_level():
    gray = np.full((300, 16, 16, 1), 128, np.uint8)
    out = corruptions.apply(gray, NOISES, level="0..0.2+0..0.5")
    replaced = np.isin(out, (0, 255)).mean(axis=(1, 2, 3))
    rest = [image[(image > 0) & (image < 255)].std() / 255 for image in out]
    assert np.abs(np.corrcoef(replaced, rest)[0, 1]) < 0.25
    assert replaced.max() > 0.4
    assert max(rest) > 0.15


@pytest.mark.parametrize("text", ["sigma=0.1+p=0.2", "clean", "sigma=0..0.1+p=0.2"])
def test_the_key_of_a_chain_reads_back(text):
    strength = corruptions.get(NOISES).parse(text)
    assert str(strength) == text
    assert corruptions.get(NOISES).parse(str(strength)) == strength


@pytest.mark.parametrize(
    ("name", "options", "fault", "words"),
    [
        (NOISES, {"level": 0.1}, StrengthError, "expected a strength for each part, such as sigma=0.1.p=0.05, got 0.1"),
        (NOISES, {"level": "0.1+0.2+0.3"}, StrengthError, "a strength for each part"),
        (NOISES, {"level": "0.1+2"}, StrengthError, "salt_and_pepper: p must be a number from 0 to 1"),
        (NOISES, {"severity": 3}, StrengthError, "not all its parts have severities"),
        (
            NOISES,
            {"severity": np.array([1, 2])},
            StrengthError,
            "expected a strength for each part, such as sigma=0.1.p=0.05, got array",
        ),
        ("gaussian_noise+contrast", {"severity": 7}, StrengthError, "got 7"),
        ("awgn+motion_blr", {"severity": 1}, UnknownName, "did you mean motion_blur"),
        ("awgn+", {"severity": 1}, UnknownName, "unknown corruption ''"),
    ],
)
def test_mistakes_are_named(name, options, fault, words):
    with pytest.raises(fault, match=words):
        corruptions.apply(pictures(8), name, **options)


def test_text_is_the_same_key_everywhere():
    images = pictures(32)
    for name, key in (
        ("awgn+brightness", "sigma=0.1+1"),
        ("awgn+fog", "sigma=0.1+1"),
        ("contrast+fog", "factor=0.4+2"),
    ):
        chosen = corruptions.get(name)
        assert chosen.strength(level=key) == chosen.parse(key)
        assert str(chosen.strength(level=key)) == key
        expected = corruptions.apply_strength(images, chosen, chosen.parse(key))
        assert np.array_equal(corruptions.apply(images, name, level=key), expected)
    assert corruptions.get("awgn+fog").strength(level=(0.1, 1)) == corruptions.get("awgn+fog").parse("sigma=0.1+1")


def test_a_chain_of_clean_parts_is_clean():
    assert corruptions.get("awgn+fog").parse("clean+clean").is_clean


@pytest.mark.parametrize(("name", "side"), [("iso_noise+fog", 32), ("lines+gaussian_noise", 224)])
def test_the_native_side_of_a_chain_is_the_one_asked_for(name, side):
    chosen = corruptions.get(name)
    assert chosen.table_for(side, side) == chosen.table_for(side, side, side) == side
    with pytest.raises(corruptions.CorruptionError, match="severity_table must be one of"):
        chosen.table_for(side, side, 48)
