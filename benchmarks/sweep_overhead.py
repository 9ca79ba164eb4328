"""How much longer a sweep takes than its forward passes alone, measured side by side in one run.

    python benchmarks/sweep_overhead.py -m resnet20=resnet20-cifar10.th -d folder:cifar10-jpeg/test --limit 2000
    python benchmarks/sweep_overhead.py -m resnet20 -m resnet56 -s cifar10-c/1 -d folder:cifar10-jpeg/test --rounds 1

Each round times the bare forward passes (the same images, batch and threads, degraded beforehand and in memory) and a
whole sweep: reading the images, degrading, scoring, writing the run. The ratio printed is the median over rounds; the
memory is what the process took during the sweep beyond what it held before, files apart. Models without a checkpoint
get random weights.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path

import click
import torch

import corruptions
from robench import datasets, models
from robench.selection import select
from robench.sweep import SweepConfig, SweepPlan, evaluate


def forward_seconds(classifiers: list[models.Classifier], batches: list[torch.Tensor]) -> float:
    """Seconds for all forward passes."""
    began = time.perf_counter()
    for batch in batches:
        for classifier in classifiers:
            classifier.logits(batch)
    return time.perf_counter() - began


class Watch(threading.Thread):
    """The largest anonymous memory of this process, in MiB, looked at ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until the end."""
        while not self._ended.wait(0.1):
            self.most = max(self.most, self.look())

    @staticmethod
    def look() -> float:
        """The anonymous memory now."""
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

    def end(self) -> float:
        """Stop looking; the largest."""
        self._ended.set()
        self.join()
        return self.most


@click.command()
@click.option("-m", "--model", "specs", required=True, multiple=True)
@click.option("-d", "--dataset", required=True)
@click.option("-s", "--suite")
@click.option("-c", "--corruption", "chosen", multiple=True, help="awgn@0.05,0.1,0.15,0.2 unless told")
@click.option("--normalize")
@click.option("--limit", type=int, default=2000, show_default=True)
@click.option("--batch-size", type=int, default=256, show_default=True)
@click.option("--rounds", type=int, default=5, show_default=True)
def main(
    specs: tuple[str, ...],
    dataset: str,
    suite: str | None,
    chosen: tuple[str, ...],
    normalize: str | None,
    limit: int,
    batch_size: int,
    rounds: int,
) -> None:
    """Print the seconds of each round and the median ratio."""
    data = datasets.load(dataset, limit=limit)
    classifiers = [
        models.load(one, classes=len(data.classes), input_size=data.shape[:2], normalize=normalize, random_weights=True)
        for one in specs
    ]
    suites = {suite: select([suite])} if suite else {}
    plan = SweepPlan(select(list(suites), chosen or (() if suite else ("awgn@0.05,0.1,0.15,0.2",))), suites=suites)
    batches = []
    for condition in plan.conditions():
        for where, images in data.blocks(batch_size):
            if not condition.strength.is_clean:
                chosen_one = corruptions.get(condition.corruption)
                images = corruptions.apply_strength(images, chosen_one, condition.strength, ids=data.ids[where])
            batches.append(torch.from_numpy(images))
    forward_seconds(classifiers, batches[:4])
    ratios = []
    for number in range(rounds):
        forward = forward_seconds(classifiers, batches)
        with tempfile.TemporaryDirectory() as folder:
            watch = Watch()
            before = watch.look()
            watch.start()
            began = time.perf_counter()
            evaluate(data, classifiers, plan, SweepConfig((), "", Path(folder) / "run", batch_size=batch_size))
            sweep = time.perf_counter() - began
            memory = watch.end() - before
        ratios.append(sweep / forward)
        times = f"forward {forward:.2f} s, sweep {sweep:.2f} s, ratio {ratios[-1]:.3f}"
        click.echo(f"round {number + 1}: {times}, {memory:.0f} MiB")
    images = sum(map(len, batches)) * len(classifiers)
    click.echo(f"median ratio {statistics.median(ratios):.3f} over {rounds} rounds of {images} images, ", nl=False)
    click.echo(f"{torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
