"""The XML files in which ILSVRC gives the objects of an image: their class and their boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from corruptions import read_whole
from robench.errors import DatasetError
from robench.files import reading

EDGES = ("xmin", "ymin", "xmax", "ymax")
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Annotation:
    """Of one image: height and width in pixels, the class of its first object, and the box around all its objects.

    The box is (x0, y0, x1, y1), half-open, clipped to the image. Class and box are None where no object is given.
    """

    size: tuple[int, int]
    name: str | None
    box: Box | None


def read_annotation(path: Path) -> Annotation:
    """Read one file; anything but an ILSVRC annotation is a DatasetError.

    The files count pixels from 0, and xmax and ymax are the last pixels inside the box.
    """
    with reading(path, "an annotation of ILSVRC", DatasetError):
        root = ElementTree.parse(path).getroot()
        height, width = (read_whole(_text(root, f"size/{side}")) for side in ("height", "width"))
        objects = root.findall("object")
        boxes = [[read_whole(_text(one, f"bndbox/{edge}")) for edge in EDGES] for one in objects]
        name = _text(objects[0], "name") if objects else None
    if height < 1 or width < 1 or any(x0 > x1 or y0 > y1 for x0, y0, x1, y1 in boxes):
        raise DatasetError(f"{path}: expected an annotation of ILSVRC, got boxes {boxes} in {width}x{height} pixels")
    return Annotation((height, width), name, _around(boxes, height, width) if boxes else None)


def _text(element: ElementTree.Element, path: str) -> str:
    text = (element.findtext(path) or "").strip()
    if not text:
        raise ValueError(f"no {path}")
    return text


def _around(boxes: Sequence[Sequence[int]], height: int, width: int) -> Box:
    """The smallest box around boxes whose last pixels are inside, as a half-open one inside the image."""
    x0, y0 = (max(min(box[edge] for box in boxes), 0) for edge in (0, 1))
    x1, y1 = (min(max(box[edge] for box in boxes) + 1, side) for edge, side in ((2, width), (3, height)))
    return x0, y0, max(x0, x1), max(y0, y1)
