"""Figures that others measured of the published generator, blurs apart, each a test of its own without a reference."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from published import as_taken, body, rows
from scipy import ndimage

import corruptions
from corruptions import digital, weather
from corruptions.testing import pictures

SEVERITIES = range(1, 6)


# Elastic


@pytest.mark.parametrize(
    ("at", "published", "exact", "spread"),
    [
        (0, 0, 0, 0),
        (1, 0.07, 0.0552, 0.018),
        (2, 0.24, 0.241, 0.025),
        (3, 0.44, 0.4365, 0.029),
        (4, 0.56, 0.572, 0.028),
    ],
)
def test_elastic_moves_by_0_7_24_44_56_hundredths_of_a_pixel(at, published, exact, spread, monkeypatch):
    """Root mean square of the local motion at 32. The published figures are of one picture, whose spread is given."""
    row = rows("elastic_transform")[at]
    if row[1]:
        taps = ndimage.gaussian_filter1d(np.eye(32), row[1], axis=0, mode="reflect", truncate=3)
        assert row[0] * np.square(taps).sum(axis=1).mean() / np.sqrt(3) == pytest.approx(exact, abs=0.0005)
    moves = []
    monkeypatch.setattr(digital, "displace", lambda images, *by: moves.append(np.stack(by)) or images)
    draws = corruptions.Draws("elastic_transform", np.arange(400))
    body("elastic_transform", np.zeros((400, 32, 32, 1), np.float32), row, draws)
    assert len(moves) == (at > 0)
    for by in moves:
        rms = np.sqrt(np.square(by.astype(np.float64)).mean(axis=(1, 2, 3)))
        assert rms == pytest.approx(exact, rel=0.04)
        assert np.abs(rms - published).max() <= spread
        assert abs(np.corrcoef(by[0].ravel(), by[1].ravel())[0, 1]) < 0.1


# Pixelate


@pytest.mark.parametrize(
    ("side", "sizes"),
    [(32, (30, 28, 27, 24, 20)), (64, (57, 51, 44, 38, 32)), (224, (134, 112, 89, 67, 56))],
)
def test_pixelate_goes_through_the_published_sizes(side, sizes):
    """And up again as NEAREST does: each row of the small picture is repeated, none is mixed."""
    image = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    for severity, size in zip(SEVERITIES, sizes, strict=True):
        out = corruptions.apply(image, "pixelate", severity)
        assert 1 + np.any(out[1:] != out[:-1], axis=(1, 2)).sum() == size
        assert 1 + np.any(out[:, 1:] != out[:, :-1], axis=(0, 2)).sum() == size
        small = Image.fromarray(image).resize((size, size), Image.Resampling.BOX)
        assert np.array_equal(out, np.asarray(small.resize((side, side), Image.Resampling.NEAREST)))


# Fog, snow, frost, spatter


@pytest.mark.parametrize(("decay", "std"), [(3, 0.145), (2.5, 0.15), (2, 0.16), (1.75, 0.17)])
def test_cloud_maps_at_32_have_mean_5_and_std_145_to_170(decay, std):
    maps = weather.plasma(corruptions.Draws("fog", np.arange(500)), 32, 32, decay).astype(np.float64)
    assert not maps.min(axis=(1, 2)).any()
    assert maps.max(axis=(1, 2)) == pytest.approx(1, abs=1e-6)
    assert maps.mean() == pytest.approx(0.5, abs=0.02)
    assert maps.std(axis=(1, 2)).mean() == pytest.approx(std, abs=0.003)


def test_flakes_cover_6_to_44_thousandths_at_32():
    """Unstreaked on black; a pixel is white where a flake lies on it or on its place when turned."""
    black = np.zeros((2000, 32, 32, 1), np.float32)
    covered = []
    for mean, sigma, zoom, threshold, *_ in rows("snow"):
        out = body("snow", black, (mean, sigma, zoom, threshold, 0, 1, 1.0), corruptions.Draws("snow", np.arange(2000)))
        covered.append(1 - np.sqrt(1 - (out > 0).mean()))
    assert min(covered) == pytest.approx(0.006, abs=0.0006)
    assert max(covered) == pytest.approx(0.044, abs=0.002)


def test_frost_scales_its_texture_without_antialiasing():
    """Uniform noise keeps its deviation of 73.7 levels; means over areas would leave 14.8."""
    texture = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    black = np.zeros((64, 32, 32, 3), np.uint8)
    out = corruptions.apply(black, "frost", 1, textures=(texture,)) / rows("frost")[0][1]
    assert np.std(out) == pytest.approx(73.7, rel=0.02)
    averaged = cv2.resize(texture, (0, 0), fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    assert averaged.std() == pytest.approx(14.8, rel=0.02)


def test_spatter_without_a_drop_is_the_picture():
    """With the first row of 224 no drop is left in 3 of 400 draws at 32 (5.6 expected), 0 / 0 as published."""
    images = np.repeat(pictures(32, 1, count=1), 2000, axis=0)
    out = corruptions.apply(images, "spatter", 1, severity_table=224).astype(int)
    assert (out >= images).all()
    bare = (out == images).all(axis=(1, 2, 3))
    assert 3 <= 400 * bare.mean() <= 8
    normals = corruptions.Draws("spatter", np.flatnonzero(bare)).normals("liquid", 32, 32)[..., 0]
    highest = [ndimage.gaussian_filter(0.65 + 0.3 * one, 4, mode="nearest").max() for one in normals]
    assert np.mean(np.array(highest) < 0.69) > 0.7


# Colour and rounding


def test_saturated_gray_turns_reddish():
    """Gray has hue 0: 200 becomes (200, 160, 160) at severity 5 of 32, and stays gray where nothing is added."""
    gray = np.full((1, 4, 4, 3), 200, np.uint8)
    assert body("saturate", gray, rows("saturate")[4])[0, 0, 0].tolist() == [200, 160, 160]
    for row in rows("saturate")[:3]:
        assert np.array_equal(body("saturate", gray, row), gray)


@pytest.mark.parametrize(("name", "row"), [("brightness", 0.0), ("saturate", (1.0, 0.0))])
def test_hsv_and_back_takes_a_level_off_a_fifth_of_the_bytes(name, row):
    colours = np.random.default_rng(0).integers(0, 256, (4, 1000, 1000, 3), np.uint8)
    out = body(name, colours, row)
    assert np.isin(colours - out, (0, 1)).all()
    assert (colours != out).mean() == pytest.approx(0.207, abs=0.003)


@pytest.mark.parametrize("name", ["gaussian_noise", "shot_noise", "speckle_noise"])
def test_noisy_mid_gray_has_mean_1275(name):
    """Rounded it would have 128. Counts of 50 photons fall on few values, which the cut moves by .46 on average."""
    gray = np.full((500, 32, 32, 3), 128, np.uint8)
    for severity in (2, 5):
        out = corruptions.apply(gray, name, severity)
        assert out.mean() == pytest.approx(127.5, abs=0.1)
        exact = body(name, as_taken(name, gray), rows(name)[severity - 1], corruptions.Draws(name, np.arange(500)))
        assert 255 * exact.mean() == pytest.approx(128, abs=0.1)


def test_a_gaussian_of_a_quarter_pixel_takes_a_level_off_half_of_the_bytes():
    image = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    apart = image.astype(int) - corruptions.apply(image, "gaussian_blur", level=0.25)
    assert np.isin(apart, (0, 1)).all()
    assert apart.mean() == pytest.approx(0.5, abs=0.02)


def levels_that_move(name, severity, severity_table):
    """How much each gray level of a constant image loses."""
    constant = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None, None], (256, 32, 32, 3))
    out = corruptions.apply(constant, name, severity, severity_table=severity_table)
    assert (out == out[:, :1, :1, :1]).all() or name in ("gaussian_blur", "glass_blur", "zoom_blur")
    return (constant.astype(int) - out)[:, 16, 16, 0]


@pytest.mark.parametrize(
    ("name", "severity", "share"),
    [("contrast", 5, 0.47), ("gaussian_blur", 1, 0.22), ("zoom_blur", 1, 0.16), ("zoom_blur", 5, 0.33)],
)
def test_constant_images_lose_a_level_where_the_last_bit_is_cut(name, severity, share):
    """Shares of the 256 gray levels, as counted of the published formulas."""
    lost = levels_that_move(name, severity, 32)
    assert np.isin(lost, (0, 1)).all()
    assert lost.mean() == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("severity_table", [32, 64, 224])
@pytest.mark.parametrize("name", ["motion_blur", "pixelate"])
def test_no_gray_level_moves_where_values_are_rounded_first(name, severity_table):
    """ImageMagick rounds to 16 bits before it cuts. Others lose 2.8 % at the border of wide kernels."""
    constant = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None, None], (256, 32, 32, 3))
    for severity in SEVERITIES:
        assert np.array_equal(corruptions.apply(constant, name, severity, severity_table=severity_table), constant)


def test_gaussian_blur_mixes_no_channels():
    """Blurred across them red would become (.70, .30, .06)."""
    red = np.zeros((1, 16, 16, 3))
    red[..., 0] = 1
    assert body("gaussian_blur", red, 1.0)[0, 8, 8] == pytest.approx((1, 0, 0), abs=1e-6)
    one = pictures(16) / 255
    one[..., 1:] = 0
    out = body("gaussian_blur", one, 1.0)
    assert out[..., 0].any()
    assert not out[..., 1:].any()


def test_jpeg_has_half_the_chroma():
    """4:2:0: colours that alternate from column to column, or from row to row, become one; their lightness stays."""
    red, blue = (200, 60, 60), (60, 60, 200)
    for axis in (0, 1):
        stripes = (np.indices((32, 32))[axis] % 2)[..., None]
        image = np.where(stripes, red, blue).astype(np.uint8)
        out = corruptions.apply(image, "jpeg_turbo", level=100).astype(int)
        chroma = out[..., 0] - out[..., 2]
        assert np.abs(chroma).max() <= 6
        first, second = np.take(out, 8, axis)[8], np.take(out, 9, axis)[8]
        luma = (first - second) @ [0.299, 0.587, 0.114]
        assert abs(luma) == pytest.approx(140 * (0.299 - 0.114), abs=3)
        full, half = io.BytesIO(), io.BytesIO()
        Image.fromarray(image).save(full, "JPEG", quality=100, subsampling=0)
        Image.fromarray(image).save(half, "JPEG", quality=100, subsampling=2)
        assert np.array_equal(out, np.asarray(Image.open(half)))
        assert not np.array_equal(out, np.asarray(Image.open(full)))
