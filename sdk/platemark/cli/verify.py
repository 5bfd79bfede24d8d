"""`platemark verify`."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.cli.output import Output, stderr_is_terminal
from platemark.errors import MediaError, PlatemarkError, RequestError, VerificationError, WatermarkError
from platemark.verifying.targets import STREAM, find_media, kept_stream
from platemark_provenance.axes import Language, Verdict
from platemark_provenance.axis_words import axis_lines
from platemark_provenance.digest import JsonValue
from platemark_provenance.trust_lists import TrustFiles
from platemark_provenance.verdict import Report, shown_path

if TYPE_CHECKING:
    from platemark.verifying.reports import VerdictPage, VerdictTable
    from platemark.verifying.verifier import Verifier

TrustFile = Annotated[list[Path] | None, typer.Option("--trust", help="Root certificates (PEM) of claim signers.")]
TsaFile = Annotated[list[Path] | None, typer.Option("--trust-tsa", help="Roots of time-stamp authorities.")]
CawgFile = Annotated[list[Path] | None, typer.Option("--trust-cawg", help="Roots of organisational identities.")]
LegacyFile = Annotated[
    list[Path] | None, typer.Option("--trust-legacy", help="Roots of a list no longer kept up: legacy_trusted at most.")
]

_FAULTS_OF_A_FILE = (VerificationError, MediaError, WatermarkError, RequestError)
"""What one file among many can end with; a home or a ledger that fails ends the run."""


@dataclass(slots=True)
class _Run:
    """One run of the command: where results go, and what they came to."""

    out: Output
    verifier: "Verifier"
    brief: bool
    manifest_only: bool = False
    crjson: Literal["one", "many"] | None = None
    table: "VerdictTable | None" = None
    page: "VerdictPage | None" = None
    worst: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def language(self) -> Language:
        """The language that people asked for."""
        return "ko" if self.out.language == "ko" else "en"

    def take(self, path: Path, *, content: Path | None = None, sidecar: Path | None = None) -> None:
        """Examine a file, or `content` in its name, and pass the verdict on."""
        source = content or path
        examine = self.verifier.examine_manifest if self.manifest_only else self.verifier.examine
        report = replace(examine(source, sidecar=sidecar), path=path)
        self.worst = max(self.worst, report.exit_code)
        self.counts[str(report.verdict)] += 1
        if self.crjson is not None:
            self._print_crjson(report, source, sidecar)
            return
        self.out.data(report.to_json())
        (_print_line if self.brief else _print)(self.out, report, self.language)
        if self.table is not None:
            self.table.add(report)
        if self.page is not None:
            self.page.add(report, source)

    def _print_crjson(self, report: Report, source: Path, sidecar: Path | None) -> None:
        """Print the library's report as it is for one file; one line each, with path and verdict, for many."""
        found = self.verifier.crjson(source, sidecar=sidecar)
        if found is None:
            self.out.note("{path} has no manifest that can be read, so there is no crJSON.", path=report.path)
        if self.crjson == "many":
            line = {"path": shown_path(report.path), "verdict": str(report.verdict)}
            sys.stdout.write(json.dumps({**line, "crjson": None if found is None else json.loads(found)}) + "\n")
        elif found is not None:
            sys.stdout.write(found + "\n")

    def fail(self, path: Path, error: PlatemarkError) -> None:
        """Pass on that a file could not be examined; the others go on."""
        self.worst = max(self.worst, error.exit_code)
        self.counts["error"] += 1
        told: JsonValue = {"type": type(error).__name__, "message": error.message, "fix": error.fix}
        line: JsonValue = {"path": shown_path(path), "verdict": str(Verdict.UNREADABLE), "error": told}
        if self.crjson is not None:
            sys.stdout.write(json.dumps(line) + "\n")
        else:
            self.out.data(line)
        self.out.note("{path}: {text}", path=path, text=error)
        if self.table is not None:
            self.table.add_error(path, error)


def verify(
    files: Annotated[list[Path], typer.Argument(help="Clips, stills or folders; - reads one from standard input.")],
    trust: TrustFile = None,
    trust_tsa: TsaFile = None,
    trust_cawg: CawgFile = None,
    trust_legacy: LegacyFile = None,
    sidecar: Annotated[Path | None, typer.Option(help="A manifest kept beside the file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a table of all verdicts to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page for people to this file.")] = None,
    crjson: Annotated[bool, typer.Option("--crjson", help="Print the C2PA library's own report, as crJSON.")] = False,
    manifest_only: Annotated[
        bool, typer.Option("--manifest-only", help="Do not look for the watermark: faster, and finds no stripped copy.")
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Fetch a manifest that lies on a server, from the servers named only.")
    ] = False,
    online_host: Annotated[
        list[str] | None, typer.Option(help="A server that --online may ask, beside those in [verify] hosts.")
    ] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Say what a file is: who signed it, whether it was changed, and what was not checked.

    Example: platemark verify clip.mp4 --html report.html
    """
    # Imported here: FFmpeg and the C2PA library are not needed to print help.
    from platemark.verifying.verifier import Verifier

    out = output(as_json=as_json, lang=lang, quiet=quiet)
    _check(files, sidecar=sidecar)
    servers = _servers(online, online_host)
    lists = TrustFiles(tsa=tuple(trust_tsa or ()), cawg=tuple(trust_cawg or ()), legacy=tuple(trust_legacy or ()))
    opened = Verifier.open(home, trust=tuple(trust or ()), lists=lists, online=servers)
    with opened as verifier, ExitStack() as stack:
        run = _Run(out, verifier, brief=any(path.is_dir() for path in files), manifest_only=manifest_only)
        if crjson:
            run.crjson = "one" if len(files) == 1 and not run.brief else "many"
        _open_reports(run, stack, files, csv=csv, html=html)
        _examine_all(run, files, sidecar)
        if run.page is not None:
            run.page.finish()
    return run.worst


def _servers(online: bool, named: list[str] | None) -> tuple[str, ...] | None:
    if named and not online:
        raise RequestError("An --online-host says where --online may ask.", fix="Add --online, or leave the host out.")
    return tuple(named or ()) if online else None


def _check(files: list[Path], *, sidecar: Path | None) -> None:
    if sidecar is not None and (len(files) != 1 or files[0].is_dir()):
        raise RequestError("A --sidecar belongs to one file.", fix="Name that file alone.")
    if files.count(STREAM) > 1:
        raise RequestError("Standard input can be read once.", fix="Give - only once.")


def _open_reports(run: _Run, stack: ExitStack, files: list[Path], *, csv: Path | None, html: Path | None) -> None:
    if csv is None and html is None:
        return
    from platemark.homes.home import utc_now
    from platemark.verifying.reports import VerdictPage, VerdictTable, report_file

    if csv is not None:
        run.table = VerdictTable(stack.enter_context(report_file(csv, examined=files)))
    if html is not None:
        file = stack.enter_context(report_file(html, examined=files))
        run.page = VerdictPage(file, language=run.language, made_at=utc_now())


def _examine_all(run: _Run, files: list[Path], sidecar: Path | None) -> None:
    for path in files:
        if path == STREAM:
            with kept_stream(sys.stdin.buffer) as content:
                run.take(path, content=content, sidecar=sidecar)
        elif path.is_dir():
            _examine_folder(run, path)
        elif len(files) == 1:
            run.take(path, sidecar=sidecar)
        else:
            _try(run, path)
    if run.brief and run.crjson is None:
        counted = ", ".join(f"{word} {count}" for word, count in sorted(run.counts.items())) or "-"
        run.out.say("Files examined: {count} ({verdicts}).", count=run.counts.total(), verdicts=counted)


def _examine_folder(run: _Run, folder: Path) -> None:
    found = find_media(folder)
    for path in found.unreadable:
        run.fail(path, VerificationError(f"{path} could not be opened."))
    with _progress(run.out, len(found.media)) as step:
        for path in found.media:
            _try(run, path)
            step()
    if found.others:
        run.out.note("{count} other files in {folder} are no pictures or videos.", count=found.others, folder=folder)


def _try(run: _Run, path: Path) -> None:
    try:
        run.take(path)
    except _FAULTS_OF_A_FILE as error:
        run.fail(path, error)


@contextmanager
def _progress(out: Output, total: int) -> Iterator[Callable[[], object]]:
    """Show a bar where a person looks on, and nothing otherwise."""
    if out.as_json or out.quiet or not stderr_is_terminal():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Lines that are printed meanwhile go above the bar.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def _print_line(out: Output, report: Report, language: Language) -> None:
    headline = report.explain(language).splitlines()[0]
    _print_verdict(out, report)
    out.say("  {text}", text=headline)


def _print_verdict(out: Output, report: Report) -> None:
    path, verdict = shown_path(report.path), report.verdict.value.upper()
    since = [out.text("WITHDRAWN")] if report.withdrawn is not None else []
    since += [out.text("CORRECTED")] if report.corrections else []
    out.say("{path}: {verdict}", path=path, verdict=", ".join((verdict, *since)))


def _print(out: Output, report: Report, language: Language) -> None:
    _print_verdict(out, report)
    for line in report.explain(language).splitlines():
        out.say("  {text}", text=line)
    if report.signer:
        out.say("  Signed by {signer} with {generator}.", signer=report.signer, generator=report.generator or "?")
    for each in report.recipients:
        out.say("  This copy was made for {name}.", name=each.name or each.pseudonym)
    for title, value in axis_lines(report.axes, language):
        out.say("    {title}: {value}", title=title, value=value)
    lists = ", ".join(f"{each.name} ({each.snapshot.isoformat()})" for each in report.trust_lists)
    if lists:
        out.say("  Trust lists: {lists}.", lists=lists)
