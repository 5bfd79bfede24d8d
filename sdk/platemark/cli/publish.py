"""`platemark publish`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.errors import PublicationRefused, error_json

if TYPE_CHECKING:
    from platemark.desk.publishing import PublishOptions


def publish(
    clip: Annotated[Path, typer.Argument(help="The clip as it was made.")],
    approver: Annotated[str, typer.Option(help="Who approves: not the one who made it. A pseudonym is kept.")],
    reason: Annotated[str, typer.Option(help="Why it may be published; kept sealed in the log.")],
    byline: Annotated[str, typer.Option(help="Whose name stands by it, where it was made without one.")] = "",
    profile: Annotated[str, typer.Option(help="Laws and codes it must pass too, separated by commas.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Where the published file goes; beside the clip if left out.")
    ] = None,
    name_approver: Annotated[
        bool, typer.Option("--name-approver", help="Say the approver's name in the manifest, for everybody to read.")
    ] = False,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Publish a clip that another person made, once every check passes. Exit code 3 refused, 7 a clause fails.

    Example: platemark publish clip.mp4 --approver "Lee Sora" --reason "Checked against the weather desk's notes"
    """
    printer = output(as_json=as_json, lang=lang, quiet=quiet)
    # Imported here: the checks load the decoder and the detector, which other commands do without.
    from platemark.desk.publishing import publish as publish_clip
    from platemark.making.recovery import clean_up

    options: PublishOptions = {
        "approver": approver,
        "reason": reason,
        "byline": byline,
        "profiles": tuple(dict.fromkeys(name.strip() for name in profile.split(",") if name.strip())),
        "name_approver": name_approver,
    }
    if out is not None:
        options["out"] = out
    opened = require_home(home)
    with opened.open_ledger() as ledger:
        for leftover in clean_up(opened, ledger):
            printer.note("{text}", text=leftover.explain(printer.language))
        try:
            done = publish_clip(opened, ledger, clip, **options)
        except PublicationRefused as refused:
            _tell_refusal(printer, refused)
            raise typer.Exit(refused.exit_code) from refused
    printer.data(done.to_json())
    printer.say("{path}", path=done.path)
    printer.note("Published: a second person approved it. The draft stays as it was.")


def _tell_refusal(printer: Output, refused: PublicationRefused) -> None:
    """Say each check that failed, in the chosen language, with what to do about it."""
    printer.data(error_json(refused))
    printer.complain("Not published:")
    for each in refused.failed:
        printer.complain(
            "  {number} {name}: {message} {detail} {fix}",
            number=each.number,
            name=each.name,
            message=printer.text(each.message),
            detail=f"[{each.detail}]" if each.detail else "",
            fix=printer.text(each.fix),
        )
