"""The digits that come with scikit-learn: a data set without a download."""

from __future__ import annotations

from functools import cache

import numpy as np

from robench.datasets._contract import Images, Ints
from robench.datasets._registry import RawDataset, dataset

SIDE = 32


@dataset(
    "digits",
    about="1,797 handwritten digits, 8x8 gray, shown as 32x32; embedded",
    source="scikit-learn's load_digits, the test part of UCI's Optical Recognition of Handwritten Digits",
)
def digits(split: str) -> RawDataset:
    """8x8 values 0..16 as 0..255, up-sampled to 32x32 by Pillow's bicubic filter; test 25 %, val 10 % of the rest."""
    images, labels = _everything()
    return RawDataset(
        classes=tuple(str(digit) for digit in range(10)),
        labels=labels,
        images=images,
        split_fractions={"test": 0.25, "val": 0.075, "train": None},
    )


@cache
def _everything() -> tuple[Images, Ints]:
    """All images and labels, made once in a process and not to be written to."""
    from PIL import Image
    from sklearn.datasets import load_digits

    bunch = load_digits()
    small = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    large = [Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for image in small]
    images, labels = np.stack([np.asarray(image) for image in large])[..., None], bunch.target.astype(np.int64)
    for array in (images, labels):
        array.setflags(write=False)
    return images, labels
