"""The pixels of every corruption are those of its version, on this machine too."""

import golden
import numpy as np
import pytest

import corruptions


@pytest.mark.parametrize("name", corruptions.names())
def test_pixels_are_those_of_the_version(name):
    chosen = corruptions.get(name)
    (check_digests if chosen.bit_exact else check_arrays)(chosen)


def check_digests(chosen):
    digests = golden.stored()
    for key, side, strength in golden.cases(chosen):
        assert key in digests, f"no golden entry {key}; run: make golden"
        assert golden.digest(golden.pixels(chosen, side, strength)) == digests[key], key


def check_arrays(chosen):
    """At most one level of difference, on at most one value in 10,000."""
    assert golden.array_file(chosen).exists(), f"no golden array of {chosen.name}; run: make golden"
    with np.load(golden.array_file(chosen)) as arrays:
        for _, side, strength in golden.cases(chosen):
            difference = np.abs(golden.pixels(chosen, side, strength).astype(int) - arrays[str(strength)])
            assert difference.max() <= 1
            assert (difference > 0).mean() <= 1e-4


def test_every_golden_entry_belongs_to_a_corruption():
    exact = [chosen for chosen in map(corruptions.get, corruptions.names()) if chosen.bit_exact]
    assert set(golden.stored()) == {key for chosen in exact for key, _, _ in golden.cases(chosen)}
