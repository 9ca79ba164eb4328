"""The textures of frost: what the published photographs are like, and which texture and place can be drawn."""

import itertools

import numpy as np
import pytest

import corruptions
from corruptions import _panes
from corruptions.testing import pictures
from corruptions.textures import make

# Of 300 random crops of the published photographs: mean B, G, R; deviation of the crops' mean luminance; mean of the
# deviations within a crop; mean absolute difference of horizontal neighbours; shares of the spectrum, see BANDS.
BRIGHT = {
    0.2: ((212, 203, 198), 8.7, 18.0, 15.1, (0.11, 0.09, 0.19, 0.47)),
    0.3: ((211, 202, 198), 6.2, 18.4, 11.8, (0.24, 0.34, 0.41)),
    1.0: ((233, 224, 219), 5.8, 20.0, 8.6, (0.21, 0.26, 0.30, 0.22)),
}
MEASURED = {
    1: {
        0.2: ((165, 149, 78), 10.9, 14.6, 10.7, (0.28, 0.13, 0.13, 0.35)),
        0.3: ((165, 148, 78), 9.9, 14.7, 8.5, (0.53, 0.17, 0.30)),
        1.0: ((150, 137, 80), 9.8, 16.0, 7.6, (0.45, 0.11, 0.17, 0.25)),
    },
    2: BRIGHT,
    3: BRIGHT,
    4: {
        0.2: ((171, 158, 143), 10.2, 25.7, 23.9, (0.06, 0.06, 0.17, 0.54)),
        0.3: ((172, 159, 144), 7.2, 23.4, 18.6, (0.13, 0.29, 0.58)),
        1.0: ((174, 152, 138), 6.6, 26.1, 14.6, (0.10, 0.17, 0.37, 0.35)),
    },
    5: {
        0.2: ((126, 114, 103), 16.4, 35.0, 30.6, (0.09, 0.13, 0.22, 0.43)),
        0.3: ((125, 113, 101), 12.7, 32.8, 23.4, (0.21, 0.40, 0.39)),
        1.0: ((127, 115, 103), 12.0, 35.9, 19.1, (0.16, 0.30, 0.27, 0.23)),
    },
}
CHROMA = {1: 39, 2: 6, 3: 6, 4: 11, 5: 10}
SIDES = {0.2: 32, 0.3: 64, 1.0: 224}
# Cycles per crop, the first end left out. The photographs' last band ends at the crop's Nyquist frequency at two scales
# and at the corner of the spectrum at the third.
BANDS = {0.2: (0.5, 2, 4, 8, 16), 0.3: (0.5, 4, 16, 64), 1.0: (0.5, 4, 16, 48, 112)}
CROPS = 60
LUMINANCE = np.array((0.299, 0.587, 0.114))


def crops(number, scale):
    """Random crops of a texture, scaled, float64 (CROPS, side, side, 3)."""
    side = SIDES[scale]
    pane = _panes.scaled_texture(_panes.frost_textures()[number - 1], scale, side, side).astype(np.float64)
    places = np.random.default_rng(number).integers(0, np.array(pane.shape[:2]) - side, (CROPS, 2))
    return np.stack([pane[top : top + side, left : left + side] for top, left in places])


def shares(luminance, edges):
    """The part of the power between each two frequencies, under a Hann window, without the mean."""
    side = luminance.shape[1]
    window = np.hanning(side)
    centred = luminance - luminance.mean(axis=(1, 2), keepdims=True)
    power = np.square(np.abs(np.fft.fft2(centred * np.outer(window, window)))).mean(axis=0)
    cycles = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side, 1 / side)] * 2))
    inside = [(cycles > low) & (cycles <= high) for low, high in itertools.pairwise(edges)]
    return [power[band].sum() / power[cycles > 0].sum() for band in inside]


@pytest.mark.parametrize("scale", SIDES)
@pytest.mark.parametrize("number", MEASURED)
def test_a_texture_is_like_its_photograph(number, scale):
    """Means, contrast and differences within 15 %, shares of the spectrum within 0.08."""
    colour, between, within, step, bands = MEASURED[number][scale]
    found = crops(number, scale)
    luminance = found @ LUMINANCE
    assert found.mean(axis=(0, 1, 2))[::-1] == pytest.approx(colour, rel=0.15)
    assert luminance.std(axis=(1, 2)).mean() == pytest.approx(within, rel=0.15)
    assert np.abs(np.diff(luminance, axis=2)).mean() == pytest.approx(step, rel=0.15)
    assert shares(luminance, BANDS[scale]) == pytest.approx(bands, abs=0.08)
    assert luminance.mean(axis=(1, 2)).std() == pytest.approx(between, rel=0.35)
    assert found.std(axis=3).mean() == pytest.approx(CHROMA[number], rel=0.2)


def test_the_textures_are_five_pictures():
    textures = _panes.frost_textures()
    assert [texture.shape for texture in textures] == [(make.HEIGHT, make.WIDTH, 3)] * 5
    for one in range(5):
        for other in range(one):
            grays = [(textures[at] @ LUMINANCE).ravel() for at in (one, other)]
            assert abs(np.corrcoef(grays)[0, 1]) < 0.5
    assert sum(path.stat().st_size for path in _panes.TEXTURES.glob("*.png")) < 1.5e6


@pytest.mark.parametrize("number", [1, *(pytest.param(number, marks=pytest.mark.slow) for number in range(2, 6))])
def test_the_program_makes_the_textures(number):
    """But for pixels that another machine's last bit moves."""
    made = np.asarray(make.texture(number).convert("RGB")).astype(int)
    shipped = _panes.frost_textures()[number - 1]
    assert (made != shipped).mean() < 1e-3


@pytest.mark.parametrize("number", range(1, 6))
def test_each_of_the_five_textures_is_drawn(number):
    """Without one of them some images have other frost, and some have not."""
    images = pictures(32, count=100)
    frosted = corruptions.apply(images, "frost", 3)
    textures = list(_panes.frost_textures())
    textures[number - 1] = np.zeros_like(textures[number - 1])
    changed = (corruptions.apply(images, "frost", 3, textures=tuple(textures)) != frosted).any(axis=(1, 2, 3))
    assert 0.1 < changed.mean() < 0.3


@pytest.mark.parametrize("count", [1, 3, 5, 6, 8])
def test_of_given_textures_the_first_five_are_drawn(count):
    """The published generator draws from the first five of its six."""
    textures = tuple(np.full((50, 60, 3), 25 * number, np.uint8) for number in range(1, count + 1))
    out = corruptions.apply(np.zeros((200, 32, 32, 1), np.uint8), "frost", 1, textures=textures, severity_table=224)
    assert np.unique(out).tolist() == [10 * number for number in range(1, min(count, 5) + 1)]


@pytest.mark.parametrize(("extra", "places"), [(0, 1), (1, 1), (2, 2), (3, 3)])
def test_the_last_place_is_never_drawn(extra, places):
    """As published; where the texture has no place to spare, there is one place."""
    side = 8
    rows, columns = np.indices((side + extra, side + extra))
    texture = np.stack([25 * rows, 25 * columns, 0 * rows], axis=-1).clip(0, 255).astype(np.uint8)
    black = np.zeros((200, side, side, 3), np.uint8)
    corners = corruptions.apply(black, "frost", 1, textures=(texture,), severity_table=224)[:, 0, 0, :2]
    expected = {(10 * row, 10 * column) for row in range(places) for column in range(places)}
    assert set(map(tuple, corners.tolist())) == expected


def test_values_are_cut_not_rounded():
    """1 · 100 + 0.2 · 4 is 100.8, 0.75 · 255 + 0.45 · 255 is more than white."""
    images = np.full((1, 32, 32, 3), 100, np.uint8)
    assert np.all(corruptions.apply(images, "frost", 1, textures=(np.full((300, 300, 3), 4, np.uint8),)) == 100)
    white = np.full((1, 32, 32, 3), 255, np.uint8)
    assert np.all(corruptions.apply(white, "frost", 5, textures=(np.full((300, 300, 3), 255, np.uint8),)) == 255)
