"""The panes of `frost`: textures, scaled, and mirrored on until they are large enough."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from corruptions._contract import Images, Textures
from corruptions._kernels import border
from corruptions._resample import bilinear_places, mix

TEXTURES = Path(__file__).parent / "textures"
DRAWABLE = 5
PANES_KEPT = 16
FROST_SCALES = {32: 0.2, 64: 0.3, 224: 1.0}


@lru_cache(maxsize=1)
def frost_textures() -> Textures:
    """The five textures that come with this package, uint8 (480, 640, 3); textures/make.py makes them."""
    return tuple(_read(TEXTURES / f"frost{number}.png") for number in range(1, DRAWABLE + 1))


def _read(path: Path) -> Images:
    pixels: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(pixels[..., ::-1])


@lru_cache(maxsize=PANES_KEPT)
def own_panes(scale: float, height: int, width: int) -> Textures:
    """The textures of this package, scaled and large enough."""
    return tuple(scaled_texture(texture, scale, height, width) for texture in frost_textures())


_given: dict[tuple[Any, ...], tuple[Textures, Textures]] = {}


def given_panes(textures: Textures, scale: float, height: int, width: int) -> Textures:
    """The first five textures of a user's own, scaled and large enough, kept where none of them can be written.

    The published generator draws from the first five of its six.
    """
    key = (id(textures), scale, height, width)
    held = _given.get(key)
    if held is not None and held[0] is textures:
        return held[1]
    drawable = textures[:DRAWABLE]
    panes = tuple(scaled_texture(texture, scale, height, width) for texture in drawable)
    if not any(map(_may_change, drawable)):
        if len(_given) >= PANES_KEPT:
            _given.clear()
        _given[key] = (textures, panes)
    return panes


def _may_change(texture: Images) -> bool:
    """Whether somebody may write to these pixels, here or through the array that they are a view of."""
    if texture.flags.writeable or texture.base is None:
        return bool(texture.flags.writeable)
    return not isinstance(texture.base, np.ndarray) or _may_change(texture.base)


def scaled_texture(texture: Images, scale: float, height: int, width: int) -> Images:
    """A texture resized bilinearly by `scale`, without antialiasing, and mirrored on until it covers height x width."""
    tall, wide = (max(1, round(side * scale)) for side in texture.shape[:2])
    if scale != 1:
        start = np.zeros(1, np.int64)
        rows = bilinear_places(tall, start, np.array([texture.shape[0]]), 1 / scale)
        columns = bilinear_places(wide, start, np.array([texture.shape[1]]), 1 / scale)
        texture = np.rint(mix(texture[None].astype(np.float32), rows, columns)[0]).astype(np.uint8)
    down = border(tall, max(0, height - tall), "reflect")[max(0, height - tall) :]
    across = border(wide, max(0, width - wide), "reflect")[max(0, width - wide) :]
    return np.ascontiguousarray(texture[down][:, across])
