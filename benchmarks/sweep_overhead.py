"""How much longer a sweep takes than its forward passes alone, measured side by side in one run.

    python benchmarks/sweep_overhead.py -m resnet20=resnet20-cifar10.th -d folder:cifar10-jpeg/test --limit 2000

Each round times the bare forward passes (the same images, batch and threads, degraded beforehand and in memory) and a
whole sweep: reading the images, degrading, scoring, writing the run. The ratio printed is the median over rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import click
import torch

import corruptions
from robench import datasets, models
from robench.evaluate import Asked, Way, evaluate
from robench.selection import select


def forward_seconds(classifier: models.Classifier, batches: list[torch.Tensor]) -> float:
    """Seconds for all forward passes."""
    began = time.perf_counter()
    for batch in batches:
        classifier.logits(batch)
    return time.perf_counter() - began


@click.command()
@click.option("-m", "--model", required=True)
@click.option("-d", "--dataset", required=True)
@click.option("-c", "--corruption", "chosen", multiple=True, default=["awgn@0.05,0.1,0.15,0.2"], show_default=True)
@click.option("--normalize")
@click.option("--limit", type=int, default=2000, show_default=True)
@click.option("--batch-size", type=int, default=256, show_default=True)
@click.option("--rounds", type=int, default=5, show_default=True)
def main(
    model: str,
    dataset: str,
    chosen: tuple[str, ...],
    normalize: str | None,
    limit: int,
    batch_size: int,
    rounds: int,
) -> None:
    """Print the seconds of each round and the median ratio."""
    data = datasets.load(dataset, limit=limit)
    classifier = models.load(model, classes=len(data.classes), side=data.shape[:2], normalize=normalize)
    asked = Asked(select(None, chosen))
    batches = []
    for unit in asked.units():
        for where, images in data.blocks(batch_size):
            if not unit.strength.is_clean:
                chosen_one = corruptions.get(unit.corruption)
                images = corruptions.apply_strength(images, chosen_one, unit.strength, ids=data.ids[where])
            batches.append(torch.from_numpy(images))
    forward_seconds(classifier, batches[:4])
    ratios = []
    for number in range(rounds):
        forward = forward_seconds(classifier, batches)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            evaluate(data, [classifier], asked, Path(folder) / "run", Way(batch_size))
            sweep = time.perf_counter() - began
        ratios.append(sweep / forward)
        click.echo(f"round {number + 1}: forward {forward:.2f} s, sweep {sweep:.2f} s, ratio {ratios[-1]:.3f}")
    images = sum(map(len, batches))
    click.echo(f"median ratio {statistics.median(ratios):.3f} over {rounds} rounds of {images} images, ", nl=False)
    click.echo(f"{torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
