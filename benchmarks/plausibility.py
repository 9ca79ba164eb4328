"""How far each family moves images, beside what the published generator does: printed, not asserted.

    python benchmarks/plausibility.py -d folder:cifar10-jpeg/test --limit 1000

PSNR in dB, from the mean squared error of each image, averaged over the images, and the mean residual in grey levels.
Published figures exist for 1,000 images of CIFAR-10 kept as JPEG, every 10th in the order of classes and files.
"""

from __future__ import annotations

import click
import numpy as np

import corruptions
from robench import datasets

FAMILIES = (*corruptions.suite("cifar10-c/1").keys, *corruptions.suite("cifar10-c-extra/1").keys)
PUBLISHED = {
    "gaussian_noise": (28.1, 24.6, 22.2, 21.2, 20.3),
    "impulse_noise": (25.2, 22.1, 20.3, 18.1, 16.6),
    "glass_blur": (21.9, 22.0, 22.7, 18.8, 19.4),
    "frost": (18.3, 14.9, 14.0, 14.8, 15.2),
}
PUBLISHED_RESIDUAL = {"frost": (31, 45, 50, 45, 41)}


def figures(clean: np.ndarray, name: str, severity: int) -> tuple[float, float]:
    """PSNR in dB and mean residual in grey levels of a family at a severity."""
    moved = corruptions.apply(clean, name, severity).astype(np.float64) - clean
    errors = np.square(moved).mean(axis=(1, 2, 3))
    return float(np.mean(10 * np.log10(255**2 / np.maximum(errors, 1e-9)))), float(moved.mean())


@click.command()
@click.option("-d", "--dataset", required=True)
@click.option("--limit", type=int, default=1000, show_default=True)
@click.option("--view")
def main(dataset: str, limit: int, view: str | None) -> None:
    """Print a line for each family, and the published one where there is one."""
    data = datasets.load(dataset, limit=limit, view=view)
    clean = data.images(0, len(data))
    for name in FAMILIES:
        found = [figures(clean, name, severity) for severity in range(1, 6)]
        both = ["  ".join(f"{value:5.1f}" for value in column) for column in zip(*found, strict=True)]
        click.echo(f"{name:18} PSNR {both[0]}   residual {both[1]}")
        if name in PUBLISHED:
            residual = "  ".join(f"{value:5.1f}" for value in PUBLISHED_RESIDUAL.get(name, ()))
            published = "  ".join(f"{value:5.1f}" for value in PUBLISHED[name])
            click.echo(f"{'  published':18} PSNR {published}   {'residual ' + residual if residual else ''}".rstrip())


if __name__ == "__main__":
    main()
