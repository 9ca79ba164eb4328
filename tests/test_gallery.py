"""docs/corruptions.md and its pictures are what the definitions give today."""

import importlib.util
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import corruptions

DOCS = Path(__file__).parent.parent / "docs"
STALE = "is stale: run `make gallery`"
MOST_MEGABYTES = 3.0


def load():
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gallery = load()
NAMES = [name for group in gallery.GROUPS for name in gallery.own_names(group)]
SHOWN = [gallery.own_names(group)[-1] for group in gallery.GROUPS] + ["gaussian_noise", "jpeg_compression", "fog"]


def test_every_corruption_has_its_section_and_picture():
    text = gallery.PAGE.read_text()
    assert re.findall(r"^### `(.*)`$", text, re.MULTILINE) == NAMES, f"docs/corruptions.md {STALE}"
    assert {path.stem for path in gallery.PICTURES.glob("*.png")} == set(NAMES), f"docs/images/corruptions {STALE}"
    for name in NAMES:
        assert f"(images/corruptions/{name}.png)" in text


def test_no_corruption_of_this_package_is_left_out():
    own = [name for name in corruptions.names() if "corruptions." in corruptions.get(name).body.__module__]
    assert sorted(own) == sorted(NAMES)


def test_the_text_is_what_the_definitions_give():
    assert gallery.PAGE.read_text() == gallery.page(), f"docs/corruptions.md {STALE}"


def pixels(file):
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", dict.fromkeys(SHOWN))
def test_a_picture_shows_the_pixels_of_today_and_no_others(name):
    chosen = corruptions.get(name)
    shown = pixels(gallery.PICTURES / f"{name}.png")
    made = pixels(io.BytesIO(gallery.png(gallery.picture(chosen))))
    assert shown.shape == made.shape, f"the picture of {name} {STALE}"
    assert np.abs(shown - made).mean() < 0.5, f"the picture of {name} {STALE}"
    if chosen.stochastic:
        other = pixels(io.BytesIO(gallery.png(gallery.picture(chosen, sample=1))))
        assert np.abs(shown - other).mean() > 2


def test_the_pictures_stay_small():
    assert sum(path.stat().st_size for path in gallery.PICTURES.glob("*.png")) < MOST_MEGABYTES * 1e6


def test_the_same_definitions_give_the_same_bytes():
    chosen = corruptions.get("snow")
    assert gallery.png(gallery.picture(chosen)) == gallery.png(gallery.picture(chosen))
