#!/usr/bin/env bash
# cv2.distanceTransform(image, cv2.DIST_L2, 5) gives other distances with IPP than without it.
#
# Versions: opencv-python-headless 4.10.0.84 with numpy 1.26.4, and 5.0.0.93 with numpy 2.4.6; Python 3.11, Linux x86-64.
#
# Guess: IPP makes the call faster; the distances stay the same.
# In fact: with IPP (x86 wheels) the distances are sums of float32. Without it (cv2.ipp.setUseIPP(False), and builds
# that have no IPP, as for ARM) they are sums of 16-bit fixed point: a diagonal step is 91750 / 65536, not 1.4. The error
# grows with each step. Five diagonal steps are 7.0 with IPP and 6.99997 without: a mask `distance < 7`, or a cut to
# whole numbers, takes in other pixels.
#
# Output:
#   opencv 4.10.0: with IPP, without
#   1 diagonal steps: 1.399999976 1.399993896
#   20 diagonal steps: 27.999994278 27.999877930
#   of 50176 pixels 39191 have another distance, 469 are on the other side of `distance < 7`
# and the same three lines for opencv 5.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/run.py" <<'PYTHON'
import cv2
import numpy as np


def distances(image, ipp):
    cv2.ipp.setUseIPP(ipp)
    assert cv2.ipp.useIPP() == ipp, "this build has no IPP: nothing to compare"
    return cv2.distanceTransform(image, cv2.DIST_L2, 5)


print(f"opencv {cv2.__version__}: with IPP, without")
point = np.full((65, 65), 255, np.uint8)
point[32, 32] = 0
fast, plain = distances(point, True), distances(point, False)
for step in (1, 20):
    print(f"{step} diagonal steps: {fast[32 + step, 32 + step]:.9f} {plain[32 + step, 32 + step]:.9f}")
assert fast[33, 33] == np.float32(1.4)
assert plain[33, 33] == np.float32(91750 / 65536)

points = np.where(np.random.RandomState(0).uniform(size=(224, 224)) < 0.005, 0, 255).astype(np.uint8)
fast, plain = distances(points, True), distances(points, False)
different, near = int((fast != plain).sum()), int(((fast < 7) != (plain < 7)).sum())
print(f"of {points.size} pixels {different} have another distance, {near} are on the other side of `distance < 7`")
assert (different, near) == (39191, 469)
PYTHON

python3 -m venv "$work/venv"
for pins in "numpy==1.26.4 opencv-python-headless==4.10.0.84" "numpy==2.4.6 opencv-python-headless==5.0.0.93"; do
    # shellcheck disable=SC2086
    "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: $pins
    "$work/venv/bin/python" "$work/run.py"
done
