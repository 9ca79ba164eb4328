"""Which files are pictures: their suffixes, and the formats that Pillow may decode them as.

The formats of `BY_CONTENT` are told by how a file begins, whatever its name. Those of `BY_SUFFIX` begin as many other
files do, so only a file of their suffix is taken for one. No other reader of Pillow ever sees a file: not those of
documents, films, fonts, icons and scientific grids.
"""

from __future__ import annotations

import os
from functools import cache

BY_CONTENT = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP", "AVIF", "JPEG2000", "QOI")
BY_SUFFIX = ("DIB", "MPO", "PCX", "SGI", "SUN", "TGA")
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""The most usual ones; `suffixes` has all."""
OTHER_THINGS = {".avifs", ".bw", ".icb", ".pfm", ".rgb", ".rgba", ".vda", ".vst"}
"""Suffixes that Pillow takes for these formats, and that films, floats and raw arrays have as often."""
JPEG2000 = (".j2c", ".j2k", ".jp2", ".jpc", ".jpf", ".jpx")
CODECS = {".avif": ("avif", "AVIF"), ".webp": ("webp", "WebP")} | dict.fromkeys(JPEG2000, ("jpg_2000", "JPEG 2000"))
"""Formats that a Pillow may be built without: what it calls them, and their name."""


@cache
def _by_format() -> dict[str, frozenset[str]]:
    """The suffixes of each format that this Pillow can open."""
    from PIL import Image

    Image.init()
    registered = Image.registered_extensions()
    return {
        name: frozenset(suffix for suffix, own in registered.items() if own == name and suffix not in OTHER_THINGS)
        for name in (*BY_CONTENT, *BY_SUFFIX)
        if name in Image.OPEN or name == "MPO"
    }


@cache
def suffixes() -> tuple[str, ...]:
    """The suffixes of pictures, in lower case. A format that this Pillow has no codec for counts too."""
    return tuple(sorted({*SUFFIXES, *CODECS}.union(*_by_format().values())))


def is_picture(name: str) -> bool:
    """Whether a file of this name is one that is decoded.

    >>> [name for name in ("a.JPG", "a.jfif", "a.txt", "a") if is_picture(name)]
    ['a.JPG', 'a.jfif']
    """
    return name.lower().endswith(suffixes())


def formats_of(path: str) -> tuple[str, ...]:
    """As which formats this file may be decoded, as Pillow names them; it tells which by the content."""
    known, suffix = _by_format(), os.path.splitext(path)[1].lower()
    own = [name for name in BY_SUFFIX if name != "MPO" and suffix in known.get(name, ())]
    return (*own, *(name for name in BY_CONTENT if name in known))


def lacking(path: str) -> str:
    """What this Pillow lacks to decode the file, in words; empty where it lacks nothing."""
    from PIL import features

    feature, name = CODECS.get(os.path.splitext(path)[1].lower(), ("", ""))
    if not feature or feature in features.get_supported():
        return ""
    return f"this Pillow has no codec for {name}; install one that has, or store the images as PNG"
