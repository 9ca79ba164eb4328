"""Corruptions for PyTorch: transforms, and a data set of corrupted samples.

    Corrupt("fog", 3)(image, id)              corrupt one image or a batch, of whatever type it comes in
    Corrupt("fog", 3, ids="content")(image)   the same inside `Compose`: draws depend on the image's pixels
    RandomCorrupt(["awgn", "fog"])(image)     augment: a random corruption of random severity
    CorruptedDataset(dataset, "fog", 3)[i]    the sample dataset[i] with its image corrupted, sample id i

The pixels are those of `corruptions.apply` on the same images and ids: any order, batch size, number of workers and way
of starting them gives the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

import corruptions
from corruptions import Corruption, CorruptionError, Draws, Strength, Textures
from corruptions._forms import tensor_like, tensor_pixels

Images = NDArray[np.uint8]
MODES = ("RGB", "L")
CONTENT = "content"


class Corrupt(nn.Module):
    """Degrade images: the same type, shape and dtype out, the input untouched.

    Takes a PIL image (RGB or L); a tensor or `tv_tensors.Image`, (C, H, W) or (N, C, H, W), C 1 or 3, uint8 or floating
    point in [0, 1]; or a uint8 array (H, W, C) or (N, H, W, C). Call it as `transform(image, id)` or
    `transform(batch, ids=ids)`: ids are the images' whole-number places in the data set, which their draws depend on.

    Floating-point values are rounded to the nearest of the 256 levels k / 255 (halves to even) before, and are such
    levels after: the uint8 result as torchvision's `to_dtype(scale=True)` converts it. Corrupt before normalising: a
    value outside [0, 1] is an error.

    Give a `severity` or a `level`, and `seed`, `severity_table` and `textures` (pictures for `frost`), as to
    `corruptions.apply`. With `ids="content"` the call needs no ids: draws depend on the image's own pixels, so that it
    works inside `Compose` and in workers, and equal images get equal noise. `epoch` is None, for draws of `stream`;
    `set_epoch(n)` gives those of the training stream `train/n`, also in workers that live on between epochs.

    >>> import torch
    >>> Corrupt("gaussian_noise", 3)(torch.zeros(3, 32, 32), 7).shape
    torch.Size([3, 32, 32])
    """

    def __init__(
        self,
        name: str,
        severity: int | str | None = None,
        *,
        level: float | tuple[float, ...] | str | None = None,
        seed: int = 0,
        textures: Textures | None = None,
        severity_table: int | None = None,
        stream: str = "test",
        ids: str | None = None,
    ) -> None:
        super().__init__()
        if ids not in (None, CONTENT):
            raise CorruptionError(f"ids must be '{CONTENT}' or None, got {ids!r}")
        self.by_content = ids == CONTENT
        self.name = name
        self.strength = corruptions.get(name).strength(severity, level)
        self.seed = seed
        self.textures = _frozen(textures)
        self.severity_table = severity_table
        self._stream = stream
        self._epoch = _shared(-1)

    @property
    def epoch(self) -> int | None:
        """The epoch whose training draws are used; None for the draws of the stream given."""
        epoch = int(self._epoch)
        return None if epoch < 0 else epoch

    @epoch.setter
    def epoch(self, epoch: int | None) -> None:
        if epoch is not None and (isinstance(epoch, bool) or not isinstance(epoch, (int, np.integer)) or epoch < 0):
            raise CorruptionError(f"epoch must be a whole number of at least 0 or None, got {epoch!r}")
        self._epoch.fill_(-1 if epoch is None else int(epoch))

    def set_epoch(self, epoch: int | None) -> None:
        """Use the training draws of this epoch; None goes back to the draws of the stream given."""
        self.epoch = epoch

    @property
    def stream(self) -> str:
        """Which draws: `train/EPOCH` where an epoch is set."""
        return self._stream if self.epoch is None else f"train/{self.epoch}"

    def forward(self, image: Any, ids: Any = None, boxes: Any = None) -> Any:
        """The image or batch, corrupted; `ids` is one whole number or one an image, `boxes` (N, 4) where it has any."""
        pixels = _pixels(image)
        if ids is None and self.by_content:
            ids = _digests(pixels)
        if ids is None:
            raise CorruptionError(
                f"{self.name}: give the sample id, transform(image, id), or wrap the data set in CorruptedDataset, "
                f"or write ids='{CONTENT}'"
            )
        out = corruptions.apply_strength(
            pixels,
            corruptions.get(self.name),
            self.strength,
            seed=self.seed,
            ids=np.asarray(ids),
            boxes=None if boxes is None else np.asarray(boxes),
            textures=self.textures,
            severity_table=self.severity_table,
            stream=self.stream,
        )
        return _like(image, out)

    def extra_repr(self) -> str:
        """The corruption, its strength, seed and stream."""
        return f"{self.name}, {self.strength}, seed={self.seed}, stream={self.stream}"

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if not self._epoch.is_shared():  # type: ignore[no-untyped-call]
            self._epoch = _shared(int(self._epoch))
        self.textures = _frozen(self.textures)


def _frozen(textures: Any) -> Any:
    """Copies that cannot be written, so that what is made of them is made once; other things as they are."""
    if not isinstance(textures, (tuple, list)):
        return textures
    copies = tuple(np.array(texture) for texture in textures)
    for texture in copies:
        texture.setflags(write=False)
    return copies


class RandomCorrupt(nn.Module):
    """Corrupt images at random, for augmentation: with probability p one of the corruptions at one of its severities.

    Takes and returns images as `Corrupt`. `transform(image)` draws from PyTorch's generator, so `torch.manual_seed`
    repeats it. `transform(image, id)` draws by seed, epoch (`set_epoch`) and id, alike for every number of workers.

    Args:
        names: Names of corruptions.
        severities: Lowest and highest severity; corruptions without severities get one of their default levels.
        p: Probability that an image is corrupted, 0 to 1.
        seed: Of the draws by id.

    Examples:
        >>> import torch
        >>> RandomCorrupt(["awgn", "fog"], p=1.0)(torch.zeros(3, 32, 32)).shape
        torch.Size([3, 32, 32])
    """

    def __init__(
        self, names: str | Sequence[str], severities: tuple[int, int] = (1, 5), *, p: float = 0.5, seed: int = 0
    ) -> None:
        super().__init__()
        self.names = (names,) if isinstance(names, str) else tuple(names)
        low, high = severities
        if not self.names or not 1 <= low <= high <= 5 or not 0 <= p <= 1:
            raise CorruptionError(
                f"expected corruptions, severities from 1 to 5 and p from 0 to 1, got {self.names}, {severities}, {p}"
            )
        self.choices = [(chosen, _strengths(chosen, low, high)) for chosen in map(corruptions.get, self.names)]
        self.p, self.seed, self.severities = p, seed, (low, high)
        self._epoch = _shared(0)

    def set_epoch(self, epoch: int) -> None:
        """Use the draws of this epoch for images with ids, also in workers that live on between epochs."""
        self._epoch.fill_(epoch)

    def forward(self, image: Any, ids: Any = None) -> Any:
        """The image, or each image of a batch, corrupted or left as it is."""
        pixels = _pixels(image)
        batch = pixels if pixels.ndim == 4 else pixels[None]
        numbers = torch.randint(2**62, (len(batch),)).numpy() if ids is None else np.atleast_1d(np.asarray(ids))
        stream = "train/random" if ids is None else f"train/{int(self._epoch)}"
        draws = Draws("random_corrupt", numbers.astype(np.int64), seed=self.seed, stream=stream)
        at_random, which, how = (draws.uniform(name, 0, 1) for name in ("whether", "corruption", "strength"))
        out = batch.copy()
        for at in np.flatnonzero(at_random < self.p):
            chosen, strengths = self.choices[int(which[at] * len(self.choices))]
            strength = strengths[int(how[at] * len(strengths))]
            options: dict[str, Any] = {"seed": self.seed, "ids": numbers[at : at + 1], "stream": stream}
            out[at : at + 1] = corruptions.apply_strength(batch[at : at + 1], chosen, strength, **options)
        return _like(image, out.reshape(pixels.shape))

    def extra_repr(self) -> str:
        """The corruptions, severities and probability."""
        return f"{', '.join(self.names)}, severities={self.severities}, p={self.p}"


def _strengths(chosen: Corruption, low: int, high: int) -> list[Strength]:
    if not chosen.has_table:
        return list(chosen.default_strengths())
    return [chosen.strength(severity) for severity in range(low, high + 1)]


class CorruptedDataset(Dataset[Any]):
    """A map-style data set of (image, label) samples with the image corrupted, and the rest of the sample as it is.

    Item i has the sample id i, or `ids[i]`; `boxes[i]` is its box (x0, y0, x1, y1). Take a subset of this one, not this
    one of a subset, or give the subset's indices as `ids`: ids are the images' places in the whole data set.
    The other arguments, `epoch` and `set_epoch` are those of `Corrupt`, which stands in `transform`.

    >>> clean = [(np.zeros((32, 32, 3), np.uint8), 5)] * 4
    >>> image, label = CorruptedDataset(clean, "fog", 3)[2]
    >>> image.shape, label
    ((32, 32, 3), 5)
    """

    def __init__(
        self,
        dataset: Any,
        name: str,
        severity: int | str | None = None,
        *,
        level: float | tuple[float, ...] | str | None = None,
        seed: int = 0,
        textures: Textures | None = None,
        severity_table: int | None = None,
        stream: str = "test",
        ids: Any = None,
        boxes: Any = None,
    ) -> None:
        if not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
            raise CorruptionError(f"expected a data set with len() and [i], got {type(dataset).__name__}")
        self.dataset = dataset
        self.transform = Corrupt(
            name, severity, level=level, seed=seed, textures=textures, severity_table=severity_table, stream=stream
        )
        self.ids = _one_each("ids", ids, len(dataset))
        self.boxes = _one_each("boxes", boxes, len(dataset))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"index {index} is out of range for {count} samples")
        at = int(index) % count
        sample = self.dataset[at]
        if not isinstance(sample, (tuple, list)) or not sample:
            raise CorruptionError(f"expected samples (image, label), got {type(sample).__name__} at {at}")
        image, *rest = sample
        box = None if self.boxes is None else self.boxes[at]
        return self.transform(image, at if self.ids is None else self.ids[at], box), *rest

    @property
    def epoch(self) -> int | None:
        """The epoch whose training draws are used, or None."""
        return self.transform.epoch

    @epoch.setter
    def epoch(self, epoch: int | None) -> None:
        self.transform.epoch = epoch

    def set_epoch(self, epoch: int | None) -> None:
        """Use the training draws of this epoch; None goes back to the draws of the stream given."""
        self.epoch = epoch


def _shared(epoch: int) -> Tensor:
    """A number that worker processes see change: a copy would stay behind in workers that live on between epochs."""
    number = torch.tensor(epoch, dtype=torch.int64)
    number.share_memory_()  # type: ignore[no-untyped-call]
    return number


def _digests(pixels: Images) -> list[int]:
    """An id for each image, of its pixels alone."""
    batch = pixels if pixels.ndim == 4 else pixels[None]
    digests = (hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest() for image in batch)
    return [int.from_bytes(digest[:8], "big") >> 1 for digest in digests]


def _one_each(what: str, values: Any, count: int) -> NDArray[Any] | None:
    if values is None:
        return None
    array = np.asarray(values)
    if len(array) != count:
        raise CorruptionError(f"expected {what} for {count} samples, got {len(array)}")
    return array


def _pixels(image: Any) -> Images:
    """The image or batch as the uint8 array that `corruptions.apply` takes."""
    if isinstance(image, np.ndarray):
        return image
    if isinstance(image, Tensor):
        return tensor_pixels(image.detach())
    if not isinstance(image, Image.Image):
        raise CorruptionError(f"expected a PIL image, a tensor or a uint8 array, got {type(image).__name__}")
    if image.mode not in MODES:
        raise CorruptionError(f"a PIL image must be of mode {' or '.join(MODES)}, got {image.mode}")
    array: Images = np.asarray(image)
    return array if array.ndim == 3 else array[..., None]


def _like(image: Any, out: Images) -> Any:
    """`out` in the type, dtype and place of `image`."""
    if isinstance(image, np.ndarray):
        return out
    if isinstance(image, Image.Image):
        return Image.fromarray(out[..., 0] if out.shape[-1] == 1 else out)
    return tensor_like(image, out)
