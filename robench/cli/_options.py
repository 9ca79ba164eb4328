"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)


class _Digits(click.ParamType):  # type: ignore[type-arg]  # older versions of click have none
    """A number in the digits 0 to 9; Python's own takes those of other scripts, `1_000` and `nan` too."""

    reader = "read_whole"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does it, but for what is no plain number."""
        if isinstance(value, str):
            import corruptions  # not above: the help text comes without it

            try:
                value = getattr(corruptions, self.reader)(value)
            except ValueError as fault:
                self.fail(str(fault), param, ctx)
        return super().convert(value, param, ctx)


class Integer(_Digits, click.types.IntParamType):
    """Any whole number."""


class Whole(_Digits, click.IntRange):
    """A whole number from a least one up."""


class Number(_Digits, click.FloatRange):
    """A number from a least one up."""

    reader = "read_number"


class Renamed(click.Option):
    """An option with a former name as its second one, which is understood and not shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As click has it, with the first name alone."""
        every, self.opts = self.opts, self.opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = every


def several(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator of several options, in the order of the help text."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


class_order = click.option(
    "--class-order",
    metavar="text|number",
    help="of class folders called 0, 1, …, 11: 0, 1, 10, 11, 2 as torchvision has them, or 0, 1, 2",
)

HELP_DATA = "NAME[@SPLIT][:PATH]; see: robench list datasets"
_choice = (
    click.option("--view", metavar="VIEW", help="native, side32, resize256-crop224, …: the geometry before corruption"),
    click.option("--ids", type=PATH, metavar="FILE", help="only the images listed in FILE, one id or file name a line"),
    click.option(
        "--limit",
        type=Whole(1),
        metavar="N",
        help="N images, spread evenly over the data set, or over the images of --ids",
    ),
    click.option("--dataset-name", metavar="NAME", help="what tables call the data set"),
    class_order,
)
data = several(click.option("-d", "--dataset", required=True, metavar="DATASET", help=HELP_DATA), *_choice)
data_or_config = several(click.option("-d", "--dataset", metavar="DATASET", help=HELP_DATA), *_choice)


strengths = several(
    click.option(
        "-s", "--suite", "suites", multiple=True, metavar="SUITE", help="a named list, one or more; see: list suites"
    ),
    click.option(
        "-c",
        "--corruption",
        "corruptions",
        multiple=True,
        metavar="NAME[@STRENGTHS]",
        help="as in awgn@0.1,0.2; fog@1-5@jpeg85 stores each degraded image as JPEG",
    ),
    click.option(
        "--severity", "severities", metavar="LIST", help="1,3 or 1-5, for every -c without strengths of its own"
    ),
    click.option(
        "--level", "levels", metavar="LIST", help="0.1,0.2, or a pair 0.5:0, for every -c without strengths of its own"
    ),
    click.option(
        "--severity-table",
        "--native",
        cls=Renamed,
        type=click.Choice(["32", "64", "224"]),
        help="published severities for images of this many pixels; default: the nearest",
    ),
    click.option("--frost-dir", type=PATH, metavar="DIR", help="pictures for frost in place of robench's own"),
)

json_output = click.option("--json", "as_json", is_flag=True, help="print JSON")
out = click.option("-o", "--out", required=True, type=PATH, metavar="PATH", help="where to write")
run_folder = click.option("-o", "--out", type=PATH, metavar="PATH", help="where to write")


def table(severity_table: str | None) -> int | None:
    """The option --severity-table as a number."""
    return None if severity_table is None else int(severity_table)
