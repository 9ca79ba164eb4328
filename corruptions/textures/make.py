"""Make the frost textures: `python -m corruptions.textures.make [FOLDER]`.

Five gray pictures of ice on a pane, none of them a photograph. Needles grow from drawn points in drawn directions and
branch at 60 degrees, each branch shorter than its needle; they lie over clouds of several octaves. The result is set
to a mean of 157 and a standard deviation of 24 grey levels: a bright pane of little contrast, which is what the
published photographs add to a picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from corruptions._streams import Draws

SIDE = 320
COUNT = 5
MEAN, DEVIATION = 157.0, 24.0
NEEDLES = 150
BRANCH = np.deg2rad(60)

Field = NDArray[np.float32]


def clouds(draws: Draws, side: int) -> Field:
    """Smooth heights (side, side): octaves of drawn values, each twice as fine and half as high."""
    total = np.zeros((side, side), np.float32)
    for octave in range(2, 7):
        coarse = draws.uniforms("clouds", 2**octave, 2**octave, step=octave)[0, ..., 0]
        total += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC) / 2**octave
    return total


def grow(canvas: Field, start: NDArray[np.float64], angle: float, length: float, light: float, depth: int) -> None:
    """Draw one needle and, down to `depth`, its branches to both sides."""
    tip = start + length * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(round(16 * value) for value in point) for point in (start, tip)]
    layer = np.zeros_like(canvas)
    cv2.line(layer, ends[0], ends[1], light, 1 + depth // 2, cv2.LINE_AA, 4)
    canvas += layer
    if depth == 0:
        return
    steps = max(2, int(length / 9))
    for step in range(1, steps):
        along = step / steps
        for side in (-1, 1):
            joint = start + along * (tip - start)
            grow(canvas, joint, angle + side * BRANCH, 0.42 * length * (1 - along), 0.75 * light, depth - 1)


def texture(number: int) -> NDArray[np.uint8]:
    """One texture, uint8 (320, 320)."""
    draws = Draws("frost texture", [number])
    values = draws.uniforms("needles", NEEDLES, 4)[0, ..., 0].astype(np.float64)
    canvas = np.zeros((SIDE, SIDE), np.float32)
    for x, y, turn, size in values:
        start = np.array([x, y]) * SIDE
        grow(canvas, start, 2 * np.pi * turn, 15 + 75 * size**2, 0.5 + 0.5 * size, 2)
    ice = cv2.GaussianBlur(np.log1p(canvas), (0, 0), 0.8)
    field = ice / ice.std() + 1.6 * clouds(draws, SIDE) / clouds(draws, SIDE).std()
    field = (field - field.mean()) / field.std() * DEVIATION + MEAN
    return np.asarray(np.clip(np.rint(field), 0, 255), np.uint8)


def main() -> None:
    """Write frost1.png … frost5.png beside this file, or to the folder given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for number in range(1, COUNT + 1):
        path = folder / f"frost{number}.png"
        cv2.imwrite(str(path), texture(number), (cv2.IMWRITE_PNG_COMPRESSION, 9))
        print(path)


if __name__ == "__main__":
    main()
