"""Images that are in memory, or that a data set of another library serves, as a data set."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robench.datasets._arrays import Labels, as_bytes, as_images, as_labels, check_names, classes_of
from robench.datasets._contract import Dataset, Images, Ints
from robench.errors import ConfigError, DatasetError

IMAGE_KEYS = ("image", "img", "images", "pixel_values", "x")
LABEL_KEYS = ("label", "labels", "fine_label", "target", "y")
IN_MEMORY = 1 << 31
"""Bytes of images up to which samples are read once, for labels and images together."""
READ_TWICE = 3


def wrap_dataset(
    data: Any, labels: Any = None, *, class_names: Sequence[str] | None = None, name: str = "data"
) -> Dataset:
    """Make a data set of images that are in memory or that another library serves.

    Args:
        data: With `labels`, the images: (N, H, W, C), (N, C, H, W) or (N, H, W), C 1 or 3, as uint8 or as floats in
            [0, 1] that are multiples of 1/255. Where C may stand in either place, it is second in a tensor and last in
            an array. Without `labels`, a source of samples (image, label) or of dicts: a PyTorch data set, a split of
            Hugging Face `datasets`, or a `DataLoader` without shuffling. Its images are PIL images, arrays (H, W, C) or
            tensors (C, H, W), before normalisation and augmentation.
        labels: N whole numbers from 0, also as (N, 1) or as floats, or one-hot rows (N, classes).
        class_names: Names of the classes in the order of the labels; by default those of the source, else numbers.
        name: What tables call the data set.

    Returns:
        The data set; image i has the id i.

    Raises:
        ConfigError: Images, labels or class names have another form, or the order of samples is not fixed.

    Examples:
        >>> wrap_dataset(np.zeros((4, 8, 8, 3), np.uint8), [0, 1, 1, 0]).classes
        ('0', '1')
    """
    if labels is not None:
        images = _array_images(data, name)
        return _dataset(name, images.shape[1:], _labels(labels, len(images), name), lambda at: images[at], class_names)
    source = _samples(data, name)
    _check_repeats(source, name)
    first, _ = _sample(source, 0, name)
    shape, count = first.shape, len(source)
    names = class_names or _known_names(source)
    if first.size * count <= IN_MEMORY:
        pairs = [_sample(source, at, name, shape) for at in range(count)]
        images = np.stack([image for image, _ in pairs])
        numbers = _labels([label for _, label in pairs], count, name)
        return _dataset(name, shape, numbers, lambda at: images[at], names)
    known = _known_labels(source)
    if known is None:
        known = [_sample(source, at, name, shape)[1] for at in range(count)]

    def read(positions: Ints) -> Images:
        return np.stack([_sample(source, int(at), name, shape)[0] for at in positions])

    return _dataset(name, shape, _labels(known, count, name), read, names)


def _dataset(
    name: str, shape: tuple[int, ...], labels: Labels, read: Callable[[Ints], Images], names: Sequence[str] | None
) -> Dataset:
    numbers = labels.numbers
    highest = int(numbers.max())
    if names is not None and (isinstance(names, str) or not all(isinstance(one, str) for one in names)):
        raise ConfigError(f"data set {name}: expected class_names as texts, got {names!r:.60}")
    if names is not None and len(names) <= highest:
        raise ConfigError(f"data set {name}: expected labels below {len(names)}, one per class name, got {highest}")
    try:
        classes = classes_of(labels, _source(name)) if names is None else tuple(names)
    except DatasetError as fault:
        raise ConfigError(str(fault)) from fault
    check_names(labels, len(classes), _source(name), ConfigError)
    height, width, channels = shape
    ids = np.arange(len(numbers), dtype=np.int64)
    return Dataset(name, "test", "native", classes, (height, width, channels), ids, numbers, read)


def _array_images(data: Any, name: str) -> Images:
    return as_images(_array(data, name, "images", NHWC), _source(name), ConfigError)


NHWC = (0, 2, 3, 1)


def _array(data: Any, name: str, what: str, axes: tuple[int, ...] = ()) -> NDArray[Any]:
    """An array of an array, a list or a tensor; a tensor's axes are put in this order if there are as many."""
    is_tensor = hasattr(data, "detach")
    if is_tensor:
        data = data.detach().cpu().numpy()
    try:
        array = np.asarray(data)
    except ValueError as fault:
        raise ConfigError(f"data set {name}: expected {what} of one shape: {fault}") from fault
    if array.dtype == object:
        raise ConfigError(f"data set {name}: expected {what} as an array of numbers, got objects")
    channels_first = is_tensor and axes and array.ndim == len(axes) and array.shape[-3] in (1, 3)
    return array.transpose(axes) if channels_first else array


def _labels(labels: Any, count: int, name: str) -> Labels:
    return as_labels(_array(labels, name, "labels"), count, _source(name), ConfigError)


def _source(name: str) -> str:
    return f"data set {name}"


def _samples(data: Any, name: str) -> Any:
    """Something with len() and [i] whose order is fixed."""
    if isinstance(data, Mapping):
        raise ConfigError(
            f"data set {name}: expected one split, got {', '.join(map(str, data))}; choose one by its name"
        )
    torch_data = sys.modules.get("torch.utils.data")
    if torch_data is not None and isinstance(data, torch_data.DataLoader):
        if isinstance(data.dataset, torch_data.IterableDataset):
            data = data.dataset
        elif not isinstance(data.sampler, torch_data.SequentialSampler):
            raise ConfigError(
                f"data set {name}: expected a DataLoader with shuffle=False, got {type(data.sampler).__name__}"
            )
        else:
            data = data.dataset
    if torch_data is not None and isinstance(data, torch_data.IterableDataset):
        return list(data)
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, np.ndarray | str):
        if not len(data):
            raise ConfigError(f"data set {name}: expected at least one sample, got none")
        if not hasattr(data, "detach"):
            return data
    elif isinstance(data, Iterable) and not isinstance(data, np.ndarray | str):
        return list(data)
    raise ConfigError(f"data set {name}: expected labels beside images, or a data set of samples, got {_kind(data)}")


def _sample(source: Any, at: int, name: str, shape: tuple[int, ...] | None = None) -> tuple[Images, Any]:
    sample = source[at]
    if isinstance(sample, Mapping):
        image, label = (sample[_key(sample, keys, name)] for keys in (IMAGE_KEYS, LABEL_KEYS))
    elif isinstance(sample, tuple | list) and len(sample) >= 2:
        image, label = sample[0], sample[1]
    else:
        raise ConfigError(f"data set {name}: expected samples (image, label) or dicts, got {_kind(sample)} at {at}")
    made = _image(image, name, at, shape)
    if shape is not None and made.shape != shape:
        raise ConfigError(
            f"data set {name}: expected images of one size, {_by(shape)}, got {_by(made.shape)} at {at}; "
            "resize and crop them in the data set's transform"
        )
    return made, _array(label, name, "labels").tolist()


def _key(sample: Mapping[str, Any], keys: Sequence[str], name: str) -> str:
    for key in keys:
        if key in sample:
            return key
    raise ConfigError(f"data set {name}: expected a sample with the key {' or '.join(keys)}, got {', '.join(sample)}")


def _image(image: Any, name: str, at: int, shape: tuple[int, ...] | None) -> Images:
    """uint8 (H, W, C); of PIL images a gray one among RGB ones is repeated."""
    if hasattr(image, "mode") and hasattr(image, "convert"):
        if image.mode not in ("RGB", "L"):
            raise ConfigError(f"data set {name}: expected PIL images of mode RGB or L, got {image.mode} at {at}")
        wanted = image.mode if shape is None else "RGB" if shape[2] == 3 else "L"
        array = np.asarray(image.convert(wanted))
    else:
        array = _array(image, name, "images", (1, 2, 0))
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3):
        raise ConfigError(f"data set {name}: expected images (H, W, C), C 1 or 3, got {array.shape} at {at}")
    return as_bytes(array, _source(name), ConfigError)


def _check_repeats(source: Any, name: str) -> None:
    """Refuse samples that are drawn anew at each reading."""
    for at in np.unique(np.linspace(0, len(source) - 1, READ_TWICE).astype(int)).tolist():
        (one, first), (two, second) = (_sample(source, at, name) for _ in range(2))
        if not np.array_equal(one, two) or first != second:
            raise ConfigError(f"data set {name}: sample {at} differs between two reads; remove random transforms")


def _known_labels(source: Any) -> Any:
    """The labels of a source that has them as a list, as torchvision's do, or as a column."""
    names = getattr(source, "column_names", None)
    if isinstance(names, list):
        key = next((key for key in LABEL_KEYS if key in names), None)
        return None if key is None else list(source[key])
    targets = getattr(source, "targets", None)
    if targets is None or not hasattr(targets, "__len__") or len(targets) != len(source):
        return None
    return None if getattr(source, "target_transform", None) is not None else targets


def _known_names(source: Any) -> Sequence[str] | None:
    features = getattr(source, "features", None)
    if isinstance(features, Mapping):
        key = next((key for key in LABEL_KEYS if key in features), None)
        names = getattr(features.get(key), "names", None)
    else:
        names = getattr(source, "classes", None)
    is_list = isinstance(names, list | tuple) and all(isinstance(one, str) for one in names)
    return tuple(names) if is_list and names else None


def _by(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} x {shape[2]}"


def _kind(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" {tuple(shape)}" if shape is not None else "")
