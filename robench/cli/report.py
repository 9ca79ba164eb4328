"""`robench report`: tables, figures with their data, and a page."""

from __future__ import annotations

from pathlib import Path

import click

from robench.cli import _options


@click.command()
@click.argument("runs", nargs=-1, required=True, type=_options.PATH)
@_options.out
@click.option(
    "--baseline",
    default="",
    metavar="NAME",
    help="adds CE and mCE: alexnet, published for imagenet, or the label of a model in RUNS",
)
def report(runs: tuple[Path, ...], out: Path, baseline: str) -> None:
    """Write tables, figures with the data behind each, and index.html, from the predictions of RUNS alone.

    \b
    Example:
      robench report runs/demo -o runs/demo-report
      robench report runs/demo -o runs/demo-report --baseline tiny_cnn=digits-clean
    """
    from robench.report import build

    for path in build(runs, out, baseline):
        click.echo(path)
