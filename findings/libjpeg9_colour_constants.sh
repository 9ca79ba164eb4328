#!/usr/bin/env bash
# libjpeg-turbo and IJG libjpeg 9 differ in the factors of the colour conversion, not in chroma resampling alone.
#
# Versions: Pillow 13.0.0 (libjpeg-turbo) with numpy 2.4.6; IJG libjpeg 9c from the Linux wheel of Pillow 5.4.1 for
# Python 3.7, called through ctypes; Python 3.11, Linux x86-64.
#
# Guess: both libraries decode a block of plain colour, stored at quality 100, to the same RGB. Resampling does not touch
# it, and the conversion from YCbCr is fixed by the standard.
# In fact: the share of Cb in green is 0.344136286 in libjpeg 9 and 0.34414 in libjpeg-turbo, so 22553 and 22554 of 65536.
# 59 of the 65536 pairs of Cb and Cr decode to a green that is one level apart. Integer arithmetic with these two factors
# predicts every value of both. The way to Cb has other factors too (11058 and 21710 where 0.16874 and 0.33126 give 11059
# and 21709), but there no RGB colour shows it: all 16777216 give the same Cb by either pair.
#
# Output:
#   values that differ in red, green, blue: 0 59 0 of 65536 each, by 1
#   libjpeg-turbo: arithmetic with 22554 misses 0 values, with 22553 59
#   libjpeg 9c: arithmetic with 22554 misses 59 values, with 22553 0
#   RGB colours with one Cb by either pair of factors: 16777216 of 16777216
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip=("$work/venv/bin/python" -m pip --disable-pip-version-check --quiet)
"${pip[@]}" install --only-binary :all: numpy==2.4.6 pillow==13.0.0
"${pip[@]}" download --no-deps --only-binary :all: --platform manylinux1_x86_64 --python-version 3.7 \
    --dest "$work" pillow==5.4.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import ctypes
import glob
import io
import zipfile

import numpy as np
from PIL import Image, features

EDGE = 16  # of a block; one block for each pair of Cb and Cr
SIDE = 256 * EDGE


def read_by_turbo(stored):
    return np.asarray(Image.open(io.BytesIO(stored)))


def read_by_ijg(stored):
    """libjpeg 9c through ctypes; the sizes of its structures are those on Linux, x86-64."""
    [wheel] = glob.glob("Pillow-5.4.1-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if "/libjpeg-" in name]
        jpeg = ctypes.CDLL(archive.extract(name))
    structure, errors = ctypes.create_string_buffer(664), ctypes.create_string_buffer(168)
    jpeg.jpeg_std_error(errors)
    ctypes.c_void_p.from_buffer(structure).value = ctypes.addressof(errors)
    jpeg.jpeg_CreateDecompress(structure, 90, ctypes.c_size_t(664))
    jpeg.jpeg_mem_src(structure, stored, ctypes.c_ulong(len(stored)))
    jpeg.jpeg_read_header(structure, 1)
    jpeg.jpeg_start_decompress(structure)
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    for line in pixels:
        jpeg.jpeg_read_scanlines(structure, ctypes.byref(ctypes.c_void_p(line.ctypes.data)), 1)
    jpeg.jpeg_finish_decompress(structure)
    jpeg.jpeg_destroy_decompress(structure)
    return pixels


def decoded(y, cb, cr, green):
    """YCbCr to RGB in 16-bit fixed point; `green` is the share of Cb in green."""
    half, cb, cr = 1 << 15, cb - 128, cr - 128
    shares = (91881 * cr + half >> 16, -green * cb - 46802 * cr + half >> 16, 116130 * cb + half >> 16)
    return np.clip(np.stack([y + share for share in shares], axis=-1), 0, 255)


def same_cb():
    """How many RGB colours have the same Cb by either pair of factors."""
    g, b, half, count = *np.mgrid[:256, :256], (128 << 16) + (1 << 15) - 1, 0
    for r in range(256):
        one, other = (half - p * r - q * g + 32768 * b >> 16 for p, q in ((11059, 21709), (11058, 21710)))
        count += int((one == other).sum())
    return count


assert features.check("libjpeg_turbo")
cb, cr = np.mgrid[:256, :256]
y = np.clip(128 + (22554 * (cb - 128) + 46802 * (cr - 128) >> 16), 0, 255)  # green near the middle, where it can be
blocks = np.stack([y, cb, cr], axis=-1).astype(np.uint8)
picture = Image.fromarray(blocks.repeat(EDGE, axis=0).repeat(EDGE, axis=1), mode="YCbCr")
file = io.BytesIO()
picture.save(file, "JPEG", quality=100, subsampling="4:2:0")
middle = slice(EDGE // 2, None, EDGE)
turbo, ijg = (read(file.getvalue())[middle, middle].astype(int) for read in (read_by_turbo, read_by_ijg))

apart = np.abs(turbo - ijg)
print("values that differ in red, green, blue:", *(apart > 0).sum(axis=(0, 1)), "of 65536 each, by", apart.max())
for name, values in (("libjpeg-turbo", turbo), ("libjpeg 9c", ijg)):
    missed = [int((decoded(y, cb, cr, green) != values).sum()) for green in (22554, 22553)]
    print(f"{name}: arithmetic with 22554 misses {missed[0]} values, with 22553 {missed[1]}")
    assert min(missed) == 0 < max(missed)
assert tuple((apart > 0).sum(axis=(0, 1))) == (0, 59, 0)
print("RGB colours with one Cb by either pair of factors:", same_cb(), "of", 256**3)
assert same_cb() == 256**3
PYTHON
