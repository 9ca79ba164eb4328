"""`robench list` and `robench preview`: what there is, and how it looks."""

from __future__ import annotations

import json
from pathlib import Path

import click

from robench.cli import _options

KINDS = ("corruptions", "models", "datasets", "suites", "recipes", "papers")


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("pattern", default="*")
@_options.json_output
def list_(kind: str, pattern: str, as_json: bool) -> None:
    """List available corruptions, models, data sets and more. PATTERN, such as 'resnet*', selects by name.

    \b
    Example:
      robench list corruptions
      robench list models 'resnet*'
      robench list models --json
    """
    from robench.listing import listing

    rows = listing(kind, pattern)
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        click.echo(f"{row['name']:{width}}  {row['text']}")


@click.command()
@click.argument("image", required=False, type=_options.PATH)
@_options.strengths
@click.option("--view", metavar="VIEW", help="side64, resize256-crop224, …, before the corruption")
@click.option("--seed", type=_options.Integer(), default=0, show_default=True)
@_options.out
def preview(
    image: Path | None,
    suites: tuple[str, ...],
    corruptions: tuple[str, ...],
    severities: str | None,
    levels: str | None,
    severity_table: str | None,
    frost_dir: Path | None,
    view: str | None,
    seed: int,
    out: Path,
) -> None:
    """Draw corruptions of an image on a contact sheet. Without IMAGE a photograph of scikit-image is used.

    \b
    Example:
      robench preview -o sheet.png
      robench preview cat.jpg -c awgn -c contrast@1-5 -o sheet.png
    """
    from robench.preview import contact_sheet
    from robench.selection import select

    cells = select(suites, corruptions, severities, levels)
    click.echo(
        contact_sheet(
            cells,
            out,
            image=image,
            view=view,
            seed=seed,
            severity_table=_options.table(severity_table),
            frost_dir=frost_dir,
        )
    )
