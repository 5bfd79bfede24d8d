"""`platemark policy consent|rights`: records of what people and owners agreed to.

One rule: what is added here is logged with who added it, and never counts for that person's own requests.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.errors import RequestError
from platemark.homes.home import Home
from platemark.homes.records import NewRecord, Record, RecordBook, RecordKind
from platemark.i18n import mark
from platemark_policy.consent import SCOPES, ConsentScope
from platemark_provenance.digest import Sha256Hex, sha256_file
from platemark_provenance.ledger.store import Ledger

consent = typer.Typer(help="Records of people's consent: add, list, withdraw.", no_args_is_help=True)
rights = typer.Typer(help="Records of rights in files: add, list, withdraw.", no_args_is_help=True)

Keeper = Annotated[str, typer.Option("--as", help="Who adds or withdraws it, by name; never for their own requests.")]
Why = Annotated[str, typer.Option("--reason", help="What it rests on; kept sealed in the log.")]
Until = Annotated[str, typer.Option("--until", help="The last day it counts, such as 2027-06-30 (UTC).")]
Files = Annotated[list[Path] | None, typer.Option("--file", help="A picture or clip that it covers; may be repeated.")]
Document = Annotated[Path | None, typer.Option("--document", help="The signed paper; only its hash is kept.")]
RecordName = Annotated[str, typer.Argument(help="The record, as list shows it.")]

_STATES = {"standing": mark("standing"), "expired": mark("expired"), "withdrawn": mark("withdrawn")}


@consent.command("add")
def add_consent(
    keeper: Keeper,
    reason: Why,
    until: Until,
    person: Annotated[
        list[str] | None, typer.Option("--person", help="The person's name as prompts spell it; may be repeated.")
    ] = None,
    file: Files = None,
    scope: Annotated[str, typer.Option(help="likeness, or statements: also realistic scenes and speech.")] = "likeness",
    document: Document = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Record that a person agreed to be shown, or that the people in a file did.

    Example: platemark policy consent add --person "Hong Gil-dong" --until 2027-06-30 --as editor --reason "form 12"
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    new = NewRecord(
        kind="consent",
        reason=reason,
        until=_end_of(until),
        names=tuple(person or ()),
        files=_digests(file),
        scope=_scope(scope),
        document=_digest(document),
    )
    _add(out, require_home(home), new, keeper)


@rights.command("add")
def add_rights(
    keeper: Keeper,
    reason: Why,
    until: Until,
    file: Files = None,
    document: Document = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Record that a picture or clip may be used.

    Example: platemark policy rights add --file photo.jpg --until 2027-06-30 --as editor --reason "own photograph"
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    new = NewRecord(
        kind="rights", reason=reason, until=_end_of(until), files=_digests(file), document=_digest(document)
    )
    _add(out, require_home(home), new, keeper)


@consent.command("list")
def list_consents(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """List records of consent, newest first.

    Example: platemark policy consent list
    """
    _list(output(as_json=as_json, lang=lang, quiet=quiet), require_home(home), "consent")


@rights.command("list")
def list_rights(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """List records of rights, newest first.

    Example: platemark policy rights list
    """
    _list(output(as_json=as_json, lang=lang, quiet=quiet), require_home(home), "rights")


@consent.command("withdraw")
def withdraw_consent(
    record: RecordName,
    keeper: Keeper,
    reason: Why,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """End a record of consent now: it unlocks nothing any more. Clips made before stay as they are.

    Example: platemark policy consent withdraw record-0199… --as editor --reason "the person asked for it"
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    _end(out, require_home(home), lambda book: book.withdraw(record, keeper=keeper, reason=reason, kind="consent"))


@rights.command("withdraw")
def withdraw_rights(
    record: RecordName,
    keeper: Keeper,
    reason: Why,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """End a record of rights now: it covers no file any more. Clips made before stay as they are.

    Example: platemark policy rights withdraw record-0199… --as editor --reason "the licence ended"
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    _end(out, require_home(home), lambda book: book.withdraw(record, keeper=keeper, reason=reason, kind="rights"))


def _end(out: Output, home: Home, withdraw: Callable[[RecordBook], Record]) -> None:
    with home.open_ledger() as ledger:
        ended = withdraw(_book(home, ledger))
    out.data(ended.to_json(at=home.clock()))
    out.say("Withdrawn: {record}", record=ended.id)


def _add(out: Output, home: Home, new: NewRecord, keeper: str) -> None:
    with home.open_ledger() as ledger:
        added = _book(home, ledger).add(new, keeper=keeper)
    out.data(added.to_json(at=home.clock()))
    out.say("Recorded: {record}, until {until}.", record=added.id, until=f"{added.until:%Y-%m-%d}")


def _list(out: Output, home: Home, kind: RecordKind) -> None:
    with home.open_ledger() as ledger:
        book = _book(home, ledger)
        records = [(each, book.names_of(each.id)) for each in book.all() if each.kind == kind]
    now = home.clock()
    for each, names in records:
        out.data(each.to_json(at=now) | {"person": list(names)})
    titles = (mark("record"), mark("state"), mark("covers"), mark("added by"), mark("until (UTC)"))
    rows = [
        (
            each.id,
            out.text(_STATES[each.state(now)]),
            _covers(each, names),
            each.keeper_name or "-",
            f"{each.until:%Y-%m-%d %H:%M}",
        )
        for each, names in records
    ]
    if rows:
        out.table(titles, rows)


def _covers(record: Record, names: tuple[str, ...]) -> str:
    files = tuple(f"{digest[:12]}…" for digest in sorted(record.files))
    return ", ".join((*names[:1], *files)) or "-"


def _book(home: Home, ledger: Ledger) -> RecordBook:
    return home.record_book(ledger, home.policy_engine())


def _end_of(day: str) -> datetime:
    try:
        return datetime.combine(datetime.strptime(day, "%Y-%m-%d").date(), time.max, tzinfo=UTC)
    except ValueError as error:
        raise RequestError(
            f"Expected a day such as 2027-06-30, got {day[:40]!r}.", fix="Give it as --until."
        ) from error


def _scope(name: str) -> ConsentScope:
    for scope in SCOPES:
        if scope == name:
            return scope
    raise RequestError(f"The scope is {' or '.join(SCOPES)}; got {name[:40]!r}.", fix="Give one of them as --scope.")


def _digests(files: list[Path] | None) -> tuple[Sha256Hex, ...]:
    for path in files or ():
        if not path.is_file():
            raise RequestError(f"{path} is not a file.", fix="Check the name.")
    return tuple(sha256_file(path) for path in files or ())


def _digest(document: Path | None) -> str:
    return "".join(_digests([document])) if document is not None else ""
