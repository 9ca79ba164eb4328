"""The pixels every version must keep: sha256 of bit-exact corruptions, arrays of the others.

`make golden` adds what is missing and changes nothing that is there. A corruption whose pixels are to change gets a
new version, and its entries are removed by hand in the same commit.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

import corruptions
from corruptions.testing import pictures

HERE = Path(__file__).parent / "golden"
DIGESTS = HERE / "sha256.json"
SIDES = (32, 64, 224)
ARRAY_SIDE = 32


def cases(chosen):
    """(key, side, strength) of every golden entry of a corruption."""
    sides = SIDES if chosen.bit_exact else (ARRAY_SIDE,)
    for side in sides:
        for strength in chosen.default_strengths():
            yield f"{chosen.name}/{chosen.version}/{side}/{strength}", side, strength


def pixels(chosen, side, strength):
    """What the corruption makes of the test pictures today, colour then gray."""
    made = [
        corruptions.apply_strength(pictures(side, channels, 2), chosen, strength, ids=[0, 2**33]) for channels in (3, 1)
    ]
    return np.concatenate([part.reshape(-1) for part in made])


def digest(values):
    """Hex sha256 of the pixels."""
    return hashlib.sha256(values.tobytes()).hexdigest()


def stored():
    """The committed digests."""
    return json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}


def array_file(chosen):
    """Where the arrays of a corruption that is not bit-exact lie."""
    return HERE / f"{chosen.name}-{chosen.version}.npz"


def add_missing():
    """Write the entries of corruptions that have none."""
    HERE.mkdir(exist_ok=True)
    digests = stored()
    for chosen in map(corruptions.get, corruptions.names()):
        if not chosen.bit_exact:
            if not array_file(chosen).exists():
                arrays = {str(strength): pixels(chosen, side, strength) for _, side, strength in cases(chosen)}
                np.savez_compressed(array_file(chosen), **arrays)
                print(f"added {array_file(chosen).name}")
            continue
        for key, side, strength in cases(chosen):
            if key not in digests:
                digests[key] = digest(pixels(chosen, side, strength))
                print(f"added {key}")
    DIGESTS.write_text(json.dumps(digests, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    add_missing()
