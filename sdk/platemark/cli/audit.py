"""`platemark audit`: what stands in the ledger, and whether it still can be believed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.errors import RequestError
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.ledger.event import Event, EventType, NewEvent
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.store import Ledger

app = typer.Typer(help="Query the audit log, follow one clip, check the whole log.", no_args_is_help=True)


MAX_IDENTIFIER = 200


@app.command("query")
def query(
    clip: Annotated[str | None, typer.Option(help="One clip's events.")] = None,
    actor: Annotated[str | None, typer.Option(help="Events of one person.")] = None,
    desk: Annotated[str | None, typer.Option(help="Events of one desk.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="One kind of event, such as clip.published.")] = None,
    decision: Annotated[str | None, typer.Option(help="allow, review or block.")] = None,
    since: Annotated[str | None, typer.Option(help="ISO 8601 time or date, included.")] = None,
    until: Annotated[str | None, typer.Option(help="ISO 8601 time or date, not included.")] = None,
    text: Annotated[str | None, typer.Option(help="Words in the event's facts.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many events, 1 to 1000.")] = 100,
    after: Annotated[str | None, typer.Option(help="Go on after this cursor.")] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """List events, newest first. The query itself becomes an event.

    Example: platemark audit query --desk weather --decision block --since 2026-11-01 --json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    wanted = Filter(
        clip=clip,
        actor=actor,
        desk=desk,
        type=type_,
        decision=decision,
        since=_time("--since", since),
        until=_time("--until", until),
        text=text,
    )
    with require_home(home).open_ledger() as ledger:
        page = ledger.page(wanted, after=after, limit=limit)
        _log_query(ledger, "query", clip)
    _print_events(out, page.events, with_clip=True)
    if page.next:
        out.note("There is more; go on with --after {cursor}", cursor=page.next)


@app.command("trace")
def trace(
    clip: Annotated[str, typer.Argument(help="A clip's identifier, or a file.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Tell one clip's whole life, from the prompt to its publication.

    Example: platemark audit trace clip.mp4
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        clip_id = _clip_id(ledger, clip)
        events = ledger.trace(clip_id)
        _log_query(ledger, "trace", clip_id)
    if not events:
        out.note("The ledger has no event of {clip}.", clip=clip_id)
        return 4
    _print_events(out, events, with_clip=False)
    return 0


@app.command("verify")
def verify(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> int:
    """Check every event, every column and the tree; name the first that is wrong.

    Example: platemark audit verify --json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        report = ledger.verify()
    out.data(report.to_json())
    if report.ok:
        out.say("The log of {size} events is whole. Root: {root}", size=report.size, root=report.root)
        return 0
    out.say(
        "The log was changed. First wrong event: {seq}, column {column}: {reason}",
        seq=report.first_bad_seq,
        column=report.first_bad_column or "-",
        reason=report.reason,
    )
    return 5


@app.command("receipt")
def receipt(
    clip: Annotated[str, typer.Argument(help="A clip's identifier, or a file.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Print the proof that a clip's publication stands in the log.

    Example: platemark audit receipt clip.mp4 > clip.mp4.tlog-proof
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        clip_id = _clip_id(ledger, clip)
        text = ledger.receipt(clip_id).decode("utf-8")
        _log_query(ledger, "receipt", clip_id)
    out.data({"clip_id": clip_id, "receipt": text})
    if not as_json:
        typer.echo(text, nl=False)


def _clip_id(ledger: Ledger, given: str) -> str:
    """Give the identifier for what was named: an identifier itself, or a file that we published."""
    path = Path(given)
    if len(given) > MAX_IDENTIFIER or not path.is_file():
        return given[:MAX_IDENTIFIER]
    record = ledger.registry.record_for_file(sha256_file(path))
    if record is None:
        raise RequestError(
            f"{path} is not, byte for byte, a clip that this home published.",
            fix=f"Find its identifier with: platemark verify {path}",
        )
    return record.clip_id


def _log_query(ledger: Ledger, command: str, clip: str | None) -> None:
    ledger.append(NewEvent(type=EventType.AUDIT_QUERIED, facts={"command": command, "clip": clip or ""}))


def _print_events(out: Output, events: tuple[Event, ...], *, with_clip: bool) -> None:
    for event in events:
        out.data(event.to_json())
    titles = ["seq", "time (UTC)", "event", "actor", *(["clip"] if with_clip else []), "facts"]
    rows = []
    for event in events:
        clip = [event.clip or ""] if with_clip else []
        when = event.at.strftime("%Y-%m-%d %H:%M:%S")
        rows.append([event.seq, when, event.type, event.actor_name or event.actor or "", *clip, _brief(event)])
    out.table(titles, rows)


def _brief(event: Event) -> str:
    facts: dict[str, JsonValue] = {k: v for k, v in event.facts.items() if not isinstance(v, (dict, list))}
    shown = ", ".join(f"{name}={value}" for name, value in facts.items())
    return f"{event.decision}: {shown}" if event.decision else shown


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RequestError(
            f"{option} must be an ISO 8601 date or time; got {text[:40]!r}.", fix="For example 2026-11-22T09:00+09:00."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
