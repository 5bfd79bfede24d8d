"""Commands that are imported when they are called, so that none pays at start for what another needs.

One rule: a name in the table is enough to list a command; its module is touched only to run it or to show its help.
"""

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group


class LoadedWhenCalled(UserDict[str, Any]):
    """A group's commands by name, each made on first use.

    Args:
        places: for each name `module:attribute`, where the attribute is a function or a `typer.Typer`.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        super().__init__()
        self.data.update(places)

    def __getitem__(self, name: str) -> Any:
        """Give a command, loading it where this is its first use. Typer keeps the type of commands to itself."""
        known = self.data[name]
        if isinstance(known, str):
            known = self.data[name] = _load(name, known)
        return known


class LazyGroup(TyperGroup):
    """A group whose commands stand in a table; `with_commands` binds it to one."""

    places: Mapping[str, str] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LoadedWhenCalled(self.places)

    def list_commands(self, ctx: object) -> list[str]:
        """Give the names in the table's order, loading nothing."""
        return list(self.commands)


def with_commands(places: Mapping[str, str]) -> type[TyperGroup]:
    """Make the group class for a table of commands, for `typer.Typer(cls=…)`."""
    return type("CommandTable", (LazyGroup,), {"places": places})


def _load(name: str, place: str) -> object:
    module, attribute = place.split(":")
    found = getattr(import_module(module), attribute)
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    return get_group(holder).commands[name]
