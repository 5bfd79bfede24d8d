"""`platemark audit query` and `trace`: reading the log. Each reading becomes an event itself."""

from datetime import tzinfo
from typing import Annotated

import typer

from platemark.cli.audit_options import ReaderName, ReadOnly, Zone, named_clip, open_log, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.zone import parse_moment, parse_zone, show_moment
from platemark_provenance.axes import Language
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Event
from platemark_provenance.ledger.event_words import event_sentence
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.reading_log import Reader


def query(
    clip: Annotated[str | None, typer.Option(help="One clip's events.")] = None,
    actor: Annotated[str | None, typer.Option(help="Events of one person, by name or pseudonym.")] = None,
    desk: Annotated[str | None, typer.Option(help="Events of one desk.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="One kind of event, such as clip.published.")] = None,
    decision: Annotated[str | None, typer.Option(help="allow, review or block.")] = None,
    model: Annotated[str | None, typer.Option(help="Events of one model.")] = None,
    since: Annotated[str | None, typer.Option(help="ISO 8601 time or date, included.")] = None,
    until: Annotated[str | None, typer.Option(help="ISO 8601 time or date, not included.")] = None,
    text: Annotated[str | None, typer.Option(help="Words in the event's facts.")] = None,
    words: Annotated[
        str | None, typer.Option(help='Words in prompts; needs [ledger] search = "on" when they were handed in.')
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many events, 1 to 1000.")] = 100,
    after: Annotated[str | None, typer.Option(help="Go on after this cursor.")] = None,
    zone: Zone = "UTC",
    reader: ReaderName = None,
    read_only: ReadOnly = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """List events, newest first. The query itself becomes an event.

    Example: platemark audit query --desk weather --decision block --since 2026-11-01 --zone Asia/Seoul --json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    here = parse_zone(zone)
    wanted = Filter(
        clip=clip,
        actor=actor,
        desk=desk,
        type=type_,
        decision=decision,
        model=model,
        since=parse_moment("--since", since, here),
        until=parse_moment("--until", until, here),
        text=text,
        words=words,
    )
    with open_log(out, require_home(home), read_only=read_only) as ledger:
        page = Reader(ledger, reader_name(reader)).page(wanted, after=after, limit=limit)
    _print_list(out, page.events, here)
    if page.next:
        out.note("There is more; go on with --after {cursor}", cursor=page.next)


def trace(
    clip: Annotated[str, typer.Argument(help="A clip's identifier, or a file.")],
    zone: Zone = "UTC",
    reader: ReaderName = None,
    read_only: ReadOnly = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Tell one clip's whole life, from the prompt to its publication and beyond.

    Example: platemark audit trace clip.mp4 --zone Asia/Seoul
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    here = parse_zone(zone)
    with open_log(out, require_home(home), read_only=read_only) as ledger:
        clip_id = named_clip(ledger, clip)
        events = Reader(ledger, reader_name(reader)).trace(clip_id)
    if not events:
        out.note("The ledger has no event of {clip}.", clip=clip_id)
        return 4
    _print_life(out, events, here)
    return 0


def _print_list(out: Output, events: tuple[Event, ...], zone: tzinfo) -> None:
    for event in events:
        out.data(event.to_json())
    rows = [
        [
            event.seq,
            show_moment(event.at, zone),
            event.type,
            event.actor_name or event.actor or "",
            event.clip or "",
            _brief(event),
        ]
        for event in events
    ]
    out.table(["seq", _time_title(zone), "event", "actor", "clip", "facts"], rows)


def _print_life(out: Output, events: tuple[Event, ...], zone: tzinfo) -> None:
    for event in events:
        out.data(event.to_json())
    language: Language = "ko" if out.language == "ko" else "en"
    rows = [
        [
            event.seq,
            show_moment(event.at, zone),
            event.type,
            event.actor_name or event.actor or "",
            event_sentence(event, language),
        ]
        for event in events
    ]
    out.table(["seq", _time_title(zone), "event", "actor", "what happened"], rows)


def _time_title(zone: tzinfo) -> str:
    name = str(zone)
    return "time (UTC)" if name == "UTC" else name


def _brief(event: Event) -> str:
    facts: dict[str, JsonValue] = {k: v for k, v in event.facts.items() if not isinstance(v, (dict, list))}
    shown = ", ".join(f"{name}={value}" for name, value in facts.items())
    return f"{event.decision}: {shown}" if event.decision else shown
