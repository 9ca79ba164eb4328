"""Degraded images that are stored as JPEG and read again."""

import io

import numpy as np
import pytest
from PIL import Image

import corruptions
from corruptions import StrengthError
from corruptions.testing import pictures

SUITES = ("imagenet-c/1", "imagenet-c-extra/1", "tiny-imagenet-c/1", "tiny-imagenet-c-extra/1")


def read_again(images, quality):
    """What Pillow gives back of images that it stores as JPEG, chroma 4:2:0."""
    out = []
    for image in images:
        stored = io.BytesIO()
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        picture.save(stored, "JPEG", quality=quality, subsampling="4:2:0", optimize=True)
        out.append(np.asarray(Image.open(stored)).reshape(image.shape))
    return np.stack(out)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "key"), [("fog", "3"), ("jpeg_compression", "1"), ("awgn", "sigma=0.1"), ("awgn+contrast", "sigma=0.1+2")]
)
def test_the_image_comes_back_as_pillow_stores_it(name, key, channels):
    images, ids = pictures(48, channels), np.array([5, 0, 2**40, 3])
    chosen = corruptions.get(name)
    in_memory = corruptions.apply_strength(images, chosen, chosen.parse(key), ids=ids)
    for quality in (30, 85):
        stored = corruptions.apply_strength(images, chosen, chosen.parse(f"{key}@jpeg{quality}"), ids=ids)
        assert np.array_equal(stored, read_again(in_memory, quality))
        assert not np.array_equal(stored, in_memory)


def test_keys_read_back():
    fog = corruptions.get("fog")
    strength = fog.parse("3@jpeg85")
    assert (strength.severity, strength.stored, strength.quality, str(strength)) == (3, "jpeg85", 85, "3@jpeg85")
    assert strength.in_memory == fog.strength(3)
    assert fog.parse(str(strength)) == fog.strength("3@jpeg85") == strength
    drawn = corruptions.get("awgn").strength(level="sigma=0..0.2@jpeg90")
    assert drawn.is_drawn
    assert str(drawn) == "sigma=0..0.2@jpeg90"


def test_apply_takes_the_key_in_place_of_a_severity_or_a_level():
    images = pictures(32)
    assert np.array_equal(
        corruptions.apply(images, "fog", "3@jpeg85"), read_again(corruptions.apply(images, "fog", 3), 85)
    )
    assert np.array_equal(
        corruptions.apply(images, "awgn", level="sigma=0.1@jpeg85"),
        read_again(corruptions.apply(images, "awgn", level=0.1), 85),
    )


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("3@jpeg", "a stored form is jpeg and a quality of 1 to 100, such as jpeg85, got 'jpeg'"),
        ("3@jpeg101", "got 'jpeg101'"),
        ("3@png", "got 'png'"),
        ("3@", "got ''"),
        ("clean@jpeg85", "clean images are not stored again"),
        ("6@jpeg85", r"severity must be 0 \(clean\), 1, 2, 3, 4 or 5, got 6"),
    ],
)
def test_a_wrong_form_is_one_line(key, words):
    with pytest.raises(StrengthError, match=f"^fog: .*{words}"):
        corruptions.get("fog").parse(key)


def test_the_published_sets_of_files_have_19_families_stored_at_quality_85():
    cifar = {name: corruptions.suite(name).keys for name in ("cifar10-c/1", "cifar10-c-extra/1")}
    for name in SUITES:
        suite = corruptions.suite(name)
        like = cifar["cifar10-c-extra/1" if "extra" in name else "cifar10-c/1"]
        assert list(suite.keys) == list(like)
        assert {strength.stored for _, strength in suite.cells()} == {"jpeg85"}
        assert [strength.severity for _, strength in suite.cells()] == [1, 2, 3, 4, 5] * len(like)
    assert corruptions.suite("imagenet-c/1").views == ("resize256-crop224",)
    assert corruptions.suite("tiny-imagenet-c/1").image_size == 64


@pytest.mark.parametrize("key", ["sigma=0.1+2@jpeg50", "0.1+2@jpeg50"])
def test_a_chain_is_stored_whichever_way_its_strength_is_given(key):
    chosen, images = corruptions.get("awgn+contrast"), pictures(32)
    expected = read_again(corruptions.apply(images, "awgn+contrast", level="sigma=0.1+2"), 50)
    assert np.array_equal(corruptions.apply_strength(images, chosen, chosen.parse(key)), expected)
    assert np.array_equal(corruptions.apply(images, "awgn+contrast", level=key), expected)


@pytest.mark.parametrize("level", ["sigma=0.1@jpeg50+2", ("sigma=0.1", "2@jpeg50")])
def test_a_part_of_a_chain_is_not_stored(level):
    with pytest.raises(StrengthError):
        corruptions.apply(pictures(32), "awgn+contrast", level=level)
