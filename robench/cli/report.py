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
@click.option(
    "--style", type=click.Choice(["paper", "talk"]), default="paper", show_default=True, help="the size of the figures"
)
@click.option(
    "--measure",
    type=click.Choice(["accuracy", "error"]),
    default="accuracy",
    show_default=True,
    help="what stands over strength",
)
@click.option("--pdf", is_flag=True, help="adds each figure as PDF, for LaTeX")
def report(runs: tuple[Path, ...], out: Path, baseline: str, style: str, measure: str, pdf: bool) -> None:
    """Write tables, figures with the data behind each, and index.html, from the predictions of RUNS alone.

    \b
    Example:
      robench report runs/demo -o runs/demo-report
      robench report runs/demo -o runs/demo-report --baseline tiny_cnn=digits-clean
      robench report runs/demo -o runs/slides --style talk --measure error
    """
    from robench.report import build

    for path in build(runs, out, baseline, style=style, measure=measure, pdf=pdf):
        click.echo(path)
