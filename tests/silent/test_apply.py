"""Images given one by one do not silently share one noise; a chain's strength has one form everywhere."""

import warnings

import numpy as np
import pytest

import corruptions
from corruptions import RepeatedDraws, _repeats
from robench.cli import main

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
CHAIN = "gaussian_noise+contrast"


@pytest.fixture(autouse=True)
def afresh(monkeypatch):
    """As in a new process."""
    monkeypatch.setattr(_repeats, "_last", {})
    monkeypatch.setattr(_repeats, "_said", [])


def each(parts, *strength, **options):
    """The images or batches in a loop, without ids."""
    return [corruptions.apply(part, *strength, **options) for part in parts]


def quietly(act):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return act()


def test_a_loop_over_images_without_ids_warns_once_with_the_remedy():
    with pytest.warns(RepeatedDraws) as said:
        noisy = each(IMAGES, "gaussian_noise", 3)
    assert len(said) == 1
    assert said[0].filename == __file__
    text = str(said[0].message)
    assert text.startswith("gaussian_noise: other images without ids get the noise of the call before")
    assert "ids=range(start, start + len(images))" in text
    assert "\n" not in text
    apart = [corruptions.apply(image, "gaussian_noise", 3, ids=[place]) for place, image in enumerate(IMAGES)]
    assert np.array_equal(apart, corruptions.apply(IMAGES, "gaussian_noise", 3))
    assert not np.array_equal(noisy, apart)


@pytest.mark.parametrize("strength", [{"level": 0.1}, {"level": "0..0.2"}])
def test_a_loop_over_batches_warns(strength):
    with pytest.warns(RepeatedDraws):
        each(IMAGES.reshape(3, 4, 16, 16, 3), "awgn", **strength)


def test_a_drawn_level_of_what_does_not_draw_warns_too():
    with pytest.warns(RepeatedDraws):
        each(IMAGES[:2], "contrast", level="0.2..0.8")


def test_a_chain_that_draws_warns():
    with pytest.warns(RepeatedDraws, match=r"^contrast\+awgn: "):
        each(IMAGES[:2], "contrast+awgn", level="2+sigma=0.1")


def test_whole_sets_at_every_strength_do_not_warn():
    def act():
        for severity in range(6):
            for name in ("gaussian_noise", "fog", "contrast"):
                corruptions.apply(IMAGES, name, severity)
        corruptions.apply(IMAGES[:5], "gaussian_noise", 1)

    quietly(act)


def test_what_draws_nothing_and_images_with_ids_do_not_warn():
    def act():
        for place, image in enumerate(IMAGES):
            corruptions.apply(image, "contrast", 3)
            corruptions.apply(image, "gaussian_noise", 0)
            corruptions.apply(image, "gaussian_noise", 3, ids=[place])
            corruptions.apply(image, "gaussian_noise", 3, seed=place)

    quietly(act)


def test_one_form_for_the_strengths_of_a_chain():
    expected = corruptions.apply(corruptions.apply(IMAGES, "gaussian_noise", 2), "contrast", 3)
    for given in ({"severity": "2+3"}, {"level": "2+3"}, {"level": ("2", "3")}):
        assert np.array_equal(corruptions.apply(IMAGES, CHAIN, **given), expected), given
    assert corruptions.get(CHAIN).parse("2+3") == corruptions.get(CHAIN).strength("2+3")
    both = [corruptions.apply(IMAGES, "awgn+contrast", **{how: "sigma=0.1+2"}) for how in ("severity", "level")]
    assert np.array_equal(*both)


def line(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return ended.value.code or 0, capsys.readouterr()


@pytest.mark.parametrize("key", ["2+3", "sigma=0.04+3", "1-2", "2+3,1+1@jpeg85"])
def test_the_command_line_takes_that_form(capsys, tmp_path, key):
    code, said = line(capsys, "preview", "-c", f"{CHAIN}@{key}", "-o", tmp_path / "sheet.png")
    assert code == 0, said.err


@pytest.mark.parametrize("key", ["foo", "2+3+4", "9", "2+foo"])
def test_its_errors_show_the_form(capsys, tmp_path, key):
    code, said = line(capsys, "preview", "-c", f"{CHAIN}@{key}", "-o", tmp_path / "sheet.png")
    assert code
    assert said.err.count("\n") == 1
    form = "expected a strength for each part, such as 1+1, or one severity from 0 to 5 for all"
    assert form in said.err or said.err.startswith("robench: contrast: ")
    with pytest.raises(corruptions.StrengthError, match=r"such as sigma=0\.1\+1, got 3"):
        corruptions.apply(IMAGES, "awgn+contrast", 3)
