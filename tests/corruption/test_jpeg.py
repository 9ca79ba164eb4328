"""jpeg_compression is IJG libjpeg's: against the library itself, and against MuPDF, which reads files with it."""

import io

import ijg
import numpy as np
import pytest
from numpy import int32
from PIL import Image

import corruptions
from corruptions import _ijg, _jpeg
from corruptions.testing import pictures

SHAPES = ((1, 1), (1, 65), (2, 3), (8, 8), (15, 17), (16, 16), (32, 32), (31, 33), (64, 48), (97, 61))
QUALITIES = (1, 7, 25, 50, 58, 80, 100)


def images_of(height, width, channels, seed):
    """Textured, uniform and black-and-white noise."""
    textured = pictures(max(height, width), channels, 1)[0, :height, :width]
    noise = np.random.default_rng(seed).integers(0, 256, textured.shape, np.uint8)
    return np.ascontiguousarray(textured), noise, np.where(noise > 127, 255, 0).astype(np.uint8)


@pytest.fixture(scope="module")
def libjpeg(tmp_path_factory):
    found = ijg.library(tmp_path_factory.mktemp("wheel"))
    if found is None:
        pytest.skip("the Pillow 5.4.1 wheel, which carries IJG libjpeg 9c, cannot be had here")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_pixels_are_those_of_ijg_libjpeg_9c(shape, channels, libjpeg):
    for quality in QUALITIES:
        for image in images_of(*shape, channels, quality):
            out = corruptions.apply(image, "jpeg_compression", level=quality)
            assert np.array_equal(out, ijg.round_trip(libjpeg, image, quality)), f"quality {quality}"


def test_luminance_and_gray_are_those_of_libjpeg_turbo():
    """The two differ in chroma alone."""
    for quality in QUALITIES:
        for image in images_of(40, 33, 1, quality):
            gray = corruptions.apply(image, "jpeg_compression", level=quality)
            assert np.array_equal(gray, corruptions.apply(image, "jpeg_turbo", level=quality))


def test_chroma_of_one_colour_a_block_is_not_mixed_across_blocks():
    """Transforms of 16 x 16 end at their block; the triangle filter of libjpeg-turbo reaches into the next."""
    colours = np.array([(200, 60, 60), (60, 60, 200), (60, 200, 60), (90, 90, 90)], np.uint8).reshape(2, 2, 3)
    image = np.kron(colours, np.ones((16, 16, 1), np.uint8))
    ours = corruptions.apply(image, "jpeg_compression", level=90)
    turbo = corruptions.apply(image, "jpeg_turbo", level=90)
    for row in (slice(0, 16), slice(16, 32)):
        for column in (slice(0, 16), slice(16, 32)):
            assert len(np.unique(ours[row, column].reshape(-1, 3), axis=0)) == 1
            assert len(np.unique(turbo[row, column].reshape(-1, 3), axis=0)) > 1


def read_as_ijg(image, quality):
    """What IJG's library reads from the file that libjpeg-turbo writes: turbo's coefficients through IJG's inverse."""
    height, width = image.shape[:2]
    tall, wide = (height + 15) // 16 * 8, (width + 15) // 16 * 8
    luma = np.empty((2 * tall, 2 * wide), np.uint8)
    planes = [np.empty((tall, wide), np.uint8) for _ in range(2)]
    _jpeg._to_planes(image, luma, *planes)
    steps = _jpeg.lane_steps(quality)
    _jpeg.through(luma, steps[0], _jpeg.luma_work())
    chroma = [from_halves(plane, steps[1]) for plane in planes]
    out = np.empty_like(image)
    for y in range(height):
        _jpeg.to_pixels(luma[y], chroma[0][y], chroma[1][y], _ijg.SHARES, out[y].reshape(-1))
    return out


def from_halves(plane, steps):
    """A plane of half size, of 8 x 8 blocks, to full size by the inverse transform of 16 x 16."""
    out = np.empty((2 * plane.shape[0], 2 * plane.shape[1]), np.uint8)
    values, turned = np.zeros(8 * _jpeg.AXIS, int32), np.zeros(8 * _jpeg.AXIS, int32)
    half, large = np.zeros(16 * _ijg.STEPS, int32), np.zeros(16 * _ijg.VALUES, int32)
    for block in range(plane.size // 64):
        _jpeg._load(plane, block, 1, values)
        _jpeg._forward(values, turned, 11, 2, 0)
        _jpeg._forward(turned, values, 15, 0, 2)
        _jpeg.quantise(values, steps)
        coefficients = values.reshape(8, 8, _jpeg.LANES)[..., : _ijg.LANES].copy().reshape(-1)
        _ijg._inverse(coefficients, 8, half, 11)
        _ijg._inverse(half, 16, large, 18)
        _ijg._store(large, block, 1, out)
    return out


@pytest.mark.parametrize("shape", SHAPES[2:])
def test_mupdf_reads_a_file_as_the_inverse_transforms_do(shape):
    pymupdf = pytest.importorskip("pymupdf", reason="MuPDF, whose PyMuPDF 2.0 carries IJG libjpeg, is not installed")
    for quality in QUALITIES:
        for image in images_of(*shape, 3, quality):
            stored = io.BytesIO()
            Image.fromarray(image).save(stored, "JPEG", quality=quality)
            read = np.frombuffer(pymupdf.Pixmap(stored.getvalue()).samples, np.uint8).reshape(image.shape)
            assert np.array_equal(read_as_ijg(image, quality), read), f"quality {quality}"
