"""The command line: a command parses, calls one function of the library, and echoes."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress

import click

import robench
from robench.cli import evaluate, gate, generate, inspect_, leaderboard, report, reproduce, train
from robench.cli._memory import keep_freed_memory
from robench.errors import ConfigError, RobenchError
from robench.files import is_utf8, reason


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
    """Benchmark the corruption robustness of image classifiers.

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
    gate.gate,
    leaderboard.leaderboard,
    train.train,
    reproduce.reproduce,
):
    cli.add_command(command)


def main(args: Sequence[str] | None = None) -> None:
    """Run a command line; a mistake is one line on stderr, exit code 2 for the command line alone, else 1."""
    keep_freed_memory()
    warnings.showwarning = lambda message, *rest, **more: _say(f"warning: {message}")
    try:
        code = _result(sys.argv[1:] if args is None else list(args))
    except click.ClickException as fault:
        code = _complain(fault.format_message(), fault.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = _complain("stopped; the same command goes on from here", 130)
    except RobenchError as fault:
        code = _complain(str(fault), fault.exit_code)
    except OSError as fault:
        code = _complain(f"{fault.filename or 'standard output'}: {reason(fault)}", 1)
        _drop_output()
    except Exception as fault:
        code = _complain(str(fault), _corruption_code(fault))
    sys.exit(code or 0)


def _result(args: Sequence[str]) -> int | None:
    """The exit code of a command line; sys.exit belongs to no command, so what calls it is a fault."""
    for argument in args:
        if not is_utf8(argument):
            raise ConfigError(f"argument {argument!a}: expected text in UTF-8, got other bytes; rename the file")
    try:
        code: int | None = cli.main(list(args), prog_name="robench", standalone_mode=False)
        return code
    except SystemExit as stop:
        if _is_of_pipe(stop):  # as in `robench list models | head -1`
            raise
        raise RobenchError(f"a library or a user's code ended the command, sys.exit({stop.code!r})") from stop


def _is_of_pipe(fault: BaseException | None) -> bool:
    """Whether a fault began with an output that nobody reads any more, after which click gives stdout another class."""
    while fault is not None:
        if isinstance(fault, BrokenPipeError):
            return True
        fault = fault.__context__
    return "PacifyFlushWrapper" in type(sys.stdout).__name__  # of click, which let the fault go


def _complain(message: str, code: int) -> int:
    _say(message)
    return code


def _say(message: str) -> None:
    with suppress(OSError):  # nobody can be told
        click.echo(f"robench: {' '.join(message.split())}", err=True)


def _drop_output() -> None:
    """What waits for a standard output that takes no more is let go, so that the interpreter ends without a word."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _corruption_code(fault: Exception) -> int:
    """2 for an unknown name or strength, 1 for images of the wrong form; anything else is a bug and is raised on."""
    from corruptions import CorruptionError, StrengthError, UnknownName

    if not isinstance(fault, CorruptionError):
        raise fault
    return 2 if isinstance(fault, (StrengthError, UnknownName)) else 1
