"""`robench train`: a recipe, a data set and a model make a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from robench.cli import _options


@click.command()
@click.argument("recipe")
@click.option(
    "-d", "--dataset", required=True, metavar="DATASET", help="NAME[:PATH]; its train and val splits are used"
)
@click.option("-m", "--model", required=True, metavar="NAME", help="see: robench list models")
@click.option("-c", "--corruption", metavar="NAME", help="for recipes that perturb")
@click.option("--level", metavar="LEVEL", help="0.1, or 0..0.5 drawn for each image")
@click.option("--severity", metavar="1-5", help="in place of a level")
@click.option("--epochs", type=click.IntRange(1))
@click.option("--batch-size", type=click.IntRange(1))
@click.option("--lr", type=click.FloatRange(0, min_open=True))
@click.option("--train-n", type=click.IntRange(1), help="so many training images, spread evenly")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda|mps")
@_options.out
def train(
    recipe: str,
    dataset: str,
    model: str,
    corruption: str | None,
    level: str | None,
    severity: str | None,
    epochs: int | None,
    batch_size: int | None,
    lr: float | None,
    train_n: int | None,
    seed: int,
    device: str,
    out: Path,
) -> None:
    """Train MODEL on DATASET as RECIPE says, and write the epoch that was best on validation as safetensors.

    \b
    Example:
      robench train clean -d mnist:data -m lenet5 -o lenet5.safetensors
      robench train both -d digits -m tiny_cnn -c awgn --level 0..0.5 --epochs 30 -o noise.safetensors
    """
    raise NotImplementedError
