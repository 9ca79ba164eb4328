"""`robench gate`: conditions on a run, for continuous integration."""

from __future__ import annotations

from pathlib import Path

import click

from robench.cli import _options


@click.command()
@click.argument("run", type=_options.PATH)
@click.option(
    "--min", "minima", multiple=True, metavar="METRIC=VALUE", help="mean=0.7, clean=0.9, fog=0.6: at least, in [0, 1]"
)
@click.option("--no-worse-than", "base", type=_options.PATH, metavar="RUN", help="a run on the same images")
@click.option("--margin", type=_options.Number(0), default=0, show_default=True, help="accuracy that may be lost to it")
@click.option("-m", "--model", default="", metavar="LABEL", help="one model of RUN alone")
@click.option("--model-base", default="", metavar="LABEL", help="one model of the run of --no-worse-than")
@click.option("--junit", "xml", type=_options.PATH, metavar="FILE", help="write the conditions as JUnit XML")
def gate(
    run: Path, minima: tuple[str, ...], base: Path | None, margin: float, model: str, model_base: str, xml: Path | None
) -> None:
    """Check a run against conditions. The exit code is 1 where the lower 95 % limit of one fails.

    \b
    Example:
      robench gate runs/demo --min clean=0.9 --model tiny_cnn=digits-noise
      robench gate runs/new --min mean=0.70 --no-worse-than runs/old --margin 0.01 --junit gate.xml
    """
    from robench.gate import gate as check
    from robench.gate import junit

    conditions = check(run, minima, base=base, margin=margin, model=model, model_base=model_base)
    for condition in conditions:
        click.echo(condition)
    if xml is not None:
        junit(conditions, xml)
    if failed := sum(not condition.passed for condition in conditions):
        raise click.ClickException(f"{failed} of {len(conditions)} conditions failed")
