"""Published sets of corrupted images, without the clean ones: CIFAR-10-C (arrays) and ImageNet-C (folders of files)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from robench.datasets._contract import Dataset, Images, Ints, numbered_classes
from robench.datasets._files import Tree, class_tree, files_below, is_data, scan, subfolders
from robench.datasets._generated import GeneratedSet, Opened, load_ints, open_block, open_files
from robench.datasets._published import published_set, state_of
from robench.datasets._spec import label_of
from robench.errors import DatasetError
from robench.files import file_digests, sha256_text

SEVERITIES = ("1", "2", "3", "4", "5")
TABLES = (32, 64, 224)
AS_JPEG = "@jpeg85"
"""What the published ImageNet-C and Tiny-ImageNet-C store each degraded image as."""


def read_downloaded(folder: Path, clean: Dataset | None, choose: Callable[[Dataset], Dataset]) -> GeneratedSet:
    """The set in `folder`: labels.npy beside CORRUPTION.npy, or CORRUPTION/1..5/CLASS/FILE.

    clean: its clean images, all or some of them; with them the set is told by their name, ids, view and boxes.
    choose: of a set without clean images, those that are wanted.
    """
    if clean is not None:
        clean = clean.at(np.argsort(clean.ids, kind="stable"))  # the order in which clean images are evaluated
    if (folder / "labels.npy").is_file():
        return _stacked(folder, clean, choose)
    found = {name: _severities(folder / name) for name in subfolders(folder)}
    cells = [(name, severity) for name, severities in found.items() for severity in severities]
    if cells:
        return _filed(folder, cells, clean, choose)
    raise DatasetError(
        f"{folder}: expected manifest.json (robench generate), labels.npy (CIFAR-10-C) or CORRUPTION/1/CLASS "
        "(ImageNet-C), got none of them"
    )


def _severities(folder: Path) -> list[str]:
    return [name for name in subfolders(folder) if name in SEVERITIES]


def _stacked(folder: Path, clean: Dataset | None, choose: Callable[[Dataset], Dataset]) -> GeneratedSet:
    """`CORRUPTION.npy`: five blocks of N images in the order of the test set; `labels.npy`: its labels five times."""
    tiled = load_ints(folder / "labels.npy")
    blocks = len(SEVERITIES)
    count = len(tiled) // blocks
    labels = tiled[:count]
    if not count or not np.array_equal(np.tile(labels, blocks), tiled):
        raise DatasetError(f"{folder / 'labels.npy'}: expected the same labels {blocks} times, got {len(tiled)} others")
    corruptions = sorted(path.stem for path in folder.glob("*.npy") if is_data(path.name) and path.stem != "labels")
    if not corruptions:
        raise DatasetError(f"{folder}: expected CORRUPTION.npy beside labels.npy, got none")
    if clean is None:
        classes = numbered_classes(folder / "labels.npy", labels)
        everything = np.arange(count, dtype=np.int64)
        shape = open_block(folder / f"{corruptions[0]}.npy", 0, blocks, everything, count)[1]
        base = choose(_without_clean(folder, classes, labels, shape))
    elif clean.ids.max() < count and np.array_equal(labels[clean.ids], clean.labels):
        base = clean
    else:
        raise DatasetError(f"{folder}: expected the labels of {clean.name}@{clean.split}, got others: another data set")

    def open_cell(corruption: str, severity: str) -> Opened:
        return open_block(folder / f"{corruption}.npy", SEVERITIES.index(severity), blocks, base.ids, count)

    cells = [(corruption, severity) for corruption in corruptions for severity in SEVERITIES]

    known_as = published_set(tiled)
    algorithms = ("sha256", "md5") if known_as else ("sha256",)

    @cache
    def digests(corruption: str) -> dict[str, str]:
        return file_digests(folder / f"{corruption}.npy", *algorithms)

    def published(corruption: str) -> str:
        return state_of(known_as, corruption, digests(corruption)["md5"]) if known_as else ""

    made = _set(folder, base, cells, open_cell, lambda corruption: digests(corruption)["sha256"])
    return replace(made, published_set=known_as, published=published)


def _filed(
    folder: Path, cells: list[tuple[str, str]], clean: Dataset | None, choose: Callable[[Dataset], Dataset]
) -> GeneratedSet:
    """`CORRUPTION/SEVERITY/CLASS/FILE`, the same classes and file names everywhere.

    The strengths of JPEG files are those of ImageNet-C, such as `3@jpeg85`.
    """
    first = class_tree(folder.joinpath(*cells[0]))
    base = clean
    if base is None:
        height, width = scan(first.paths[:1])[0][0].tolist()
        base = choose(_without_clean(folder, first.classes, first.labels, (height, width, 3), first))
    if base.stems is None:
        raise DatasetError(f"{folder}: {base.name} has no file names to find its images by")
    wanted = [(base.classes[label], stem) for label, stem in zip(base.labels, base.stems, strict=True)]

    stored = AS_JPEG if Path(first.paths[0]).suffix.lower() in (".jpg", ".jpeg") else ""

    def open_cell(corruption: str, strength: str) -> Opened:
        severity = strength.removesuffix(stored)
        tree = class_tree(folder / corruption / severity)
        paths = _by_name(tree)
        missing = next((names for names in wanted if names not in paths), None)
        if missing:
            raise DatasetError(f"{folder / corruption / severity}: expected an image {'/'.join(missing)}, got none")
        if clean is None and len(tree.paths) != len(first.paths):
            raise DatasetError(
                f"{folder}: expected as many images in every folder, got {len(first.paths)} in "
                f"{'/'.join(cells[0])} and {len(tree.paths)} in {corruption}/{severity}"
            )
        # All files of the published sets have one size: the first one speaks for them, reading checks the others.
        height, width = scan([paths[wanted[0]]])[0][0].tolist()
        return open_files([paths[names] for names in wanted], (height, width, base.shape[2]))

    def files_sha256(corruption: str) -> str:
        return _names_and_sizes(folder / corruption)

    named = [(corruption, f"{severity}{stored}") for corruption, severity in cells]
    return _set(folder, base, named, open_cell, files_sha256)


def _names_and_sizes(folder: Path) -> str:
    """sha256 over the path and the size of every file, in the order of the paths; the files are not read."""
    return sha256_text("\n".join(f"{name} {(folder / name).stat().st_size}" for name in sorted(files_below(folder))))


def _by_name(tree: Tree) -> dict[tuple[str, str], str]:
    named = zip(tree.labels, tree.stems, tree.paths, strict=True)
    return {(tree.classes[label], stem): path for label, stem, path in named}


def _without_clean(
    folder: Path,
    classes: tuple[str, ...],
    labels: Ints,
    shape: tuple[int, int, int],
    tree: Tree | None = None,
) -> Dataset:
    """Ids and labels in the set's own order, and the names in a tree of files; there are no clean images to read."""

    def read(positions: Ints) -> Images:
        raise DatasetError(f"{folder} holds no clean images")

    name, split = label_of(folder)
    return Dataset(
        name=name,
        split=split or "test",
        view="native",
        classes=classes,
        shape=shape,
        ids=np.arange(len(labels), dtype=np.int64),
        labels=labels,
        read=read,
        stems=None if tree is None else tree.stems,
        files=None if tree is None else tree.paths,
        has_images=False,
        of_folders=tree is not None,
        left_out={} if tree is None else tree.left_out,
    )


def _set(
    folder: Path,
    base: Dataset,
    cells: list[tuple[str, str]],
    open_cell: Callable[[str, str], Opened],
    files_sha256: Callable[[str], str],
) -> GeneratedSet:
    side = min(base.shape[:2])
    return GeneratedSet(
        path=folder,
        base=base,
        seed=None,
        severity_table=min(TABLES, key=lambda table: abs(table - side)),
        cells=tuple((corruption, None, strength) for corruption, strength in cells),
        open_cell=open_cell,
        files_sha256=files_sha256,
    )
