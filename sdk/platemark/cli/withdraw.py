"""`platemark withdraw`."""

from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.desk.people import require_allowed
from platemark.desk.withdrawal import withdraw as take_back
from platemark.homes.account import os_account


def withdraw(
    clip: Annotated[str, typer.Argument(help="A clip's identifier, or the file as it was published.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, as every report on the clip will say.")],
    actor: Annotated[str | None, typer.Option(help="Who withdraws it; the log keeps a pseudonym.")] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Take a published clip back: every verdict on it and on its copies says so from now on.

    Example: platemark withdraw clip.mp4 --reason "Wrong date in the caption"
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    opened = require_home(home)
    require_allowed(opened, "withdraw", actor or "", os_account())
    with opened.open_ledger() as ledger:
        done = take_back(ledger, clip, reason=reason, actor=actor)
    out.data(done.to_json())
    told = done.withdrawal.to_json()
    if done.recorded is None:
        out.say("{clip} was withdrawn before, on {date}: {reason}", clip=done.clip_id, **told)
        return
    out.say("{clip} is withdrawn: {reason}", clip=done.clip_id, reason=done.withdrawal.reason)
    out.note("Copies that are already out there stay there; `platemark verify` tells their holders.")
