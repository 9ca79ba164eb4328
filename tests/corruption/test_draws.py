"""Every draw of every corruption: by its distribution over a million draws, and at its edges."""

import edges
import numpy as np
import pytest
import reference
import watch
from scipy import special, stats

import corruptions
from corruptions import blur, heldout, weather
from corruptions.testing import pictures

STOCHASTIC = [name for name in corruptions.names() if corruptions.get(name).stochastic]
MILLION = 10**6


class Recorder:
    """Passes on to the draws and keeps what was asked for."""

    def __init__(self, draws):
        self.draws = draws
        self.asked = {}

    def __getattr__(self, kind):
        def draw(what, *given, **options):
            self.asked[kind, what, options.get("step", 0)] = given
            return getattr(self.draws, kind)(what, *given, **options)

        return draw


def asked(name):
    """All that a corruption draws at 32 pixels: kind, name, step and what it was called with last."""
    chosen = corruptions.get(name)
    images = pictures(32, count=1)
    source = images if chosen.takes == "uint8" else images.astype(np.float32) / np.float32(255)
    recorder = Recorder(corruptions.Draws(name, [0]))
    extras = {"draws": recorder, "boxes": None, "severity_table": 32, "textures": None}
    for strength in chosen.default_strengths():
        parameters = chosen.parameters(strength, chosen.table_for(32, 32))
        chosen.body(source, parameters, **{extra: extras[extra] for extra in chosen.requires})
    return recorder.asked


def seen_and_expected(name, kind, what, step, given):
    """A million of these draws in classes: how many there are of each, and how many are expected."""
    if kind == "poisson":
        draws, rate = corruptions.Draws(name, np.arange(1000), seed=3), max(given[0])
        counts = draws.poisson(what, (rate,), np.zeros((1000, 1, 1000, 1), np.uint8))
        seen = np.bincount(counts.ravel())
        return seen, MILLION * stats.poisson.pmf(np.arange(len(seen)), rate)
    size = int(np.prod(given)) if kind in FIELDS else 1
    draws = corruptions.Draws(name, np.arange(-(-MILLION // size)), seed=3)
    if kind == "integers":
        low, high = (int(np.ravel(end)[0]) for end in given)
        seen = np.bincount(draws.integers(what, low, high) - low)
        return seen, MILLION / (high - low)
    shares = FIELDS[kind](getattr(draws, kind)(what, *given, step=step)) if kind in FIELDS else draws.uniform(what)
    return np.bincount((shares.ravel()[:MILLION] * 256).astype(int)), MILLION / 256


FIELDS = {"words": lambda words: words / 2.0**32, "uniforms": np.asarray, "normals": special.ndtr}


@pytest.mark.parametrize("name", STOCHASTIC)
def test_a_million_of_each_draw_are_spread_as_they_should(name):
    for (kind, what, step), given in asked(name).items():
        seen, expected = seen_and_expected(name, kind, what, step, given)
        assert seen.sum() == MILLION
        usual = np.broadcast_to(expected > 5, seen.shape)
        chi2 = np.square(seen - expected)[usual] / (expected[usual] if np.ndim(expected) else expected)
        assert stats.chi2.sf(chi2.sum(), usual.sum() - 1) > 1e-3, (kind, what, step)


# What is made of them


def test_a_million_offsets_of_glass_are_uniform():
    """In pictures of 7 x 7 with reach 3 one pixel is written, with the place it came from."""
    reach, side, at_once = 3, 7, 50_000
    places = np.stack(np.indices((side, side)), axis=-1).astype(np.float32) / 255
    seen = np.zeros((2, 2 * reach), int)
    for start in range(0, MILLION // 2, at_once):
        draws = corruptions.Draws("glass_blur", np.arange(start, start + at_once))
        out = blur.glass_blur(np.broadcast_to(places, (at_once, *places.shape)).copy(), (0, reach, 1), draws)
        moves = np.rint(255 * out[:, side - reach, side - reach]).astype(int) - (side - reach) + reach
        seen += [np.bincount(axis, minlength=2 * reach) for axis in moves.T]
    for axis in seen:
        assert stats.chisquare(axis).pvalue > 1e-3


@pytest.mark.parametrize("decay", [3, 1.75])
def test_cloud_maps_of_a_million_points_are_as_those_of_another_generator(decay):
    """Mean, deviation and roughness of each map beside the reference's, which NumPy's uniform numbers feed."""
    ours = weather.plasma(corruptions.Draws("fog", np.arange(1000)), 32, 32, decay).astype(np.float64)
    drawn = np.random.default_rng(0).uniform(-1, 1, (1000, 32, 32))
    theirs = np.stack([reference.plasma(32, decay, field) for field in drawn])
    for measure in (
        lambda maps: maps.mean(axis=(1, 2)),
        lambda maps: maps.std(axis=(1, 2)),
        lambda maps: np.square(np.diff(maps, axis=2)).mean(axis=(1, 2)),
        lambda maps: maps[:, 5, 20],
    ):
        assert stats.ks_2samp(measure(ours), measure(theirs)).pvalue > 1e-3


AMPLITUDES = {"blue": lambda frequency: frequency, "brownish": lambda frequency: 1 / (frequency**2 + 1)}


@pytest.mark.parametrize("colour", AMPLITUDES)
def test_a_million_values_of_shaped_noise_have_its_spectrum(colour):
    """The mean square of a frequency goes with its amplitude squared; mean 0, deviation 1.

    But for the lowest frequencies, which make most of the deviation that the brownish noise is divided by.
    """
    amplitude, shape = AMPLITUDES[colour], (40, 25)
    noise = heldout.shaped_noise(corruptions.Draws("test", np.arange(1000)), *shape, 1, amplitude)[..., 0]
    assert noise.mean(axis=(1, 2)) == pytest.approx(0, abs=1e-6)
    assert noise.std(axis=(1, 2)) == pytest.approx(1, abs=1e-5)
    power = np.square(np.abs(np.fft.fft2(noise))).mean(axis=0)
    far = np.hypot(*np.meshgrid(*(np.fft.fftfreq(side) * side for side in shape), indexing="ij"))
    ratio = power[far >= 3] / np.square(amplitude(far[far >= 3]))
    assert ratio / ratio.mean() == pytest.approx(1, abs=0.2)


def test_a_walk_takes_every_direction_alike():
    """What a step of each of 50,000 walks makes of a point has, in the mean, the moments of a circle."""
    point = np.zeros((50_000, 5, 5, 1), np.float32)
    point[:, 2, 2] = 1
    kernel = blur.random_walk_blur(point, 1.0, corruptions.Draws("random_walk_blur", np.arange(50_000)))
    y, x = np.indices((5, 5)) - 2
    weights = kernel[..., 0].mean(axis=0, dtype=np.float64)
    assert (weights * x * y).sum() == pytest.approx(0, abs=0.002)
    assert (weights * (x**2 - y**2)).sum() == pytest.approx(0, abs=0.002)
    assert (weights * (x**2 + y**2)).sum() > 0.2


# At the edges


@pytest.mark.parametrize("kind", edges.KINDS)
@pytest.mark.parametrize("name", STOCHASTIC)
def test_draws_at_their_edges_make_pictures(name, kind, monkeypatch):
    """At every strength and at levels drawn, on gray and colour, on one pixel and on more."""
    monkeypatch.setattr(corruptions._core, "Draws", lambda name, ids, **_: edges.Edge(ids, kind))
    chosen = corruptions.get(name)
    strengths = list(chosen.default_strengths())
    if chosen.level is not None and chosen.level.parts == 1:
        low, high = sorted((chosen.level.defaults[0], chosen.level.defaults[-1]))
        strengths.append(chosen.strength(level=f"{low}..{high}"))
    for height, width, channels in ((1, 1, 3), (32, 32, 3), (9, 14, 1)):
        images = pictures(32, channels, 2)[:, :height, :width]
        for strength in strengths:
            assert watch.applied(images, chosen, strength).shape == images.shape
