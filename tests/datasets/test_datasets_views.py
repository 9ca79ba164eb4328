"""Views against torchvision's rules worked out by hand, on pixels and boxes alike."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from robench import datasets
from robench.datasets._views import parse_view
from robench.errors import ConfigError, DatasetError


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "side",
            "unknown view 'side'; expected e.g. native, side32, side64, resize256-crop224 or resize256-crop224-bicubic",
        ),
        ("side0", "unknown view 'side0'"),
        ("side032", "unknown view 'side032'"),
        ("Native", "unknown view 'Native'"),
        ("resize256", "unknown view 'resize256'"),
        ("side3²", "unknown view"),
        ("resize224-crop256", "the crop must fit into the shorter side, got 256 > 224"),
    ],
)
def test_a_wrong_view_is_a_usage_error_before_anything_is_read(text, line):
    with pytest.raises(ConfigError) as caught:
        datasets.load("folder:nowhere", view=text)
    assert line in str(caught.value)


def test_native_leaves_the_image_alone(picture):
    image = picture(1, 5, 7)
    assert parse_view("native").image(image) is image


@pytest.mark.parametrize(("height", "width"), [(10, 20), (20, 10), (9, 9), (7, 31), (3, 2), (1, 1), (8, 8)])
@pytest.mark.parametrize("view", ["side8", "resize10-crop8", "resize9-crop4"])
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_pixels_are_those_of_resize_then_central_crop(picture, height, width, view, channels):
    image = picture(3, height, width, channels)
    chosen = parse_view(view)
    seen = chosen.image(image)
    assert (seen.shape, seen.dtype) == ((chosen.crop, chosen.crop, channels), np.uint8)
    short, long = min(height, width), max(height, width)
    size = (chosen.resize, chosen.resize * long // short)[:: 1 if width > height else -1]
    tall, wide = size
    resized = np.asarray(
        Image.fromarray(image[:, :, 0] if channels == 1 else image).resize((wide, tall), Image.Resampling.BILINEAR)
    ).reshape(tall, wide, channels)
    top, left = round((tall - chosen.crop) / 2), round((wide - chosen.crop) / 2)
    assert np.array_equal(seen, resized[top : top + chosen.crop, left : left + chosen.crop])


def test_the_view_is_torchvisions(picture):
    transforms = pytest.importorskip("torchvision.transforms")
    for height, width in ((300, 400), (401, 300), (257, 333), (120, 90)):
        image = picture(4, height, width)
        theirs = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])(Image.fromarray(image))
        assert np.array_equal(parse_view("resize256-crop224").image(image), np.asarray(theirs))


def test_down_sampling_is_antialiased():
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 255
    small = parse_view("side8").image(stripes)
    assert abs(int(small.min()) - 127) < 20
    assert abs(int(small.max()) - 127) < 20


@pytest.mark.parametrize(
    ("view", "size", "box", "moved"),
    [
        ("side8", (16, 32), (8, 0, 24, 16), (0, 0, 8, 8)),
        ("side8", (16, 32), (9, 2, 11, 5), (0, 1, 2, 3)),
        ("side8", (16, 32), (0, 0, 32, 16), (0, 0, 8, 8)),
        ("side8", (4, 4), (1, 1, 2, 3), (2, 2, 4, 6)),
        ("resize10-crop8", (10, 10), (0, 0, 10, 10), (0, 0, 8, 8)),
        ("resize10-crop8", (10, 10), (2, 3, 4, 5), (1, 2, 3, 4)),
        ("side8", (16, 32), (0, 0, 8, 16), (0, 0, 0, 0)),
        ("side8", (16, 32), (24, 0, 32, 16), (0, 0, 0, 0)),
        ("side8", (16, 16), (5, 5, 5, 9), (0, 0, 0, 0)),
    ],
)
def test_boxes_move_with_the_pixels(view, size, box, moved):
    found = parse_view(view).boxes(np.array([box]), np.array([size]))
    assert found.dtype == np.int64
    assert found.tolist() == [list(moved)]


@pytest.mark.parametrize("view", ["side8", "side20", "resize12-crop9"])
def test_a_box_holds_all_that_is_drawn_in_it(view):
    rng = np.random.default_rng(0)
    chosen = parse_view(view)
    for _ in range(200):
        height, width = rng.integers(8, 40, 2)
        x0, y0 = int(rng.integers(0, width)), int(rng.integers(0, height))
        x1, y1 = int(rng.integers(x0 + 1, width + 1)), int(rng.integers(y0 + 1, height + 1))
        tall, wide, top, left = chosen._place(int(height), int(width))
        box = chosen.boxes(np.array([(x0, y0, x1, y1)]), np.array([(height, width)]))[0].tolist()
        # the nearest source pixel of every pixel of the view: those inside the old box must be inside the new one
        rows = ((np.arange(chosen.crop) + top + 0.5) * height / tall).astype(int)
        columns = ((np.arange(chosen.crop) + left + 0.5) * width / wide).astype(int)
        inside_y, inside_x = (rows >= y0) & (rows < y1), (columns >= x0) & (columns < x1)
        if inside_x.any() and inside_y.any():
            seen_x, seen_y = np.flatnonzero(inside_x), np.flatnonzero(inside_y)
            assert box[0] <= seen_x[0] <= seen_x[-1] < box[2] <= chosen.crop
            assert box[1] <= seen_y[0] <= seen_y[-1] < box[3] <= chosen.crop
            assert box[2] - box[0] <= len(seen_x) + 2
            assert box[3] - box[1] <= len(seen_y) + 2


def test_mixed_sizes_without_a_view_name_two_files_and_a_way_out(tmp_path, write):
    write(tmp_path / "mixed" / "a" / "one.png", height=8, width=8)
    write(tmp_path / "mixed" / "b" / "two.png", height=8, width=9)
    with pytest.raises(DatasetError) as caught:
        datasets.load(f"folder:{tmp_path / 'mixed'}")
    line = str(caught.value)
    assert "one.png is 8x8" in line
    assert "two.png is 9x8" in line
    assert "--view side64" in line
    assert "\n" not in line
    assert datasets.load(f"folder:{tmp_path / 'mixed'}", view="side8").shape == (8, 8, 3)
