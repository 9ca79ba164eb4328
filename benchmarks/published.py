"""Figures of the published generator beside robench's: printed, not asserted.

    python benchmarks/published.py -d cifar10:DIR --jpeg folder:cifar10-jpeg/test --resnet20 resnet20-cifar10.th

A section is printed where its data are given. `frost`: top-1 of the published ResNet-20, the mean over seeds, on the
first 2,000 test images of CIFAR-10 and on every tenth of the test images kept as JPEG, in the order of their paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click
import numpy as np
import torch

import corruptions
from robench import datasets, models

SEVERITIES = (1, 2, 3, 4, 5)
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


def top1(classifier: models.Classifier, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose largest logit is their class's."""
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
    classifier = models.load(f"resnet20={checkpoint}", classes=len(data.classes), side=side, normalize="imagenet")
    yield f"frost, ResNet-20 on {len(data)} images of {kind}, severities 1 to 5 and their mean"
    for name, values in FROST[kind].items():
        yield row(name, values)
    yield row(OWN, frost_accuracies(data, classifier, seeds))


def chosen(kind: str, spec: str) -> datasets.Dataset:
    """The images that the published figures are of."""
    data = datasets.load(spec)
    places = np.arange(FIRST) if kind == "cifar10" else np.arange(0, len(data), EVERY)
    return data.at(places)


@click.command()
@click.option("-d", "--dataset", "cifar10", metavar="cifar10:DIR", help="CIFAR-10 as published")
@click.option("--jpeg", metavar="folder:DIR", help="the test images of CIFAR-10 kept as JPEG")
@click.option("--resnet20", metavar="CHECKPOINT", help="the published ResNet-20 of CIFAR-10")
@click.option("--seeds", type=int, default=5, show_default=True)
def main(cifar10: str | None, jpeg: str | None, resnet20: str | None, seeds: int) -> None:
    """Print each section whose data are given."""
    for kind, spec in (("cifar10", cifar10), ("jpeg", jpeg)):
        if spec and resnet20:
            for line in frost_rows(kind, chosen(kind, spec), resnet20, seeds):
                click.echo(line)


if __name__ == "__main__":
    main()
