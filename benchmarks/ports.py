"""The ports of ImageNet-C that people install, against the published definition: pixels, not rates.

    python benchmarks/ports.py            measure, then write benchmarks/results/ports.json and docs/ports.md
    python benchmarks/ports.py --page     only write docs/ports.md again

Each package runs in environments of its own under build/peers (or --work): one of today's libraries, and where that
fails one of the last libraries that it runs with. robench is the published definition: it gives the published bytes or
is within a level of the published code with the same draws. Families without draws are compared with robench pixel by
pixel. Random ones are compared with the package `imagenet-c`, which is the published code, where a seed gives both the
same draws, and with robench by their residuals. Needs Linux (taskset) and libmagickwand for `imagenet-c`.
"""

from __future__ import annotations

import datetime
import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import published
from peer_setup import PEERS, Contestant, Peer, made
from ports_page import page
from skimage import data

import corruptions
from robench import datasets, models

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "ports.json"
PAGE = ROOT / "docs" / "ports.md"
FAMILIES = (*corruptions.suite("cifar10-c/1").keys, *corruptions.suite("cifar10-c-extra/1").keys)
SEVERITIES = (1, 2, 3, 4, 5)
ROUNDS = 4
CIFAR_COUNT = 500
SHAPES = {
    "224": (224, 224, 3),
    "16": (16, 16, 3),
    "32": (32, 32, 3),
    "64": (64, 64, 3),
    "160 x 224": (160, 224, 3),
    "299": (299, 299, 3),
}
GRAY = {"224 gray": (224, 224)}

TODAY = (
    *("setuptools==84.2.1", "numpy==2.4.6", "scipy==1.17.1", "scikit-image==0.26.0", "numba==0.68.1"),
    *("opencv-python-headless==5.0.0.93", "pillow==13.0.0"),
)
OLD = PEERS[0].needs


@dataclass(frozen=True)
class Port:
    """A package, the module it installs, and the old libraries it runs with where today's are too new."""

    package: str
    module: str
    old: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


PORTS = (
    Port("imagenet-c==0.0.3", "imagenet_c", OLD, ("wand==0.6.13",)),
    Port("imagecorruptions==1.1.2", "imagecorruptions", OLD),
    Port("imagecorruptions-imaug==1.1.5", "imagecorruptions"),
    Port("corrupt-tta==0.1.7", "corrupt_tta"),
)
REFERENCE = "imagenet-c"


def photographs(side: int) -> Any:
    """Four pictures that scikit-image ships, their middle squares at this side, uint8 (4, side, side, 3)."""
    squares = []
    for picture in (data.astronaut(), data.chelsea(), data.coffee(), data.rocket()):
        edge = min(picture.shape[:2])
        top, left = ((length - edge) // 2 for length in picture.shape[:2])
        square = picture[top : top + edge, left : left + edge]
        squares.append(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA))
    return np.stack(squares)


def started(stack: ExitStack, port: Port, work: Path, needs: tuple[str, ...], when: str) -> tuple[Contestant, Path]:
    """The package's process with these libraries. Raises RuntimeError where it cannot be imported."""
    name = f"{port.package.split('==')[0]}-{when}"
    python = made(Peer(name, port.package, (*needs, *port.more)), work)
    log = work / f"{name}.log"
    old = {"STAND_IN": "1"} if needs is OLD else {}
    return stack.enter_context(Contestant("port", python, 0, log, PORT=port.module, **old)), python


def frost_pictures(python: Path) -> Path:
    """The folder of the six published photographs, which `imagecorruptions` ships."""
    [folder] = python.parent.parent.glob("lib/python*/site-packages/imagecorruptions/frost")
    return folder


def difference(out: Any, expected: Any) -> dict[str, Any]:
    """Share of equal values, root mean square and greatest difference, in levels."""
    apart = np.abs(out.astype(int) - expected)
    return {
        "equal": round(float((apart == 0).mean()), 6),
        "rms": round(float(np.sqrt((apart**2).mean())), 3),
        "most": int(apart.max()),
    }


def residual(out: Any, clean: Any) -> dict[str, float]:
    """Mean and deviation of degraded less clean, in levels, and the mean PSNR of the images, in dB."""
    apart = out.astype(float) - clean
    psnr = 10 * np.log10(255**2 / np.maximum((apart**2).mean(axis=(1, 2, 3)), 1e-9))
    return {
        name: round(float(value), 2)
        for name, value in (("mean", apart.mean()), ("sd", apart.std()), ("psnr", psnr.mean()))
    }


def own(images: Any, family: str, severity: int, textures: tuple[Any, ...]) -> Any:
    """The published definition: robench, with the published photographs."""
    extra = {"textures": textures} if family == "frost" else {}
    return corruptions.apply(images, family, severity, ids=np.arange(len(images)), seed=1, **extra)


def asked(
    one: Contestant, work: Path, side: int | str, family: str, severity: int, **more: Any
) -> tuple[Any, dict[str, Any]]:
    """The port's images, None where it raises, and its answer."""
    out = work / "made.npy"
    request = {"family": family, "severity": severity, "seed": 100 * severity, "out": str(out)}
    answer = one.ask(job="make", images=str(work / f"clean{side}.npy"), **(request | more))
    return (None if "fault" in answer else np.load(out)), answer


def cells(one: Contestant, work: Path, side: int, definition: dict[Any, Any], drawn: dict[Any, Any]) -> dict[str, Any]:
    """What is different from the definition, and by how much: every severity at 224 pixels, the third at 32."""
    clean = np.load(work / f"clean{side}.npy")
    found: dict[str, Any] = {}
    for family in FAMILIES:
        random = corruptions.get(family).stochastic
        for severity in SEVERITIES if side == 224 else (3,):
            out, answer = asked(one, work, side, family, severity, shared=True)
            if out is None or out.shape != clean.shape:
                fault = answer.get("fault") or f"returns {' x '.join(map(str, out.shape[1:]))}"
                found[family] = {"fault": fault.splitlines()[0]}
                break
            expected = drawn.get((family, severity)) if random else definition[family, severity]
            paired = definition[family, severity] if expected is None else expected
            cell = {"port": residual(out, clean), "published": residual(paired, clean)}
            cell |= {"pixels": None if expected is None else difference(out, expected)}
            found.setdefault(family, {})[str(severity)] = cell
        click.echo(f"{side} {family} {found[family].get('3') or found[family]}", err=True)
    return found


def unseeded(one: Contestant, work: Path, side: int) -> list[str]:
    """The families that differ when NumPy's global seed is the same."""
    pairs = {family: [asked(one, work, side, family, 3)[0] for _ in range(2)] for family in FAMILIES}
    return [name for name, (first, second) in pairs.items() if first is not None and not np.array_equal(first, second)]


def sizes(one: Contestant) -> dict[str, dict[str, str]]:
    """For each shape the families that raise or return another shape, and how."""
    found: dict[str, dict[str, str]] = {}
    for label, shape in (SHAPES | GRAY).items():
        found[label] = {}
        for family in FAMILIES:
            answer = one.ask(job="probe", family=family, shape=shape)
            if answer.get("shape") != list(shape):
                found[label][family] = answer.get("fault", f"returns {answer.get('shape')}").splitlines()[0]
    return found


class Cifar:
    """The first test images of CIFAR-10, and the published ResNet-20 that names them."""

    def __init__(self, spec: str, checkpoint: str) -> None:
        chosen = datasets.load(spec).at(np.arange(CIFAR_COUNT))
        self.images, self.labels = chosen.images(0, CIFAR_COUNT), chosen.labels
        self.network = models.load(f"resnet20={checkpoint}", classes=10, input_size=32, normalize="imagenet")

    def top1(self, images: Any) -> float | None:
        """The share of images named rightly; None where there are none of that shape."""
        if images is None or images.shape != self.images.shape:
            return None
        return round(published.top1(self.network, images, self.labels), 4)


def measured(
    port: Port, work: Path, sides: dict[int, dict[Any, Any]], drawn: dict[Any, Any], cifar: Cifar | None
) -> dict[str, Any]:
    """One port: where it runs, and its families. The reference leaves its pixels in `drawn`."""
    facts: dict[str, Any] = {"package": port.package, "today": None, "stand_in": False}
    with ExitStack() as stack:
        try:
            one, python = started(stack, port, work, TODAY, "today")
        except RuntimeError as fault:
            facts["today"] = str(fault).split(" ended: ")[1]
            one, python = started(stack, port, work, port.old, "old")
            facts["stand_in"] = True
        facts["versions"] = one.versions
        reference = port.package.startswith(REFERENCE)
        [package] = python.parent.parent.glob(f"lib/python*/site-packages/{port.module}")
        if reference:
            shutil.rmtree(package / "frost", ignore_errors=True)  # of an earlier run: the package comes without it
        facts["sizes"] = sizes(one)
        if reference:
            shutil.copytree(work / "frost", package / "frost")
            for family in FAMILIES:
                for severity in SEVERITIES:
                    drawn[family, severity] = asked(one, work, 224, family, severity, shared=True)[0]
        facts["unseeded"] = unseeded(one, work, 224)
        if cifar:
            facts["accuracy"] = {
                name: cifar.top1(asked(one, work, "cifar", name, 3, shared=True)[0]) for name in FAMILIES
            }
        facts["cells"] = {
            str(side): cells(one, work, side, definition, drawn if side == 224 else {})
            for side, definition in sides.items()
        }
    return facts


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), default=ROOT / "build" / "peers", help="environments, images")
@click.option("--page", "only_page", is_flag=True, help="only write docs/ports.md from the results")
@click.option("-d", "--dataset", "cifar10", metavar="cifar10:DIR", help="CIFAR-10, for accuracies at 32 pixels")
@click.option("--resnet20", metavar="CHECKPOINT", help="the published ResNet-20 of CIFAR-10, for the same")
def main(work: Path, only_page: bool, cifar10: str | None, resnet20: str | None) -> None:
    """Measure, then write the results and the page."""
    if not only_page:
        work = work.resolve()
        work.mkdir(parents=True, exist_ok=True)
        pictures = frost_pictures(made(PEERS[0], work))
        shutil.copytree(pictures, work / "frost", dirs_exist_ok=True)
        textures = tuple(cv2.imread(str(path))[..., ::-1] for path in sorted(pictures.iterdir()))
        sides = {}
        for side in (224, 32):
            clean = np.concatenate([photographs(side)] * ROUNDS)
            np.save(work / f"clean{side}.npy", clean)
            sides[side] = {(name, at): own(clean, name, at, textures) for name in FAMILIES for at in SEVERITIES}
        cifar, accuracy = Cifar(cifar10, resnet20) if cifar10 and resnet20 else None, None
        if cifar:
            np.save(work / "cleancifar.npy", cifar.images)
            accuracy = {name: cifar.top1(own(cifar.images, name, 3, textures)) for name in FAMILIES}
            accuracy["clean"] = cifar.top1(cifar.images)
        drawn: dict[Any, Any] = {}
        results = {
            "schema": "robench-ports/1",
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "images": 4 * ROUNDS,
            "today": list(TODAY),
            "accuracy": {"images": CIFAR_COUNT, "published": accuracy},
            "ports": {port.package.split("==")[0]: measured(port, work, sides, drawn, cifar) for port in PORTS},
        }
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(page(json.loads(RESULTS.read_text())))
    click.echo(f"{RESULTS.relative_to(ROOT)}\n{PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
