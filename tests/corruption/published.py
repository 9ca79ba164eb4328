"""The functions of robench by themselves, for the tests of published figures."""

import numpy as np

import corruptions


def rows(name, side=32):
    return corruptions.get(name).severities[side]


def body(name, images, row, draws=None):
    """The function itself on images as it takes them, before its result is quantised."""
    given = {"draws": draws} if draws is not None else {}
    return corruptions.get(name).body(images, row, **given).astype(np.float64)


def kernel(name, row, side=33, draws=None):
    """What becomes of one white pixel in the middle."""
    point = np.zeros((1, side, side, 1), np.uint8)
    point[0, side // 2, side // 2] = 255
    return body(name, as_taken(name, point), row, draws)[0, ..., 0]


def as_taken(name, images):
    """uint8 images in the form in which the function takes them."""
    kinds = {"uint8": None, "float": np.float32, "double": np.float64}
    kind = kinds[corruptions.get(name).takes]
    return images if kind is None else images.astype(kind) / kind(255)


class At:
    """Draws of one angle."""

    def __init__(self, degrees):
        self.degrees = degrees

    def uniform(self, what, low, high):
        assert low <= self.degrees <= high
        return np.array([self.degrees], np.float64)
