"""`platemark audit erase` and `hold`: what is sealed about a person goes, unless the law wants it kept."""

from typing import Annotated

import typer

from platemark.auditing.erasing import backups_of
from platemark.cli.audit_options import Zone, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.zone import parse_zone, show_moment

Subject = Annotated[str, typer.Argument(help="A person by name or pseudonym (p-…), or clip:IDENTIFIER.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; everyone who reads the log sees it. No personal data.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who does it; the account that runs this where left out.")]

hold_app = typer.Typer(help="Legal holds: what must not be erased.", no_args_is_help=True)


def erase(
    subject: Subject,
    reason: Reason,
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Erase the key, prompts, names and searchable words of one subject. The log's root stays as it is.

    Example: platemark audit erase jw.kim --reason "request of 2026-11-20" --actor dpo
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    opened = require_home(home)
    with opened.open_ledger() as ledger:
        erased = ledger.subjects.erase(subject, reason=reason, actor=reader_name(actor))
    copies = backups_of(opened)
    out.data({**erased.to_json(), "backups": [str(path) for path in copies]})
    out.say("Erased {count} sealed parts of {subject}.", count=erased.payloads, subject=erased.subject)
    if not erased.log_emptied:
        out.note("Another program reads the ledger: run this again once it is done, so that its log is emptied too.")
    for path in copies:
        out.note("A copy of the database was made before and still holds what was sealed: {path}", path=path)


@hold_app.command("add")
def add(
    subject: Subject,
    reason: Reason,
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Keep a subject from being erased.

    Example: platemark audit hold add jw.kim --reason "case 2026-117" --actor legal
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        hold = ledger.subjects.set_hold(subject, reason=reason, actor=reader_name(actor))
    out.data(hold.to_json())
    out.say("The hold {hold} stands on {subject}.", hold=hold.hold_id, subject=hold.subject)


@hold_app.command("list")
def list_holds(
    zone: Zone = "UTC", home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False
) -> None:
    """List the holds that stand.

    Example: platemark audit hold list --json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    here = parse_zone(zone)
    with require_home(home).open_ledger() as ledger:
        holds = ledger.subjects.holds()
    for hold in holds:
        out.data(hold.to_json())
    rows = [[hold.hold_id, hold.subject, show_moment(hold.since, here), hold.reason] for hold in holds]
    out.table(["hold", "subject", "time (UTC)" if zone == "UTC" else zone, "reason"], rows)


@hold_app.command("release")
def release(
    hold_id: Annotated[str, typer.Argument(help="The hold, as the list names it.")],
    reason: Reason,
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Lift a hold.

    Example: platemark audit hold release 01a2… --reason "case closed" --actor legal
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        hold = ledger.subjects.release_hold(hold_id, reason=reason, actor=reader_name(actor))
    out.data(hold.to_json())
    out.say("The hold {hold} on {subject} was lifted.", hold=hold.hold_id, subject=hold.subject)
