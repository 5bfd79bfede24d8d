"""`platemark audit witness`: who confirms this log, and confirming the logs of others."""

from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.audit_options import Zone, reader_name
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.errors import RequestError
from platemark.homes.home import utc_now
from platemark.zone import parse_zone, show_moment

app = typer.Typer(help="Witnesses: others who remember how far this log was.", no_args_is_help=True)

Actor = Annotated[str | None, typer.Option("--actor", help="Who does it; the account that runs this where left out.")]


@app.command("serve")
def serve(
    folder: Annotated[Path, typer.Argument(help="The witness's own folder; made the first time.")],
    name: Annotated[str, typer.Option("--name", help="Of a new witness, such as partner.example/w1.")] = "",
    log: Annotated[list[str], typer.Option("--log", help="The key of a log to confirm; as its home lists it.")] = [],  # noqa: B006  typer reads it
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT; put TLS in front of it.")] = "127.0.0.1:8741",
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Be a witness for the logs of others (C2SP tlog-witness). Needs no home. Ends with Ctrl-C.

    Example: platemark audit witness serve /srv/witness --name partner.example/w1 --log news.example/log+1a2b3c4d+AQ…
    """
    from platemark.homes.witness_folder import add_logs, open_witness
    from platemark_provenance.witness.server import WitnessServer

    del home  # every command takes it
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    host, port = _address(listen)
    with open_witness(folder, name=name, clock=utc_now) as book:
        add_logs(book, log)
        with WitnessServer(book, host=host, port=port) as server:
            logs = book.logs()
            key = book.cosigner.verifier_key.text()
            out.data({"name": book.cosigner.name, "url": server.url, "key": key, "logs": [each for each, _ in logs]})
            out.say("The witness {name} listens on {url} for {count} logs.", name=book.cosigner.name, url=server.url,
                    count=len(logs))  # fmt: skip
            out.say("Its key: {key}", key=key)
            out.flush()
            server.serve_forever()


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="The prefix of its addresses, such as https://witness.example.")],
    key: Annotated[str, typer.Argument(help="Its key, from whoever runs it: name+id+key.")],
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Ask a witness to confirm this log from now on.

    Example: platemark audit witness add https://witness.example witness.example/w1+5c01a2d3+BJ…
    """
    from platemark.homes.witness_keeping import add_witness

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    opened = require_home(home)
    entry = add_witness(opened, url, key, actor=reader_name(actor))
    out.data(entry.to_json())
    out.say("The witness {name} is asked from now on.", name=entry.name)
    with opened.open_ledger() as ledger:
        out.note("It must know this log's key: {key}", key=ledger.verifier_key.text())


@app.command("list")
def list_(
    zone: Zone = "UTC", home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False
) -> None:
    """List the witnesses of this log, and what each confirmed last. Prints this log's key for them.

    Example: platemark audit witness list
    """
    from platemark.homes.witness_roster import read_roster

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    opened, here = require_home(home), parse_zone(zone)
    rows = []
    with opened.open_ledger() as ledger:
        for each in read_roster(opened.path):
            last = ledger.anchors.newest("witness", each.name)
            size, at = (None, None) if last is None else (last.size, last.at)
            out.data({**each.to_json(), "size": size, "at": None if at is None else at.isoformat()})
            rows.append(
                [each.name, each.url, "-" if size is None else size, "-" if at is None else show_moment(at, here)]
            )
        own = ledger.verifier_key.text()
    out.table(["witness", "address", "confirmed up to", "time (UTC)" if zone == "UTC" else zone], rows)
    out.note("This log's key, for its witnesses: {key}", key=own)


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="The witness, as the list names it.")],
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Ask a witness no longer. What it signed is kept.

    Example: platemark audit witness remove witness.example/w1
    """
    from platemark.homes.witness_keeping import remove_witness

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    entry = remove_witness(require_home(home), name, actor=reader_name(actor))
    out.data(entry.to_json())
    out.say("The witness {name} is asked no longer.", name=entry.name)


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise RequestError(f"An address is HOST:PORT; got {listen[:60]!r}.", fix="Such as 127.0.0.1:8741")
    return host.strip("[]"), int(port)
