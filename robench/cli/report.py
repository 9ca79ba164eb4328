"""`robench report` and `robench compare`: tables, figures with their data, and a page; two runs side by side."""

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
    """Write tables, figures and a page from runs. The predictions of RUNS are all that is read.

    \b
    Example:
      robench report runs/demo -o runs/demo-report
      robench report runs/demo -o runs/demo-report --baseline tiny_cnn=digits-clean
      robench report runs/demo -o runs/slides --style talk --measure error
    """
    from robench.report import build

    for path in build(runs, out, baseline, style=style, measure=measure, pdf=pdf):
        click.echo(path)


@click.command()
@click.argument("run_a", type=_options.PATH)
@click.argument("run_b", type=_options.PATH)
@click.option("-o", "--out", type=_options.PATH, metavar="PATH", help="where to write tables and heatmaps, if anywhere")
@click.option("--model-a", default="", metavar="LABEL", help="one model of RUN_A alone")
@click.option("--model-b", default="", metavar="LABEL", help="one model of RUN_B alone")
def compare(run_a: Path, run_b: Path, out: Path | None, model_a: str, model_b: str) -> None:
    """Compare the models of two runs on the same images.

    Models of one name are compared, or each with each where no name is in both; within one run each two are. Intervals
    come from the paired image bootstrap. Cells are tested by McNemar's test, adjusted after Holm.

    \b
    Example:
      robench compare runs/yesterday runs/today -o runs/compared
      robench compare runs/demo runs/demo
    """
    from robench import comparison

    compared = comparison.compare(run_a, run_b, model_a, model_b)
    click.echo("\n\n".join(one.text for one in compared))
    for path in comparison.write(compared, out) if out else []:
        click.echo(path)
