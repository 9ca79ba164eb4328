"""IJG libjpeg 9c itself, as the Pillow 5.4.1 wheel for Linux on x86-64 carries it, called through ctypes."""

import ctypes
import functools
import hashlib
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

WHEEL = "Pillow-5.4.1-cp37-cp37m-manylinux1_x86_64.whl"
SHA256 = "4c678e23006798fc8b6f4cef2eaad267d53ff4c1779bd1af8725cc11b72a63f3"
LIBRARY = "PIL/.libs/libjpeg-3fe7dfc0.so.9.3.0"
VERSION, COMPRESS, DECOMPRESS, ERRORS = 90, 584, 664, 168
WIDTH, HEIGHT, COMPONENTS, SPACE = 48, 52, 56, 60
"""The library's version, the sizes of its three structures, and places of fields in the first."""


@functools.cache
def library(folder):
    """The library, downloaded to `folder`; None where it cannot be had."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    asked = ["--no-deps", "--only-binary=:all:", "--platform", "manylinux1_x86_64", "--python-version", "3.7"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *asked, "--dest", str(folder), "pillow==5.4.1"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    wheel = Path(folder) / WHEEL
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SHA256
    with zipfile.ZipFile(wheel) as archive:
        return ctypes.CDLL(archive.extract(LIBRARY, folder))


def put(structure, at, value):
    """Write a 32-bit field."""
    ctypes.c_int.from_buffer(structure, at).value = value


def began(found, size, create):
    """A structure with its error handler, made by the library."""
    structure, errors = ctypes.create_string_buffer(size), ctypes.create_string_buffer(ERRORS)
    ctypes.c_void_p.from_buffer(structure).value = ctypes.addressof(errors)
    found.jpeg_std_error(errors)
    create(structure, VERSION, ctypes.c_size_t(size))
    return structure, errors


def encoded(found, image, quality):
    """The bytes of a file of uint8 (H, W, C)."""
    height, width, channels = image.shape
    structure, _errors = began(found, COMPRESS, found.jpeg_CreateCompress)
    memory, length = ctypes.c_void_p(), ctypes.c_ulong()
    found.jpeg_mem_dest(structure, ctypes.byref(memory), ctypes.byref(length))
    for at, value in ((WIDTH, width), (HEIGHT, height), (COMPONENTS, channels), (SPACE, 1 if channels == 1 else 2)):
        put(structure, at, value)
    found.jpeg_set_defaults(structure)
    found.jpeg_set_quality(structure, quality, 1)
    found.jpeg_start_compress(structure, 1)
    for row in np.ascontiguousarray(image):
        found.jpeg_write_scanlines(structure, ctypes.byref(ctypes.c_void_p(row.ctypes.data)), 1)
    found.jpeg_finish_compress(structure)
    found.jpeg_destroy_compress(structure)
    return ctypes.string_at(memory, length.value)


def round_trip(found, image, quality):
    """The image stored by the library and read again."""
    stored = encoded(found, image, quality)
    structure, _errors = began(found, DECOMPRESS, found.jpeg_CreateDecompress)
    found.jpeg_mem_src(structure, stored, ctypes.c_ulong(len(stored)))
    found.jpeg_read_header(structure, 1)
    found.jpeg_start_decompress(structure)
    out = np.empty_like(image)
    for row in out:
        found.jpeg_read_scanlines(structure, ctypes.byref(ctypes.c_void_p(row.ctypes.data)), 1)
    found.jpeg_finish_decompress(structure)
    found.jpeg_destroy_decompress(structure)
    return out
