"""Image files: the one place where they are decoded, and folders of them.

Whatever a file holds becomes 8-bit gray or RGB as Pillow's `convert` makes it, which is what torchvision's loader
gives: alpha is dropped (not composited), CMYK and palettes become RGB, 1-bit becomes 0 and 255, the first frame counts.
EXIF orientation is not applied. One thing is done better: 16-bit gray is scaled by 1/257 and rounded, where Pillow
clips it. 16-bit RGB keeps the high byte, as in Pillow. What has no agreed range (float, 32-bit integers) and what is
broken is a DatasetError that names the file.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from robench.datasets._contract import Images, Ints
from robench.datasets._formats import SUFFIXES, formats_of, is_picture, lacking
from robench.errors import DatasetError
from robench.files import is_utf8, reason, refuse_pipe
from robench.leftout import left_out_facts, left_out_note

if TYPE_CHECKING:
    from PIL.Image import Image

LITTER = ("__macosx", "desktop.ini", "thumbs.db")
"""What archives and file managers leave beside the data, in lower case."""
GRAY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"}

_warning_filters = threading.Lock()


class Files:
    """Image files, decoded one at a time: `files[i]` is uint8 (H, W, channels).

    sizes: int64 (N, 2), heights and widths, where they are known without opening the files.
    """

    def __init__(self, paths: Sequence[str], channels: int = 3, sizes: Ints | None = None) -> None:
        self.paths = paths
        self.channels = channels
        self._sizes = sizes

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, position: int) -> Images:
        return decode(self.paths[position], self.channels)

    def sizes(self, positions: Ints) -> Ints:
        """Heights and widths (n, 2) of the images at these positions, from the headers where they are not known."""
        if self._sizes is not None:
            return self._sizes[positions]
        return scan(self.paths[position] for position in positions)[0]


def decode(path: str, channels: int = 3) -> Images:
    """A file's first image as uint8 (H, W, channels), channels 1 or 3; a DatasetError where it cannot be read."""
    with _opened(path) as picture:
        gray, pixels = _pixels(picture)
    if gray:
        return np.repeat(pixels[:, :, None], channels, axis=2)
    if channels == 1:
        raise DatasetError(f"{path}: expected a gray image as all others are, got a colour image")
    return pixels


def scan(paths: Iterable[str]) -> tuple[Ints, bool]:
    """Heights and widths (n, 2) from the files' headers, and whether all of them are gray."""
    sizes, gray = [], True
    for path in paths:
        with _opened(path) as picture:
            sizes.append((picture.height, picture.width))
            gray = gray and picture.mode in GRAY_MODES
    return np.array(sizes, dtype=np.int64).reshape(-1, 2), gray


@contextmanager
def _opened(path: str) -> Iterator[Image]:
    from PIL import Image, UnidentifiedImageError

    refuse_pipe(path, "an image file", DatasetError)
    try:
        with _header_warnings_off():
            picture = Image.open(path, formats=formats_of(path))
        with picture:
            yield picture
    except FileNotFoundError as fault:
        raise DatasetError(f"{path}: no such file") from fault
    except UnidentifiedImageError as fault:
        why = lacking(path) or "not an image of a known format"
        raise DatasetError(f"{path}: cannot be decoded: {why}") from fault
    except Exception as fault:  # Pillow's decoders raise whatever a broken file makes them trip over
        raise DatasetError(f"{path}: cannot be decoded: {lacking(path) or reason(fault)}") from fault


@contextmanager
def _header_warnings_off() -> Iterator[None]:
    """Pillow warns about sizes and metadata while it reads a header. A size it warns of is an error here.

    The filters belong to the process, so one thread at a time changes and restores them.
    """
    from PIL import Image

    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _pixels(picture: Image) -> tuple[bool, Images]:
    """Gray (H, W) or RGB (H, W, 3), uint8, and which of the two."""
    mode = picture.mode
    if mode.startswith("I;16") or (mode == "I" and picture.format in ("PNG", "PPM")):
        deep = np.asarray(picture).astype(np.int64)
        return True, ((deep + 128) // 257).astype(np.uint8)
    if mode in ("I", "F"):
        raise ValueError(f"pixels of mode {mode} have no agreed range")
    if mode in GRAY_MODES:
        return True, np.asarray(picture.convert("L"))
    if mode in ("P", "PA"):
        picture = picture.convert("RGBA")
    return False, np.asarray(picture.convert("RGB"))


@dataclass(frozen=True)
class Tree:
    """Files in class sub-folders, in the order of class, then path within it. Stems are unique within a class.

    left_out: of the other files there, as `left_out_facts` gives it.
    """

    classes: tuple[str, ...]
    labels: Ints
    paths: tuple[str, ...]
    stems: tuple[str, ...]
    left_out: dict[str, Any] = field(default_factory=dict)


def class_tree(root: Path, *, among: Sequence[Path] = (), nested: bool = True) -> Tree:
    """The images below `root`/CLASS/; see `is_data` for the files and folders that do not count.

    among: folders of other splits of the same data set; their classes are counted in, so that labels agree.
    """
    named = {name for folder in (root, *among) for name in subfolders(folder)}
    classes = tuple(sorted(named))
    labels: list[int] = []
    found: list[str] = []
    others: list[str] = []
    empty: list[str] = []
    for label, name in enumerate(classes):
        files = [inner for inner in files_below(root / name) if nested or "/" not in inner]
        below = sorted(filter(is_picture, files))
        labels += [label] * len(below)
        found += [f"{name}/{inner}" for inner in below]
        others += [inner for inner in files if not is_picture(inner)]
        if files and not below:
            empty.append(name)
    left_out = left_out_facts(others, empty)
    if not found:
        seen = f"; {left_out_note(left_out)[:-1]}" if left_out else ""
        raise DatasetError(
            f"{root}: expected a sub-folder per class with images ({', '.join(SUFFIXES)}), got none{seen}"
        )
    paths = tuple(os.path.join(root, *inner.split("/")) for inner in found)
    return Tree(classes, np.array(labels, dtype=np.int64), paths, _stems(found), left_out)


def is_data(name: str) -> bool:
    """Whether a file or folder of this name belongs to a data set.

    Hidden ones do not (`.DS_Store`, and `._NAME`, in which macOS keeps attributes), nor do `__MACOSX` and `Thumbs.db`.

    >>> [name for name in ("fog.npy", "._fog.npy", "__MACOSX") if is_data(name)]
    ['fog.npy']
    """
    return not name.startswith(".") and name.lower() not in LITTER


def subfolders(root: Path) -> tuple[str, ...]:
    """The sorted names of the folders in `root`."""
    with os.scandir(root) as entries:
        return tuple(sorted(_named(root, (entry.name for entry in entries if entry.is_dir()))))


def files_below(folder: Path) -> Iterator[str]:
    """Paths of all files below `folder`, relative to it, with forward slashes."""
    for place, inner, files in os.walk(folder):
        inner[:] = _named(place, inner)
        prefix = os.path.relpath(place, folder).replace(os.sep, "/") + "/"
        yield from ((prefix + name).removeprefix("./") for name in _named(place, files))


def image_files(folder: Path) -> list[Path]:
    """The image files in `folder` itself, by name."""
    return sorted(folder / name for name in _named(folder, os.listdir(folder)) if is_picture(name))


def other_files(folder: Path) -> list[str]:
    """The names of the files in `folder` itself that are no images."""
    names = (name for name in _named(folder, os.listdir(folder)) if not is_picture(name))
    return [name for name in names if (folder / name).is_file()]


def _named(folder: str | Path, names: Iterable[str]) -> Iterator[str]:
    """The names that count; one that is no UTF-8 text can stand in no table and is a DatasetError."""
    for name in filter(is_data, names):
        if not is_utf8(name):
            raise DatasetError(f"{folder}: expected names in UTF-8, got {name!a}; rename it")
        yield name


def _stems(found: Sequence[str]) -> tuple[str, ...]:
    """CLASS/a/b.jpg -> a_b; with the id in front for all where two of a class would be the same on some file system."""
    pairs = [inner.split("/", 1) for inner in found]
    stems = [os.path.splitext(rest)[0].replace("/", "_") for _, rest in pairs]
    often = Counter((name, stem.casefold()) for (name, _), stem in zip(pairs, stems, strict=True))
    if max(often.values()) == 1:
        return tuple(stems)
    return tuple(f"{position}_{stem}" for position, stem in enumerate(stems))
