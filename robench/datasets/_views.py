"""Views: the geometry of a data set before any corruption."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from robench.datasets._contract import Images, Ints
from robench.errors import ConfigError, DatasetError

EXAMPLES = "native, side32, side64, resize256-crop224 or resize256-crop224-bicubic"
FILTERS = ("bilinear", "bicubic", "lanczos", "box", "hamming", "nearest")
"""Those of Pillow, by which an image is resized; the first where none is named."""
MOST_SIDE = 16_384
MOST_PIXELS = MOST_SIDE**2
"""Of an image in a view, 0.8 GB in colour."""


@dataclass(frozen=True)
class View:
    """`native` (resize and crop 0), or: shorter side to `resize`, then the central crop of `crop` x `crop`.

    filter: one of FILTERS.
    """

    name: str
    resize: int = 0
    crop: int = 0
    filter: str = FILTERS[0]

    @property
    def is_native(self) -> bool:
        return not self.resize

    def image(self, image: Images, where: str = "an image") -> Images:
        """uint8 (H, W, C) -> uint8 (crop, crop, C), by the antialiased filter of Pillow.

        where: what to call the image in the DatasetError for one so long that it would be far too large on the way.
        """
        from PIL import Image

        if self.is_native:
            return image
        height, width, channels = image.shape
        tall, wide, top, left = self._place(height, width)
        if tall * wide > MOST_PIXELS:
            raise DatasetError(
                f"{where}: view '{self.name}' makes {wide}x{tall} pixels of its {width}x{height} before it crops, "
                f"expected at most {MOST_PIXELS}; cut the image first"
            )
        if (tall, wide) != (height, width):
            picture = Image.fromarray(image[:, :, 0] if channels == 1 else image)
            resized = picture.resize((wide, tall), Image.Resampling[self.filter.upper()])
            image = np.asarray(resized).reshape(tall, wide, channels)
        return image[top : top + self.crop, left : left + self.crop]

    def boxes(self, boxes: Ints, sizes: Ints) -> Ints:
        """Boxes (n, 4) in images of these sizes (n, 2: height, width), moved along with the pixels.

        Half-open, grown to whole pixels, clipped to the view. A box that is out of view becomes (0, 0, 0, 0),
        which holds no pixel.
        """
        moved = [self._box(box.tolist(), *size.tolist()) for box, size in zip(boxes, sizes, strict=True)]
        return np.array(moved, dtype=np.int64).reshape(-1, 4)

    def _box(self, box: list[int], height: int, width: int) -> tuple[int, int, int, int]:
        tall, wide, top, left = self._place(height, width)
        x0, y0, x1, y1 = box
        low_x, low_y = max(x0 * wide // width - left, 0), max(y0 * tall // height - top, 0)
        high_x = min(-(-x1 * wide // width) - left, self.crop)
        high_y = min(-(-y1 * tall // height) - top, self.crop)
        empty = low_x >= high_x or low_y >= high_y or x0 >= x1 or y0 >= y1
        return (0, 0, 0, 0) if empty else (low_x, low_y, high_x, high_y)

    def _place(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Size after resizing, and the crop's corner, by the rounding of torchvision's Resize and CenterCrop."""
        short = min(height, width)
        tall, wide = self.resize * height // short, self.resize * width // short
        return tall, wide, round((tall - self.crop) / 2), round((wide - self.crop) / 2)


def scaled_boxes(boxes: Ints, sizes: Ints, height: int, width: int) -> Ints:
    """Boxes (n, 4) in images of these sizes (n, 2: height, width), for the same images at one size.

    Half-open, grown to whole pixels.
    """
    own, new = sizes[:, ::-1], np.array([width, height], dtype=np.int64)
    return np.concatenate([boxes[:, :2] * new // own, -(-boxes[:, 2:] * new // own)], axis=1)


def parse_view(text: str) -> View:
    """`native`, `sideN` or `resizeR-cropC`, both with `-FILTER` behind or without; anything else is a ConfigError.

    >>> parse_view("resize256-crop224")
    View(name='resize256-crop224', resize=256, crop=224, filter='bilinear')
    """
    if text == "native":
        return View(text)
    forms = r"side(?P<side>[1-9]\d*)|resize(?P<resize>[1-9]\d*)-crop(?P<crop>[1-9]\d*)"
    found = re.fullmatch(rf"({forms})(-(?P<filter>{'|'.join(FILTERS[1:])}))?", text, re.ASCII)
    if not found:
        raise ConfigError(f"unknown view '{text}'; expected e.g. {EXAMPLES}")
    if any(
        size and (len(size) > len(str(MOST_SIDE)) or int(size) > MOST_SIDE)
        for size in found.group("side", "resize", "crop")
    ):
        raise ConfigError(f"view '{text}': expected sides of at most {MOST_SIDE} pixels")
    resize, crop = int(found["side"] or found["resize"]), int(found["side"] or found["crop"])
    if crop > resize:
        raise ConfigError(f"view '{text}': the crop must fit into the shorter side, got {crop} > {resize}")
    return View(text, resize, crop, found["filter"] or FILTERS[0])
