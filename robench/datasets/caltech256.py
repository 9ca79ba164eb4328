"""Caltech-256, all 257 categories: the last is clutter."""

from __future__ import annotations

from pathlib import Path

from robench.datasets._files import Files, class_tree
from robench.datasets._registry import RawDataset, dataset


@dataset(
    "caltech256",
    needs_path=True,
    default_view="side224",
    layout="a folder with 001.ak47 … 257.clutter, or one with 256_ObjectCategories in it",
    about="256 classes of objects, one of clutter, RGB of many sizes: 60 a class train (12 of them val), the rest test",
    source="Griffin, Holub & Perona 2007, https://data.caltech.edu/records/nyy15-4j048",
)
def caltech256(path: Path, split: str) -> RawDataset:
    """RGB at the files' sizes; ids are places by class, then file name, in the whole set."""
    inner = path / "256_ObjectCategories"
    tree = class_tree(inner if inner.is_dir() else path, nested=False)
    split_fractions = {"train": 48, "val": 12, "test": None}
    return RawDataset(
        *(tree.classes, tree.labels, Files(tree.paths)),
        stems=tree.stems,
        split_fractions=split_fractions,
        of_folders=True,
        left_out=tree.left_out,
    )
