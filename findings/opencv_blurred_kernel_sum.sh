#!/usr/bin/env bash
# cv2.GaussianBlur of a kernel that sums to 1 can give a kernel that sums to 1.013: the border is mirrored, not empty.
#
# Versions: opencv-python-headless 5.0.0.93 with numpy 2.4.6; Python 3.11, Linux x86-64.
#
# Guess: a disc that sums to 1 still sums to 1 after a normalised blur that softens its edge, or to less, where a little
# runs over the border. So filtering with it keeps the brightness.
# In fact: the default border mirrors the array about its outermost pixels (reflect-101). The blur loses a part of the
# first line over the border and counts the same part of the second line twice. The second line of a disc is longer than
# the first, so the sum grows: 1.013 for the radius 8 in 17 x 17. cv2.filter2D with that kernel brightens a plain image by
# up to 3 grey levels. The same disc with a margin of 2 sums to 1. The defocus blurs of ImageNet-C with radius 8 and 10
# soften their discs in this way.
#
# Output:
#   radius 4, margin 0: sum 1.0348, up to 8 levels brighter
#   radius 4, margin 2: sum 1.0000, up to 0 levels brighter
#   radius 8, margin 0: sum 1.0130, up to 3 levels brighter
#   radius 8, margin 2: sum 1.0000, up to 0 levels brighter
#   radius 10, margin 0: sum 1.0108, up to 2 levels brighter
#   radius 10, margin 2: sum 1.0000, up to 0 levels brighter
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np


def soft_disc(radius, margin):
    """A disc that sums to 1 in the smallest square and a margin, its edge softened."""
    places = np.arange(-radius - margin, radius + margin + 1)
    disc = (places**2 + places[:, None] ** 2 <= radius**2).astype(np.float32)
    return cv2.GaussianBlur(disc / disc.sum(), (3, 3), sigmaX=0.5)


sums = {}
for radius in (4, 8, 10):
    for margin in (0, 2):
        kernel = soft_disc(radius, margin)
        plain = np.arange(256, dtype=np.float64)[:, None, None] * np.ones((1, 41, 41))
        filtered = np.stack([cv2.filter2D(image, -1, kernel) for image in plain])
        brighter = int((np.clip(np.floor(filtered + 0.01), 0, 255) - plain).max())
        sums[radius, margin] = float(kernel.sum(dtype=np.float64))
        print(f"radius {radius}, margin {margin}: sum {sums[radius, margin]:.4f}, up to {brighter} levels brighter")
assert all(abs(sums[radius, 2] - 1) < 1e-5 < 1e-3 < sums[radius, 0] - 1 for radius in (4, 8, 10))
assert 1.012 < sums[8, 0] < 1.014
PYTHON
