"""The 19 families against the reference, which is fed with the same draws."""

import cv2
import edges
import numpy as np
import pytest
import reference
from skimage import data

import corruptions
from corruptions import _panes
from corruptions.testing import pictures

IDS = np.array([0, 7, 12, 2**33, 5, 901, 77, 31])
SEED = 11
FAMILIES = tuple(reference.TABLES)
REFERRED = tuple(name for name in FAMILIES if name != "jpeg_compression")
SIDES = (32, 64, 224)

# Largest mean difference, in levels: OpenCV resizes a texture in 11-bit fixed point, its affine motion of 224 pixels
# rounds places to float32, and sums in float32 fall on the other side of a level here and there.
MEAN = {"frost": 0.1, "elastic_transform": 0.005}

# Functions of the image alone, and what is computed in float64 as published throughout.
EQUAL = (
    *("gaussian_noise", "impulse_noise", "speckle_noise", "gaussian_blur", "glass_blur", "zoom_blur"),
    *("brightness", "contrast", "saturate", "pixelate"),
)


def images_of(side):
    """Eight images: four drawn ones and four photographs."""
    photographs = (data.astronaut(), data.chelsea(), data.coffee(), data.rocket())
    squares = []
    for photograph in photographs:
        edge = min(photograph.shape[:2])
        squares.append(cv2.resize(photograph[:edge, :edge], (side, side), interpolation=cv2.INTER_AREA))
    return np.concatenate([np.stack(squares), pictures(side)])[[0, 4, 1, 5, 2, 6, 3, 7]]


def unit(words):
    """32-bit words as the middle of their step on [0, 1)."""
    return (words + 0.5) / 2.0**32


def normals(draws, images, row):
    return ([z] for z in draws.normals("noise", *images.shape[1:]))


def quantiles(draws, images, row):
    return ([share] for share in unit(draws.words("counts", *images.shape[1:])))


def replaced(draws, images, row):
    words = draws.words("values", *images.shape[1:])
    return zip((words >> np.uint32(1)) / 2.0**31, words & np.uint32(1) == 1, strict=True)


def offsets(draws, images, row):
    _, reach, passes = row
    words = [draws.words("offsets", *images.shape[1:3], 2, step=step) for step in range(passes)]
    return ([(np.floor(one / 2.0**32 * 2 * reach) - reach).astype(int)] for one in np.stack(words, axis=1))


def angle(draws, images, row):
    return ([degrees] for degrees in draws.uniform("angle", -45, 45))


def flakes(draws, images, row):
    """Normals for the part of the picture that is enlarged; nothing else may show."""
    side = images.shape[1]
    part = -int(-side // row[2])
    top = (side - part) // 2
    field = np.full(images.shape[:3], np.nan)
    field[:, top : top + part, top : top + part] = draws.normals("flakes", part, part)[..., 0]
    return zip(field, draws.uniform("angle", -135, -45), strict=True)


def window(draws, images, row):
    return windows(draws, images, _panes.frost_textures())


def windows(draws, images, textures):
    """Each image's texture, of the first five, its scale and the place in it, which is never the last."""
    scale = {32: 0.2, 64: 0.3, 224: 1}[images.shape[1]]
    chosen = draws.integers("texture", 0, min(len(textures), 5))
    room = np.array([np.rint(np.array(textures[one].shape[:2]) * scale) for one in chosen], int) - images.shape[1]
    places = draws.integers("row", 0, room[:, 0]), draws.integers("column", 0, room[:, 1])
    return ((textures[one], scale, top, left) for one, top, left in zip(chosen, *places, strict=True))


def clouds(draws, images, row):
    size = {32: 32, 64: 64, 224: 256}[images.shape[1]]
    return ([2 * field - 1] for field in draws.uniforms("plasma", size, size)[..., 0])


def motions(draws, images, row):
    moves = (2 * draws.uniforms("points", 3, 2)[..., 0].astype(float) - 1) * row[2]
    fields = 2 * draws.uniforms("fields", *images.shape[1:3], 2) - 1
    return zip(moves, fields[..., 0], fields[..., 1], strict=True)


def liquid(draws, images, row):
    return ([z] for z in draws.normals("liquid", *images.shape[1:3])[..., 0])


DRAWN = {
    "gaussian_noise": normals,
    "shot_noise": quantiles,
    "impulse_noise": replaced,
    "speckle_noise": normals,
    "glass_blur": offsets,
    "motion_blur": angle,
    "snow": flakes,
    "frost": window,
    "fog": clouds,
    "elastic_transform": motions,
    "spatter": liquid,
}


def expected(name, images, severity, draws):
    """The reference's pixels for robench's draws."""
    row = reference.TABLES[name][images.shape[1]][severity - 1]
    drawn = [()] * len(images)
    if name in DRAWN:
        drawn = DRAWN[name](draws, images, row)
    family = getattr(reference, name)
    return np.stack([reference.to_bytes(family(image, row, *one)) for image, one in zip(images, drawn, strict=True)])


def differences(name, images, ids, severity):
    out = corruptions.apply(images, name, severity, ids=ids, seed=SEED)
    return np.abs(out.astype(int) - expected(name, images, severity, corruptions.Draws(name, ids, seed=SEED)))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", REFERRED)
def test_pixels_are_the_reference_s(name, side):
    """Equal, or at most one level apart where a cut meets float32 values."""
    number = 4 if side == 224 else 8  # a photograph, a drawn image, and so on: 50,000 pixels each
    images = images_of(side)[:number]
    for severity in range(1, 6):
        apart = differences(name, images, IDS[:number], severity)
        assert apart.max() <= (0 if name in EQUAL else 1), f"severity {severity}: {apart.max()} levels"
        assert apart.mean() <= MEAN.get(name, 0.001), f"severity {severity}: {apart.mean()} levels in the mean"


@pytest.mark.parametrize("name", [*FAMILIES[:9], "snow", "fog", "contrast", "elastic_transform"])
def test_gray_pixels_are_the_reference_s(name):
    """Where gray is treated as each colour channel is."""
    images = images_of(32)[..., :1]
    for severity in range(1, 6):
        apart = differences(name, images, IDS, severity)
        assert apart.max() <= (0 if name in EQUAL else 1)
        assert apart.mean() <= 0.001


@pytest.mark.parametrize("kind", edges.KINDS)
@pytest.mark.parametrize("name", DRAWN)
def test_pixels_are_the_reference_s_for_draws_at_their_edges(name, kind, monkeypatch):
    monkeypatch.setattr(corruptions._core, "Draws", lambda name, ids, **_: edges.Edge(ids, kind))
    images = images_of(32)
    for severity in range(1, 6):
        out = corruptions.apply(images, name, severity).astype(int)
        apart = np.abs(out - expected(name, images, severity, edges.Edge(IDS, kind)))
        assert apart.max() <= 1, f"severity {severity}: {apart.max()} levels"


def test_the_drops_of_spatter_do_not_depend_on_the_last_bit():
    """Any images at 224: layer, edges and distances are OpenCV's, so no drop around a threshold comes out otherwise."""
    images = np.concatenate([images_of(224)] * 2)
    for severity in range(1, 6):
        assert differences("spatter", images, np.arange(45, 61), severity).max() <= 1


@pytest.mark.parametrize("side", [32, 64, 224])
def test_frost_of_other_textures_is_opencv_s_resize(side):
    """Textures as large as the six published ones, the last of which cannot be drawn."""
    shapes = ((600, 900), (315, 560), (315, 560), (350, 527), (495, 660), (323, 485))
    large = np.kron(pictures(150, count=6)[:, :, :225], np.ones((1, 4, 4, 1), np.uint8))
    textures = [picture[:height, :width] for picture, (height, width) in zip(large, shapes, strict=True)]
    ids = np.arange(24)
    images = np.concatenate([images_of(side)] * 3)
    drawn = list(windows(corruptions.Draws("frost", ids, seed=SEED), images, textures))
    assert len({id(texture) for texture, *_ in drawn}) == 5
    out = corruptions.apply(images, "frost", 3, ids=ids, seed=SEED, textures=tuple(textures))
    row = reference.TABLES["frost"][side][2]
    for image, got, one in zip(images, out, drawn, strict=True):
        apart = np.abs(got.astype(int) - reference.to_bytes(reference.frost(image, row, *one)))
        assert apart.max() <= 1


@pytest.mark.parametrize("side", [32, 64])
def test_the_affine_part_is_opencv_s(side):
    """cv2.warpAffine, which may sample at 32nds of a pixel, so a little looser."""
    images = images_of(side)
    row = reference.TABLES["elastic_transform"][side][0]
    out = corruptions.apply(images, "elastic_transform", 1, ids=IDS, seed=SEED).astype(int)
    drawn = motions(corruptions.Draws("elastic_transform", IDS, seed=SEED), images, row)
    for image, got, (moves, *_) in zip(images, out, drawn, strict=True):
        points, targets = reference.three_points(side, moves)
        matrix = cv2.getAffineTransform(points.astype(np.float32), targets.astype(np.float32))
        warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        assert np.abs(got - warped).max() <= 10
        assert np.abs(got - warped).mean() <= 1


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", FAMILIES)
def test_severities_are_the_published_ones(name, side):
    """Every number of the three tables."""
    rows = corruptions.get(name).severities[side]
    assert set(corruptions.get(name).severities) == set(SIDES)
    expected = reference.TABLES[name][side]
    assert [np.ravel(row).tolist() for row in rows] == [np.ravel(row).tolist() for row in expected]
