"""`platemark trust`: whom this home trusts, and for what."""

from datetime import UTC, date
from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.errors import RequestError
from platemark.homes import trust_keeping
from platemark.homes.home import utc_now
from platemark_provenance.errors import VerificationError
from platemark_provenance.trust_lists import (
    KINDS,
    TRUST_FOLDER,
    NewList,
    TrustList,
    is_trust_kind,
    read_pem,
    stored_lists,
    suggest_name,
)

OLD_DAYS = 180
"""From here on a list is called old: official lists change several times a year."""

app = typer.Typer(help="Keep lists of roots: whom verdicts trust, and for what.", no_args_is_help=True)

PemFile = Annotated[Path, typer.Argument(help="Root certificates (PEM).")]
Kind = Annotated[str, typer.Option("--kind", help="manifest (claim signers), tsa, cawg or legacy.")]
Name = Annotated[str | None, typer.Option("--name", help="What to call the list; from the file's name if left out.")]
Dated = Annotated[str | None, typer.Option("--date", help="The day its content is of, YYYY-MM-DD; today if left out.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who asks for it, for the ledger.")]


@app.command("add")
def add(
    file: PemFile,
    kind: Kind = "manifest",
    name: Name = None,
    dated: Dated = None,
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Trust the roots in a file from now on, for one kind of thing.

    Example: platemark trust add root.pem --kind manifest
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    facts = _new_list(file, kind, name=name, dated=dated)
    stored = trust_keeping.add(require_home(home), read_pem(file), facts, actor=actor)
    out.data(stored.to_json())
    _print_stored(out, stored)


@app.command("import")
def import_(
    file: PemFile,
    kind: Kind = "manifest",
    name: Name = None,
    dated: Dated = None,
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Store a published list, in place of its last edition, and say which roots came and went.

    Example: platemark trust import C2PA-TRUST-LIST.pem --name c2pa --date 2026-11-22
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    facts = _new_list(file, kind, name=name, dated=dated)
    done = trust_keeping.replace(require_home(home), read_pem(file), facts, actor=actor)
    out.data({**done.stored.to_json(), "added": list(done.added), "removed": list(done.removed)})
    _print_stored(out, done.stored)
    for subject in done.added:
        out.say("  + {subject}", subject=subject)
    for subject in done.removed:
        out.say("  - {subject}", subject=subject)


@app.command("list")
def list_(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """Show the stored lists: what each is for, how old it is, whom it holds.

    Example: platemark trust list --json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    lists = stored_lists(require_home(home).path / TRUST_FOLDER)
    today = _today()
    for each in lists:
        facts = each.facts
        age = (today - facts.snapshot).days
        expired = sum(1 for root in each.certificates() if root.not_valid_after_utc.date() < today)
        out.data({**each.to_json(), "age_days": age, "expired": expired})
        out.say(
            "{name} ({kind}, of {date}, {age} days old): {count} roots, {expired} expired",
            name=facts.name,
            kind=facts.kind,
            date=facts.snapshot.isoformat(),
            age=age,
            count=facts.certificates,
            expired=expired,
        )
        if age > OLD_DAYS and facts.kind != "legacy":
            out.note("The list {name} is old; get its present edition and import it.", name=facts.name)
    if not lists:
        out.note("No list is stored. Trusted are this home's own root and the files its configuration names.")


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="The list's name.")],
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Stop trusting the roots of a list.

    Example: platemark trust remove c2pa
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    trust_keeping.remove(require_home(home), name, actor=actor)
    out.data({"removed": name})
    out.say("The list {name} is no longer used.", name=name)


def _new_list(file: Path, kind: str, *, name: str | None, dated: str | None) -> NewList:
    if not is_trust_kind(kind):
        raise RequestError(f"--kind must be one of {', '.join(KINDS)}; got {kind[:20]!r}.")
    try:
        snapshot = _today() if dated is None else date.fromisoformat(dated)
    except ValueError as error:
        raise RequestError(f"--date must be a day such as 2026-11-22; got {str(dated)[:20]!r}.") from error
    if snapshot > _today():
        raise RequestError(f"--date {snapshot.isoformat()} has not come yet.")
    try:
        return NewList(name or suggest_name(file), kind, snapshot)
    except VerificationError as error:
        raise RequestError(error.message, fix=error.fix) from error


def _today() -> date:
    return utc_now().astimezone(UTC).date()


def _print_stored(out: Output, stored: TrustList) -> None:
    facts = stored.facts
    out.say("Stored {name} ({kind}) with {count} roots.", name=facts.name, kind=facts.kind, count=facts.certificates)
    out.note("SHA-256 of the list: {sha256}", sha256=facts.sha256)
