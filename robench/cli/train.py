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
@click.option(
    "-m", "--model", required=True, metavar="NAME", help="robench list models; NAME=CHECKPOINT goes on from it"
)
@click.option("--parts", metavar="MODEL", help="to calibrate: RESTORER=CHECKPOINT+NAME=CHECKPOINT, which are frozen")
@click.option(
    "--estimator", type=_options.PATH, metavar="CHECKPOINT", help="to calibrate: its estimator, where trained"
)
@click.option("-c", "--corruption", metavar="NAME", help="for recipes that perturb")
@click.option("--level", metavar="LEVEL", help="0.1, or 0..0.5 drawn for each image and epoch")
@click.option("--epochs", type=_options.Whole(1))
@click.option("--batch-size", type=_options.Whole(1))
@click.option("--lr", type=_options.Number(0, min_open=True), help="first learning rate")
@click.option("--warmup-epochs", type=_options.Number(0), help="epochs in which the rate grows to it")
@click.option("--train-n", type=_options.Whole(1), metavar="N", help="N training images, spread evenly")
@click.option("--view", metavar="VIEW", help="native, side32, …")
@_options.class_order
@click.option("--normalize", metavar="WHICH", help="as for evaluate")
@click.option("--precision", default="fp32", show_default=True, metavar="fp32|bf16|fp16")
@click.option("--compile", "compiled", is_flag=True, help="compile the network first, with torch.compile")
@click.option("--log", "tracker", metavar="WHERE", help="tensorboard=FOLDER or wandb=PROJECT hears of every epoch")
@click.option("--seed", type=_options.Integer(), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda|mps")
@_options.out
def train(
    recipe: str,
    dataset: str,
    model: str,
    parts: str | None,
    estimator: Path | None,
    corruption: str | None,
    level: str | None,
    epochs: int | None,
    batch_size: int | None,
    lr: float | None,
    warmup_epochs: float | None,
    train_n: int | None,
    view: str | None,
    class_order: str | None,
    normalize: str | None,
    precision: str,
    compiled: bool,
    tracker: str | None,
    seed: int,
    device: str,
    out: Path,
) -> None:
    """Train a model by a recipe and save its best epoch. Best is by validation; the file is safetensors.

    \b
    Example:
      robench train clean -d mnist:data -m lenet5 --epochs 5 -o lenet5.safetensors
      robench train both -d digits -m tiny_cnn -c awgn --level 0..0.5 -o noise.safetensors
    """
    from robench.training import score_text
    from robench.training import train as fit

    trained = fit(
        recipe,
        dataset,
        model,
        out,
        parts=parts,
        estimator=estimator,
        corruption=corruption,
        strength=level,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        warmup_epochs=warmup_epochs,
        train_n=train_n,
        view=view,
        class_order=class_order,
        normalize=normalize,
        precision=precision,
        compiled=compiled,
        log=tracker,
        seed=seed,
        device=device,
    )
    reached = score_text(trained.score, trained.val_score)
    click.echo(
        f"{trained.path}: epoch {trained.best_epoch} of {trained.epochs}, {reached} on {trained.val_n} images, "
        f"{trained.train_n} training images"
    )
