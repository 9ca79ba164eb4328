"""What it saves that freed memory is kept, measured side by side: the CPU time of one sweep without and with it.

    python benchmarks/kept_memory.py -m resnet20=resnet20-cifar10.th -d folder:cifar10-jpeg/test -c awgn@0.1,0.2

All options but --rounds are those of `robench evaluate`. The processes take turns, each with a run of its own. Without:
the environment names a setting of malloc that changes nothing, and robench leaves malloc alone.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

WITHOUT = {"MALLOC_PERTURB_": "0"}


def seconds(options: Sequence[str], variables: dict[str, str]) -> tuple[float, float]:
    """CPU time of one sweep, the program's and the system's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "robench", "evaluate", *options, "-o", str(Path(folder) / "run")]
        subprocess.run(command, env=os.environ | variables, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--rounds", type=int, default=3, show_default=True)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def main(rounds: int, options: tuple[str, ...]) -> None:
    """Print the seconds of each round and the median ratio."""
    ratios = []
    for number in range(rounds):
        given_back, kept = seconds(options, WITHOUT), seconds(options, {})
        ratios.append(sum(kept) / sum(given_back))
        times = f"without {given_back[0]:.1f} + {given_back[1]:.1f} s, with {kept[0]:.1f} + {kept[1]:.1f} s"
        click.echo(f"round {number + 1}: {times} (program + system), ratio {ratios[-1]:.3f}")
    click.echo(f"median ratio {statistics.median(ratios):.3f} over {rounds} rounds")


if __name__ == "__main__":
    main()
