"""Pictures outside any data set."""

from __future__ import annotations

import hashlib
from pathlib import Path

from robench.datasets._contract import Images, sample_digest
from robench.datasets._files import decode, image_files, scan
from robench.datasets._formats import SUFFIXES
from robench.datasets._views import parse_view
from robench.errors import DatasetError


def picture(path: str | Path, view: str = "native") -> Images:
    """A picture file through a view: uint8 (H, W, C), C 1 for gray files, else 3; DatasetError if unreadable."""
    _, gray = scan([str(path)])
    return viewed(decode(str(path), 1 if gray else 3), view)


def viewed(image: Images, view: str) -> Images:
    """uint8 (H, W, C) through a view such as `side64`; an unknown view is a ConfigError."""
    return parse_view(view).image(image)


def textures(folder: str | Path) -> tuple[Images, ...]:
    """The pictures in a folder, by file name, uint8 (h, w, 3): what `frost` lays over images in place of its own.

    A folder that is missing or holds no picture, and a picture that cannot be read, are a DatasetError.
    """
    place = Path(folder)
    if not place.is_dir():
        raise DatasetError(f"{place}: expected a folder of pictures for frost, found none")
    paths = image_files(place)
    if not paths:
        raise DatasetError(f"{place}: expected pictures for frost ({', '.join(SUFFIXES)}), got none")
    pictures = tuple(decode(str(path), 3) for path in paths)
    for picture in pictures:
        picture.setflags(write=False)
    return pictures


def textures_digest(pictures: tuple[Images, ...] | None) -> str:
    """sha256 over the pictures' sample digests; empty where there are none."""
    if pictures is None:
        return ""
    whole = hashlib.sha256()
    for number, one in enumerate(pictures):
        whole.update(sample_digest(one, number))
    return whole.hexdigest()
