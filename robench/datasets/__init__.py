"""Labelled images by name: `load("cifar10@val:DIR")` gives uint8 images of one size, read on demand, each with its id.

A data set is one function in one file of this package, registered by being here; another package adds its own through
the entry-point group `robench.datasets`. Importing this is quick: decoders are imported when a data set is read.
"""

import importlib
import pkgutil

from robench.datasets._contract import Dataset, Names, sample_digest
from robench.datasets._files import Files
from robench.datasets._generated import GeneratedSet, digest_of, pixel_digest
from robench.datasets._load import load
from robench.datasets._picture import picture, textures, textures_digest, viewed
from robench.datasets._published import published_facts, published_note
from robench.datasets._published import table as published_md5s
from robench.datasets._registry import DatasetSpec, RawDataset, dataset, get, names, registry
from robench.datasets._spec import with_split
from robench.datasets._stored import allocate, stored, stored_at
from robench.datasets._training import ChosenOn, for_training
from robench.datasets._wrap import wrap_dataset
from robench.datasets.generated import open_generated

for _found in pkgutil.iter_modules(__path__):
    if not _found.name.startswith("_"):
        importlib.import_module(f"{__name__}.{_found.name}")

__all__ = [
    "ChosenOn",
    "Dataset",
    "DatasetSpec",
    "Files",
    "GeneratedSet",
    "Names",
    "RawDataset",
    "allocate",
    "dataset",
    "digest_of",
    "for_training",
    "get",
    "load",
    "names",
    "open_generated",
    "picture",
    "pixel_digest",
    "published_facts",
    "published_md5s",
    "published_note",
    "registry",
    "sample_digest",
    "stored",
    "stored_at",
    "textures",
    "textures_digest",
    "viewed",
    "with_split",
    "wrap_dataset",
]
