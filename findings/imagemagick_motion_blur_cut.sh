#!/usr/bin/env bash
# ImageMagick 6 (Q16) cuts the result of a motion blur to 8 bits; it does not round it.
#
# Versions: ImageMagick 6.9.11-60 Q16 as Debian 12 packages it (imagemagick 8:6.9.11.60+dfsg-1.6); numpy 2.4.6 and
# Pillow 13.0.0 to read the pictures; Python 3.11, Linux x86-64.
#
# Guess: a blurred value of 100.9 grey levels is written to an 8-bit PNG as 101.
# In fact: the weighted sum is rounded to 16 bits, and these are divided by 257 and cut. 100.9 becomes 100; only a
# fraction above 1 - 0.5 / 257 = 0.99805 goes up. So each blurred picture is half a grey level darker in the mean. The
# cut is not the PNG writer's: a plain 16-bit ramp saved with -depth 8 as PNG or PGM is cut likewise.
#
# Output:
#   ImageMagick 6.9.11-60 Q16 x86_64 2021-01-25
#   equal to the sum rounded: 0.573
#   equal to the sum cut: 0.988
#   equal to the sum rounded to 16 bits, then cut to 8: 1.000
#   greatest fraction that goes down 0.99330, least that goes up 0.99831
#   mean of written less exact: -0.462
#   16-bit ramp as 8-bit png: equal to value // 257: 1.000
#   16-bit ramp as 8-bit pgm: equal to value // 257: 1.000
set -euo pipefail

version=$(convert -version 2> /dev/null || true)
if [[ $version != *"ImageMagick 6."*" Q16 "* ]]; then
    echo "this needs ImageMagick 6 with 16-bit quanta as \`convert\` (Debian's package imagemagick)" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: numpy==2.4.6 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import subprocess

import numpy as np
from PIL import Image

SIDE, RADIUS, SIGMA = 64, 10, 3


def convert(*words):
    subprocess.run(["convert", *words], check=True)


print(subprocess.run(["convert", "-version"], capture_output=True, text=True).stdout.split(" https")[0][9:])

# A gradient of eight slopes, blurred along its rows. The kernel is one half of a Gaussian, to the right.
rows, columns = np.mgrid[:SIDE, :SIDE]
clean = (columns * (rows % 8 + 1) * 3 // 7 + rows).astype(np.uint8)
Image.fromarray(clean).save("clean.png")
convert("clean.png", "-motion-blur", f"{RADIUS}x{SIGMA}+0", "-depth", "8", "blurred.png")
blurred = np.asarray(Image.open("blurred.png"))
weights = np.exp(-(np.arange(2 * RADIUS + 1) ** 2) / (2 * SIGMA**2))
weights /= weights.sum()
exact = sum(weight * clean[:, np.minimum(columns[0] + at, SIDE - 1)] for at, weight in enumerate(weights))
fraction = exact - np.floor(exact)
up = blurred > np.floor(exact)
print(f"equal to the sum rounded: {(blurred == np.rint(exact)).mean():.3f}")
print(f"equal to the sum cut: {(blurred == np.floor(exact)).mean():.3f}")
sixteen = np.floor(exact * 257 + 0.5)
print(f"equal to the sum rounded to 16 bits, then cut to 8: {(blurred == sixteen // 257).mean():.3f}")
print(f"greatest fraction that goes down {fraction[~up].max():.5f}, least that goes up {fraction[up].min():.5f}")
print(f"mean of written less exact: {(blurred - exact).mean():.3f}")
assert (blurred == sixteen // 257).all()
assert fraction[~up].max() < 1 - 0.5 / 257 < fraction[up].min()

ramp = np.arange(65536).astype(">u2")
with open("ramp.pgm", "wb") as file:
    file.write(b"P5\n256 256\n65535\n" + ramp.tobytes())
for kind in ("png", "pgm"):
    convert("ramp.pgm", "-depth", "8", f"cut.{kind}")
    written = np.asarray(Image.open(f"cut.{kind}")).ravel().astype(int)
    print(f"16-bit ramp as 8-bit {kind}: equal to value // 257: {(written == ramp.astype(int) // 257).mean():.3f}")
    assert (written == ramp.astype(int) // 257).all()
PYTHON
