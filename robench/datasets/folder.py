"""Any folder with a sub-folder of images per class."""

from __future__ import annotations

from pathlib import Path

from robench.datasets._files import Files, class_tree, scan, subfolders
from robench.datasets._registry import RawDataset, dataset
from robench.datasets._spec import SPLIT_FOLDERS, label_of
from robench.datasets._splits import TENTHS, own_part
from robench.errors import ConfigError


@dataset(
    "folder",
    needs_path=True,
    default_split=None,
    layout="a folder with a sub-folder of images per class, or with such folders in train, val and test",
    about="your own images, one folder a class; gray if all files are",
    source="you",
)
def folder(path: Path, split: str | None) -> RawDataset:
    """Files at their own size, RGB or gray; ids are places by class, then path, in the part's own folder.

    A folder with train/ and test/ (or val/) has these splits, and val is cut from train where it is missing. A folder
    called like a split is that split of its parent, whole. Any other folder is the test split, whole, unless a
    split is asked for: then it is cut 8:1:1.
    """
    name, own = label_of(path)
    parts = _parts(path)
    if parts:
        root, split, split_fractions = own_part(parts, split, f"folder {path}")
    else:
        if own and split not in (None, own):
            raise ConfigError(f"{path} is the {own} split of {name}, got @{split}; write folder@{split}:{path.parent}")
        root, split_fractions = path, TENTHS if split and not own else None
        split = own or split or "test"
        parts = _parts(path.absolute().parent) if own else {}
    tree = class_tree(root, among=[*parts.values()])
    sizes, gray = scan(tree.paths)
    files = Files(tree.paths, 1 if gray else 3, sizes)
    return RawDataset(
        *(tree.classes, tree.labels, files),
        stems=tree.stems,
        split_fractions=split_fractions,
        split=split,
        name=name,
        of_folders=True,
        left_out=tree.left_out,
    )


def _parts(path: Path) -> dict[str, Path]:
    """The splits that a folder has as sub-folders: all of them called like splits, or train with test or val."""
    inner = subfolders(path)
    parts = {SPLIT_FOLDERS[name]: path / name for name in inner if name in SPLIT_FOLDERS}
    return parts if len(parts) == len(inner) or ("train" in parts and len(parts) > 1) else {}
