"""Each family against an independent way to compute it."""

import io

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage import color

import corruptions
from corruptions.testing import pictures


def close(out, expected, within=0.01):
    """Equal to the exact value but for rounding to the nearest level."""
    assert np.abs(out - np.clip(expected, 0, 255)).max() <= 0.5 + within


def just_below(out, expected, within=0.01):
    """Equal to the exact value but for the fraction that is cut off."""
    lost = np.clip(expected, 0, 255) - out
    assert lost.min() >= -within
    assert lost.max() < 1 + within


@pytest.mark.parametrize("side", [9, 32, 64])
@pytest.mark.parametrize("sigma", [0.5, 1, 3, 5])
def test_gaussian_blur_is_scipy_s_with_radius_6(side, sigma):
    images = pictures(side)
    expected = ndimage.gaussian_filter(
        images.astype(np.float64), (0, sigma, sigma, 0), mode="nearest", radius=(0, 6, 6, 0)
    )
    close(corruptions.apply(images, "gaussian_blur_13x13", level=sigma), expected)


@pytest.mark.parametrize("length", [3, 4.5, 9, 13])
def test_motion_blur_is_the_mean_along_the_diagonal(length):
    images = pictures(32)
    steps = (np.arange(2000) + 0.5) / 2000 - 0.5
    rows, columns = np.indices((32, 32))
    expected = np.zeros(images.shape)
    for along in steps * (length - 1) * np.sqrt(0.5):
        for picture, total in zip(images, expected, strict=True):
            for channel in range(3):
                total[..., channel] += ndimage.map_coordinates(
                    picture[..., channel].astype(float),
                    [rows - along, columns + along],
                    order=1,
                    mode="nearest",
                )
    close(corruptions.apply(images, "motion_blur_45", level=length), expected / 2000, within=0.2)


def test_motion_blur_rises_to_the_right():
    point = np.zeros((1, 15, 15, 1), np.uint8)
    point[0, 7, 7] = 255
    out = corruptions.apply(point, "motion_blur_45", level=7)[0, ..., 0]
    assert out[5, 9] > 0
    assert out[9, 5] > 0
    assert out[5, 5] == out[9, 9] == 0


@pytest.mark.parametrize("side", [28, 32, 64])
@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("mode", ["nearest", "bicubic"])
def test_low_resolution_is_pytorch_s_interpolation(side, factor, mode):
    images = pictures(side)
    small = torch.from_numpy(images[:, ::factor, ::factor].astype(np.float32)).permute(0, 3, 1, 2)
    large = torch.nn.functional.interpolate(small, scale_factor=factor, mode=mode)
    close(corruptions.apply(images, f"low_resolution_{mode}", level=factor), large.permute(0, 2, 3, 1).numpy())


def test_low_resolution_of_a_side_that_the_factor_does_not_divide():
    images = pictures(7)
    out = corruptions.apply(images, "low_resolution_nearest", level=3)
    assert np.array_equal(out, images[:, [0, 0, 0, 3, 3, 3, 6]][:, :, [0, 0, 0, 3, 3, 3, 6]])


def test_mixed_resolution_keeps_the_box_and_coarsens_the_rest():
    images = pictures(32)
    boxes = np.array([[0, 0, 32, 32], [3, 5, 10, 20], [0, 0, 0, 0], [31, 31, 32, 32]])
    out = corruptions.apply(images, "mixed_resolution", level=4, boxes=boxes)
    coarse = corruptions.apply(images, "low_resolution_nearest", level=4)
    for image, low, box, mixed in zip(images, coarse, boxes, out, strict=True):
        expected = low.copy()
        x0, y0, x1, y1 = box
        expected[y0:y1, x0:x1] = image[y0:y1, x0:x1]
        assert np.array_equal(mixed, expected)


def test_mixed_resolution_without_boxes_keeps_the_centre():
    images = pictures(32)
    centre = np.tile([8, 8, 24, 24], (len(images), 1))
    assert np.array_equal(
        corruptions.apply(images, "mixed_resolution", level=4),
        corruptions.apply(images, "mixed_resolution", level=4, boxes=centre),
    )


@pytest.mark.parametrize("side", [1, 2, 31, 32, 64, 224])
@pytest.mark.parametrize("ratio", [0.95, 0.85, 0.65, 0.5, 0.25])
def test_pixelate_is_pillow_s_box_to_the_bit(side, ratio):
    images = pictures(side, count=2)[:, :, : max(1, side - 3)]
    out = corruptions.apply(images, "pixelate", level=ratio)
    for image, got in zip(images, out, strict=True):
        height, width = image.shape[:2]
        small = Image.fromarray(image).resize(
            (max(1, int(width * ratio)), max(1, int(height * ratio))), Image.Resampling.BOX
        )
        assert np.array_equal(got, np.asarray(small.resize((width, height), Image.Resampling.BOX)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [1, 7, 25, 50, 58, 80, 100])
@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 65), (3, 4), (5, 6), (15, 17), (32, 32), (64, 48), (33, 100), (224, 224)]
)
def test_jpeg_turbo_is_pillow_s_to_the_bit(shape, quality, channels):
    height, width = shape
    textured = pictures(max(shape), channels, 1)[:, :height, :width]
    random = np.random.default_rng(quality).integers(0, 256, textured.shape, dtype=np.uint8)
    for image in (textured[0], random[0]):
        stored = io.BytesIO()
        Image.fromarray(image[..., 0] if channels == 1 else image).save(stored, "JPEG", quality=quality)
        read = np.asarray(Image.open(stored)).reshape(image.shape)
        assert np.array_equal(corruptions.apply(image, "jpeg_turbo", level=quality), read)


@pytest.mark.parametrize("delta", [0.05, 0.3, -0.2])
def test_brightness_is_a_shift_of_v(delta):
    images = pictures(32)
    images[0, :4] = 0
    hsv = color.rgb2hsv(images)
    hsv[..., 2] = np.clip(hsv[..., 2] + delta, 0, 1)
    just_below(corruptions.apply(images, "brightness", level=delta), color.hsv2rgb(hsv) * 255)


def test_contrast_is_about_the_mean_of_each_channel():
    images = pictures(32)
    mean = images.mean(axis=(1, 2), keepdims=True)
    just_below(corruptions.apply(images, "contrast", 5), (images - mean) * 0.15 + mean)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "sigma", "lost"), [("awgn", 0.1, 0), ("gaussian_noise", 0.06, 0.5)])
def test_noise_has_its_sigma_and_independent_channels(channels, name, sigma, lost):
    gray = np.full((64, 32, 32, channels), 128, np.uint8)
    noise = corruptions.apply(gray, name, level=sigma).astype(np.float64) - 128 + lost
    assert noise.std() == pytest.approx(sigma * 255, rel=0.01)
    assert abs(noise.mean()) < 0.2
    if channels == 3:
        assert np.abs(np.corrcoef(noise.reshape(-1, 3).T) - np.eye(3)).max() < 0.02


def test_shot_noise_has_the_variance_of_its_photons():
    gray = np.full((64, 32, 32, 3), 102, np.uint8)
    noisy = corruptions.apply(gray, "shot_noise", 3).astype(np.float64)
    assert noisy.mean() == pytest.approx(102 - 0.5, abs=0.3)
    assert noisy.std() == pytest.approx(np.sqrt(0.4 / 100) * 255, rel=0.02)


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 1.0])
def test_salt_and_pepper_replaces_p_of_the_values_half_by_each(p):
    gray = np.full((64, 32, 32, 3), 128, np.uint8)
    out = corruptions.apply(gray, "salt_and_pepper", level=p)
    tolerance = 5 * np.sqrt(p / out.size) + 1e-9
    assert (out == 255).mean() == pytest.approx(p / 2, abs=tolerance)
    assert (out == 0).mean() == pytest.approx(p / 2, abs=tolerance)
    assert np.isin(out, (0, 128, 255)).all()
    stronger = corruptions.apply(gray, "salt_and_pepper", level=min(1.0, 2 * p))
    assert np.array_equal(out[out != 128], stronger[out != 128])


def test_noise_varies_along_rows_or_columns_from_first_to_last():
    gray = np.full((400, 20, 20, 3), 128, np.uint8)
    noise = corruptions.apply(gray, "spatially_varying_noise_1d", level=(0.0, 0.2)).astype(float) - 128
    down = np.abs(noise[:, 0]).max(axis=(1, 2)) == 0
    across = np.abs(noise[:, :, 0]).max(axis=(1, 2)) == 0
    assert np.array_equal(down, ~across)
    assert 150 < down.sum() < 250
    per_row = noise[down].std(axis=(0, 2, 3)) / 255
    assert np.allclose(per_row, np.linspace(0, 0.2, 20), atol=0.006)


def test_noise_varies_with_the_distance_to_a_point():
    gray = np.full((3000, 9, 9, 1), 128, np.uint8)
    noise = corruptions.apply(gray, "spatially_varying_noise_2d", level=(0.0, 0.1)).astype(float) - 128
    draws = corruptions.Draws("spatially_varying_noise_2d", np.arange(len(gray)))
    row, column = draws.integers("row", 0, 9), draws.integers("column", 0, 9)
    assert len(np.unique(row * 9 + column)) == 81
    assert not noise[np.arange(len(gray)), row, column].any()
    corner = noise[(row == 0) & (column == 0)]
    assert corner[:, 8, 8].std() / 255 == pytest.approx(0.1, rel=0.35)
    centre = noise[(row == 4) & (column == 4)]
    assert centre[:, [0, 0, 8, 8], [0, 8, 0, 8]].std() / 255 == pytest.approx(0.1, rel=0.25)


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.9])
def test_crop_is_a_window_resized_back(ratio):
    images = pictures(40, count=3)[:, :32]
    out = corruptions.apply(images, "crop", level=ratio)
    side = round(ratio * 32)
    draws = corruptions.Draws("crop", np.arange(3))
    top, left = draws.integers("row", 0, 33 - side), draws.integers("column", 0, 41 - side)
    for image, y, x, got in zip(images, top, left, out, strict=True):
        window = image[y : y + side, x : x + side].astype(np.float32)
        close(got, cv2.resize(window, (40, 32), interpolation=cv2.INTER_LINEAR), within=0.05)


@pytest.mark.parametrize("name", corruptions.names("blur"))
@pytest.mark.parametrize("value", [0, 1, 100, 254, 255])
def test_blur_leaves_a_constant_image_alone(name, value):
    """But for a level where the last bit of a sum is cut off, twice in glass_blur, and the gain of two large discs."""
    image = np.full((1, 17, 13, 3), value, np.uint8)
    chosen = corruptions.get(name)
    most = 0 if chosen.rounding == "nearest" else 2 if name == "glass_blur" else 1
    for strength in chosen.default_strengths():
        lost = image.astype(int) - corruptions.apply_strength(image, chosen, strength)
        assert 0 <= lost.min() <= lost.max() <= most


@pytest.mark.parametrize("shape", [(2, 40), (1, 40), (40, 2), (2, 2), (1, 1)])
def test_elastic_transform_leaves_images_that_have_no_room(shape):
    ramp = np.arange(shape[0] * shape[1], dtype=np.uint8).reshape(1, *shape, 1)
    assert len(np.unique(corruptions.apply(ramp, "elastic_transform", 1))) >= 0.5 * ramp.size


def test_sparkles_shine_all_over_a_wide_image():
    black = np.zeros((60, 20, 100, 3), np.uint8)
    lit = corruptions.apply(black, "sparkles", level=5).any(axis=(0, 1, 3))
    assert lit[:20].any()
    assert lit[-20:].any()


def test_frost_on_gray_is_neither_darker_nor_lighter_than_the_luminance_of_frost():
    gray = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 1), dtype=np.uint8)
    colour = corruptions.apply(np.repeat(gray, 3, axis=3), "frost", 5).astype(np.float64) @ [0.299, 0.587, 0.114]
    assert abs((corruptions.apply(gray, "frost", 5)[..., 0] - colour).mean()) < 0.1


def test_pictures_that_can_change_behind_a_view_are_not_kept():
    own = np.full((60, 60, 3), 30, np.uint8)
    view = own.view()
    view.setflags(write=False)
    pictures = (view,)
    clean = np.full((2, 32, 32, 3), 90, np.uint8)
    corruptions.apply(clean, "frost", 3, textures=pictures)
    own[:] = 250
    expected = corruptions.apply(clean, "frost", 3, textures=(own.copy(),))
    assert np.array_equal(corruptions.apply(clean, "frost", 3, textures=pictures), expected)
