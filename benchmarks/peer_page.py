"""docs/benchmarks.md from the results: tables and what they mean. Nothing is measured here."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

CIFAR_COUNT = 10_000
PEER_NAMES = ("imagecorruptions", "albumentations", "kornia")
PUBLISHED_SINCE = "2026-11-28"
BEFORE = """\
These rates are of the versions before the 19 families became the published ones. Since then `cifar10-c/1` takes 1.20
times as long at 32 pixels, and no family more than 1.81 times: `python benchmarks/versus.py` against commit 7898b8b,
1,000 images, three rounds."""
Cell = dict[str, Any]


def seconds_an_image(cells: dict[str, Cell], who: str) -> float | None:
    """Mean over the severities of the seconds that an image takes; None where a rate is missing."""
    rates = [cell.get(who) for cell in cells.values()]
    if not all(isinstance(rate, (int, float)) for rate in rates):
        return None
    return statistics.fmean(1 / float(rate or 0) for rate in rates)


def ratio(cells: dict[str, Cell], who: str) -> float | None:
    """How many times faster robench is than a peer on one family."""
    own, other = seconds_an_image(cells, "robench"), seconds_an_image(cells, who)
    return None if own is None or other is None else other / own


def ratios(families: dict[str, dict[str, Cell]], who: str) -> dict[str, float]:
    """The ratio of every family that the peer has."""
    found = {name: ratio(cells, who) for name, cells in families.items()}
    return {name: value for name, value in found.items() if value is not None}


def total(families: dict[str, dict[str, Cell]], who: str, without: Iterable[str] = ()) -> float:
    """Seconds for all families at five severities on one image, the mean severity standing for the two not measured."""
    each = [seconds_an_image(cells, who) for name, cells in families.items() if name not in without]
    return 5 * sum(seconds for seconds in each if seconds is not None)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column to the left."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def rate_text(rate: Any) -> str:
    """A rate with three digits that count; a dash where there is none."""
    if not isinstance(rate, (int, float)):
        return "–"
    if rate >= 1000:
        return f"{float(f'{rate:.3g}') / 1000:g}k"
    return f"{float(f'{rate:.3g}'):g}"


def times(value: float | None) -> str:
    """A ratio, to two digits below ten."""
    if value is None:
        return "–"
    return f"{value:.0f}x" if value >= 10 else f"{value:.1f}x" if value >= 2 else f"{value:.2f}x"


def family_rows(results: dict[str, Any], side: str) -> Iterable[list[str]]:
    """Rates at the three severities, and the ratios."""
    for family, cells in results["rates"][side].items():
        peers = [name for name in PEER_NAMES if name in results["versions"]]
        shown = [" / ".join(rate_text(cell.get(who)) for cell in cells.values()) for who in ("robench", *peers)]
        shown = ["–" if set(text) <= set("–/ ") else text for text in shown]
        yield [f"`{family}`", *shown, *(times(ratio(cells, who)) for who in peers)]


def family_table(results: dict[str, Any], side: str) -> str:
    """One side's families."""
    peers = [name for name in PEER_NAMES if name in results["versions"]]
    return table(["family", "robench", *peers, *(f"to {name}" for name in peers)], family_rows(results, side))


def total_table(results: dict[str, Any]) -> str:
    """Totals against imagecorruptions, with and without the two families that take most of its time."""
    rows = []
    for side, families in results["rates"].items():
        for text, without in (
            ("all 19", ()),
            ("without glass_blur", ("glass_blur",)),
            ("without glass_blur and frost", ("glass_blur", "frost")),
        ):
            own, other = (total(families, who, without) for who in ("robench", "imagecorruptions"))
            condition = CIFAR_COUNT if side == "32" else 100
            rows.append(
                [
                    side,
                    text,
                    str(condition),
                    f"{own * condition:.1f} s",
                    f"{other * condition:.0f} s",
                    times(other / own),
                ]
            )
    return table(["side", "families", "images", "robench", "imagecorruptions", "ratio"], rows)


def summary(results: dict[str, Any]) -> str:
    """The spread of the ratios, one line a side and peer."""
    rows = []
    for side, families in results["rates"].items():
        for who in PEER_NAMES:
            found = ratios(families, who)
            if found:
                low, high = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
                rows.append(
                    [
                        *(side, who, str(len(found)), times(statistics.median(found.values()))),
                        f"{times(found[low])} (`{low}`)",
                        f"{times(found[high])} (`{high}`)",
                        ", ".join(f"`{name}`" for name, value in found.items() if value < 1) or "none",
                    ]
                )
    return table(["side", "peer", "families", "median", "least", "most", "where robench is slower"], rows)


def whole(results: dict[str, Any]) -> str:
    """The CIFAR-10-C that was really made."""
    full = results["full"]
    if full is None:
        return "Not made in this run (`--full`)."
    one, two = full["one_core"], full["two_cores"]
    without = one["cpu"] - sum(one["families"][name] for name in ("glass_blur", "frost"))
    files, first = full["generate"], full["first_use"]
    rows = [
        ["compute, one core", f"{one['cpu']:.1f} s ({one['wall']:.1f} s by the clock)"],
        ["compute, one core, without glass_blur and frost", f"{without:.1f} s"],
        [
            "compute, half the images each on two cores at once, the slower",
            f"{two['cpu']:.1f} s, {one['cpu'] / two['cpu']:.2f}x one core ({two['wall']:.1f} s by the clock)",
        ],
        ["`robench generate --workers 1`, by the clock, start and 2.9 GB of .npy included", f"{files['1']:.1f} s"],
        ["`robench generate --workers 2`", f"{files['2']:.1f} s, {times(files['1'] / files['2'])} one"],
        ["every family once on a machine where nothing is compiled yet", f"{first['first']:.1f} s"],
        ["every family once in a later process", f"{first['later']:.1f} s"],
    ]
    return table(["what", "seconds"], rows)


def fault_lines(results: dict[str, Any]) -> str:
    """What a peer could not do."""
    lines = [f"- {name} is absent: {reason}" for name, reason in results["absent"].items()]
    for side, families in results["rates"].items():
        for family, cells in families.items():
            for severity, cell in cells.items():
                for who, rate in cell.items():
                    if isinstance(rate, str):
                        lines.append(f"- {who}, {family} {severity} at {side}: {rate.splitlines()[0]}")
    return "\n".join(lines) or "Every operation ran."


def operation_table(results: dict[str, Any]) -> str:
    """Which operation of the peers stands for a family."""
    peers = [name for name in ("albumentations", "kornia") if name in results["operations"]]
    families = results["rates"]["32"]
    rows = [[f"`{name}`", *(results["operations"][who].get(name, "–") for who in peers)] for name in families]
    return table(["family", *peers], rows)


def page(results: dict[str, Any]) -> str:
    """The whole page."""
    machine, load = results["machine"], results["load"]
    versions = [
        f"- {who}: " + ", ".join(f"{name} {version}" for name, version in packages.items())
        for who, packages in results["versions"].items()
    ]
    parts = [
        "# How fast, next to what else there is",
        "Made by `make benchmark`; written by `benchmarks/peers.py` from `benchmarks/results/peers.json`.",
        "Images a second on one core, compute only, warm, at severities 1 / 3 / 5. A ratio is the time a peer takes for"
        "\nthe three severities over the time that robench takes.",
        *([BEFORE] if results["date"] < PUBLISHED_SINCE else []),
        "## In short",
        summary(results),
        "Totals are for all five severities of all families; 2 and 4, which are not measured, count as the mean of the"
        " others.",
        total_table(results),
        f"## CIFAR-10-C, really made: {CIFAR_COUNT:,} images, 19 families, 5 severities",
        whole(results),
        "## 32 x 32",
        family_table(results, "32"),
        "## 224 x 224",
        family_table(results, "224"),
        "## What to make of it",
        REMARKS,
        "The operations that stand for a family:",
        operation_table(results),
        fault_lines(results),
        "## How it was measured",
        f"{results['date']}, {machine['processor']}, {machine['cores']} cores, {machine['system']}, Python"
        f" {machine['python']}. The machine is a shared one: its load\nwas {load['before']:.1f} before the start,"
        f" {load['median']:.1f} in the middle of the run and {load['most']:.1f} at most; the run itself is 1.",
        f"Every contestant is a process of its own on the same core, with one thread. They take turns in"
        f" {results['rounds']} rounds of\n{results['seconds']} s on the same photographs, which scikit-image ships; the"
        " clock is the process's own CPU time, and the median of\nthe rounds is kept. Images are in memory before, and"
        " every operation has run once.",
        "\n".join(versions),
    ]
    return "\n\n".join(parts) + "\n"


REMARKS = """\
- **imagecorruptions** is the published package. It runs with old libraries only: setuptools before 82 for
  `pkg_resources`, numpy before 2 for `np.float_`, and a stand-in for scikit-image's `gaussian`, which lost the argument
  `multichannel`. It uses the constants for 224 pixels at every size, so at 32 some of its kernels are larger than
  CIFAR-10-C's and robench's, and some of its work is other work: its `elastic_transform` has no affine part, its
  `pixelate` enlarges with nearest neighbours where CIFAR-10-C averages, and its `frost` reads a picture file for every
  image.
- **albumentations** and **kornia** are libraries for augmentation. Their operations are the nearest ones, with the
  strength of robench's row where the parameter means the same; the pixels are not those of the benchmark, and some are
  much simpler: a brightness that is added through a table of 256 entries, a pixelation by nearest neighbours, a snow
  that only bleaches. Neither gives an image its own reproducible draws.
- kornia works on batches of float tensors, and its conversion from and to 8 bits is not counted. robench takes blocks,
  uint8 in and out. The others take one image at a time."""
