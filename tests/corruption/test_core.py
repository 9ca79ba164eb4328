"""What `apply` does for every corruption, and what it refuses."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import corruptions
from corruptions import Corruption, CorruptionError, Level, StrengthError, UnknownName
from corruptions.testing import pictures

LEVEL = Level("shift", "of the range [0, 1]", -10.0, 10.0, (0.5,), identity=0.0)


@pytest.fixture
def register():
    entered = []

    def enter(body, **facts):
        facts = {"level": LEVEL, "source": "made up for this test"} | facts
        chosen = Corruption(body.__name__, "noise", body, **facts)
        entry = corruptions._contract.registry.with_entry(chosen.name, chosen)
        entry.__enter__()
        entered.append(entry)
        return chosen

    yield enter
    for entry in entered:
        entry.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("shift", "expected"), [(2.0, 255), (-2.0, 0), (0.6 / 255, 101), (0.4 / 255, 100), (-0.6 / 255, 99)]
)
def test_output_is_clipped_and_rounded(register, shift, expected):
    def add(images, shift):
        """Adds `shift` to every value."""
        return images + np.float32(shift)

    register(add)
    gray = np.full((1, 4, 4, 3), 100, np.uint8)
    assert (corruptions.apply(gray, "add", level=shift) == expected).all()


def test_identity_keeps_all_256_levels(register):
    def nothing(images, shift):
        """Does nothing at all."""
        return images

    register(nothing)
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert np.array_equal(corruptions.apply(ramp, "nothing", level=1), ramp)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lambda images, shift: images[:, 1:], "expected shape"),
        (lambda images, shift: images.astype(np.float16), "expected uint8, float32 or float64"),
    ],
)
def test_a_function_that_returns_another_form_is_named(register, body, words):
    body.__name__ = "odd"
    register(body)
    with pytest.raises(CorruptionError, match=f"odd: {words}"):
        corruptions.apply(pictures(8), "odd", level=1)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([[1, 2], [3, 4]], "uint8 array, got list"),
        (np.zeros((2, 8, 8, 3), int), "uint8 array, got int64"),
        (np.full((2, 8, 8, 3), 1.5), r"must lie in \[0, 1\], got 1.5..1.5"),
        (np.zeros((8, 8), np.uint8), r"shape \(8, 8\)"),
        (np.zeros((8, 8, 4), np.uint8), r"C 1 or 3, got shape \(8, 8, 4\)"),
        (np.zeros((1, 0, 8, 3), np.uint8), "image sides must be 1 to 65535"),
        (np.zeros((2, 2, 2, 2, 3), np.uint8), "C 1 or 3"),
    ],
)
def test_images_of_another_form_are_refused(images, words):
    with pytest.raises(CorruptionError, match=words):
        corruptions.apply(images, "awgn", level=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ids": [1]}, "ids must be 4 whole numbers"),
        ({"ids": [-1, 0, 1, 2]}, "at least 0"),
        ({"ids": [0.5, 1, 2, 3]}, "whole numbers"),
        ({"seed": 0.5}, "seed must be a whole number"),
        ({"boxes": [[0, 0, 1, 1]]}, r"shape \(4, 4\)"),
        ({"boxes": [[0, 0, 9, 9]] * 4}, "inside the image of 8 x 8"),
        ({"severity_table": 48}, r"severity_table must be one of \[32, 64, 224\], got 48"),
        ({"severity_table": np.array([32, 64])}, "severity_table must be one of"),
        ({"ids": [[1], [2, 3]]}, r"ids must be 4 whole numbers of at least 0, got \[\[1\], \[2, 3\]\]"),
        ({"boxes": [[0, 0, 1, 1], [2]]}, r"boxes must be whole numbers of shape \(4, 4\), got"),
        ({"stream": 1}, "stream must be text, got 1"),
    ],
)
def test_options_of_another_form_are_refused(options, words):
    with pytest.raises(CorruptionError, match=words):
        corruptions.apply(pictures(8), "gaussian_noise", 1, **options)


ICE = np.zeros((40, 40, 3), np.uint8)


@pytest.mark.parametrize(
    "textures",
    [
        5,
        "x",
        ICE,
        (None,),
        (ICE / 255,),
        (ICE[..., 0],),
        (ICE[..., :1],),
        (ICE[:0],),
        (ICE, ICE[:, :0]),
        (ICE.tolist(),),
    ],
)
def test_textures_of_another_form_are_refused(textures):
    with pytest.raises(CorruptionError, match="textures"):
        corruptions.apply(pictures(32), "frost", 1, textures=textures)


@pytest.mark.parametrize("severity", [6, -1, 2.5, True, np.True_, "3", None, np.array([1, 2])])
def test_a_wrong_severity_is_named(severity):
    with pytest.raises(CorruptionError, match="severity"):
        corruptions.apply(pictures(8), "gaussian_noise", severity)


@pytest.mark.parametrize("severity", [0, "clean"])
def test_severity_0_is_the_identity_and_a_copy(severity):
    images = pictures(8)
    out = corruptions.apply(images, "gaussian_noise", severity)
    assert np.array_equal(out, images)
    assert not np.shares_memory(out, images)


@pytest.mark.parametrize(
    ("name", "level", "words"),
    [
        ("awgn", -0.1, "sigma must be a number from 0 to 1000, got -0.1"),
        ("awgn", "x", "sigma must be a number from 0 to 1000, got 'x'"),
        ("awgn", "length=3", "its level is called sigma"),
        ("awgn", "0.5..0.1", "from low to high"),
        ("awgn", float("nan"), "sigma must be"),
        ("awgn", True, "sigma must be"),
        ("awgn", 10**400, "sigma must be"),
        ("awgn", (0.1, 0.2), "must be NUMBER, got"),
        ("spatially_varying_noise_1d", 0.5, "must be NUMBER:NUMBER, got 0.5"),
        ("spatially_varying_noise_1d", "0..1", "cannot be drawn"),
        ("low_resolution_nearest", 2.5, "a whole number from 1 to 65535, got 2.5"),
        ("jpeg_compression", 0, "a whole number from 1 to 100, got 0"),
        ("crop", 0, "ratio must be a number from 0.001 to 1, got 0"),
    ],
)
def test_a_wrong_level_is_named(name, level, words):
    with pytest.raises(StrengthError, match=f"{name}: .*{words}"):
        corruptions.apply(pictures(8), name, level=level)


def test_unknown_names_get_the_nearest():
    with pytest.raises(UnknownName, match="unknown corruption 'gausian_noise'; did you mean gaussian_noise"):
        corruptions.apply(pictures(8), "gausian_noise", 1)
    with pytest.raises(UnknownName, match="expected the name of a corruption, got 5"):
        corruptions.apply(pictures(8), 5, 1)
    with pytest.raises(UnknownName, match="unknown suite 'demo/9'; did you mean demo/1"):
        corruptions.suite("demo/9")


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("gaussian_noise", "3", "3"),
        ("gaussian_noise", "sigma=0.10", "sigma=0.1"),
        ("awgn", "1", "sigma=1"),
        ("awgn", "0..0.15", "sigma=0..0.15"),
        ("awgn", "clean", "clean"),
        ("spatially_varying_noise_2d", "0.5:0", "sigma=0.5:0"),
        ("low_resolution_nearest", "factor=4", "factor=4"),
    ],
)
def test_a_strength_as_text_is_its_key(name, text, key):
    strength = corruptions.get(name).parse(text)
    assert str(strength) == key
    assert corruptions.get(name).parse(key) == strength


@pytest.mark.parametrize(
    ("side", "severity_table"),
    [(1, 32), (28, 32), (32, 32), (48, 32), (49, 64), (96, 64), (144, 64), (145, 224), (500, 224)],
)
def test_the_native_table_is_the_nearest_and_ties_go_to_the_smaller(side, severity_table):
    assert corruptions.get("gaussian_noise").table_for(side, side + 7) == severity_table
    assert corruptions.get("gaussian_noise").table_for(side + 7, side) == severity_table


def test_a_drawn_level_is_the_image_s_own_and_the_same_alone():
    images = np.full((64, 16, 16, 1), 128, np.uint8)
    out = corruptions.apply(images, "awgn", level="0..0.2")
    spread = out.std(axis=(1, 2, 3)) / 255
    assert spread.min() < 0.03
    assert 0.17 < spread.max() < 0.22
    assert np.array_equal(out[9], corruptions.apply(images[9], "awgn", level="0..0.2", ids=[9]))


def test_a_drawn_level_reaches_functions_of_one_strength_too():
    images = pictures(16, count=12)
    out = corruptions.apply(images, "low_resolution_nearest", level="1..3")
    whole = [corruptions.apply(images, "low_resolution_nearest", level=factor) for factor in (1, 2, 3)]
    chosen = [next(k for k in range(3) if np.array_equal(out[i], whole[k][i])) for i in range(len(images))]
    assert set(chosen) == {0, 1, 2}


def test_noise_is_one_field_at_every_sigma():
    gray = np.full((2, 16, 16, 3), 128, np.uint8)
    weak, strong = (corruptions.apply(gray, "awgn", level=s).astype(float) - 128 for s in (0.05, 0.1))
    assert np.abs(strong - 2 * weak).max() <= 1.5


def test_versions_are_superseded_by_newer_installed_ones(install):
    for name, version in (("awgn", 3), ("crop", 2), ("fog", 2)):
        install(name, version)
    recorded = {"awgn": 1, "crop": 2, "fog": 3, "frost": 0, "clean": 0, "nebula": 1, "awgn+crop": 2, "awgn+nebula": 1}
    assert corruptions.superseded(recorded) == {"awgn": (1, 3), "awgn+crop": (2, 4)}


def test_large_batches_are_cut_into_blocks_without_a_trace():
    images = np.resize(pictures(64), (40, 64, 64, 3))
    assert images.size > corruptions._core.VALUES_AT_ONCE
    out = corruptions.apply(images, "awgn", level=0.1)
    assert np.array_equal(out[37], corruptions.apply(images[37], "awgn", level=0.1, ids=[37]))


def test_an_empty_batch_stays_empty():
    nothing = np.zeros((0, 8, 8, 3), np.uint8)
    assert corruptions.apply(nothing, "awgn", level=0.1).shape == (0, 8, 8, 3)
    assert corruptions.apply(nothing, "awgn", level=0.1, ids=[]).shape == (0, 8, 8, 3)


def test_a_function_that_works_in_place_leaves_the_input_untouched(register):
    def halve(images, shift):
        """Halves every value where it stands."""
        images >>= 1
        return images

    register(halve, takes="uint8")
    images = np.full((2, 4, 4, 3), 200, np.uint8)
    assert (corruptions.apply(images, "halve", level=1) == 100).all()
    assert (images == 200).all()


def test_a_name_is_taken_once(register):
    def awgn(images, shift):
        """A second awgn."""
        return images

    with pytest.raises(UnknownName, match="'awgn' is registered already"):
        corruptions.corruption("noise", level=LEVEL, source="made up")(awgn)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"level": None}, "severities, a level, or both"),
        ({"severities": {32: (1, 2, 3)}}, "expected 5 rows for side 32, got 3"),
        ({"takes": "float64"}, "takes must be"),
    ],
)
def test_a_definition_that_lacks_something_is_refused(facts, words):
    facts = {"level": LEVEL, "source": "made up for this test"} | facts
    with pytest.raises(CorruptionError, match=words):
        Corruption("odd", "noise", lambda images, shift: images, **facts)


@pytest.mark.parametrize("name", ["clean", "labels", "my noise", "../x", ""])
def test_a_name_that_is_a_set_s_file_or_no_plain_name_is_refused(name):
    with pytest.raises(CorruptionError, match="cannot be called"):
        Corruption(name, "noise", lambda images, shift: images, level=LEVEL, source="made up for this test")


def test_all_suites_read():
    for name in corruptions.suites():
        cells = list(corruptions.suite(name).cells())
        assert len(cells) == len({(chosen.name, str(strength)) for chosen, strength in cells})


def test_no_torch_is_needed(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('poisoned')")
    program = """
        import sys; sys.path.insert(0, sys.argv[1])
        import numpy, corruptions
        corruptions.apply(numpy.zeros((1, 8, 8, 3), numpy.uint8), "awgn", level=0.1)
        assert not any(name.split(".")[0] == "robench" for name in sys.modules)
        try:
            import torch
        except ImportError as fault:
            assert str(fault) == "poisoned"
        else:
            raise SystemExit("the poison is not on the path")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], check=True)


def test_a_broken_plug_in_is_one_warning_line(monkeypatch):
    class Broken:
        name = "broken"

        def load(self):
            raise RuntimeError("no such\nluck")

    monkeypatch.setattr(corruptions._registry, "entry_points", lambda group: [Broken()])
    registry = corruptions.Registry("thing", "robench.things", KeyError)
    with pytest.warns(UserWarning, match="robench.things: plug-in 'broken' left out: no such luck"):
        assert registry.names() == ()


@pytest.mark.parametrize("takes", ["float", "double"])
def test_a_function_may_work_in_place_and_apply_another_corruption(takes, register):
    """Memory that one block leaves to the next is not shared by two blocks at a time."""

    def twice(images, shift):
        """A shift, and beside it another block of the same kind."""
        before = images.copy()
        other = corruptions.apply(np.full((1, 16, 16, 3), 9, np.uint8), "inner", level=1)
        assert (other == 9).all()
        assert np.array_equal(images, before)
        images += images.dtype.type(shift / 255)
        return images

    def inner(images, shift):
        """Nothing, in place."""
        images *= 1
        return images

    register(twice, takes=takes)
    register(inner, takes=takes)
    ramp = np.arange(200, dtype=np.uint8).reshape(1, 10, 20, 1)
    for _ in range(2):
        assert np.array_equal(corruptions.apply(ramp, "twice", level=1), ramp + 1)
