#!/usr/bin/env bash
# skimage.filters.gaussian of a plain image, cut to 8 bits, darkens up to a quarter of the grey levels, by the sigma.
#
# Versions: scikit-image 0.26.0 with scipy 1.17.1 and numpy 2.4.6; Python 3.11, Linux x86-64.
#
# Guess: a normalised blur leaves a plain image as it is. value / 255 * 255 cut to uint8 is exact for all 256 values, so
# blurring between the two changes nothing either, or the same few values at every sigma.
# In fact: the taps sum to 1 but for the last bit. Where they sum to less, the product falls just short of a whole number
# and the cast to uint8 takes a full level. Sigma 0.4 does so to 56 of the 256 levels, 0.5 to 66, 0.25 and 0.7 to none.
#
# Output:
#   without a blur: 0 of 256 levels change
#   sigma 0.25: 0 of 256 levels change, by at most 0
#   sigma 0.4: 56 of 256 levels change, by at most 1
#   sigma 0.5: 66 of 256 levels change, by at most 1
#   sigma 0.7: 0 of 256 levels change, by at most 0
#   sigma 1: 4 of 256 levels change, by at most 1
#   sigma 3: 7 of 256 levels change, by at most 1
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    scikit-image==0.26.0 scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np
from skimage.filters import gaussian

levels = np.arange(256)
assert (np.uint8(levels / 255 * 255) == levels).all()
print("without a blur: 0 of 256 levels change")
found = {}
for sigma in (0.25, 0.4, 0.5, 0.7, 1, 3):
    plain = [gaussian(np.full((32, 32), level / 255), sigma=sigma) for level in levels]
    cut = np.uint8(np.stack(plain) * 255).astype(int)
    apart = levels[:, None, None] - cut
    assert apart.min() >= 0
    found[sigma] = int(apart.any(axis=(1, 2)).sum())
    print(f"sigma {sigma}: {found[sigma]} of 256 levels change, by at most {apart.max()}")
assert (found[0.25], found[0.4], found[0.5], found[0.7]) == (0, 56, 66, 0)
PYTHON
