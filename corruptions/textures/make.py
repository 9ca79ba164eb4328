"""Make the frost textures: `python -m corruptions.textures.make [FOLDER]`.

Five pictures of ice on a pane, none of them a photograph. Ferns grow from drawn points in drawn directions: a bent
needle branches at about 60 degrees to both sides, and each branch again. They lie on crystals, the cells of drawn
points, each of its own light, among short needles in all directions.

The ice is split by period, each part is set to a root mean square in `PANES`, and a palette colours the sum. `PANES`
was fitted, so that crops of the textures have the means, deviations and spectra that were measured in crops of the five
published photographs; tests/corruption/test_frost_textures.py holds the measurements.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from corruptions._streams import Draws

HEIGHT, WIDTH, MARGIN = 480, 640, 40
BRANCH = np.deg2rad(60)
LAYERS = 4
FERNS, NEEDLES, CRYSTALS = 190, 7600, 2000
LUMINANCE = np.array((0.299, 0.587, 0.114))
PERIODS = (2.4, 3.4, 4.8, 7, 10, 14, 20, 28, 40, 80, 160, 320, 640)

Field = NDArray[np.float64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Pane:
    """One texture: its mean R, G, B, and the rms in grey levels about each of `PERIODS`, in pixels."""

    colour: tuple[float, float, float]
    bands: tuple[float, ...]


PANES = (
    Pane((74.2, 138.0, 152.5), (4.5, 3.7, 3.5, 3.1, 2.1, 1.6, 1.5, 1.7, 2.5, 3.0, 2.5, 4.0, 16.8)),
    Pane((200.3, 204.8, 214.8), (4.7, 4.7, 4.2, 3.7, 5.4, 5.1, 3.9, 3.9, 4.1, 3.1, 3.5, 6.3, 9.1)),
    Pane((199.6, 203.8, 214.3), (4.6, 4.9, 4.0, 4.0, 5.3, 5.3, 4.1, 4.1, 4.0, 2.9, 3.0, 5.8, 12.0)),
    Pane((140.9, 155.0, 168.9), (7.9, 8.7, 7.0, 6.2, 7.8, 6.7, 4.6, 4.1, 3.9, 3.5, 3.5, 5.3, 8.3)),
    Pane((100.4, 112.4, 124.6), (12.1, 8.4, 7.9, 8.4, 8.4, 7.9, 7.8, 8.7, 9.1, 7.0, 5.9, 7.8, 13.2)),
)


class Needle(NamedTuple):
    """Length in pixels, bend in radians a pixel, and light from 0 to 255."""

    length: float
    bend: float
    light: float


def grow(layer: Bytes, at: Field, angle: float, needle: Needle, shape: Field, depth: int) -> None:
    """Draw one needle and, down to `depth`, its branches to both sides; `shape` holds drawn values."""
    length, bend, light = needle
    pace = 2.5 + 1.5 * depth
    steps = max(2, round(length / pace))
    for step in range(steps):
        along = step / steps
        angle += bend * pace
        tip = at + pace * np.array([np.cos(angle), np.sin(angle)])
        first, second = (shape[(7 * step + 31 * depth + turn) % len(shape)] for turn in (0, 3))
        if depth > 0:
            for side, drawn in ((-1, first), (1, second)):
                its = Needle(length * (1 - along) * (0.12 + 0.45 * drawn), side * bend, light * (0.55 + 0.45 * drawn))
                grow(layer, tip, angle + side * BRANCH * (0.8 + 0.3 * drawn), its, np.roll(shape, step), depth - 1)
        stroke(layer, at, tip, light * (1 - 0.5 * along), 1 + depth // 2)
        at = tip


def stroke(layer: Bytes, start: Field, end: Field, light: float, width: int) -> None:
    """A straight line between two places (x, y)."""
    ends = [tuple(round(16 * value) for value in point) for point in (start, end)]
    cv2.line(layer, ends[0], ends[1], round(light), width, cv2.LINE_AA, 4)


def ferns(draws: Draws, size: tuple[int, int]) -> Field:
    """Ferns of ice (height, width), in layers that lie over each other."""
    values = draws.uniforms("ferns", FERNS, 6)[0, ..., 0].astype(np.float64)
    shapes = draws.uniforms("branches", FERNS, 29)[0, ..., 0].astype(np.float64)
    layers = np.zeros((LAYERS, *size), np.uint8)
    for number, (x, y, turn, length, light, bend) in enumerate(values):
        start = np.array([x * size[1], y * size[0]])
        needle = Needle(25 + 120 * length**2, 0.016 * (bend - 0.5), 90 + 165 * light)
        grow(layers[number % LAYERS], start, 2 * np.pi * turn, needle, shapes[number], 2)
    return np.asarray(layers.astype(np.float64).sum(axis=0) / 255)


def needles(draws: Draws, size: tuple[int, int]) -> Field:
    """Short straight needles (height, width) in all directions."""
    values = draws.uniforms("needles", NEEDLES, 5)[0, ..., 0].astype(np.float64)
    layers = np.zeros((LAYERS, *size), np.uint8)
    for number, (x, y, turn, length, light) in enumerate(values):
        start = np.array([x * size[1], y * size[0]])
        along = (4 + 16 * length**2) * np.array([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)])
        stroke(layers[number % LAYERS], start, start + along, 60 + 195 * light, 1)
    return np.asarray(layers.astype(np.float64).sum(axis=0) / 255)


def crystals(draws: Draws, size: tuple[int, int]) -> Field:
    """Cells (height, width), each of a drawn light, darker towards the border to the next."""
    values = draws.uniforms("crystals", CRYSTALS, 3)[0, ..., 0].astype(np.float64)
    places = np.argwhere(np.ones(size)) + 0.5
    away, nearest = cKDTree(values[:, :2] * size).query(places, k=2)
    edge = np.minimum(away[:, 1] - away[:, 0], 3) / 3
    return np.asarray((values[nearest[:, 0], 2] * (0.5 + 0.5 * edge)).reshape(size))


def parts(ice: Field) -> Field:
    """The ice split by period into len(PERIODS) parts of deviation 1, the margin cut off."""
    rows, columns = np.fft.fftfreq(ice.shape[0]), np.fft.rfftfreq(ice.shape[1])
    octaves = -np.log2(np.maximum(np.hypot(rows[:, None], columns), 1e-9))
    spectrum = np.fft.rfft2(ice - ice.mean())
    centres = np.log2(PERIODS)
    split = np.empty((len(PERIODS), HEIGHT, WIDTH))
    for number in range(len(PERIODS)):
        share = np.interp(octaves, centres, np.eye(len(PERIODS))[number])
        part = np.fft.irfft2(spectrum * share, ice.shape)[MARGIN:-MARGIN, MARGIN:-MARGIN]
        split[number] = (part - part.mean()) / part.std()
    return split


def ice(number: int) -> Field:
    """The ice of a texture, with its margin."""
    draws = Draws("frost texture", [number])
    size = (HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN)
    grown, cells, rime = (make(draws, size) for make in (ferns, crystals, needles))
    return np.asarray(grown / grown.std() + 0.5 * cells / cells.std() + 0.5 * rime / rime.std())


def levels(split: Field, pane: Pane) -> Bytes:
    """The grey levels of a texture, uint8 (480, 640)."""
    field = np.tensordot(np.array(pane.bands), split, 1) + LUMINANCE @ pane.colour
    return np.asarray(np.clip(np.rint(field), 0, 255), np.uint8)


def palette(colour: tuple[float, float, float]) -> Bytes:
    """The colour of each grey level, uint8 (256, 3): the level times the colour's share of its luminance."""
    shades = np.arange(256)[:, None] * (np.array(colour) / (LUMINANCE @ colour))
    return np.asarray(np.clip(np.rint(shades), 0, 255), np.uint8)


def texture(number: int) -> Image.Image:
    """One texture, a picture with a palette."""
    pane = PANES[number - 1]
    picture = Image.fromarray(levels(parts(ice(number)), pane), "P")
    picture.putpalette(palette(pane.colour).tobytes())
    return picture


def main() -> None:
    """Write frost1.png … frost5.png beside this file, or to the folder given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for number in range(1, len(PANES) + 1):
        path = folder / f"frost{number}.png"
        texture(number).save(path, optimize=True)
        print(path)


if __name__ == "__main__":
    main()
