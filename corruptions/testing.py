"""The checks every registered corruption must pass, for this project's tests and for yours.

check_corruption("my_corruption")     raises AssertionError with the first promise broken
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from corruptions._contract import Corruption, Images, get
from corruptions._core import apply_strength
from corruptions._streams import Draws

SHAPES = (
    *((1, 1), (1, 65), (65, 1), (2, 3), (7, 5), (8, 8)),
    *((31, 33), (32, 32), (64, 48), (28, 28), (17, 64), (64, 64)),
)


def pictures(side: int, channels: int = 3, count: int = 4) -> Images:
    """Textured test pictures, uint8 (count, side, side, channels), the same on every machine.

    Integer arithmetic: a ramp, blocks of drawn colour and a little noise.
    """
    draws = Draws("pictures", np.arange(count))
    y, x = np.indices((side, side))
    ramp = (x * 60 + y * 40) // side
    cells = draws.words("blocks", 8, 8, channels)[:, y * 8 // side, x * 8 // side] % 128
    noise = draws.words("noise", side, side, channels) % 24
    return (ramp[None, :, :, None] + cells + noise).astype(np.uint8)


def run(chosen: Corruption, images: Images, strength: int = -1, **options: object) -> Images:
    """`images` at one of the default strengths, the strongest unless told; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="raise", under="ignore"):
            return apply_strength(images, chosen, chosen.default_strengths()[strength], **options)  # type: ignore[arg-type]


def keeps_form(chosen: Corruption) -> None:
    """Any size, gray or colour, at every strength: shape and dtype in = out, the input untouched and not shared."""
    for height, width in SHAPES:
        for channels in (1, 3):
            images = pictures(max(height, width), channels, 2)[:, :height, :width]
            before = images.copy()
            for strength in range(len(chosen.default_strengths())):
                out = run(chosen, images, strength)
                assert out.shape == images.shape, f"{images.shape} became {out.shape}"
                assert out.dtype == np.uint8, f"uint8 became {out.dtype}"
                assert np.array_equal(images, before), f"the input of shape {images.shape} was changed in place"
                assert not np.shares_memory(images, out), "the output is the input's memory"


def takes_flat_images(chosen: Corruption) -> None:
    """Black, white and mid-gray images give neither warning nor error, and brighter stays at least as bright.

    A sum that wraps around turns white into black; a mean over the image shows it.
    """
    for channels in (1, 3):
        levels = np.array([0, 55, 128, 200, 255], np.uint8)
        images = np.broadcast_to(levels[:, None, None, None], (5, 32, 32, channels))
        for strength in range(len(chosen.default_strengths())):
            means = run(chosen, images, strength, ids=[3] * 5).mean(axis=(1, 2, 3))
            assert np.all(np.diff(means) > -1), f"gray {levels.tolist()} came out at mean {means.tolist()}"


def repeats(chosen: Corruption) -> None:
    """Same seed, same pixels, whatever the global random state; and that state is left alone."""
    images = pictures(32)
    first = run(chosen, images, seed=7)
    np.random.seed(123)
    state = np.random.get_state(legacy=False)["state"]["key"].copy()
    second = run(chosen, images, seed=7)
    assert np.array_equal(first, second), "the same call gave other pixels"
    assert np.array_equal(state, np.random.get_state(legacy=False)["state"]["key"]), "it drew from numpy's global state"


def ignores_blocks(chosen: Corruption) -> None:
    """A block is its images one by one, in any order."""
    images = pictures(33)[:, :, :31]
    ids = np.array([5, 0, 2**40, 3])
    whole = run(chosen, images, ids=ids)
    for position, image in enumerate(images):
        single = run(chosen, image, ids=ids[position : position + 1])
        assert np.array_equal(whole[position], single), f"image {position} differs when it comes alone"
    backwards = run(chosen, images[::-1], ids=ids[::-1])
    assert np.array_equal(whole, backwards[::-1]), "the order of the images shows"


def draws_per_image(chosen: Corruption) -> None:
    """Equal images with other ids, or another seed, differ if and only if the corruption draws."""
    images = np.repeat(pictures(32, count=1), 8, axis=0)
    middle = len(chosen.default_strengths()) // 2
    out = run(chosen, images, middle)
    differ = any(not np.array_equal(out[0], other) for other in out[1:])
    assert differ == chosen.stochastic, f"equal images came out {'different' if differ else 'equal'}"
    reseeded = not np.array_equal(out, run(chosen, images, middle, seed=1))
    assert reseeded == chosen.stochastic, f"another seed gave {'other' if reseeded else 'the same'} pixels"
    apart = not np.array_equal(out, run(chosen, images, middle, stream="train/0"))
    assert apart == chosen.stochastic, f"training draws are {'apart from' if apart else 'those of'} the test set's"


def damages_more_when_stronger(chosen: Corruption) -> None:
    """RMS difference grows over the default strengths, unless `not_monotone` says why not."""
    images = pictures(64, count=8)
    rms = [
        float(np.sqrt(np.square(run(chosen, images, at).astype(np.float64) - images).mean()))
        for at in range(len(chosen.default_strengths()))
    ]
    assert min(rms) > 0, f"a strength changes nothing: RMS {rms}"
    if not chosen.not_monotone:
        assert rms == sorted(rms), f"RMS difference is not monotone: {rms}"


def has_an_identity(chosen: Corruption) -> None:
    """The identity level, and one a millionth of the way to the first default, give back all 256 grey levels.

    A cast that truncates takes a level off where the change is less than half of one: `near_identity` says where that
    is meant, `not_identity` where the identity itself changes pixels.
    """
    level = chosen.level
    if level is None or level.identity is None or chosen.not_identity:
        return
    nearly = level.identity + 1e-6 * (float(level.defaults[0]) - level.identity)  # type: ignore[arg-type]
    most = 1 if chosen.near_identity else 0
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    for images in (ramp, np.repeat(ramp, 3, axis=-1), pictures(32)):
        for value in (level.identity,) if level.integer or level.stepwise else (level.identity, nearly):
            out = apply_strength(images, chosen, chosen.strength(level=value))
            apart = int(np.abs(out.astype(int) - images).max())
            assert apart <= most, f"{chosen.strength(level=value)} changed pixels by up to {apart} levels"


def needs_its_exceptions(chosen: Corruption) -> None:
    """`near_identity` and `not_identity` are for values that are cut, and for corruptions with an identity level."""
    reasons = chosen.near_identity or chosen.not_identity
    if reasons:
        assert chosen.rounding == "down", f"values are rounded to nearest, yet it says: {reasons}"
        assert chosen.level is not None, f"it has no level, yet it says: {reasons}"
        assert chosen.level.identity is not None, f"it has no identity, yet it says: {reasons}"


def states_its_facts(chosen: Corruption) -> None:
    """A docstring that opens with one sentence, a source, and keys that read back."""
    assert chosen.summary.endswith((".", ",", ":")) or len(chosen.summary) > 20, "its docstring has no summary"
    assert len(chosen.source) > 10, "its source is not stated"
    for strength in chosen.default_strengths():
        assert chosen.parse(str(strength)) == strength, f"the key {strength} does not read back"


CHECKS: tuple[Callable[[Corruption], None], ...] = (
    states_its_facts,
    keeps_form,
    takes_flat_images,
    repeats,
    ignores_blocks,
    draws_per_image,
    damages_more_when_stronger,
    has_an_identity,
    needs_its_exceptions,
)


def check_corruption(name: str) -> None:
    """Run every check on the registered corruption; the first promise broken raises AssertionError."""
    chosen = get(name)
    for check in CHECKS:
        try:
            check(chosen)
        except AssertionError as broken:
            raise AssertionError(f"{name}: {check.__name__}: {broken}") from None
