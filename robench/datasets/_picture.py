"""One picture, outside any data set."""

from __future__ import annotations

from pathlib import Path

from robench.datasets._contract import Images
from robench.datasets._files import decode, scan
from robench.datasets._views import parse_view


def picture(path: str | Path, view: str = "native") -> Images:
    """A picture file through a view: uint8 (H, W, C), C 1 for gray files, else 3; DatasetError if unreadable."""
    _, gray = scan([str(path)])
    return viewed(decode(str(path), 1 if gray else 3), view)


def viewed(image: Images, view: str) -> Images:
    """uint8 (H, W, C) through a view such as `side64`; an unknown view is a UsageError."""
    return parse_view(view).image(image)
