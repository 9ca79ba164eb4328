"""The functions of robench by themselves, for the tests of published figures."""

import numpy as np

import corruptions


def rows(name, side=32):
    return corruptions.get(name).severities[side]


def body(name, images, row, draws=None):
    """The function itself on float or uint8 images, before its result is rounded."""
    given = {"draws": draws} if draws is not None else {}
    return corruptions.get(name).body(images, row, **given).astype(np.float64)


def kernel(name, row, side=33, draws=None):
    """What becomes of one white pixel in the middle."""
    takes = corruptions.get(name).takes
    point = np.zeros((1, side, side, 1), np.uint8 if takes == "uint8" else np.float32)
    point[0, side // 2, side // 2] = 255 if takes == "uint8" else 1
    return body(name, point, row, draws)[0, ..., 0]


class At:
    """Draws of one angle."""

    def __init__(self, degrees):
        self.degrees = degrees

    def uniform(self, what, low, high):
        assert low <= self.degrees <= high
        return np.array([self.degrees], np.float64)
