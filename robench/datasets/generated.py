"""Generated sets as data sets: what `robench generate` wrote, or a downloaded CIFAR-10-C or ImageNet-C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from robench.datasets._choice import Ids, choose, read_items
from robench.datasets._class_order import check_order, ordered
from robench.datasets._contract import Dataset, Names
from robench.datasets._downloaded import read_downloaded
from robench.datasets._generated import GeneratedSet
from robench.datasets._registry import dataset
from robench.datasets._written import read_written
from robench.errors import ConfigError, DatasetError
from robench.files import at_home
from robench.setformat import MANIFEST


@dataset(
    "generated",
    needs_path=True,
    splits=(),
    default_split=None,
    layout="a folder that robench generate wrote, or a downloaded CIFAR-10-C or ImageNet-C",
    about="a generated set; on its own, its clean images",
    source="robench generate -o DIR; https://zenodo.org/records/2535967 (CIFAR-10-C), 2235448 (ImageNet-C)",
)
def generated(path: Path, split: None) -> Dataset:
    """The set's clean images, in the view they were written with."""
    return _read(path).clean()


def open_generated(
    path: str | Path,
    *,
    clean: Dataset | None = None,
    name: str | None = None,
    limit: int | None = None,
    ids: Ids | None = None,
    class_order: str | None = None,
    learned: Sequence[Names] = (),
    checked: bool = True,
) -> GeneratedSet:
    """Open a generated set; no image is read yet.

    clean: the clean images of a downloaded set, in its view; some of them (a limit) pick the same of the set. name:
    what tables call the data set. class_order, learned: as for `load`, of a set whose own order nobody recorded.
    limit, ids: as for `load`, of a downloaded set without clean images. A folder that is
    no such set, of another schema, incomplete or not of the clean data set, and ids that it lacks, are a DatasetError;
    a limit or ids of any other set are a ConfigError. checked: labels, ids and lists of files that were changed after
    `robench generate` wrote them are a DatasetError too.
    """
    check_order(class_order)
    found = _read(path, clean=clean, limit=limit, ids=ids, checked=checked)
    base = found.base if clean is not None else ordered(found.base, class_order, learned)
    return replace(found, base=replace(base, name=name or base.name))


def _read(
    path: str | Path,
    *,
    clean: Dataset | None = None,
    limit: int | None = None,
    ids: Ids | None = None,
    checked: bool = True,
) -> GeneratedSet:
    """The set with its classes as they stand in it."""
    items = None if ids is None else read_items(ids)
    wants_some = limit is not None or items is not None
    if wants_some and clean is not None:
        raise ConfigError("a limit and ids choose clean images; got them with clean images that are loaded")
    folder = at_home(path)
    if not folder.is_dir():
        raise DatasetError(f"generated set {folder} does not exist; expected a folder that robench generate wrote")
    if (folder / MANIFEST).is_file():
        if clean is not None:
            raise DatasetError(f"{folder} has clean images of its own; leave out the clean data set {clean.name}")
        if wants_some:
            raise ConfigError(f"{folder}: a set that robench generate wrote has its images; got a limit or ids")
        return read_written(folder, checked=checked)

    def chosen(whole: Dataset) -> Dataset:
        return (whole if items is None else choose(whole, items)).limited(limit)

    return read_downloaded(folder, clean, chosen)
