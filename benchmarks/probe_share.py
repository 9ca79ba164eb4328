"""What part of a sweep's time goes to asking whether its models are functions of their images.

    python benchmarks/probe_share.py -m resnet20=resnet20-cifar10.th --normalize imagenet -d cifar10:DIR -s cifar10-c/1

Every answer to the probe, before the sweep and after each unit, is timed within the sweep itself.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import click

from robench.sweep import SweepConfig, run
from robench.sweep._probe import Probe


class Timed:
    """A method with the seconds and calls that went into it."""

    def __init__(self, method: Any) -> None:
        self.method = method
        self.seconds = 0.0
        self.images = 0

    def bound(self) -> Any:
        """To be put in the method's place."""

        def call(probe: Probe, forward: Any, images: Any = None) -> Any:
            began = time.perf_counter()
            answers = self.method(probe, forward, images)
            self.seconds += time.perf_counter() - began
            self.images += len(answers)
            return answers

        return call


@click.command()
@click.option("-m", "models", multiple=True, required=True)
@click.option("-d", "dataset", required=True)
@click.option("-s", "suites", multiple=True)
@click.option("-c", "corruptions", multiple=True)
@click.option("--normalize")
@click.option("--limit", type=int)
@click.option("--batch-size", type=int, default=256)
def main(**options: Any) -> None:
    """Print the share, the images that the probe showed, and the seconds of the sweep."""
    timed = Timed(Probe.answers)
    Probe.answers = timed.bound()  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        config = SweepConfig.from_cli(out=Path(folder) / "run", **options)
        began = time.perf_counter()
        outcome = run(config)
        took = time.perf_counter() - began
    n = int(outcome.cells["n"].sum())
    print(f"probe: {timed.seconds:.2f} s of {took:.1f} s, {100 * timed.seconds / took:.2f} %; ", end="")
    print(f"{timed.images} images shown beside {n}")


if __name__ == "__main__":
    main()
