"""From a spec to a `Dataset`: find the reader, cut the split, apply the view, choose images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from robench.datasets._choice import Ids, choose, read_items
from robench.datasets._class_order import check_order, ordered
from robench.datasets._contract import Dataset, Images, Ints, Names, check_limit
from robench.datasets._files import Files
from robench.datasets._registry import DatasetSpec, RawDataset
from robench.datasets._spec import Spec, parse
from robench.datasets._splits import cut_positions
from robench.datasets._views import EXAMPLES, View, parse_view, scaled_boxes
from robench.errors import ConfigError, DatasetError
from robench.files import reading, reason

FEW = 16


def load(
    spec: str,
    *,
    view: str | None = None,
    limit: int | None = None,
    ids: Ids | None = None,
    name: str | None = None,
    photo_view: str | None = None,
    class_order: str | None = None,
    learned: Sequence[Names] = (),
) -> Dataset:
    """The data set that `NAME[@SPLIT][:PATH]` names, after its view: uint8 images of one size, read on demand.

    view: `native`, `sideN` or `resizeR-cropC`; by default the data set's own. photo_view: in place of that default for
    files of at least its size, as a network for photographs wants them. ids: these images alone, by id or file
    name, as a sequence or as the path of a text file with one a line; their order does not matter. limit: this many
    images, spread evenly over the data set or over those of `ids`. name: what tables call it, in place of its own or
    its folder's name. class_order: `text` or `number`, of class folders that are numbers, such as 2 and 10; where the
    two differ, one must be given, or learned decides: the class names of the networks to come, in the order of their
    outputs, empty where unknown. Ids are the same in both orders. A spec that cannot be right is a ConfigError; files
    that are missing, broken or of mixed size, and ids that are not in the data set, are a DatasetError.

    >>> load("digits", limit=10).shape
    (32, 32, 1)
    >>> load("digits", ids=[16, 0]).ids.tolist()
    [0, 16]
    """
    asked = parse(spec)
    geometry = parse_view(view or asked.entry.default_view)
    for_photos = parse_view(photo_view) if photo_view and view is None else None
    check_limit(limit)
    check_order(class_order)
    items = None if ids is None else read_items(ids)
    made = _read(asked)
    if for_photos and isinstance(made, RawDataset) and _are_photos(made.images, for_photos.crop):
        geometry = for_photos
    if isinstance(made, Dataset) and view not in (None, made.view):
        raise ConfigError(f"data set {made.name} was written with view {made.view}, got '{view}'")
    whole = made if isinstance(made, Dataset) else _viewed(asked, made, geometry)
    named = replace(ordered(whole, class_order, learned), name=name or whole.name)
    chosen = (named if items is None else choose(named, items)).limited(limit)
    return chosen if isinstance(made, Dataset) else _with_boxes(chosen, made, geometry)


def _are_photos(images: Images | Files, side: int) -> bool:
    """Whether images come as files and most of the first few have at least that side."""
    if not isinstance(images, Files) or not len(images):
        return False
    few = images.sizes(np.arange(min(len(images), FEW), dtype=np.int64))
    return bool(np.median(few.min(axis=1)) >= side)


def _read(asked: Spec) -> RawDataset | Dataset:
    entry = asked.entry
    split = asked.split or entry.default_split
    try:
        if asked.path is None:
            return entry.read(split)
        asked.path.stat()
        with reading(asked.path, entry.layout, DatasetError):
            return entry.read(asked.path, split)
    except (FileNotFoundError, NotADirectoryError) as fault:
        missing = fault.filename or asked.path
        raise DatasetError(
            f"data set {entry.name}: {missing} does not exist; expected {entry.layout}; from {entry.source}"
        ) from fault
    except OSError as fault:
        where = fault.filename or asked.path
        raise DatasetError(f"data set {entry.name}: {where} cannot be read: {reason(fault)}") from fault


def _viewed(asked: Spec, raw: RawDataset, view: View) -> Dataset:
    """The images of the split that was asked for, through the view, without boxes."""
    label = raw.name or asked.entry.name
    split = raw.split or asked.split or asked.entry.default_split or ""
    ids = np.arange(len(raw.labels), dtype=np.int64) if raw.ids is None else raw.ids
    everything = np.arange(len(raw.labels), dtype=np.int64)
    chosen = (
        everything
        if raw.split_fractions is None
        else cut_positions(asked.entry.name, ids, raw.labels, raw.split_fractions, split)
    )
    if not len(chosen):
        raise DatasetError(f"data set {label}: {len(everything)} images are too few to cut the split {split}")
    shape = _shape(raw.images, chosen, view, label, asked.entry)
    whole = Dataset(
        name=label,
        split=split,
        view=view.name,
        classes=raw.classes,
        shape=shape,
        ids=ids,
        labels=raw.labels,
        read=reader(raw.images, view, shape),
        stems=raw.stems,
        files=tuple(raw.images.paths) if isinstance(raw.images, Files) else None,
        of_folders=raw.of_folders,
        left_out=raw.left_out,
    )
    return whole if len(chosen) == len(everything) else whole.at(chosen)


def _with_boxes(part: Dataset, raw: RawDataset, view: View) -> Dataset:
    """With the boxes of its images, in pixels of the view; the boxes of other images are not looked at."""
    if raw.boxes is None:
        return part
    positions = part.ids if raw.ids is None else np.flatnonzero(np.isin(raw.ids, part.ids))
    found = raw.boxes(positions) if callable(raw.boxes) else (raw.boxes[positions], _sizes(raw.images, positions))
    if found is None:
        return part
    boxes = scaled_boxes(*found, *part.shape[:2]) if view.is_native else view.boxes(*found)
    return replace(part, boxes=boxes)


def _sizes(images: Images | Files, chosen: Ints) -> Ints:
    """Heights and widths (n, 2) of the chosen images."""
    if isinstance(images, Files):
        return images.sizes(chosen)
    return np.tile(np.array(images.shape[1:3], dtype=np.int64), (len(chosen), 1))


def _shape(images: Images | Files, chosen: Ints, view: View, label: str, entry: DatasetSpec) -> tuple[int, int, int]:
    """The one shape of all images in the view; a DatasetError where `native` leaves them different."""
    if not isinstance(images, Files):
        height, width, channels = images.shape[1:]
        return (height, width, channels) if view.is_native else (view.crop, view.crop, channels)
    if not view.is_native:
        return view.crop, view.crop, images.channels
    sizes = images.sizes(chosen)
    differs = np.flatnonzero((sizes != sizes[0]).any(axis=1))
    if len(differs):
        shown = " and ".join(f"{images.paths[chosen[i]]} is {sizes[i][1]}x{sizes[i][0]}" for i in (0, differs[0]))
        raise DatasetError(
            f"data set {label}: images differ in size: {shown}; choose a view, e.g. --view side64 ({EXAMPLES})"
        )
    return int(sizes[0][0]), int(sizes[0][1]), images.channels


def reader(images: Images | Files, view: View, shape: tuple[int, int, int]) -> Callable[[Ints], Images]:
    """Positions -> uint8 (n, H, W, C): a copy of the rows of an array, or one image after the other."""
    if not isinstance(images, Files) and view.is_native:
        return lambda positions: images[positions]

    def read(positions: Ints) -> Images:
        block = np.empty((len(positions), *shape), dtype=np.uint8)
        for place, position in enumerate(positions):
            where = images.paths[position] if isinstance(images, Files) else f"image {position}"
            image = view.image(images[position], where)
            if image.shape != shape:
                raise DatasetError(f"{where}: expected height, width, channels {shape}, got {image.shape}")
            block[place] = image
        return block

    return read
