"""The gallery of corruptions, docs/corruptions.md with its pictures: make gallery

    python docs/make_gallery.py

Everything comes from the definitions: the words are the docstrings, the numbers the tables that are applied. The same
definitions give the same bytes. Pictures are of a photograph that scikit-image ships.
"""

from __future__ import annotations

import inspect
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data, transform

import corruptions
from corruptions import Corruption, Level, number_text

Images = NDArray[np.uint8]
HERE = Path(__file__).parent
PAGE = HERE / "corruptions.md"
PICTURES = HERE / "images" / "corruptions"
CELL, GAP = 128, 4
SHOWN_AT_224 = (0, 2, 4)
COLOURS = 256
GROUPS = ("noise", "blur", "weather", "digital", "resolution")

HEAD = """\
# The corruptions

Made by `make gallery` from the definitions in `corruptions/`; do not edit it by hand.

A picture shows the clean image and then the strengths from left to right, weak to strong as the definition lists them.
Its rows: 64 pixels, shown twice as large; then, where there is a published table for that side, 32 pixels, four times
as large, and 224 pixels, a part of the image at severities 1, 3 and 5. Colours are rounded to 256 a picture to keep the
files small.

Facts of a corruption: **draws** says that it is random, by image id and seed; **bit-exact** that its pixels are the
same on every machine; **not monotone** that a later strength need not change an image more, and why; **gray** what
happens to images of one channel. Values are on the range [0, 1] where nothing else is said."""


def own_names(group: str) -> list[str]:
    """The corruptions of a group that this package brings; those of plug-ins are left out."""
    return [
        name for name in corruptions.names(group) if corruptions.get(name).body.__module__.startswith("corruptions.")
    ]


def photograph(side: int) -> Images:
    """The astronaut's upper part, uint8 (side, side, 3)."""
    part = data.astronaut()[:400, 40:440]
    small: Images = np.rint(transform.resize(part, (side, side), anti_aliasing=True) * 255).astype(np.uint8)
    return small


def cells(chosen: Corruption, side: int, sample: int) -> list[Images | None]:
    """The clean image and every strength at one side, each CELL x CELL; None where nothing is shown."""
    clean = photograph(side)
    strengths = chosen.default_strengths()
    made = [corruptions.apply_strength(clean, chosen, strength, ids=[sample]) for strength in strengths]
    if side > CELL:
        top = left = (side - CELL) // 3
        shown = [
            made[at][top : top + CELL, left : left + CELL] if at in SHOWN_AT_224 else None for at in range(len(made))
        ]
        return [None, *shown]
    return [np.kron(image, np.ones((CELL // side, CELL // side, 1), np.uint8)) for image in (clean, *made)]


def picture(chosen: Corruption, sample: int = 0) -> Images:
    """The rows of one corruption on white, uint8 (H, W, 3), for the image with that id."""
    sides = (64, *(side for side in (32, 224) if side in chosen.severities))
    rows = [cells(chosen, side, sample) for side in sides]
    step = CELL + GAP
    sheet = np.full((step * len(rows) - GAP, step * len(rows[0]) - GAP, 3), 255, np.uint8)
    for down, row in enumerate(rows):
        for right, cell in enumerate(row):
            if cell is not None:
                sheet[down * step : down * step + CELL, right * step : right * step + CELL] = cell
    return sheet


def png(sheet: Images) -> bytes:
    """The picture as PNG with a palette."""
    file = io.BytesIO()
    few = Image.fromarray(sheet).quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(file, format="PNG", optimize=True)
    return file.getvalue()


def row_text(row: Any) -> str:
    """A row of a table: a number, or several."""
    return ", ".join(number_text(part) for part in row) if isinstance(row, tuple) else number_text(row)


def table(chosen: Corruption) -> str:
    """The published rows, a line a native side."""
    lines = ["| side | 1 | 2 | 3 | 4 | 5 |", "|---:|---|---|---|---|---|"]
    for side, rows in sorted(chosen.severities.items()):
        lines.append(f"| {side} | " + " | ".join(row_text(row) for row in rows) + " |")
    return "\n".join(lines)


def level_text(level: Level) -> str:
    """The physical parameter: name, unit, range, what is shown."""
    each = f"{level.parts} numbers, each {level.range_text}" if level.parts > 1 else level.range_text
    shown = "; ".join(row_text(value) for value in level.defaults)
    says = [f"Level `{level.name}`, {level.unit}: {each}; by default {shown}"]
    if level.identity is not None:
        says.append(f"{number_text(level.identity)} changes nothing")
    if not level.more_is_stronger:
        says.append("less is stronger")
    return "; ".join(says) + "."


def facts(chosen: Corruption) -> str:
    """One line of what holds, and the source."""
    says = ["draws" if chosen.stochastic else "no draws"]
    says.append("bit-exact" if chosen.bit_exact else f"not bit-exact: {chosen.not_bit_exact}")
    says.append(f"not monotone: {chosen.not_monotone}" if chosen.not_monotone else "monotone")
    says.append("values cut to 8 bits" if chosen.rounding == "down" else "values rounded to 8 bits")
    says += [f"near the identity: {chosen.near_identity}"] if chosen.near_identity else []
    says += [f"no identity: {chosen.not_identity}"] if chosen.not_identity else []
    says.append(f"gray: {chosen.gray}")
    says.append(f"version {chosen.version}")
    return f"*Facts:* {'; '.join(says)}.\n\n*Source:* {chosen.source}."


def section(chosen: Corruption) -> str:
    """Everything about one corruption."""
    link = f"![{chosen.name}, clean and at its strengths](images/corruptions/{chosen.name}.png)"
    parts = [f"### `{chosen.name}`", link, inspect.getdoc(chosen.body) or ""]
    if chosen.severities:
        parts.append(table(chosen))
    if chosen.level is not None:
        parts.append(level_text(chosen.level))
    return "\n\n".join([*parts, facts(chosen)])


def page() -> str:
    """The text of the gallery."""
    index = [f"- {group}: " + ", ".join(f"[`{name}`](#{name})" for name in own_names(group)) for group in GROUPS]
    parts = [HEAD, "\n".join(index)]
    for group in GROUPS:
        parts += [f"## {group.capitalize()}", *(section(corruptions.get(name)) for name in own_names(group))]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the page and the pictures, and remove those of corruptions that are gone."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    names = [name for group in GROUPS for name in own_names(group)]
    for name in names:
        (PICTURES / f"{name}.png").write_bytes(png(picture(corruptions.get(name))))
    for path in PICTURES.glob("*.png"):
        if path.stem not in names:
            path.unlink()
    PAGE.write_text(page())
    size = sum(path.stat().st_size for path in PICTURES.glob("*.png"))
    print(f"{PAGE.relative_to(HERE.parent)}: {len(names)} corruptions, {size / 1e6:.1f} MB of pictures")


if __name__ == "__main__":
    main()
