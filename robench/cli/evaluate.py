"""`robench evaluate` and `robench status`: a sweep, and how far it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from robench.cli import _options


@click.command()
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="MODEL",
    help="NAME[=CHECKPOINT] of robench list models, torchvision:NAME, timm:NAME, file.py:factory, net.onnx, net.pt2; "
    "a restorer before it, as in dncnn=D+resnet20=R",
)
@_options.data
@_options.strengths
@_options.folder
@click.option(
    "--clean",
    metavar="DATASET",
    help="the clean images of a downloaded CIFAR-10-C or ImageNet-C; without them no clean accuracy is measured",
)
@click.option(
    "--normalize", metavar="WHICH", help="imagenet, cifar10, bytes, none or m,m,m/s,s,s; else the model's own"
)
@click.option("--label-map", type=_options.PATH, metavar="CSV", help="class,index: which output is whose class")
@click.option(
    "--baseline", default="", metavar="NAME", help="adds CE and mCE: alexnet for imagenet, or a model's label"
)
@click.option("--seed", "seeds", default="0", show_default=True, metavar="LIST", help="0 or 0,1,2: of the corruptions")
@click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda|mps", help="several GPUs: cuda:0,cuda:1"
)
@click.option(
    "--batch-size", type=_options.Whole(1), default=256, show_default=True, help="halved where memory is short"
)
@click.option(
    "--workers", type=_options.Whole(1), metavar="N", help="threads that make images; 1 on a CPU, 8 for a GPU"
)
@click.option("--precision", default="fp32", show_default=True, metavar="fp32|bf16|fp16", help="of the forward passes")
@click.option("--compile", "compiled", is_flag=True, help="compile the networks first, with torch.compile")
@click.option("--shard", metavar="I/N", help="only the I-th of every N units; other processes fill the same run")
@click.option(
    "--engine", default="local", show_default=True, metavar="local|ray", help="ray: $RAY_ADDRESS or this machine"
)
@click.option(
    "--outputs",
    default="auto",
    show_default=True,
    metavar="auto|logits|probabilities",
    help="what the networks' outputs are; auto: recognised",
)
@click.option(
    "--stateful", is_flag=True, help="run a model too whose answers depend on the batch, on earlier calls or on chance"
)
@click.option("--log", "tracker", metavar="WHERE", help="tensorboard=FOLDER or wandb=PROJECT hears of every cell")
@click.option("--random-weights", is_flag=True, help="for tests: a model without a checkpoint gets random weights")
@_options.json_output
def evaluate(as_json: bool, **options: Any) -> None:
    """Sweep models over a data set, its corruptions and their strengths. Called again, it does only what is missing.

    \b
    Example:
      robench evaluate -m tiny_cnn=digits-clean -d digits -s demo/1 -o runs/demo
      robench evaluate -m resnet20=best.pt -d cifar10:data -c awgn --level 0.1,0.2 -o runs/awgn
      robench evaluate -m resnet20=best.pt -d generated:cifar10-c -o runs/cifar10-c
    """
    from robench.sweep import SweepConfig, run

    outcome = run(SweepConfig.from_cli(**options), progress=True)
    click.echo(json.dumps(outcome.to_dict(), indent=1) if as_json else outcome.text())
    if outcome.failed:
        raise click.ClickException(f"{len(outcome.failed)} cells failed; the first: {outcome.failed[0]}")


@click.command()
@click.argument("run", type=_options.PATH)
@_options.json_output
def status(run: Path, as_json: bool) -> None:
    """How far a run is: cells done, failed and missing, and which.

    \b
    Example:
      robench status runs/demo
    """
    from robench.store import Run
    from robench.tables import gaps, states

    counts, cells = Run(run).counts(), states(Run(run))
    if as_json:
        rest = cells[cells["status"] != "ok"].to_dict("records")
        click.echo(json.dumps({**counts, "left": rest}, indent=1))
        return
    done = f"{counts['done']} of {counts['asked']} cells done"
    click.echo(f"{run}: {done}, {counts['failed']} failed, {counts['missing']} missing")
    if left := gaps(cells):
        click.echo(left)
