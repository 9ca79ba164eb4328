"""`robench reproduce`: a paper's table or figure, measured here."""

from __future__ import annotations

from pathlib import Path

import click

from robench.cli import _options


@click.command()
@click.argument("paper")
@click.argument("item", required=False)
@click.option(
    "--data", multiple=True, metavar="NAME=DATASET", help="cifar10=folder:DIR: what stands for a paper's data"
)
@click.option("--budget", default="small", show_default=True, metavar="smoke|small|paper")
@click.option("--work", type=_options.PATH, metavar="DIR", help="for runs; OUT/work unless told")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda|mps")
@click.option("--precision", default="fp32", show_default=True, metavar="fp32|bf16|fp16", help="of the trainings")
@click.option("--compile", "compiled", is_flag=True, help="compile networks first, with torch.compile")
@_options.out
def reproduce(
    paper: str,
    item: str | None,
    data: tuple[str, ...],
    budget: str,
    work: Path | None,
    device: str,
    precision: str,
    compiled: bool,
    out: Path,
) -> None:
    """Reproduce a table or figure of a paper, or all of them. Missing networks are trained first.

    \b
    Example:
      robench reproduce pivot-loss --budget smoke -o reports/pivot-loss
      robench reproduce pivot-loss table-1 --data cifar10=cifar10:data --data mnist=mnist:data -o reports/pivot-loss
    """
    from robench.errors import ConfigError
    from robench.reproduce import reproduce as make

    given = dict(text.partition("=")[::2] for text in data)
    for name, dataset in given.items():
        if not dataset:
            raise ConfigError(f"--data: expected NAME=DATASET, got '{name}'")
    written = make(
        paper,
        out,
        item,
        budget=budget,
        data=given,
        work=work,
        device=device,
        precision=precision,
        compiled=compiled,
        progress=True,
    )
    for path in written:
        click.echo(path)
