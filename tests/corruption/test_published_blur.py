"""Figures that others measured of the published generator's blurs, each a test of its own that needs no reference."""

import numpy as np
import pytest
import reference
from published import At, body, kernel, rows

import corruptions
from corruptions import blur
from corruptions._resample import add_zooms
from corruptions.testing import pictures

# Zoom


@pytest.mark.parametrize(
    ("side", "counts", "step"),
    [(32, (7, 12, 16, 21, 26), 1), (64, (7, 12, 16, 21, 26), 1), (224, (12, 16, 11, 13, 11), (1, 1, 2, 2, 3))],
)
def test_zooms_are_as_many_as_the_floating_point_range_has(side, counts, step):
    """The range to 1.06 by .01 has seven places, not six; that to 1.26 has the next larger number for 1.25."""
    for row, count, one in zip(rows("zoom_blur", side), counts, np.broadcast_to(step, 5), strict=True):
        factors = blur.zoom_factors(*row)
        assert np.allclose(factors, 1 + one / 100 * np.arange(count), rtol=0, atol=1e-9)
        assert len(factors) == count
    assert blur.zoom_factors(1.26, 0.01)[25] == np.nextafter(1.25, 2)


def one_zoom(images, factor):
    """The images zoomed by one factor, float32."""
    out = np.zeros_like(images)
    add_zooms(images, (factor,), out)
    return out


def test_zoom_by_101_is_the_identity_at_32():
    images = pictures(32).astype(np.float32) / 255
    assert np.array_equal(one_zoom(images, 1.0), images)
    assert np.array_equal(one_zoom(images, 1.01), images)
    assert np.abs(one_zoom(images, 1.02) - images).max() > 0.05


@pytest.mark.parametrize(
    ("factor", "first", "slope"),
    [
        *((1.02, 0, 31 / 32), (1.03, 0, 31 / 32), (1.04, 0, 30 / 31), (1.05, 0, 30 / 32), (1.06, 0, 30 / 32)),
        *((1.25, 3, 25 / 31), (float(np.nextafter(1.25, 2)), 3, 25 / 32)),
    ],
)
def test_small_zooms_are_anchored_at_the_top_left_at_32(factor, first, slope):
    """Places on a ramp: 1.02 to 1.06 start at 0. 26 · 1.25 is 32 pixels; the next larger number makes 33 of them."""
    ramp = np.arange(32, dtype=np.float32) / 255
    across = np.broadcast_to(ramp[None, None, :, None], (1, 32, 32, 1)).copy()
    for image in (across, across.transpose(0, 2, 1, 3).copy()):
        places = 255 * one_zoom(image, factor)[0, ..., 0]
        expected = first + np.arange(32) * slope
        assert np.abs(places - (expected if image is across else expected[:, None])).max() < 0.02


@pytest.mark.parametrize("side", [5, 17, 31, 32, 33, 48, 64, 96, 100, 128, 224])
def test_no_zoom_leaves_a_dark_border(side):
    white = np.ones((1, side, side, 1), np.float32)
    for row in {*rows("zoom_blur", 32), *rows("zoom_blur", 224)}:
        assert np.abs(body("zoom_blur", white, row) - 1).max() < 1e-5


# Motion


@pytest.mark.parametrize("at", range(5))
def test_motion_shifts_by_52_91_130_130_170_hundredths_of_a_pixel(at):
    """At 0 degrees tap i reads i pixels to the right, so a point moves to the left."""
    response = kernel("motion_blur", rows("motion_blur")[at], draws=At(0))
    shift = 16 - np.arange(33)
    assert not response[np.arange(33) != 16].any()
    assert not response[16, shift < 0].any()
    assert response.sum() == pytest.approx(1, abs=1e-4)
    assert (response[16] * shift).sum() == pytest.approx((0.52, 0.91, 1.30, 1.30, 1.70)[at], abs=0.006)


@pytest.mark.parametrize(("degrees", "down", "right"), [(45, 1, 1), (-45, -1, 1), (0, 0, 1)])
def test_motion_reads_at_its_angle_with_y_downwards(degrees, down, right):
    response = kernel("motion_blur", (9, 2.5), draws=At(degrees))
    y, x = 16 - np.indices((33, 33))
    mean_y, mean_x = (response * y).sum(), (response * x).sum()
    assert np.hypot(mean_y, mean_x) == pytest.approx(1.70, abs=0.01)
    assert mean_y / mean_x == pytest.approx(down / right, abs=1e-6)


# Defocus


@pytest.mark.parametrize(("at", "sigma"), [(0, 0.4), (1, 0.5), (2, 0.6)])
def test_defocus_1_to_3_at_32_is_a_3x3_gaussian(at, sigma):
    taps = np.exp(-(np.array([-1.0, 0, 1]) ** 2) / (2 * sigma**2))
    taps /= taps.sum()
    response = kernel("defocus_blur", rows("defocus_blur")[at])
    assert np.abs(response[15:18, 15:18] - np.outer(taps, taps)).max() < 1e-5
    assert np.count_nonzero(response) == 9


def test_defocus_4_at_32_is_a_plus():
    response = kernel("defocus_blur", rows("defocus_blur")[3])
    assert np.abs(response[15:18, 15:18] - np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]]) / 5).max() < 1e-4
    assert response.sum() == pytest.approx(1, abs=1e-5)


def test_defocus_5_at_32_is_a_box():
    response = kernel("defocus_blur", rows("defocus_blur")[4])
    assert np.abs(response[15:18, 15:18] - 1 / 9).max() < 1e-5
    assert response.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("at", "published"), [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.013), (4, 1.011)])
def test_discs_of_radius_8_and_10_brighten_by_1_percent(at, published):
    """Whole kernels are OpenCV's, applied to a point as they are or by way of a mean over the disc."""
    row = rows("defocus_blur", 224)[at]
    expected = reference.published_disc(*row)
    assert expected.sum() == pytest.approx(published, abs=0.0005)
    response, reach = kernel("defocus_blur", row), len(expected) // 2
    assert np.abs(response[16 - reach : 17 + reach, 16 - reach : 17 + reach] - expected).max() < 1e-6
    assert response.sum() == pytest.approx(expected.sum(), abs=1e-5)


@pytest.mark.parametrize(("at", "reach"), [(2, 6 + 1), (3, 8), (4, 10)])
def test_discs_are_cut_off_at_their_array(at, reach):
    """The farthest pixel that has a weight, along the row through the middle: smoothing ends at the array's edge."""
    response = kernel("defocus_blur", rows("defocus_blur", 224)[at])
    assert np.flatnonzero(np.abs(response[16]) > 1e-6).tolist() == list(range(16 - reach, 16 + reach + 1))


# Glass


def scattered(side, reach, count):
    """Row and column from which each pixel came after one pass without smoothing, (count, side, side) each."""
    places = np.stack([*np.indices((side, side)), np.zeros((side, side))], axis=-1) / 255
    draws = corruptions.Draws("glass_blur", np.arange(count))
    out = body("glass_blur", np.repeat(places[None], count, axis=0), (0, reach, 1), draws)
    return np.rint(255 * out[..., 0]).astype(int), np.rint(255 * out[..., 1]).astype(int)


def test_one_glass_pass_leaves_36_percent_in_place():
    """One draw of one picture gave 36 %; a quarter of the 900 pixels written and the frame make 34.1, sd 1.2."""
    from_y, from_x = scattered(32, 1, 400)
    y, x = np.indices((32, 32))
    in_place = ((from_y == y) & (from_x == x)).mean(axis=(1, 2))
    assert in_place.mean() == pytest.approx((900 / 4 + 124) / 1024, abs=0.003)
    assert np.abs(in_place - 0.36).min() < 0.002
    assert (in_place > 0.36).mean() > 0.03


def test_one_glass_pass_destroys_30_percent_of_the_source_pixels():
    """A true swap would destroy none."""
    from_y, from_x = scattered(32, 1, 400)
    lost = [1 - len(np.unique(taken)) / 1024 for taken in 32 * from_y + from_x]
    assert np.mean(lost) == pytest.approx(0.30, abs=0.01)


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_glass_copies_from_minus_reach_to_reach_minus_1(reach):
    """Its first pixel in scan order, the last of the picture but reach - 1, which reads pixels not yet written."""
    side = 32
    from_y, from_x = scattered(side, reach, 600)
    last = side - reach
    moves = {(y - last, x - last) for y, x in zip(from_y[:, last, last], from_x[:, last, last], strict=True)}
    assert moves == {(y, x) for y in range(-reach, reach) for x in range(-reach, reach)}
    y, x = np.indices((side, side))
    frame = (y <= reach) | (x <= reach) | (y > last) | (x > last)
    still = (from_y == y) & (from_x == x)
    assert still[:, frame].all()
    assert not still[:, ~frame].all(axis=0).any()


def test_glass_treats_gray_as_colour():
    """The published code swaps scalars and copies colours."""
    images = pictures(32) / 255
    draws = corruptions.Draws("glass_blur", np.arange(len(images)))
    gray = body("glass_blur", images[..., :1].copy(), (0.4, 1, 2), draws)
    assert np.array_equal(gray[..., 0], body("glass_blur", images, (0.4, 1, 2), draws)[..., 0])
