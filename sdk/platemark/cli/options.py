"""The options that every command has, written once."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.output import Output
from platemark.errors import HomeError, RequestError
from platemark.homes.home import Home, find_home, open_home
from platemark.i18n import LANGUAGES

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]
Lang = Annotated[str, typer.Option("--lang", help="Language of what people read: en or ko.")]
HomeDir = Annotated[
    Path | None, typer.Option("--home", help="The home directory. Found upward from here where it is left out.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No remarks on standard error.")]


def output(*, as_json: bool, lang: str, quiet: bool) -> Output:
    """Give the printer that the common options ask for.

    Raises:
        RequestError: the language is not one we speak.
    """
    if lang not in LANGUAGES:
        raise RequestError(f"The language must be en or ko; got {lang[:20]!r}.", fix="For example: --lang ko")
    return Output(as_json=as_json, language=lang, quiet=quiet)


def require_home(explicit: Path | None) -> Home:
    """Open the home that the options and the environment name.

    Raises:
        HomeError: there is none, or it cannot be used.
    """
    found = find_home(explicit)
    if found is None:
        raise HomeError("No platemark home was found.", fix="Make one with: platemark init")
    return open_home(found)
