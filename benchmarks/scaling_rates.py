"""The rates behind docs/scaling.md, measured on this machine: decode, degrade, forward, bytes of a cell.

python benchmarks/scaling_rates.py -d folder:imagenet-100 --view resize256-crop224 -m torchvision:resnet50
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch

import corruptions
from robench import datasets, models
from robench.selection import select
from robench.sweep import SweepConfig, SweepPlan, evaluate

SUITE = "cifar10-c/1"


def seconds(work: Callable[[], object]) -> float:
    """By the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@click.command()
@click.option("-d", "--dataset", required=True)
@click.option("--view")
@click.option("-m", "--model", required=True)
@click.option("--classes", default=1000, show_default=True, help="of the data set that is planned for")
@click.option("--limit", default=100, show_default=True)
@click.option("--batch-size", default=32, show_default=True)
def main(dataset: str, view: str | None, model: str, classes: int, limit: int, batch_size: int) -> None:
    """Print images a second and bytes an image."""
    data = datasets.load(dataset, view=view, limit=limit)
    click.echo(f"decode: {limit / seconds(lambda: data.images(0, limit)):.0f} images/s, one core")
    images = data.images(0, limit)
    cells = [(name, key) for name, keys in corruptions.suite(SUITE).keys.items() for key in keys]
    for name, key in cells:  # compiled before it is timed
        corruptions.apply(images[:1], name, int(key))
    took = seconds(lambda: [corruptions.apply(images, name, int(key)) for name, key in cells])
    click.echo(f"degrade: {limit * len(cells) / took:.0f} images/s over {SUITE}, one core")
    classifier = models.load(model, classes=len(data.classes), input_size=data.shape[:2], random_weights=True)
    batch = torch.from_numpy(images[:batch_size])
    classifier.logits(batch)
    rates = [batch_size / seconds(lambda: classifier.logits(batch)) for _ in range(5)]
    click.echo(f"forward: {np.median(rates):.1f} images/s, {model}, fp32, {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as folder:
        names = tuple(map(str, range(classes)))
        wide = models.load(model, classes=classes, input_size=data.shape[:2], random_weights=True)
        many = datasets.Dataset("many", "test", data.view, names, data.shape, data.ids, data.labels, data.read)
        config = SweepConfig((), "", Path(folder) / "run", batch_size=batch_size)
        evaluate(many, [wide], SweepPlan(select((), ("contrast@3",))), config)
        size = max(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
    click.echo(
        f"store: {size / limit:.0f} bytes an image and cell, {classes} classes; cache {images[0].nbytes} bytes an image"
    )


if __name__ == "__main__":
    main()
