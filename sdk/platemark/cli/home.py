"""`platemark init` and `platemark doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.homes import home as homes
from platemark.homes.doctor import examine


def init(
    directory: Annotated[
        Path | None, typer.Argument(help="Where to make it; PLATEMARK_HOME or your data directory if left out.")
    ] = None,
    org: Annotated[str, typer.Option("--org", help="The publisher's name, as verdicts will show it.")] = "",
    country: Annotated[str, typer.Option("--country", help="Two capital letters.")] = "KR",
    lang: Lang = "en",
    label_lang: Annotated[str, typer.Option("--label-lang", help="auto, en or ko.")] = "auto",
    home: HomeDir = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a home: configuration, development keys and the ledger. Safe to run again.

    Example: platemark init newsroom --org "Daily Example"
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    where = directory or home
    existed = homes.exists(where)
    made = homes.init(where, organisation=org or "Unnamed newsroom", country=country, language=label_lang)
    out.data({"home": str(made.path), "created": not existed, "organisation": made.config.publisher.organisation})
    if existed:
        out.say("{path} is a home already; nothing was changed.", path=made.path)
        return
    out.say("Made a home in {path}.", path=made.path)
    out.note("Its keys are for development: nobody else trusts them yet. Back up {path}.", path=made.keys)


def doctor(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> int:
    """Check every part of a home and of this installation, and say how to mend what is wrong.

    Example: platemark doctor --home newsroom
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    findings = examine(homes.find_home(home))
    ok = all(finding.ok for finding in findings)
    out.data({"ok": ok, "checks": [finding.to_json() for finding in findings]})
    for finding in findings:
        mark = "ok " if finding.ok else "RED"
        out.say("{mark} {check}: {found}", mark=mark, check=finding.check, found=finding.found)
        if not finding.ok:
            out.say("    → {fix}", fix=finding.fix)
    return 0 if ok else 1
