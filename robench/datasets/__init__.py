"""Labelled images by name: `load("cifar10@val:DIR")` gives uint8 images of one size, read on demand, each
with its id.

A data set is one function in one file of this package; another package adds its own through the entry-point
group `robench.datasets`. Importing this module is quick: decoders and scikit-learn are imported when a data
set is read.
"""

from robench.datasets import (  # isort: skip  # the order they are listed in
    digits,  # noqa: F401
    mnist,  # noqa: F401
    cifar10,  # noqa: F401
    tiny_imagenet,  # noqa: F401
    imagenet,  # noqa: F401
    caltech256,  # noqa: F401
    flowers17,  # noqa: F401
    folder,  # noqa: F401
    npz,  # noqa: F401
    generated,  # noqa: F401
)
from robench.datasets._contract import Dataset, sample_digest
from robench.datasets._files import Files
from robench.datasets._generated import GeneratedSet
from robench.datasets._load import load
from robench.datasets._picture import picture, viewed
from robench.datasets._registry import Definition, Raw, dataset, get, names, registry
from robench.datasets._stored import allocate, stored
from robench.datasets.generated import open_generated

__all__ = [
    "Dataset",
    "Definition",
    "Files",
    "GeneratedSet",
    "Raw",
    "allocate",
    "dataset",
    "get",
    "load",
    "names",
    "open_generated",
    "picture",
    "registry",
    "sample_digest",
    "stored",
    "viewed",
]
