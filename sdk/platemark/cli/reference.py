"""The command reference as Markdown, from the commands themselves, so that it cannot say anything else than they do.

`make docs` writes it to docs/cli.md; a test compares the two.
"""

import sys
from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from platemark.cli import app

INTRODUCTION = """# Commands

Written by `make docs` from the commands' own help. Exit codes are in the README (README.md).

Shell completion: `platemark --install-completion`.
"""


def render_reference() -> str:
    """Give the whole reference as Markdown."""
    return "\n".join([INTRODUCTION, *_sections(typer.main.get_command(app), "platemark")])


def _sections(command: object, name: str) -> Iterator[str]:
    if not isinstance(command, TyperCommand | TyperGroup):
        return
    context = typer.Context(command, info_name=name, terminal_width=96, max_content_width=96)
    yield f"## `{name}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, TyperGroup):
        for word in sorted(command.commands):
            yield from _sections(command.commands[word], f"{name} {word}")


if __name__ == "__main__":
    sys.stdout.write(render_reference())
