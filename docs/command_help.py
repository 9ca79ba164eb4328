"""Puts what every command says to --help in the place of a mark, while mkdocs builds the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from robench.cli import cli

MARK = "<!-- commands -->"
WIDTH = 80


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The text of a page, with a section for each command where it has the mark."""
    if MARK not in markdown:
        return markdown
    sections = (f"## {called}\n\n```text\n{told}\n```\n" for called, told in helps(cli, "robench"))
    return markdown.replace(MARK, "\n".join(sections))


def helps(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Of a command and all below it: how it is called, and its help."""
    settings = command.context_settings | {"max_content_width": WIDTH, "terminal_width": WIDTH}
    context = click.Context(command, parent=parent, info_name=name, **settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from helps(command.commands[below], below, context)
