"""`platemark models`: which generators there are, and their cards."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.config import LocalModel, read_config, user_cache
from platemark.errors import PlatemarkError
from platemark.generation.backend import available_generators, open_generator
from platemark.generation.licences import find_licence
from platemark.generation.model_folder import read_model_folder
from platemark.homes.home import find_home

app = typer.Typer(help="The generators and their model cards.", no_args_is_help=True)


@app.command("list")
def list_models(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """List the generators that can be asked for with --model.

    Example: platemark models list
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    rows = [(info.name, info.version, info.licence, info.description) for info in available_generators()]
    rows += _local_rows(_named(home))
    for name, version, licence, description in rows:
        out.data({"name": name, "version": version, "licence": licence, "description": description})
    out.table(("model", "version", "licence", "description"), rows)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The model's name, or diffusers: and a folder.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Print a model's card: what it was trained on, what it cost, what it can and cannot do, what its licence asks for.

    Example: platemark models show embedded
             platemark models show diffusers:/models/wan-1.3b
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    known = {info.name: info.card for info in available_generators()}
    # A folder is looked through, and every byte of it read for its digest, unless that is remembered.
    card = known[name] if name in known else open_generator(name, models=_named(home), cache=user_cache()).info.card
    out.data(dict(card))
    out.say("{card}", card=json.dumps(dict(card), ensure_ascii=False, indent=2))


@app.command("export")
def export(
    name: Annotated[str, typer.Argument(help="A model with weights of its own: embedded.")],
    directory: Annotated[Path, typer.Argument(help="The folder to write; it must not exist yet.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write our own weights as a folder that diffusers loads and that gives the same frames there.

    Frames that another program draws with it are not screened, labelled, marked or signed.

    Example: platemark models export embedded ./embedded-diffusers
    """
    from platemark.generation.exporting import export_model

    del home  # our own models are in no home
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    folder = export_model(name, directory)
    out.data({"path": str(folder)})
    out.say("{path}", path=folder)


def _named(home: Path | None) -> Mapping[str, LocalModel]:
    """Give the folders that the home's configuration names; none without a home."""
    found = find_home(home)
    return {} if found is None else read_config(found).generation.models


def _local_rows(models: Mapping[str, LocalModel]) -> Iterator[tuple[str, str, str, str]]:
    """Look through each folder quickly, without reading its weights; one that is refused is listed with the reason."""
    for name, model in models.items():
        try:
            folder = read_model_folder(Path(model.path))
            licence = find_licence(folder, declared=model.licence)
            yield name, folder.pipeline, licence.expression, " ".join(licence.conditions)
        except PlatemarkError as error:
            yield name, "", "", error.message
