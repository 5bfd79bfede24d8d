"""`platemark webhooks`: telling other systems what happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home

if TYPE_CHECKING:
    from platemark.webhooks.telling import Telling

app = typer.Typer(help="Tell other systems what happened: deliver, status, secret.", no_args_is_help=True)


@app.command()
def deliver(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """Send what has happened since the last time; run it every minute where the receiver may be away.

    Example: platemark webhooks deliver
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with _telling(home) as telling:
        done = telling.deliver()
    out.data(done.to_json())
    out.say("{sent} sent, {dead} given up.", sent=done.sent, dead=done.dead)
    if done.problem:
        out.note("Not taken: {problem}. It is tried again later.", problem=done.problem)


@app.command()
def status(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """Say how far the telling has come, and list what was given up.

    Example: platemark webhooks status
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with _telling(home) as telling:
        outbox, size = telling.outbox(), telling.ledger.head().size
        place, dead = outbox.place(), outbox.dead_letters()
    out.data({
        "next_seq": place.next_seq, "attempts": place.attempts, "events": size, "dead": [str(path) for path in dead],
    })  # fmt: skip
    out.say("Told up to event {next} of {size}; {dead} given up.", next=place.next_seq, size=size, dead=len(dead))
    for path in dead:
        out.say("  {path}", path=path)


@app.command()
def secret(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """Print the secret that the receiver checks messages with; it is made the first time.

    Example: platemark webhooks secret
    """
    from platemark.webhooks.signature import show_secret

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    shown = show_secret(require_home(home).webhook_secret())
    out.data({"secret": shown})
    out.say("{secret}", secret=shown)
    out.note("Keep it out of logs and mail: whoever has it can speak in this home's name.")


@contextmanager
def _telling(home: Path | None) -> "Iterator[Telling]":
    from platemark.webhooks.telling import Telling

    opened = require_home(home)
    with opened.open_ledger() as ledger:
        yield Telling(opened, ledger)
