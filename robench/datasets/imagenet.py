"""ImageNet's folders, as ILSVRC2012 is unpacked, with the boxes of its annotations."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from robench.datasets._annotations import Annotation, read_annotation
from robench.datasets._contract import Ints
from robench.datasets._files import Files, Tree, class_tree, image_files, other_files, subfolders
from robench.datasets._registry import RawDataset, dataset
from robench.errors import DatasetError
from robench.leftout import left_out_facts

OFFICIAL = ("ILSVRC/Data/CLS-LOC", "Data/CLS-LOC")
ANNOTATIONS = ("Annotations/CLS-LOC", "Annotations", "bbox")
"""Where the annotations of the splits may be, below the folder of the data set."""


@dataset(
    "imagenet",
    needs_path=True,
    splits=("train", "val"),
    default_split="val",
    default_view="resize256-crop224",
    layout="a folder with train/WNID/*.JPEG and val/WNID/*.JPEG (one of the two will do), or with ILSVRC/Data/CLS-LOC",
    about="ILSVRC2012, 1,000 classes, RGB of many sizes: 1,281,167 train, 50,000 val",
    source="Russakovsky et al. 2015 (arXiv:1409.0575), https://image-net.org",
)
def imagenet(path: Path, split: str) -> RawDataset:
    """RGB at the files' sizes; classes are the sorted wnids; ids are places by wnid, then file name.

    Boxes are those of the annotations, in Annotations/CLS-LOC/SPLIT, Annotations/SPLIT or bbox/SPLIT beside the images:
    the smallest box around all objects of an image. Images have boxes only if every image that is loaded has one. A val
    folder without class folders is read too; an image's class is then that of its annotation.
    """
    images = next((inner for name in OFFICIAL if (inner := path / name).is_dir()), path)
    official = images.absolute().parts[-2:] == ("Data", "CLS-LOC")
    root = images.absolute().parents[1] if official else images
    places = (root / name / split for name in ANNOTATIONS)
    annotations = next((place for place in places if place.is_dir()), None)
    read = cache(read_annotation)
    parts = [folder for folder in (images / "train", images / "val") if folder.is_dir()]
    if split == "val" and not subfolders(images / split) and annotations:
        tree = _flat(images / split, annotations, parts, read)
    else:
        tree = class_tree(images / split, among=parts)
    boxes = None if annotations is None else _boxes(tree, annotations, read)
    return RawDataset(
        *(tree.classes, tree.labels, Files(tree.paths)),
        boxes=boxes,
        stems=tree.stems,
        of_folders=True,
        left_out=tree.left_out,
    )


Read = Callable[[Path], Annotation]


def _flat(folder: Path, annotations: Path, parts: list[Path], read: Read) -> Tree:
    """A folder of images without class folders, in the order that it would have with them."""
    named = []
    for file in image_files(folder):
        xml = annotations / f"{file.stem}.xml"
        name = read(xml).name if xml.is_file() else None
        if name is None:
            raise DatasetError(f"{file}: expected its class in {xml}, got none")
        named.append((name, file))
    if not named:
        raise DatasetError(f"{folder}: expected images, got none")
    named.sort(key=lambda pair: (pair[0], pair[1].name))
    classes = tuple(sorted({name for name, _ in named}.union(*map(subfolders, parts))))
    labels = {name: label for label, name in enumerate(classes)}
    return Tree(
        classes,
        np.array([labels[name] for name, _ in named], dtype=np.int64),
        tuple(str(file) for _, file in named),
        tuple(file.stem for _, file in named),
        left_out_facts(other_files(folder)),
    )


def _boxes(tree: Tree, folder: Path, read: Read) -> Callable[[Ints], tuple[Ints, Ints] | None]:
    """Positions -> boxes and the sizes of the images; None, with a warning, where an image has no box."""

    def boxes(positions: Ints) -> tuple[Ints, Ints] | None:
        places = [_xml(folder, tree.classes[tree.labels[one]], Path(tree.paths[one]).stem) for one in positions]
        if None not in places:
            found = [read(place) for place in places if place]
            if all(one.box for one in found):
                return np.array([one.box for one in found]), np.array([one.size for one in found])
            places = [place if one.box else None for place, one in zip(places, found, strict=True)]
        first = Path(tree.paths[positions[places.index(None)]]).name
        missing = f"{places.count(None)} of {len(places)} images have no box in {folder}, the first is {first}"
        warnings.warn(f"imagenet: {missing}; no image gets one", stacklevel=2)
        return None

    return boxes


def _xml(folder: Path, wnid: str, stem: str) -> Path | None:
    places = (folder / wnid / f"{stem}.xml", folder / f"{stem}.xml")
    return next((place for place in places if place.is_file()), None)
