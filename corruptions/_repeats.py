"""Whether calls without ids give one noise to different images, which is said once."""

from __future__ import annotations

import threading
import warnings
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._errors import RepeatedDraws

SAID = (
    "other images without ids get the noise of the call before, for ids count from 0 in each call; give each image its "
    "place in the data set, as in apply(images, name, severity, ids=range(start, start + len(images)))"
)
MOST_KEPT = 256
"""Of so many corruptions, seeds and streams the last call is known."""

_lock = threading.Lock()
_last: dict[tuple[Any, ...], int] = {}
_said: list[str] = []


def watch(name: str, images: NDArray[np.uint8], seed: Any, stream: str) -> None:
    """Take note of a call without ids of a corruption that draws; warn where it is of other images than the last one.

    Ids count from 0 in each call, so that as many other images get the noise of the call before: a loop over images, or
    over batches, gives all of them one noise. A whole set degraded at once, at any number of strengths, says nothing.
    The warning comes once in a process.
    """
    count = len(images) if images.ndim == 4 else 1
    if _said or not count:
        return
    ends = images[[0, -1]] if images.ndim == 4 else images
    key, mark = (name, str(seed), stream, count), zlib.crc32(np.ascontiguousarray(ends).tobytes())
    with _lock:
        before = _last.pop(key, mark)
        while len(_last) >= MOST_KEPT:
            del _last[next(iter(_last))]
        _last[key] = mark
        if before == mark or _said:
            return
        _said.append(name)
    warnings.warn(f"{name}: {SAID}", RepeatedDraws, stacklevel=3)
