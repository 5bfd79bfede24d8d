"""`platemark audit anchor` and `anchors`: signed tree heads, kept where the owner of the log cannot change them."""

from typing import Annotated

import typer

from platemark.auditing.anchoring import anchor as leave
from platemark.cli.audit_options import Zone, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.errors import RequestError
from platemark.homes.anchor_places import here, open_places
from platemark.zone import parse_zone, show_moment

app = typer.Typer(help="What witnesses, directories, buckets and time-stamp authorities keep of this log.",
                  no_args_is_help=True)  # fmt: skip

Actor = Annotated[str | None, typer.Option("--actor", help="Who does it; the account that runs this where left out.")]


def anchor(
    places: Annotated[
        list[str] | None,
        typer.Argument(help="Directories, s3://bucket/prefix, or time-stamp authorities; as configured if left out."),
    ] = None,
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Sign the log as it is now and leave the signed tree head at each place. Meant to be run by cron.

    Before that the log is held to what lies there. Ends with 5 where a place has another log, with 1 where one could
    not be reached.

    Example: platemark audit anchor /mnt/worm s3://newsroom-log/main https://tsa.example/tsr
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    opened = require_home(home)
    names = [here(each) for each in places] if places else list(opened.config.anchors.places)
    if not names:
        raise RequestError(
            "No place was named, and [anchors] places names none.", fix="platemark audit anchor /mnt/elsewhere"
        )
    with opened.open_ledger() as ledger:
        done = leave(ledger, open_places(opened, names), actor=reader_name(actor))
    for each in done:
        out.data(each.to_json())
        if each.error is None:
            out.say("{place} keeps the head of {size} events.", place=each.target, size=each.size)
        else:
            out.complain("{place} keeps nothing new: {reason}", place=each.target, reason=out.told(each.error))
    return max((0 if each.error is None else each.error.exit_code for each in done), default=0)


@app.command("list")
def list_(
    zone: Zone = "UTC",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, the newest first.")] = 100,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """List what was left where, or confirmed by whom, the largest tree first.

    Example: platemark audit anchors list
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    here_zone = parse_zone(zone)
    with require_home(home).open_ledger() as ledger:
        kept = ledger.anchors.listed(limit=limit)
    for each in kept:
        out.data({"size": each.size, "kind": each.kind, "place": each.target, "at": each.at.isoformat()})
    rows = [[each.size, each.kind, each.target, show_moment(each.at, here_zone)] for each in kept]
    out.table(["events", "kind", "place", "time (UTC)" if zone == "UTC" else zone], rows)
