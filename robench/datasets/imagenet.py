"""ImageNet's folders, as ILSVRC2012 is commonly unpacked."""

from __future__ import annotations

from pathlib import Path

from robench.datasets._files import Files, class_tree
from robench.datasets._registry import Raw, dataset


@dataset(
    "imagenet",
    needs_path=True,
    splits=("train", "val"),
    default_split="val",
    default_view="resize256-crop224",
    layout="a folder with train/WNID/*.JPEG and val/WNID/*.JPEG (one of the two will do)",
    about="ILSVRC2012, 1,000 classes, RGB of many sizes: 1,281,167 train, 50,000 val",
    source="Russakovsky et al. 2015 (arXiv:1409.0575), https://image-net.org",
)
def imagenet(path: Path, split: str) -> Raw:
    """RGB at the files' sizes; classes are the sorted wnids; ids are places by wnid, then file name."""
    parts = [folder for folder in (path / "train", path / "val") if folder.is_dir()]
    tree = class_tree(path / split, among=parts)
    return Raw(tree.classes, tree.labels, Files(tree.paths), stems=tree.stems)
