"""`robench leaderboard`: boards in git."""

from __future__ import annotations

from pathlib import Path

import click

from robench.cli import _options

README = "README.md"

board_folder = click.option(
    "--board",
    "root",
    type=_options.PATH,
    default=Path("leaderboards"),
    show_default=True,
    help="the folder of the boards",
)
readme_file = click.option(
    "--readme",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="a file with tables between markers; without it README.md beside the folder of the boards, if there is one",
)


@click.group()
def leaderboard() -> None:
    """Rank models in CSV files under version control. Ranked tables and a site are made from counts.

    \b
    Example:
      robench leaderboard add runs/mine --board boards
      robench leaderboard build --board boards
      robench leaderboard check --board boards
    """


def _expect_boards(root: Path) -> None:
    if not any(root.glob("*/*.json")):
        raise click.UsageError(f"{root}: expected the folder of boards, found none in it; see: robench leaderboard add")


@leaderboard.command()
@click.argument("run", type=_options.PATH)
@board_folder
@click.option("--suite", "-s", "suites", multiple=True, metavar="SUITE", help="of the run's suites these alone")
@click.option("--model", "-m", "models", multiple=True, metavar="LABEL", help="of the run's models these alone")
@click.option("--link", default="", metavar="URL", help="where the models come from")
def add(run: Path, root: Path, suites: tuple[str, ...], models: tuple[str, ...], link: str) -> None:
    """Add every model of a run to the boards of its suites.

    A run of a whole suite is taken, without missing or failed cells; on a board that is there the images, versions and
    seeds must be the same.

    \b
    Example:
      robench leaderboard add runs/mine --board boards --link https://example.org/weights
    """
    from robench import leaderboard as boards

    made = boards.add(run, root, suites=suites, models=models, link=link)
    for path in made:
        click.echo(path)
    if not made:
        click.echo("every model of the run is there already")


@leaderboard.command("run")
@click.argument("suite")
@click.option(
    "--config", "config_file", required=True, type=_options.PATH, metavar="TOML", help="the models, and the data set"
)
@board_folder
@_options.out
@click.option("--link", default="", metavar="URL", help="where the models come from")
def run_(suite: str, config_file: Path, root: Path, out: Path, link: str) -> None:
    """Evaluate all models of the boards under a further suite. They are taken from a zoo file by their labels.

    \b
    Example:
      robench leaderboard run cifar10-c-bar/1 --config zoo.toml --board boards -o runs/held-out
    """
    from robench import leaderboard as boards
    from robench.sweep import SweepConfig, read_config

    _expect_boards(root)
    config = SweepConfig.from_cli(read_config(config_file), out=out)
    further = boards.run_suite(suite, config, root, link=link, progress=True)
    for label in further.lacking:
        click.echo(f"{config_file} has no model '{label}', which is on a board", err=True)
    for path in further.files:
        click.echo(path)


@leaderboard.command()
@board_folder
@readme_file
def build(root: Path, readme: Path | None) -> None:
    """Build ranked tables and the site from the counts.

    \b
    Example:
      robench leaderboard build --board boards
    """
    from robench import leaderboard as boards

    _expect_boards(root)
    for path in boards.build(root, readme or root.parent / README):
        click.echo(path)


@leaderboard.command()
@board_folder
@readme_file
def check(root: Path, readme: Path | None) -> None:
    """Check for stale, incomplete or edited files. The exit code is 1 where there is one.

    A board that was measured with older versions of corruptions is named as superseded, which is no fault.

    \b
    Example:
      robench leaderboard check --board boards
    """
    from robench import leaderboard as boards
    from robench.errors import BoardError

    _expect_boards(root)
    complaints = boards.check(root, readme or root.parent / README)
    for line in complaints[:-1]:
        click.echo(f"robench: {line}", err=True)
    if complaints:
        raise BoardError(complaints[-1])
    for line in boards.superseded(root):
        click.echo(line)
    click.echo(f"{root}: nothing is stale, missing or edited")


@leaderboard.command(name="import")
@click.argument("file", type=_options.PATH)
@board_folder
@click.option("-d", "--dataset", default="", metavar="NAME", help="of the board; without it that of FILE's folder")
@click.option("-s", "--suite", default="", metavar="SUITE", help="of the board; without it imagenet-c/1 or cifar10-c/1")
def import_(file: Path, root: Path, dataset: str, suite: str) -> None:
    """Show RobustBench's numbers beside a board. They are marked as reported and not ranked.

    FILE is a JSON file of its model_info, or its wide CSV of accuracies by corruption and severity. The data set is
    that of the folder, as in cifar10/corruptions/FILE, or of -d. A model that both kinds of files have gets one row.

    \b
    Example:
      robench leaderboard import AugMix.json -d cifar10 --board boards
      robench leaderboard import model_info/imagenet/corruptions/AlexNet.json --board boards
    """
    from robench import leaderboard as boards

    _expect_boards(root)
    for row in boards.import_(file, root, dataset, suite):
        images = f"{row['images']:,} images {row['images_from']}" if row["images"] else "images not stated"
        click.echo("; ".join(filter(None, (f"{row['model']}: {images}", row["note"]))))


@leaderboard.command()
@board_folder
@_options.out
def export(root: Path, out: Path) -> None:
    """Write entries as model_info JSON of RobustBench. Boards of cifar10-c/1 have such entries.

    \b
    Example:
      robench leaderboard export --board boards -o model_info
    """
    from robench import leaderboard as boards

    for path in boards.export(root, out):
        click.echo(path)
