"""`platemark comply`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.errors import RequestError

if TYPE_CHECKING:
    from platemark.compliance.assessment import Assessment
    from platemark.compliance.evidence import Role


def comply(
    file: Annotated[Path, typer.Argument(help="A clip or a still.")],
    profile: Annotated[str, typer.Option(help="Laws and codes, separated by commas.")] = (
        "eu-art50,kr-ai-basic,ca-sb942,cn-gb45438"
    ),
    role: Annotated[str, typer.Option(help="Whose duties: provider, deployer or user.")] = "provider",
    realistic: Annotated[bool, typer.Option(help="People could take it for a recording.")] = True,
    exported: Annotated[bool, typer.Option(help="It leaves the service that made it.")] = True,
    told: Annotated[bool, typer.Option("--told", help="The audience is told beforehand that AI is used.")] = False,
    breaks: Annotated[str, typer.Option(help="Seconds at which playback resumes after breaks: 30,60.")] = "",
    html: Annotated[Path | None, typer.Option(help="Also write a page with frame grabs to this file.")] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Check a file against laws and codes, clause by clause, with the evidence. Exit code 7 when a clause fails.

    Example: platemark comply clip.mp4 --profile eu-art50,kr-ai-basic
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    # Imported here: the checks load the decoder and the detector, which other commands do without.
    from platemark.compliance.assessment import assess
    from platemark.compliance.evidence import Situation
    from platemark.compliance.gathering import gather
    from platemark.compliance.profile import load_profile

    names = tuple(dict.fromkeys(name.strip() for name in profile.split(",") if name.strip()))
    if not names:
        raise RequestError("No profile was named.", fix="For example: --profile eu-art50")
    profiles = [load_profile(name) for name in names]
    situation = Situation(role=_role(role), realistic=realistic, exported=exported, told=told, breaks_s=_breaks(breaks))
    opened = require_home(home)
    assessment = assess(gather(opened, file), profiles, situation, on=opened.clock().date())
    if html is not None:
        _write_page(assessment, html, language=lang)
    out.data(assessment.to_json())
    _tell(out, assessment)
    raise typer.Exit(assessment.exit_code)


def _role(text: str) -> "Role":
    from platemark.compliance.evidence import ROLES

    for role in ROLES:
        if text == role:
            return role
    raise RequestError(f"Unknown role {text!r:.40}.", fix=f"One of {', '.join(ROLES)}.")


def _breaks(text: str) -> tuple[float, ...]:
    try:
        seconds = tuple(float(each) for each in text.split(",") if each.strip())
    except ValueError:
        seconds = (-1.0,)
    if not all(0 <= each < 1e6 for each in seconds):
        raise RequestError(f"Breaks are seconds from the start, like 30,60; got {text!r:.60}.")
    return seconds


def _write_page(assessment: "Assessment", target: Path, *, language: str) -> None:
    from platemark.compliance.page import assessment_page, frame_grabs
    from platemark.verifying.reports import report_file

    source = assessment.evidence.path
    grabs = frame_grabs(source, frames=assessment.evidence.frames)
    with report_file(target, examined=[source]) as file:
        file.write(assessment_page(assessment, language=language, grabs=grabs))


def _tell(out: Output, assessment: "Assessment") -> None:
    from platemark.compliance.page import OUTCOMES

    language = out.language
    for result in assessment.profiles:
        outcome = out.text("passed") if result.passed else out.text("failed")
        out.say("{title} (version {version}): {outcome}", **{
            "title": result.profile.title[language], "version": result.profile.version, "outcome": outcome,
        })  # fmt: skip
        rows = [
            (
                each.clause.id,
                out.text(OUTCOMES[each.finding.outcome])
                + (f" ({out.text('optional')})" if each.clause.optional else ""),
                each.clause.text[language],
                each.finding.evidence_in(language),
            )
            for each in result.results
        ]
        out.table(("Clause", "Outcome", "What is asked for", "What was seen"), rows)
    out.note("A technical check written from public sources, not legal advice.")
