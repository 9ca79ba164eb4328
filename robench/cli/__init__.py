"""The command line: a command parses, calls one function of the library, and echoes."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

import click

import robench
from robench.cli import evaluate, generate, inspect_, leaderboard, report, reproduce, train
from robench.cli._memory import keep_freed_memory
from robench.errors import RobenchError


class Commands(click.Group):
    """Answers an unknown command with the nearest one."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but for the message."""
        if self.get_command(context, args[0]) is None and not args[0].startswith("-"):
            from corruptions import unknown

            raise click.UsageError(unknown("command", args[0], self.commands))
        return super().resolve_command(context, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(robench.__version__, prog_name="robench")
def cli() -> None:
    """Measure how image classifiers hold up on degraded images.

    \b
    A first look, without any data or weights of your own:
      robench evaluate -m tiny_cnn=digits-clean -m tiny_cnn=digits-noise -d digits -s demo/1 -o runs/demo
      robench report runs/demo -o runs/demo-report
    """


for command in (
    inspect_.list_,
    inspect_.preview,
    generate.generate,
    generate.verify,
    evaluate.evaluate,
    evaluate.status,
    report.report,
    report.compare,
    leaderboard.leaderboard,
    train.train,
    reproduce.reproduce,
):
    cli.add_command(command)


def main(args: Sequence[str] | None = None) -> None:
    """Run a command line; a mistake is one line on stderr, exit code 2 for the command line alone, else 1."""
    keep_freed_memory()
    warnings.showwarning = lambda message, *rest, **more: click.echo(f"robench: warning: {message}", err=True)
    try:
        code = cli.main(args, prog_name="robench", standalone_mode=False)
    except click.ClickException as fault:
        code = _complain(fault.format_message(), fault.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = _complain("stopped; the same command goes on from here", 130)
    except RobenchError as fault:
        code = _complain(str(fault), fault.exit_code)
    except Exception as fault:
        code = _complain(str(fault), _corruption_code(fault))
    sys.exit(code or 0)


def _complain(message: str, code: int) -> int:
    click.echo(f"robench: {' '.join(message.split())}", err=True)
    return code


def _corruption_code(fault: Exception) -> int:
    """2 for an unknown name or strength, 1 for images of the wrong form; anything else is a bug and is raised on."""
    from corruptions import CorruptionError, StrengthError, UnknownName

    if not isinstance(fault, CorruptionError):
        raise fault
    return 2 if isinstance(fault, (StrengthError, UnknownName)) else 1
