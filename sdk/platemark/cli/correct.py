"""`platemark correct`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home

if TYPE_CHECKING:
    from platemark.desk.correcting import CorrectOptions


def correct(
    clip: Annotated[str, typer.Argument(help="A clip's identifier, or one of its files as it was published.")],
    reason: Annotated[str, typer.Option("--reason", help="What was wrong, as every report on the clip will say.")],
    by: Annotated[str, typer.Option("--by", help="Who corrects it; the log keeps a pseudonym.")],
    out: Annotated[
        Path | None, typer.Option(help="Where the copy goes that says it by itself; beside the file if left out.")
    ] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Correct what was said about a clip: every verdict on it and on its copies says so from now on.

    Example: platemark correct clip.mp4 --reason "The caption named the wrong city" --by "Lee Sora"
    """
    printer = output(as_json=as_json, lang=lang, quiet=quiet)
    # Imported here: making a copy loads what other commands do without.
    from platemark.desk.correcting import correct as correct_clip
    from platemark.making.recovery import clean_up

    options: CorrectOptions = {"reason": reason, "by": by}
    if out is not None:
        options["out"] = out
    opened = require_home(home)
    with opened.open_ledger() as ledger:
        for leftover in clean_up(opened, ledger):
            printer.note("{text}", text=leftover.explain(printer.language))
        done = correct_clip(opened, ledger, clip, **options)
    printer.data(done.to_json())
    newest = done.corrections[-1]
    if done.recorded is None:
        printer.note("This correction was recorded before; nothing was added to the log.")
    printer.say("{clip} is corrected: {reason}", clip=done.clip_id, reason=newest.reason)
    if done.path is None:
        printer.note("Its file is not at hand, so no copy was made; `platemark verify` tells of the correction.")
    else:
        printer.say("{path}", path=done.path)
        printer.note("That copy says it by itself; use it from now on. The file before it stays as it was.")
