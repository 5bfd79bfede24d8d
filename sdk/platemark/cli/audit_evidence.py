"""`platemark audit bundle` and `verify-bundle`: evidence about one clip, for people outside."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.auditing.evidence import write_bundle
from platemark.cli.audit_options import ReaderName, Zone, named_clip, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.errors import RequestError
from platemark.zone import parse_zone, show_moment
from platemark_provenance.ledger.evidence.checking import LARGEST_KEY_BYTES, check_bundle, read_key
from platemark_provenance.ledger.succession import LARGEST_SUCCESSION_BYTES, Succession

EXIT_KEY_NOT_TRUSTED = 6


def bundle(
    clip: Annotated[str, typer.Argument(help="A clip's identifier, or a file.")],
    out_file: Annotated[Path, typer.Option("--out", "-o", help="The ZIP file.")],
    reader: ReaderName = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Put all evidence about a clip into one ZIP that anyone can check offline, without the database or a key.

    Example: platemark audit bundle clip.mp4 --out clip.evidence.zip
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        written = write_bundle(ledger, named_clip(ledger, clip), out_file, reader=reader_name(reader))
    out.data(written.to_json())
    out.say("Wrote the evidence about {clip} to {path}.", clip=written.clip_id, path=written.path)
    if not written.frames:
        out.note("It holds no frames: the clip's file is not where it was published, or was changed.")
    out.note("Hand it over together with your ledger's public key, by another way: keys/ledger.pub.pem")


def verify_bundle(
    file: Annotated[Path, typer.Argument(help="The ZIP file.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="The publisher's ledger key (PEM), from the publisher and not the ZIP.")
    ] = None,
    succession: Annotated[
        Path | None,
        typer.Option("--succession", help="How the log's keys followed one another, for bundles older than --key."),
    ] = None,
    zone: Zone = "UTC",
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Check a bundle; needs no home. Without --key the answer is at best that it fits the key it carries (exit 6).

    Example: platemark audit verify-bundle clip.evidence.zip --key ledger.pub.pem
    """
    del home  # every command takes the option; this one has no use for it
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    here = parse_zone(zone)
    followed = None if succession is None else Succession.parse(_read(succession, LARGEST_SUCCESSION_BYTES))
    report = check_bundle(file, None if key is None else read_key(_read(key)), succession=followed)
    out.data(report.to_json())
    out.say("Every check of {path} holds: clip {clip}.", path=file, clip=report.clip_id)
    out.say(
        "Its {count} events are in the log {origin}, which had {size} events when it was signed.",
        count=len(report.events),
        origin=report.checkpoint.origin,
        size=report.checkpoint.size,
    )
    rows = [[event.seq, show_moment(event.at, here), event.type, event.decision or ""] for event in report.events]
    out.table(["seq", "time (UTC)" if zone == "UTC" else zone, "event", "decision"], rows)
    out.say("SHA-256 of the published file: {sha256}", sha256=report.file_sha256)
    if report.is_withdrawn:
        out.say("The clip was WITHDRAWN.")
    for each in report.corrections:
        out.say("Corrected on {day}: {reason}", day=each.day, reason=each.reason)
    if not report.page_is_ours:
        out.note("Its verify.html is of another version of platemark; this program checked the rest without it.")
    if report.key_was_given:
        return 0
    out.note("The key came with the bundle: compare its SHA-256 with the publisher's, or pass --key.")
    out.say("SHA-256 of the key: {sha256}", sha256=report.key_sha256)
    return EXIT_KEY_NOT_TRUSTED


def _read(key: Path, most_bytes: int = LARGEST_KEY_BYTES) -> bytes:
    try:
        with key.open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError as error:
        raise RequestError(
            f"{key} cannot be read ({error.strerror}).", fix="Name the file that the publisher gave you."
        ) from error
