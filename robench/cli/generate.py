"""`robench generate` and `robench verify`: degraded data sets on disk."""

from __future__ import annotations

from pathlib import Path

import click

from robench.cli import _options


@click.command()
@_options.data
@_options.strengths
@_options.out
@click.option("--format", "form", type=click.Choice(["npy", "folder", "imagenet-c"]), default="npy", show_default=True)
@click.option("--seed", type=_options.Integer(), default=0, show_default=True)
@click.option("--workers", type=_options.Whole(1), default=1, show_default=True, help="processes")
def generate(
    dataset: str,
    view: str | None,
    ids: Path | None,
    limit: int | None,
    dataset_name: str | None,
    class_order: str | None,
    suites: tuple[str, ...],
    corruptions: tuple[str, ...],
    severities: str | None,
    levels: str | None,
    severity_table: str | None,
    frost_dir: Path | None,
    out: Path,
    form: str,
    seed: int,
    workers: int,
) -> None:
    """Write a corrupted data set. An interrupted call is completed by the next; the bytes are the same.

    \b
    Example:
      robench generate -d digits -s demo/1 -o digits-c
      robench generate -d folder:photos -c awgn --level 0.1,0.2 --format folder --workers 2 -o photos-c
      robench generate -d imagenet:data -s imagenet-c/1 --format imagenet-c --workers 2 -o imagenet-c
    """
    from robench import datasets
    from robench.errors import ConfigError
    from robench.export import generate as write
    from robench.leftout import left_out_note
    from robench.selection import check_geometry, select

    cells = select(suites, corruptions, severities, levels)
    if not cells:
        raise ConfigError("expected a suite (-s) or a corruption (-c), got neither")
    data = datasets.load(dataset, view=view, limit=limit, ids=ids, name=dataset_name, class_order=class_order)
    check_geometry(suites, data.name, data.view, data.shape)
    if left_out := left_out_note(data.left_out):
        click.echo(f"{data.name}: {left_out}", err=True)
    made = write(
        data,
        cells,
        out,
        form=form,
        seed=seed,
        severity_table=_options.table(severity_table),
        textures=None if frost_dir is None else datasets.textures(frost_dir),
        workers=workers,
        progress=True,
    )
    for path in made:
        click.echo(path)
    if not made:
        click.echo(f"{out} is complete", err=True)


@click.command()
@click.argument("folder", type=_options.PATH)
@click.option("--canonical", is_flag=True, help="compare with the digests of robench's own CIFAR-10-C, seed 0")
def verify(folder: Path, canonical: bool) -> None:
    """Check a generated set against its manifest. A sample of its images is corrupted again and compared.

    --canonical also prints for each corruption whether its file is the one that robench's authors generated from the
    official CIFAR-10 test images. It takes the suites cifar10-c/1, cifar10-c-extra/1 and cifar10-c-bar/1.

    \b
    Example:
      robench verify digits-c
      robench verify cifar10-c --canonical
    """
    from robench.errors import SetError
    from robench.export import compare_canonical
    from robench.export import verify as check

    compared = compare_canonical(folder) if canonical else []
    for one in compared:
        click.echo(one.text)
    faults = check(folder, progress=True)
    if others := [one.corruption for one in compared if not one.canonical]:
        faults.append(f"{folder}: {len(others)} of {len(compared)} corruptions are not canonical: {', '.join(others)}")
    for fault in faults[:-1]:
        click.echo(f"robench: {fault}", err=True)
    if faults:
        raise SetError(faults[-1])
    click.echo(f"{folder}: as its manifest says")
