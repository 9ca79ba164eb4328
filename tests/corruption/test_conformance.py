"""Every registered corruption keeps every promise; broken ones are caught."""

import numpy as np
import pytest

import corruptions
from corruptions import Corruption, Level
from corruptions.testing import CHECKS, check_corruption

SIGMA = Level("sigma", "of the range [0, 1]", 0.0, 1.0, (0.1, 0.2, 0.4), identity=0.0)


@pytest.mark.parametrize("name", corruptions.names())
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_registered_corruption(name, check):
    check(corruptions.get(name))


def toy(body, **facts):
    facts = {"level": SIGMA, "source": "made up for this test"} | facts
    return Corruption(body.__name__, "noise", body, **facts)


def test_a_new_corruption_needs_one_registration():
    def darker(images, sigma):
        """Darker: x (1 - sigma), for a lamp that fades."""
        return images * np.float32(1 - sigma)

    with corruptions._contract.registry.with_entry("darker", toy(darker)):
        check_corruption("darker")
        assert "darker" in corruptions.names()
    assert "darker" not in corruptions.names()


def same_noise_for_every_image(images, sigma, draws):
    """Broken: the draw of the first image serves all."""
    return images + np.float32(sigma) * draws.normals("noise", *images.shape[1:])[:1]


def truncation(images, sigma, draws):
    """Broken: cast to 8 bits without rounding."""
    noisy = images + np.float32(sigma) * draws.normals("noise", *images.shape[1:])
    return (np.clip(noisy, 0, 1) * np.float32(255)).astype(np.uint8)


def wrap_around(images, sigma, draws):
    """Broken: 255 + 1 is 0."""
    noisy = images + np.float32(sigma) * draws.normals("noise", *images.shape[1:])
    return np.rint(noisy * np.float32(255)).astype(np.int64).astype(np.uint8)


def global_random_state(images, sigma):
    """Broken: nobody can repeat it."""
    return images + np.float32(sigma) * np.random.normal(size=images.shape).astype(np.float32)


def own_generator_per_call(images, sigma, draws):
    """Broken: one generator for the block, so the pixels depend on the block."""
    generator = np.random.default_rng(draws.ids)
    return images + np.float32(sigma) * generator.standard_normal(images.shape, np.float32)


def drops_the_last_row(images, sigma):
    """Broken: another shape comes out."""
    return images[:, :-1] * np.float32(1 - sigma)


def weaker_when_stronger(images, sigma):
    """Broken: sigma works the wrong way round."""
    return images * np.float32(sigma / 2)


def seed_forgotten(images, sigma, draws):
    """Broken: the seed does not reach the noise."""
    noise = corruptions.Draws("other", draws.ids).normals("noise", *images.shape[1:])
    return images + np.float32(sigma) * noise


BROKEN = (
    (same_noise_for_every_image, {}),
    (truncation, {}),
    (wrap_around, {}),
    (global_random_state, {}),
    (own_generator_per_call, {}),
    (drops_the_last_row, {}),
    (weaker_when_stronger, {}),
    (seed_forgotten, {}),
)


@pytest.mark.parametrize(("body", "facts"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_corruption_is_rejected(body, facts):
    chosen = toy(body, **facts)
    with (
        corruptions._contract.registry.with_entry(chosen.name, chosen),
        pytest.raises((AssertionError, corruptions.CorruptionError)),
    ):
        check_corruption(chosen.name)


def test_the_broken_ones_differ_from_a_sound_one_only_in_their_fault():
    def sound(images, sigma, draws):
        """Sound: the noise that the broken ones have in mind."""
        return images + np.float32(sigma) * draws.normals("noise", *images.shape[1:])

    with corruptions._contract.registry.with_entry("sound", toy(sound)):
        check_corruption("sound")
