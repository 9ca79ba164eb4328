"""The whole of CIFAR-10-C on one core, today's code beside that of another checkout: ratios, family by family.

    git worktree add /tmp/before 7898b8b
    python benchmarks/versus.py /tmp/before -d cifar10:DIR --limit 2000

Both degrade the same images at the five severities, in processes of their own that take turns; of each family the
fastest round counts. Times are of this machine, the ratios are what to compare.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

import corruptions
from robench import datasets

HERE = Path(__file__).parent.parent
FAMILIES = {suite: list(corruptions.suite(suite).keys) for suite in ("cifar10-c/1", "cifar10-c-extra/1")}
TIMED = """
import json, sys, time
import numpy as np
import corruptions
images = np.load(sys.argv[1])
found = {}
for name in sys.argv[2].split(","):
    for severity in range(1, 6):
        corruptions.apply(images[:2], name, severity)
    began = time.perf_counter()
    for severity in range(1, 6):
        corruptions.apply(images, name, severity)
    found[name] = (time.perf_counter() - began) / 5 / len(images)
print(json.dumps(found))
"""


def timed(checkout: Path, images: Path) -> dict[str, float]:
    """Seconds an image of each family, by the corruptions of a checkout, on one thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1")
    place = {"PYTHONPATH": str(checkout), "NUMBA_CACHE_DIR": str(checkout / ".numba")}
    names = ",".join(name for names in FAMILIES.values() for name in names)
    command = [sys.executable, "-c", TIMED, str(images), names]
    done = subprocess.run(
        command, env=os.environ | threads | place, cwd=checkout, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


@click.command()
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-d", "--dataset", required=True)
@click.option("--view")
@click.option("--limit", type=int, default=2000, show_default=True)
@click.option("--rounds", type=int, default=5, show_default=True)
def main(before: Path, dataset: str, view: str | None, limit: int, rounds: int) -> None:
    """Print microseconds an image before and now, and their ratio."""
    data = datasets.load(dataset, view=view, limit=limit)
    with TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        np.save(images, data.images(0, len(data)))
        timings = [(timed(before.resolve(), images), timed(HERE, images)) for _ in range(rounds)]
    for suite, names in FAMILIES.items():
        fastest = {name: [1e6 * min(one[side][name] for one in timings) for side in (0, 1)] for name in names}
        for name, (old, new) in fastest.items():
            click.echo(f"{name:18} {old:8.2f} {new:8.2f}  {new / old:5.2f}")
        old, new = (sum(pair[side] for pair in fastest.values()) for side in (0, 1))
        click.echo(f"{suite:18} {old:8.2f} {new:8.2f}  {new / old:5.2f}")


if __name__ == "__main__":
    main()
