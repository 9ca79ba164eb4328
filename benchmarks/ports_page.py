"""docs/ports.md from the results: tables and what they mean. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from peer_page import table

import corruptions

REFERENCE = "imagenet-c"
SEED_ARGUMENT = {"imagecorruptions-imaug": ("impulse_noise", "glass_blur")}
"""The families to which a port gives an argument `seed`."""

REASONS = {
    ("jpeg_compression", None): "Pillow brings libjpeg-turbo; CIFAR-10-C was made with IJG libjpeg 9",
    ("elastic_transform", "imagecorruptions"): "no affine part; other displacements",
    ("elastic_transform", "corrupt-tta"): "constants of a side of 224; the published code counts on 244",
    ("frost", "imagecorruptions"): "photographs enlarged by 1.1",
    ("frost", "imagecorruptions-imaug"): "enlarged by 1.1; draws a sixth photograph too",
    ("frost", "corrupt-tta"): "draws a sixth photograph too",
    ("snow", "imagecorruptions"): "flakes are not cut to 8 bits before the blur, and not trimmed to the middle",
    ("snow", "corrupt-tta"): "box blur to both sides, without sigma",
    ("motion_blur", "corrupt-tta"): "box blur to both sides, without sigma; the published one is half a Gaussian",
    ("glass_blur", "corrupt-tta"): "swaps pixels where the published code copies one over the other",
    ("fog", "corrupt-tta"): "one decay for all severities",
    ("spatter", "corrupt-tta"): "mud at all severities; the published 1 to 3 are water",
}


def text_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with every column to the left."""
    return table(head, rows).replace("---:", "---", len(head))


def reason(family: str, port: str) -> str:
    """Why a port differs, by what its code does."""
    for name in (port, port.removesuffix("-imaug"), None):
        if (family, name) in REASONS:
            return REASONS[family, name]
    return ""


def kind(family: str, port: str, cells: dict[str, Any]) -> str:
    """`equal`, `within 1`, `different`, `reference` or `fault`, over all severities."""
    if "fault" in cells:
        return "fault"
    if port == REFERENCE and corruptions.get(family).stochastic:
        return "reference"
    most = max(cell["pixels"]["most"] for cell in cells.values())
    return "equal" if most == 0 else "within 1" if most == 1 else "different"


def shown(family: str, port: str, cells: dict[str, Any]) -> str:
    """A family's cell of the table."""
    found = kind(family, port, cells)
    if found == "within 1":
        differ = max(1 - cell["pixels"]["equal"] for cell in cells.values())
        return f"1 level, {100 * differ:.2g} %"
    if found == "different":
        return "**different**"
    return found


def names(results: dict[str, Any]) -> list[str]:
    """The ports, in order."""
    return list(results["ports"])


def counted(cells: dict[str, Any], port: str) -> list[str]:
    """How many families are equal, within 1 level, different."""
    kinds = [kind(family, port, found) for family, found in cells.items()]
    return [str(kinds.count(name)) for name in ("equal", "within 1", "different")]


def seed(port: str, facts: dict[str, Any]) -> str:
    """What NumPy's global seed does not reach."""
    own = SEED_ARGUMENT.get(port, ())
    missed = [f"`{name}`" + (" (has an argument `seed`)" if name in own else "") for name in facts["unseeded"]]
    return "all but " + ", ".join(missed) if missed else "all"


def port_table(results: dict[str, Any]) -> str:
    """One row a package."""
    rows = []
    for name, facts in results["ports"].items():
        runs = "yes" if facts["today"] is None else f"no: `{facts['today']}`"
        rows.append([*(f"`{name}`", facts["package"].split("==")[1], runs), *counted(facts["cells"]["224"], name)])
        rows[-1].append(seed(name, facts))
    return text_table(["package", "version", "runs today", "equal", "within 1 level", "different", "seeded"], rows)


def family_table(results: dict[str, Any]) -> str:
    """One row a family, at 224."""
    ports = names(results)
    families = results["ports"][REFERENCE]["cells"]["224"]
    rows = []
    for family in families:
        found = (results["ports"][port]["cells"]["224"][family] for port in ports)
        rows.append([f"`{family}`", *(shown(family, port, cells) for port, cells in zip(ports, found, strict=True))])
    return text_table(["family", *ports], rows)


def three(cells: dict[str, Any], which: str) -> str:
    """PSNR at severities 1, 3 and 5."""
    return " / ".join(f"{cells[at][which]['psnr']:.1f}" for at in ("1", "3", "5"))


def difference_rows(results: dict[str, Any]) -> Iterable[Sequence[str]]:
    """The families that differ, ports that do so alike in one row."""
    for family in results["ports"][REFERENCE]["cells"]["224"]:
        groups: dict[tuple[str, ...], list[str]] = {}
        for port, facts in results["ports"].items():
            cells = facts["cells"]["224"][family]
            if kind(family, port, cells) == "different":
                rms = " / ".join(f"{cells[at]['pixels']['rms']:.1f}" for at in ("1", "3", "5"))
                row = (three(cells, "published"), three(cells, "port"), rms, reason(family, port))
                groups.setdefault(row, []).append(port)
        for row, ports in groups.items():
            everyone = len(ports) == len(results["ports"])
            yield [f"`{family}`", "all" if everyone else ", ".join(ports), *row]


def size_rows(results: dict[str, Any]) -> Iterable[Sequence[str]]:
    """What each port does with other shapes: how many of the families run and keep the shape."""
    for port, facts in results["ports"].items():
        count = len(facts["cells"]["224"])
        yield [f"`{port}`", *(f"{count - len(faults)}" for faults in facts["sizes"].values())]


def small_table(results: dict[str, Any]) -> str:
    """32 pixels, severity 3: accuracy where it was measured, and PSNR."""
    ports = [name for name in names(results) if name != "imagecorruptions-imaug"]
    accuracy = results["accuracy"]
    rows = []
    for family in results["ports"][REFERENCE]["cells"]["32"]:
        cells = {port: results["ports"][port]["cells"]["32"][family] for port in ports}
        whole = next(found for found in cells.values() if "fault" not in found)
        psnr = {port: "–" if "fault" in found else f"{found['3']['port']['psnr']:.1f}" for port, found in cells.items()}
        row = [f"{whole['3']['published']['psnr']:.1f}", *psnr.values()]
        if accuracy["published"]:
            tops = [accuracy["published"][family], *(results["ports"][port]["accuracy"][family] for port in ports)]
            row = [f"{text}, {percent(top)}" for text, top in zip(row, tops, strict=True)]
        rows.append([f"`{family}`", *(text.replace("–, –", "–") for text in row)])
    return table(["family", "published", *ports], rows)


def percent(share: float | None) -> str:
    """A share in percent."""
    return "–" if share is None else f"{100 * share:.0f} %"


def pins(results: dict[str, Any], port: str) -> str:
    """The libraries that a port ran with."""
    return ", ".join(f"{name} {version}" for name, version in results["ports"][port]["versions"].items())


def accuracy_line(results: dict[str, Any]) -> str:
    """Means over the families that both have."""
    published, own = results["accuracy"]["published"], results["ports"]["imagecorruptions"].get("accuracy")
    if not published or not own:
        return ""
    means = [100 * sum(found[name] for name in own) / len(own) for found in (published, own)]
    count = results["accuracy"]["images"]
    return (
        f"The second number is the top-1 accuracy of the published ResNet-20 on the first {count}"
        f" test images of CIFAR-10\n({percent(published['clean'])} clean). Its mean over the 19 families is"
        f" {means[0]:.1f} % with the published definition and {means[1]:.1f} % with\n`imagecorruptions`."
    )


def page(results: dict[str, Any]) -> str:
    """The whole page."""
    lacking = ", ".join(f"`{name}`" for name in results["ports"][REFERENCE]["sizes"]["224"]) or "none"
    parts = [
        "# How robench differs from the ImageNet-C ports people use",
        "Made by `benchmarks/ports.py` from `benchmarks/results/ports.json`.",
        "robench has the pixels of the published generator: see [what was checked](validation.md). Other packages"
        " implement the\nsame 19 families. This page compares four of them, as PyPI has them, with the published"
        " definition.",
        port_table(results),
        f"*Runs today*: imports with {', '.join(text.replace('==', ' ') for text in results['today'])}.\n*Equal*,"
        " *within 1 level*, *different*: families at 224 pixels, over all five severities. `imagenet-c` is the"
        " published code,\nso its eleven random families are the reference and are not counted. *Seeded*: the families"
        " that `numpy.random.seed` makes\nreproducible.",
        "## The families at 224 pixels",
        family_table(results),
        "A percentage is the share of values that differ, at the severity with the most. Families without draws are"
        " compared with\nrobench. Random families are compared with `imagenet-c` on the same seed.",
        "## Where they differ",
        text_table(
            ["family", "port", "published, PSNR", "port, PSNR", "rms", "why"],
            difference_rows(results),
        ),
        f"Severities 1 / 3 / 5, means of {results['images']} images. PSNR is against the clean image, in dB: higher is"
        " easier. *rms* is the\ndifference between port and published image on the same seed, in grey levels; where the"
        " two draw in another order it\ncontains the difference of the draws.",
        "## Other sizes",
        table(["families that run and keep the shape", *results["ports"][REFERENCE]["sizes"]], size_rows(results)),
        f"Severity 3. `imagenet-c` has no photographs in its package, so these fail as installed: {lacking}. For the"
        " tables above it got\nthose that `imagecorruptions` ships. `imagecorruptions` and its fork return gray images"
        " with three channels.",
        "Every port has one severity table, that of 224 pixels. CIFAR-10-C and Tiny-ImageNet-C have tables of"
        " their own. PSNR at 32\npixels, severity 3, in dB:",
        small_table(results),
        accuracy_line(results),
        "## What it means",
        REMARKS,
        "## How it was measured",
        f"{results['date']}. Four photographs that scikit-image ships, the middle square resized to the side, each"
        f" {results['images'] // 4} times with other\nseeds. Results that are not 8-bit are cut to 8 bits."
        " `random_noise` of scikit-image, which has a generator of its own, gets\nthe image's seed in the comparison of"
        " pixels, and so does an argument `seed` of a port.",
        "\n".join(f"- `{port}`: {pins(results, port)}" for port in names(results)),
        "Packages are installed with these libraries in place of their own requirements: `imagenet-c` asks for OpenCV"
        " 3. It also\nneeds libmagickwand; it ran with ImageMagick 6.9.11.",
        "scikit-image has no wheel for Python 3.11 that still takes the argument `multichannel` of `gaussian`. Both"
        " packages that pass\nit got a stand-in that translates it to `channel_axis`.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


REMARKS = """\
- At 224 pixels most families of every port are the published ones. Their accuracies compare with each other in memory.
  They do not compare with accuracies on [ImageNet-C's files](imagenet-c.md).
- `elastic_transform` of `imagecorruptions` is another corruption, without the affine part. Its accuracy does not
  compare with the published one at any severity.
- `motion_blur`, `snow`, `glass_blur`, `fog` and `spatter` of `corrupt-tta` are other corruptions. An mCE with them is
  not the published mCE.
- `jpeg_compression` differs by the JPEG library that Pillow ships, not by the code of the ports. robench has that
  library's pixels as `jpeg_turbo`.
- `frost` of every port but `imagenet-c` takes other crops or other photographs.
- A port at 32 pixels measures a harder benchmark than CIFAR-10-C. State the port and its version with such a number."""
