"""robench beside the published CIFAR-10-C and CIFAR-100-C: the bytes of eight families, and accuracies under frost.

    python benchmarks/published.py -d cifar10:DIR
    python benchmarks/published.py -d cifar10:DIR --jpeg folder:cifar10-jpeg/test --resnet20 resnet20-cifar10.th

Each `-d` prints one line for the labels and one for each family that draws nothing: the md5 of the .npy file that
`robench generate` writes, the md5 of the published file, and `equal` or `differs`. The exit status is 1 if one differs.
The arrays are digested block by block and never held in memory.

`--resnet20` adds the section `frost`, which is printed and not asserted: top-1 of the published ResNet-20, the mean
over seeds, on the first 2,000 test images of CIFAR-10 and on every tenth of the test images kept as JPEG, in the order
of their paths.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence

import click
import numpy as np

import corruptions
from corruptions import CorruptionError
from robench import datasets, models
from robench.errors import RobenchError

SEVERITIES = (1, 2, 3, 4, 5)
PUBLISHED_SETS = {"cifar10": "CIFAR-10-C", "cifar100": "CIFAR-100-C"}
LABELS = "labels"
FIRST = 2000
EVERY = 10
BATCH = 500
GENERATOR, PHOTOGRAPHS, OWN = "published generator", "robench, published photographs", "robench, its own textures"
FROST = {
    "cifar10": {
        GENERATOR: (0.857, 0.775, 0.672, 0.649, 0.538),
        PHOTOGRAPHS: (0.856, 0.784, 0.670, 0.649, 0.532),
    },
    "jpeg": {
        GENERATOR: (0.692, 0.618, 0.516, 0.477, 0.366),
        PHOTOGRAPHS: (0.709, 0.633, 0.507, 0.484, 0.398),
    },
}


def npy_md5(shape: Sequence[int], blocks: Iterable[np.ndarray]) -> str:
    """The md5 of the file that np.save writes of a uint8 array, given as blocks along its first axis."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)})
    digest = hashlib.md5(header.getvalue(), usedforsecurity=False)
    for block in blocks:
        digest.update(np.ascontiguousarray(block, dtype=np.uint8))
    return digest.hexdigest()


def made_md5(data: datasets.Dataset, name: str) -> str:
    """The md5 of one file of the set: the labels tiled five times, or a family at five severities."""
    if name == LABELS:
        return npy_md5((len(SEVERITIES) * len(data),), [data.labels] * len(SEVERITIES))
    degraded = (corruptions.apply(images, name, severity) for severity in SEVERITIES for _, images in data.blocks(1000))
    return npy_md5((len(SEVERITIES) * len(data), *data.shape), degraded)


def compared_names(published: Iterable[str]) -> list[str]:
    """The labels, and the families that depend on the image alone: the others were drawn without a seed."""
    return [LABELS, *(name for name in published if name != LABELS and not corruptions.get(name).stochastic)]


def md5_rows(data: datasets.Dataset) -> Iterator[tuple[str, bool]]:
    """The lines of the section on bytes, each with whether it is as published."""
    published_set = PUBLISHED_SETS[data.name]
    published = datasets.published_md5s()[published_set]
    yield f"{published_set}: md5 of robench's file, md5 of the published file", True
    for name in compared_names(published):
        made = made_md5(data, name)
        equal = made == published[name]
        yield f"{name:18}{made}  {published[name]}  {'equal' if equal else 'differs'}", equal


def top1(classifier: models.Classifier, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose largest logit is their class's."""
    import torch

    parts = [torch.from_numpy(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    found = torch.cat([classifier.logits(part).argmax(dim=1) for part in parts])
    return float((found.numpy() == labels).mean())


def frost_accuracies(data: datasets.Dataset, classifier: models.Classifier, seeds: int) -> tuple[float, ...]:
    """Top-1 under frost at severities 1 to 5, the mean over seeds."""
    clean = data.images(0, len(data))

    def accuracy(severity: int, seed: int) -> float:
        return top1(classifier, corruptions.apply(clean, "frost", severity, seed=seed), data.labels)

    return tuple(float(np.mean([accuracy(severity, seed) for seed in range(seeds)])) for severity in SEVERITIES)


def row(name: str, values: Sequence[float]) -> str:
    """A line: a name, the five accuracies, their mean."""
    return f"{name:34}" + "".join(f"{value:7.3f}" for value in (*values, np.mean(values)))


def frost_rows(kind: str, data: datasets.Dataset, checkpoint: str, seeds: int) -> Iterator[str]:
    """The lines of the section on frost for one kind of images, `cifar10` or `jpeg`."""
    side = data.shape[0]
    classifier = models.load(f"resnet20={checkpoint}", classes=len(data.classes), input_size=side, normalize="imagenet")
    yield f"frost, ResNet-20 on {len(data)} images of {kind}, severities 1 to 5 and their mean"
    for name, values in FROST[kind].items():
        yield row(name, values)
    yield row(OWN, frost_accuracies(data, classifier, seeds))


def chosen(kind: str, data: datasets.Dataset) -> datasets.Dataset:
    """The images that the published figures of frost are of."""
    return data.at(np.arange(FIRST) if kind == "cifar10" else np.arange(0, len(data), EVERY))


def test_images(spec: str) -> datasets.Dataset:
    """The test images of CIFAR-10 or CIFAR-100; RobenchError for other images."""
    data = datasets.load(spec)
    if data.name not in PUBLISHED_SETS or data.split != "test":
        expected = " or ".join(f"{name}:DIR" for name in PUBLISHED_SETS)
        raise RobenchError(f"-d: expected the test images of {expected}, got {data.name}@{data.split}")
    return data


@click.command()
@click.option("-d", "--dataset", "specs", multiple=True, metavar="NAME:DIR", help="cifar10:DIR or cifar100:DIR")
@click.option("--jpeg", metavar="folder:DIR", help="the test images of CIFAR-10 kept as JPEG")
@click.option("--resnet20", metavar="CHECKPOINT", help="the published ResNet-20 of CIFAR-10")
@click.option("--seeds", type=int, default=5, show_default=True)
def main(specs: tuple[str, ...], jpeg: str | None, resnet20: str | None, seeds: int) -> None:
    """Print the sections whose data are given; exit with 1 if a file differs from the published one."""
    if not specs and not (jpeg and resnet20):
        raise click.UsageError("expected -d cifar10:DIR, -d cifar100:DIR, or --jpeg with --resnet20")
    try:
        same = _print_sections([test_images(spec) for spec in specs], jpeg, resnet20, seeds)
    except (CorruptionError, RobenchError) as fault:
        raise click.ClickException(str(fault)) from fault
    raise SystemExit(0 if same else 1)


def _print_sections(found: Sequence[datasets.Dataset], jpeg: str | None, resnet20: str | None, seeds: int) -> bool:
    """Print bytes, then frost; whether all bytes are as published."""
    same = True
    for data in found:
        for line, equal in md5_rows(data):
            click.echo(line)
            same = same and equal
    if resnet20:
        kinds = {data.name: data for data in found if data.name in FROST}
        kinds |= {"jpeg": datasets.load(jpeg)} if jpeg else {}
        for kind, data in kinds.items():
            for line in frost_rows(kind, chosen(kind, data), resnet20, seeds):
                click.echo(line)
    return same


if __name__ == "__main__":
    main()
