"""`platemark review`: decisions that wait for an editor."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.errors import RequestError
from platemark.i18n import mark

if TYPE_CHECKING:
    from platemark.homes.review_desk import ReviewDesk, Ticket
    from platemark_policy.review import ReviewState

app = typer.Typer(help="Decisions that wait for an editor: list, show, approve, reject, appeal.", no_args_is_help=True)

TicketName = Annotated[str, typer.Argument(help="The ticket that the refusal or hold named.")]
Editor = Annotated[str, typer.Option("--as", help="Who decides, by name; never the person who asked.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept sealed in the log.")]

_STATES = {
    "pending": mark("waiting"),
    "approved": mark("approved"),
    "rejected": mark("rejected"),
    "expired": mark("expired"),
}


@app.command("list")
def list_tickets(
    state: Annotated[str, typer.Option(help="pending, approved, rejected, expired or all.")] = "pending",
    desk: Annotated[str | None, typer.Option(help="Only tickets of this desk.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many tickets are looked at, newest first.")] = 100,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """List tickets, newest first.

    Example: platemark review list --desk politics
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    wanted = _state(state)
    with _desk(home) as review:
        tickets = review.tickets(state=wanted, desk=desk, limit=limit)
    for ticket in tickets:
        out.data(ticket.to_json())
    rows = [
        (each.row.ticket, out.text(_STATES[each.state.value]), each.requester_name or "-", each.row.desk or "-",
         f"{len(each.case.approvers)}/{each.case.approvals_needed}", f"{each.case.expires_at:%Y-%m-%d %H:%M}")
        for each in tickets
    ]  # fmt: skip
    titles = (mark("ticket"), mark("state"), mark("asked by"), mark("desk"), mark("approvals"), mark("until (UTC)"))
    if rows:
        out.table(titles, rows)
    else:
        out.say("No tickets.")


@app.command()
def show(
    ticket: TicketName,
    claim_as: Annotated[str | None, typer.Option("--claim", help="Keep it for this editor for 30 minutes.")] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Show one ticket: the prompt, what stands against it, and who has decided.

    Example: platemark review show 0199f3c2-0000-7000-8000-000000000000
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with _desk(home) as review:
        found = review.claim(ticket, editor=_named(claim_as)) if claim_as is not None else review.show(ticket)
    _print(out, found)


@app.command()
def approve(
    ticket: TicketName,
    reason: Why,
    editor: Editor,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Let exactly this request pass: same text, seed, model and rules. A block takes two editors.

    Example: platemark review approve 0199f3c2-0000-7000-8000-000000000000 --as e.park --reason "Archive, labelled"
    """
    _decide(ticket, "approve", _Said(editor, reason), output(as_json=as_json, lang=lang, quiet=quiet), home)


@app.command()
def reject(
    ticket: TicketName,
    reason: Why,
    editor: Editor,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Turn a request down; that is final for this ticket.

    Example: platemark review reject 0199f3c2-0000-7000-8000-000000000000 --as e.park --reason "Names a candidate"
    """
    _decide(ticket, "reject", _Said(editor, reason), output(as_json=as_json, lang=lang, quiet=quiet), home)


@app.command()
def request(
    decision: Annotated[str, typer.Argument(help="The decision_id of the refusal.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it should pass; kept sealed in the log.")],
    actor: Annotated[str, typer.Option("--actor", help="The person who was refused, as given to generate.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Appeal against a refusal: two editors decide. Some rules nobody may overrule.

    Example: platemark review request 0199f3c2-0000-7000-8000-000000000000 --actor jw.kim --reason "Consent is on file"
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with _desk(home) as review:
        found = review.show(review.appeal(decision, actor=_named(actor), reason=reason))
    _print(out, found)


class _Said:
    """An editor's name and reason."""

    def __init__(self, editor: str, reason: str) -> None:
        self.editor = _named(editor)
        self.reason = reason


def _decide(ticket: str, ballot: str, said: _Said, out: Output, home: Path | None) -> None:
    from platemark_policy.review import Ballot

    with _desk(home) as review:
        found = review.decide(ticket, Ballot(ballot), editor=said.editor, reason=said.reason)
    out.data(found.to_json())
    out.say(
        "{ticket} is now {state} ({given} of {needed} approvals).",
        ticket=ticket,
        state=out.text(_STATES[found.state.value]),
        given=len(found.case.approvers),
        needed=found.case.approvals_needed,
    )
    if found.state.value == "approved":
        out.note("Whoever asked can now give the same command again; it counts until {until} UTC.",
                 until=f"{found.case.expires_at:%Y-%m-%d %H:%M}")  # fmt: skip


def _print(out: Output, ticket: "Ticket") -> None:
    out.data(ticket.to_json())
    out.say("Ticket {ticket}: {state}", ticket=ticket.row.ticket, state=out.text(_STATES[ticket.state.value]))
    out.say("Asked by: {name}", name=ticket.requester_name or ticket.row.requester or "-")
    out.say("Prompt: {prompt}", prompt=ticket.prompt if ticket.prompt is not None else "-")
    decision = ticket.decision if isinstance(ticket.decision, dict) else {}
    findings = decision.get("findings")
    for finding in findings if isinstance(findings, list) else ():
        if isinstance(finding, dict) and isinstance(reason := finding.get("reason"), dict):
            out.say("  {rule}: {reason}", rule=finding.get("rule_id"), reason=reason.get(out.language))
    out.say(
        "{given} of {needed} approvals; until {until} UTC.",
        given=len(ticket.case.approvers),
        needed=ticket.case.approvals_needed,
        until=f"{ticket.case.expires_at:%Y-%m-%d %H:%M}",
    )


def _state(text: str) -> "ReviewState | None":
    from platemark_policy.review import ReviewState

    if text == "all":
        return None
    if text not in {state.value for state in ReviewState}:
        raise RequestError(f"Unknown state {text!r:.40}.", fix="One of pending, approved, rejected, expired, all.")
    return ReviewState(text)


def _named(name: str) -> str:
    if not name.strip():
        raise RequestError("A name is needed here.", fix="For example: --as e.park")
    return name.strip()


@contextmanager
def _desk(home: Path | None) -> "Iterator[ReviewDesk]":
    opened = require_home(home)
    with opened.open_ledger() as ledger:
        yield opened.review_desk(ledger)
