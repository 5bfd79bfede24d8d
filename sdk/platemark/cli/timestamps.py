"""`platemark timestamps`: clips that were signed without the time-stamp that was wanted."""

from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home

app = typer.Typer(help="Time-stamps that could not be had at once: list them, add them.", no_args_is_help=True)


@app.command("list")
def list_(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> None:
    """Show the clips that wait for a time-stamp, the longest first.

    Example: platemark timestamps list
    """
    from platemark.making.stamping import Stamped, queue_of

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    waiting = queue_of(require_home(home)).waiting()
    for each in waiting:
        out.data(Stamped(each, "waits").to_json())
        out.say(
            "{path}: waits since {since}, asked {count} times in vain.",
            path=each.path,
            since=f"{each.since:%Y-%m-%d %H:%M}",
            count=each.attempts,
        )
    if not waiting:
        out.note("No clip waits for a time-stamp.")


@app.command("add")
def add(
    every: Annotated[bool, typer.Option("--all", help="Ask now, also where the next attempt lies ahead.")] = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Ask the authority for the time-stamps that wait. Each goes into a copy, clip.stamped.mp4, beside the clip.

    Ends with 1 where the authority still gives none. Meant to be run again and again, by cron for example: after
    each failure the next attempt waits twice as long, up to six hours.

    Example: platemark timestamps add --all
    """
    from platemark.making.stamping import add_waiting

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    failed = False
    for each in add_waiting(require_home(home), every=every):
        failed = failed or each.outcome == "failed"
        out.data(each.to_json())
        path, reason = each.waiting.path, each.reason
        if each.outcome == "added":
            out.say("{path}: time-stamped, in {copy}.", path=path, copy=each.copy)
        elif each.outcome == "failed":
            out.say("{path}: no time-stamp yet: {reason}", path=path, reason=reason)
        elif each.outcome == "gone":
            out.say("{path}: no longer waits: {reason}.", path=path, reason=reason)
    return 1 if failed else 0
