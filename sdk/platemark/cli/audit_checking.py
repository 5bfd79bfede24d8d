"""`platemark audit verify`, `receipt` and `tiles`: whether the log can be believed, and what others can hold it to."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.audit_options import ReaderName, ReadOnly, named_clip, open_log, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.homes.anchor_places import known_places
from platemark.verifying.against import check_ledger
from platemark.verifying.outside import NOT_ASKED, Outside, confirm
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.audit import LedgerReport
from platemark_provenance.ledger.event import EventType
from platemark_provenance.ledger.reading_log import Reader

EXIT_NOT_CONFIRMED = 6


def verify(
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", help="A checkpoint, receipt or copy (audit tiles) kept elsewhere; the log must hold it."
        ),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option("--since", help="A checkpoint or receipt of an earlier check: only what came after it is read."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nobody: go by what witnesses and other places gave before.")
    ] = False,
    read_only: ReadOnly = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Check every event, every column and the tree; name the first that is wrong. Then ask witnesses and anchors.

    Ends with 5 where the log was changed or somebody outside has another one, and with 6 where it is whole here and too
    few witnesses confirm it.

    Example: platemark audit verify --against clip.mp4.tlog-proof --json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    opened = require_home(home)
    with open_log(out, opened, read_only=read_only) as ledger:
        report = check_ledger(ledger, against=against, since=since)
        outside = confirm(ledger, known_places(opened, ledger), offline=offline) if report.ok else NOT_ASKED
    out.data({**report.to_json(), **outside.to_json(), "ok": report.ok and outside.ok})
    return max(_say_report(out, report, since=since), _say_outside(out, outside))


def _say_outside(out: Output, outside: Outside) -> int:
    for each in outside.found:
        if each.state == "confirmed":
            out.say("{place} confirms the log up to event {size}.", place=each.target, size=each.size)
        elif each.state == "kept":
            out.say("{place} confirmed the log up to event {size} before; it was not asked now.", place=each.target,
                    size=each.size)  # fmt: skip
        elif each.is_alarm:
            out.say("ALARM: {place} does not have this log: {reason}.", place=each.target, reason=each.reason)
        else:
            out.note("{place} could not be asked: {reason}.", place=each.target, reason=each.reason)
    if not outside.ok:
        return 5
    if outside.given < outside.wanted:
        out.say("{given} of the {wanted} witnesses that are wanted confirm it.", given=outside.given,
                wanted=outside.wanted)  # fmt: skip
        return EXIT_NOT_CONFIRMED
    return 0


def _say_report(out: Output, report: LedgerReport, *, since: Path | None) -> int:
    if report.ok and since is not None:
        out.say(
            "The log of {size} events continues the one given, and is whole from event {first} on. Root: {root}",
            size=report.size,
            first=report.checked_from,
            root=report.root,
        )
        return 0
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


def receipt(
    clip: Annotated[str, typer.Argument(help="A clip's identifier, or a file.")],
    reader: ReaderName = None,
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
        clip_id = named_clip(ledger, clip)
        text = ledger.receipt(clip_id).decode("utf-8")
        Reader(ledger, reader_name(reader)).record("receipt", found=1, asked={"clip": clip_id})
    out.data({"clip_id": clip_id, "receipt": text})
    if not as_json:
        typer.echo(text, nl=False)


def tiles(
    folder: Annotated[Path, typer.Argument(help="The copy's folder; it is made, or brought up to date.")],
    reader: ReaderName = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Copy the log as files (C2SP tlog-tiles): pseudonyms and open facts, never names, prompts or keys.

    Example: platemark audit tiles /mnt/elsewhere/log
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        asked: dict[str, JsonValue] = {"form": "tlog-tiles"}
        Reader(ledger, reader_name(reader)).record("export", found=None, asked=asked, kind=EventType.AUDIT_EXPORTED)
        copy = ledger.copy_tiles(folder)
    out.data({"path": str(folder), "size": copy.size, "added": copy.added, "files": copy.files})
    out.say("The copy in {path} has {size} events, {added} of them new.", path=folder, size=copy.size, added=copy.added)
