"""`robench evaluate` and `robench status`: a sweep, and how far it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from robench.cli import _options


@click.command()
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    metavar="[LABEL::]MODEL",
    help="NAME[=CHECKPOINT] of robench list models, torchvision:NAME, timm:NAME, file.py:factory, net.onnx, net.pt2, "
    "best.safetensors that names its network, a pattern 'nets/*.safetensors', or all; "
    "a restorer before it, as in dncnn=D+resnet20=R",
)
@_options.data_or_config
@_options.strengths
@_options.run_folder
@click.option("--config", "config_file", type=_options.PATH, metavar="TOML", help="options and models from a file")
@click.option("--weights", type=_options.PATH, metavar="DIR", help="a folder of weights for -m all")
@click.option(
    "--clean",
    metavar="DATASET",
    help="the clean images of a downloaded CIFAR-10-C or ImageNet-C; without them no clean accuracy is measured",
)
@click.option(
    "--normalize", metavar="WHICH", help="imagenet, cifar10, bytes, none or m,m,m/s,s,s; else the model's own"
)
@click.option(
    "--label-map", type=_options.PATH, metavar="FILE", help="CSV class,index or JSON: which outputs are whose class"
)
@click.option(
    "--baseline", default="", metavar="NAME", help="adds CE and mCE: alexnet for imagenet, or a model's label"
)
@click.option("--seed", "seeds", default="0", show_default=True, metavar="LIST", help="0 or 0,1,2: of the corruptions")
@click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda|mps", help="several GPUs: cuda:0,cuda:1"
)
@click.option(
    "--batch-size",
    type=_options.Whole(1),
    default=256,
    show_default=True,
    help="halved automatically on out-of-memory errors",
)
@click.option(
    "--workers", type=_options.Whole(1), metavar="N", help="threads that make images; 1 on a CPU, 8 for a GPU"
)
@click.option("--precision", default="fp32", show_default=True, metavar="fp32|bf16|fp16", help="of the forward passes")
@click.option("--compile", is_flag=True, help="compile the networks first, with torch.compile")
@click.option("--shard", metavar="I/N", help="only the I-th of every N units; other processes fill the same run")
@click.option(
    "--engine",
    "executor",
    default="local",
    show_default=True,
    metavar="local|ray",
    help="ray: $RAY_ADDRESS or this machine",
)
@click.option(
    "--outputs",
    default="auto",
    show_default=True,
    metavar="auto|logits|probabilities",
    help="what the networks' outputs are; auto: recognised",
)
@click.option("--output", metavar="NAME", help="which of several outputs of an ONNX file; of one, net.onnx#NAME")
@click.option(
    "--stateful", is_flag=True, help="run a model too whose answers depend on the batch, on earlier calls or on chance"
)
@click.option("--log", "logger", metavar="WHERE", help="log each result: tensorboard=FOLDER or wandb=PROJECT")
@click.option("--random-weights", is_flag=True, help="for tests: a model without a checkpoint gets random weights")
@_options.json_output
@click.pass_context
def evaluate(context: click.Context, /, as_json: bool, config_file: Path | None, **options: Any) -> None:
    """Evaluate models on clean and corrupted images. A call that was interrupted is completed by the next.

    \b
    Example:
      robench evaluate -m tiny_cnn=digits-clean -d digits -s demo/1 -o runs/demo
      robench evaluate -m resnet20=best.pt -d cifar10:data -s cifar10-c/1 -c awgn@0.1,0.2 -o runs/mine
      robench evaluate -m 'nets/*.safetensors' -d generated:cifar10-c -o runs/cifar10-c
      robench evaluate --config sweep.toml
    """
    from robench.sweep import SweepConfig, read_config, run

    given = {name: value for name, value in options.items() if _is_given(context, name)}
    from_file = {} if config_file is None else read_config(config_file)
    summary = run(SweepConfig.from_cli(from_file, **given), progress=True)
    click.echo(json.dumps(summary.to_dict(), indent=1) if as_json else summary.text())
    if summary.failed:
        raise click.ClickException(f"{len(summary.failed)} cells failed; the first: {summary.failed[0]}")


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) not in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)


@click.command()
@click.argument("run", type=_options.PATH)
@_options.json_output
def status(run: Path, as_json: bool) -> None:
    """Show how many cells of a run are done, failed or missing. Failed and missing cells are listed.

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
