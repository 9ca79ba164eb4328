"""The pixels of every corruption are those of its version, on this machine too."""

import golden
import numpy as np
import pytest

import corruptions

EXACT = [name for name in corruptions.names() if corruptions.get(name).bit_exact]
OTHERS = [name for name in corruptions.names() if name not in EXACT]


@pytest.mark.parametrize("name", EXACT)
def test_bit_exact_pixels(name):
    digests = golden.stored()
    chosen = corruptions.get(name)
    for key, side, strength in golden.cases(chosen):
        assert key in digests, f"no golden entry {key}; run: make golden"
        assert golden.digest(golden.pixels(chosen, side, strength)) == digests[key], key


@pytest.mark.parametrize("name", OTHERS)
def test_other_pixels_differ_by_at_most_one_level_on_one_value_in_10000(name):
    chosen = corruptions.get(name)
    assert golden.array_file(chosen).exists(), f"no golden array of {name}; run: make golden"
    with np.load(golden.array_file(chosen)) as arrays:
        for _, side, strength in golden.cases(chosen):
            difference = np.abs(golden.pixels(chosen, side, strength).astype(int) - arrays[str(strength)])
            assert difference.max() <= 1
            assert (difference > 0).mean() <= 1e-4


def test_every_golden_entry_belongs_to_a_corruption():
    known = {key for name in EXACT for key, _, _ in golden.cases(corruptions.get(name))}
    assert set(golden.stored()) == known
