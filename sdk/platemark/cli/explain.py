"""`platemark explain`: what a code means and what to do next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.cli.output import Output
from platemark.errors import RequestError
from platemark.homes.home import PACK_FOLDER, find_home, open_home

if TYPE_CHECKING:
    from platemark.explaining.catalogue import CodeEntry
    from platemark_policy.pack import Rule


def explain(
    code: Annotated[str, typer.Argument(help="A code as it was printed: rule, verdict, status, clause.")] = "",
    every: Annotated[bool, typer.Option("--list", help="List every code instead.")] = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Say what a code means and what to do next. Rules of the home's own pack are known too.

    Example: platemark explain assertion.bmffHash.mismatch
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    # Imported here: it reads every rule and clause.
    from platemark.explaining.catalogue import load_catalogue

    if every == bool(code.strip()):
        raise RequestError("Name one code, or ask for the list.", fix="For example: platemark explain signer.untrusted")
    catalogue = load_catalogue(_own_rules(home))
    if every:
        _tell_list(out, catalogue.entries)
        return
    entries = catalogue.explain(code)
    out.data({"code": code.strip(), "meanings": [each.to_json() for each in entries]})
    for each in entries:
        _tell(out, each)


def _own_rules(home: Path | None) -> "tuple[Rule, ...]":
    """Give the rules of the home's own pack; none where it uses the one that comes with platemark."""
    found = find_home(home)
    if found is None:
        return ()
    opened = open_home(found)
    own = opened.config.policy.pack or (opened.path / PACK_FOLDER).is_dir()
    return opened.policy_pack().rules if own else ()


def _tell(out: Output, entry: "CodeEntry") -> None:
    from platemark.explaining.catalogue import KINDS

    out.say("{code} ({kind})", code=entry.code, kind=out.text(KINDS[entry.kind]))
    out.say("  {text}", text=entry.meaning[out.language])
    out.say("  What to do next: {step}", step=entry.next_step[out.language])
    if entry.source:
        out.say("  From: {source}", source=entry.source)


def _tell_list(out: Output, entries: "tuple[CodeEntry, ...]") -> None:
    from platemark.explaining.catalogue import KINDS

    for each in entries:
        out.data(each.to_json())
    rows = [(each.code, out.text(KINDS[each.kind]), each.meaning[out.language]) for each in entries]
    out.table(("Code", "Kind", "What it means"), rows)
