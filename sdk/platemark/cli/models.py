"""`platemark models`: which generators there are, and their cards."""

import json
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.errors import RequestError
from platemark.generation.backend import available_generators

app = typer.Typer(help="The generators and their model cards.", no_args_is_help=True)


@app.command("list")
def list_models(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """List the generators that can be asked for with --model.

    Example: platemark models list
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    for info in available_generators():
        out.data({"name": info.name, "version": info.version, "licence": info.licence, "description": info.description})
    out.table(
        ("model", "version", "licence", "description"),
        [(info.name, info.version, info.licence, info.description) for info in available_generators()],
    )


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The model's name.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Print a model's card: what it was trained on, what it cost, what it can and cannot do.

    Example: platemark models show embedded
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    found = next((info for info in available_generators() if info.name == name), None)
    if found is None:
        names = ", ".join(info.name for info in available_generators())
        raise RequestError(f"There is no model {name[:40]!r}.", fix=f"The models are: {names}.")
    out.data(dict(found.card))
    out.say("{card}", card=json.dumps(dict(found.card), ensure_ascii=False, indent=2))
