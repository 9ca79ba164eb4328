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
SIDES = (32, 64, 224)

# Largest mean difference, in levels. Values that lie half-way between two levels make more than the usual 0.01: V + .1
# is 25.5 levels more, colours of whole levels have S of few digits; OpenCV resizes a texture in 11-bit fixed point.
MEAN = {"brightness": 0.2, "saturate": 0.15, "frost": 0.1}

# At 224 a float32 rounding puts one pixel of some 300,000 on the other side of a threshold of spatter (L > thr, Canny,
# mask < .8), and the drop around it changes. These images have no such pixel.
CALM = np.array([0, 1, 4, 5, 6, 8, 9, 11])


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
@pytest.mark.parametrize("name", FAMILIES)
def test_pixels_are_the_reference_s(name, side):
    """At most one level apart, which is what rounding makes of exact and of float32 values."""
    number = 4 if side == 224 else 8  # a photograph, a drawn image, and so on: 50,000 pixels each
    images = images_of(side)[:number]
    ids = (CALM if (name, side) == ("spatter", 224) else IDS)[:number]
    for severity in range(1, 6):
        apart = differences(name, images, ids, severity)
        assert apart.max() <= 1, f"severity {severity}: {apart.max()} levels"
        assert apart.mean() <= MEAN.get(name, 0.01), f"severity {severity}: {apart.mean()} levels in the mean"


@pytest.mark.parametrize("name", [*FAMILIES[:9], "snow", "fog", "contrast", "elastic_transform"])
def test_gray_pixels_are_the_reference_s(name):
    """Where gray is treated as each colour channel is; 1.05 x + 12.75 of snow is often half-way between two levels."""
    images = images_of(32)[..., :1]
    for severity in range(1, 6):
        apart = differences(name, images, IDS, severity)
        assert apart.max() <= 1
        assert apart.mean() <= (0.05 if name == "snow" else 0.01)


@pytest.mark.parametrize("kind", edges.KINDS)
@pytest.mark.parametrize("name", DRAWN)
def test_pixels_are_the_reference_s_for_draws_at_their_edges(name, kind, monkeypatch):
    monkeypatch.setattr(corruptions._core, "Draws", lambda name, ids, **_: edges.Edge(ids, kind))
    images = images_of(32)
    for severity in range(1, 6):
        out = corruptions.apply(images, name, severity).astype(int)
        apart = np.abs(out - expected(name, images, severity, edges.Edge(IDS, kind)))
        assert apart.max() <= 1, f"severity {severity}: {apart.max()} levels"


def test_few_drops_of_spatter_depend_on_the_last_bit():
    """Any images at 224: what float32 moves over a threshold changes few values, in few images."""
    images = np.concatenate([images_of(224)] * 2)
    for severity in range(1, 6):
        apart = differences("spatter", images, np.arange(45, 61), severity)
        assert (apart > 1).mean() < 3e-3
        assert (apart > 1).any(axis=(1, 2, 3)).mean() <= 0.25
        assert apart.mean() < 0.01


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


def rows_of(name, side):
    """The published rows in the form in which robench keeps them."""
    rows = reference.TABLES[name][side]
    if name == "zoom_blur":
        factors = [np.rint(100 * np.arange(1, *row)).astype(int) for row in rows]
        return [(one[-1], one[1] - one[0]) for one in factors]
    if name == "snow":
        return [(*row[:2], 100 * row[2], *row[3:]) for row in rows]
    return rows


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", FAMILIES)
def test_severities_are_the_published_ones(name, side):
    """Every number of the three tables."""
    rows = corruptions.get(name).severities[side]
    assert set(corruptions.get(name).severities) == set(SIDES)
    assert [np.ravel(row).tolist() for row in rows] == [np.ravel(row).tolist() for row in rows_of(name, side)]
