"""`platemark keys`: the keys of a home and their certificates, from the first day to the last."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.errors import OutputError, RequestError
from platemark.homes import home as homes
from platemark.homes import keyring
from platemark.homes.home import Home, find_home, home_directory, utc_now
from platemark.homes.key_folder import LEDGER_PUBLIC, SUCCESSION
from platemark.homes.key_status import key_status, lint_chain, lint_home, lint_key_with
from platemark_provenance.certificate_facts import certificate_facts
from platemark_provenance.certificate_lint import CertificateFinding
from platemark_provenance.digest import JsonValue
from platemark_provenance.durable import write_whole
from platemark_provenance.ledger.event import EventType, NewEvent

app = typer.Typer(help="Keys and certificates: make, request, install, rotate, check.", no_args_is_help=True)

Algorithm = Annotated[str, typer.Option("--algorithm", help="es256, es384, ps256 or ed25519.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who asks for it, for the ledger.")]


@app.command("init")
def init(
    algorithm: Algorithm = "es256",
    org: Annotated[str, typer.Option("--org", help="The publisher's name, as verdicts will show it.")] = "",
    country: Annotated[str, typer.Option("--country", help="Two capital letters.")] = "KR",
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Make a home whose development keys (root, intermediate, leaf) are for an algorithm of your choice.

    Keys that exist are never replaced; `keys rotate` does that.

    Example: platemark keys init --home newsroom --org "Daily Example" --algorithm es384
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    where = home or find_home()
    if homes.exists(where):
        opened = require_home(where)
        found = certificate_facts(opened.signing_chain())
        if found.alg != algorithm:
            raise RequestError(
                f"{opened.path} has a signing key for {found.alg} already, and keys are never replaced by init.",
                fix=f"Run: platemark keys rotate --algorithm {algorithm[:20]}",
            )
        out.data({"home": str(opened.path), "created": False, "certificate": found.to_json()})
        out.say("{path} has its keys already; nothing was changed.", path=opened.path)
        return
    made = homes.init(home_directory(where), organisation=org or "Unnamed newsroom", country=country, alg=algorithm)
    facts = certificate_facts(made.signing_chain())
    out.data({"home": str(made.path), "created": True, "certificate": facts.to_json()})
    out.say("Made development keys for {alg} in {path}.", alg=facts.alg, path=made.keys)
    out.note("Its keys are for development: nobody else trusts them yet. Back up {path}.", path=made.keys)


@app.command("status")
def status(home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> int:
    """List every key of a home, the days its certificate has left, and what to do where one runs out.

    Ends with 1 where a key has run out or cannot be used.

    Example: platemark keys status --home newsroom
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    keys = key_status(require_home(home))
    ok = all(each.ok for each in keys)
    out.data({"ok": ok, "keys": [each.to_json() for each in keys]})
    titles = ["key", "state", "algorithm", "days left", "until (UTC)", "name"]
    rows = []
    for each in keys:
        left = "" if each.days_left is None else each.days_left
        until = "" if each.not_after is None else f"{each.not_after:%Y-%m-%d}"
        rows.append([each.name, each.state, each.alg, left, until, each.subject or each.note])
    out.table(titles, rows)
    for each in keys:
        if each.state == "expires-soon":
            out.note("Warning: {key} has {days} days left. {fix}", key=each.name, days=each.days_left, fix=each.fix)
        if not each.ok:
            out.note("{key}: {state}. {note} {fix}", key=each.name, state=each.state, note=each.note, fix=each.fix)
    return 0 if ok else 1


@app.command("lint")
def lint(
    file: Annotated[Path | None, typer.Argument(help="Certificates (PEM); those in force where left out.")] = None,
    key: Annotated[str, typer.Option(help="A key's URI, such as file:leaf.key, that must fit the FILE.")] = "",
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Check certificates against the C2PA profile and name each rule they break. Ends with 1 where one fails.

    Example: platemark keys lint chain.pem
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    if file is None:
        if key:
            raise RequestError("--key goes with a FILE of certificates.", fix="platemark keys lint CHAIN --key URI")
        opened = require_home(home)
        name, findings = str(opened.chain_path), lint_home(opened)
    else:
        name, findings = str(file), lint_chain(file, now=utc_now())
        findings += lint_key_with(require_home(home), file, key=_from_here(key)) if key else ()
    failed = any(each.severity == "error" for each in findings)
    out.data({"file": name, "ok": not failed, "findings": [_finding(each) for each in findings]})
    for each in findings:
        out.say("{severity} {rule}: {message}", severity=each.severity, rule=each.rule, message=each.message)
        if each.fix:
            out.say("    → {fix}", fix=each.fix)
    if not findings:
        out.say("{path}: every rule holds.", path=name)
    return 1 if failed else 0


@app.command("csr")
def csr(
    out_file: Annotated[Path | None, typer.Option("--out", help="Where to write it; printed where left out.")] = None,
    algorithm: Annotated[str, typer.Option("--algorithm", help="es256, es384, ps256, ed25519; as now.")] = "",
    common_name: Annotated[str, typer.Option("--common-name", help="What tells this signer from your others.")] = "",
    email: Annotated[str, typer.Option("--email", help="An address that the certificate shall name.")] = "",
    public_key: Annotated[
        Path | None,
        typer.Option("--public-key", help="The public half (PEM) of a key in a token or service, if it is new."),
    ] = None,
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Make a new key and ask a real authority for its certificate. The key in force goes on signing.

    Where [signing] key names a token, a service or a program, that key signs the request.

    Example: platemark keys csr --out newsroom.csr --email signing@example.com
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    if out_file is not None and out_file.exists():
        raise OutputError(f"{out_file} exists already.", fix="Choose another name.")
    options = keyring.RequestOptions(algorithm, common_name, email, actor, public_key)
    made = keyring.request(require_home(home), options)
    out.data(made.to_json() | {"path": None if out_file is None else str(out_file)})
    if out_file is not None:
        _write(out_file, made.pem)
        out.say("Wrote the request for a certificate to {path}.", path=out_file)
    elif not as_json:
        sys.stdout.write(made.pem.decode("ascii"))
    if not made.fresh and not made.outside:
        out.note("The key of an earlier request was used: it still waits for its certificate.")
    out.note("When the authority has answered: platemark keys install CHAIN --root ROOT")


@app.command("install")
def install(
    chain: Annotated[Path, typer.Argument(help="The certificates that the authority sent (PEM), leaf first.")],
    root: Annotated[
        Path | None, typer.Option("--root", help="The authority's root (PEM), trusted from now on.")
    ] = None,
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Put an authority's certificate in force, after checking the profile, the key and the way to a trusted root.

    Example: platemark keys install newsroom.chain.pem --root authority-root.pem
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    _report(out, keyring.install(require_home(home), chain, root=root, actor=actor))


@app.command("rotate")
def rotate(
    authority: Annotated[bool, typer.Option("--authority", help="Make a new root and intermediate too.")] = False,
    watermark: Annotated[
        bool, typer.Option("--watermark", help="Start a new epoch of the invisible mark, and nothing else.")
    ] = False,
    ledger: Annotated[bool, typer.Option("--ledger", help="Replace the key that signs the log instead.")] = False,
    algorithm: Annotated[str, typer.Option("--algorithm", help="es256, es384, ps256, ed25519; as now.")] = "",
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Replace the development signing key by a new one, or with --ledger the key that signs the log.

    What the old key signed stays good. Stop other programs on the home before you replace the log's key.

    \b
    Example: platemark keys rotate --actor jw.kim
             platemark keys rotate --watermark --actor jw.kim
    """  # noqa: D301  the backspace is how the command line is told to keep the lines
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    if watermark:
        if authority or algorithm or ledger:
            raise RequestError(
                "--watermark changes the mark's waves and nothing else.", fix="Ask for one change at a time."
            )
        _report_epoch(out, require_home(home), actor)
        return
    if ledger:
        if authority or algorithm:
            raise RequestError("The log is always signed with Ed25519.", fix="Leave out --authority and --algorithm.")
        _rotate_ledger(out, require_home(home), actor)
        return
    change = keyring.rotate_authority if authority else keyring.rotate_leaf
    _report(out, change(require_home(home), alg=algorithm, actor=actor))


@app.command("rewrap")
def rewrap(
    actor: Actor = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Wrap the keys of people, which seal prompts and bylines, with the key that [ledger] kek names now.

    Example: platemark keys rewrap --actor chief
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    with require_home(home).open_ledger() as ledger:
        count, name = ledger.keys.rewrap(), ledger.keys.wrapper.name
        if count:
            facts: dict[str, JsonValue] = {"purpose": "subject-key-wrapping", "kek": name, "keys": count}
            ledger.append(NewEvent(EventType.KEY_ROTATED, actor=actor, facts=facts))
    out.data({"kek": name, "rewrapped": count})
    out.say("Wrapped {count} keys anew, with {name}.", count=count, name=name)


def _rotate_ledger(out: Output, opened: Home, actor: str | None) -> None:
    from platemark.homes.ledger_rotation import rotate_ledger_key

    done = rotate_ledger_key(opened, actor=actor)
    out.data(done.to_json())
    out.say("The log is signed by another key from now on: {key}", key=done.new)
    out.note("What the old key signed stays good. Give these to whoever checks your log: {public} and {succession}",
             public=opened.keys / LEDGER_PUBLIC, succession=opened.keys / SUCCESSION)  # fmt: skip
    out.note("Witnesses must be told the new key before they confirm more.")
    out.note("Back up {path}.", path=opened.keys)


def _from_here(key: str) -> str:
    """Make a relative file: URI one of the working directory, where its user stands; the home's is for the home."""
    path = key.removeprefix("file:")
    return f"file:{Path.cwd() / path}" if key.startswith("file:") and not path.startswith("/") else key


def _finding(finding: CertificateFinding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "fix": finding.fix,
    }


def _write(path: Path, content: bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.", fix="Choose another place.") from error


def _report_epoch(out: Output, home: homes.Home, actor: str | None) -> None:
    # Imported here: SciPy takes a while to load.
    from platemark.homes.mark_keys import rotate_watermark

    done = rotate_watermark(home, actor=actor)
    out.data(done.to_json())
    out.say("New marks are of epoch {now}. Marks of earlier epochs are still found.", now=done.now)
    out.note("Back up {path}.", path=home.watermark_epoch_path)


def _report(out: Output, done: keyring.Exchanged) -> None:
    out.data(done.to_json())
    out.say("In force now: {subject} ({alg}), until {until}.", subject=done.new.subject, alg=done.new.alg,
            until=f"{done.new.not_after:%Y-%m-%d}")  # fmt: skip
    out.say("Kept: {subject} ({alg}), valid until {until}, in {path}.", subject=done.old.subject, alg=done.old.alg,
            until=f"{done.old.not_after:%Y-%m-%d}", path=done.retired)  # fmt: skip
    out.note("What the old key signed stays trusted until then, and longer where it has a time-stamp.")
    out.note("Back up {path}.", path=done.retired.parent.parent)
