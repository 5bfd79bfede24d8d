"""`platemark policy test|sign|install|explain`: what an editor does with a rule pack, and with a decision.

One rule: a pack that is refused changes nothing, and the message names its file, its line and the reason.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from platemark.auditing.replaying import replay_decision
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output, require_home
from platemark.cli.output import Output
from platemark.cli.policy_rows import labelled_rows
from platemark.errors import RequestError
from platemark.homes.home import find_home, open_home, utc_now
from platemark.homes.pack_installing import install_pack
from platemark.homes.pack_keys import pack_signing_key
from platemark_policy.decision import Verdict
from platemark_policy.explanation import explain_record
from platemark_policy.pack import RulePack
from platemark_policy.pack_signing import SIGNATURE_SUFFIX, sign_pack
from platemark_policy.pack_trial import Trial, own_examples, try_pack
from platemark_policy.rules import load_pack

Pack = Annotated[Path, typer.Argument(help="The pack's main file, such as strict.yaml.")]
_VERDICTS = (Verdict.ALLOW, Verdict.REVIEW, Verdict.BLOCK)


def test(
    pack: Pack,
    corpus: Annotated[Path | None, typer.Option("--corpus", help="JSON lines with text, label and id.")] = None,
    before: Annotated[Path | None, typer.Option("--before", help="The version to compare with.")] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Run a pack on its own examples, or on labelled prompts, and compare it with the version in force.

    Example: platemark policy test strict.yaml --corpus prompts.jsonl
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    loaded = load_pack(pack)
    rows = own_examples(loaded) if corpus is None else labelled_rows(corpus)
    now = try_pack(loaded, rows, at=utc_now())
    earlier = load_pack(before) if before is not None else _in_force(home)
    changes = now.changes(try_pack(earlier, rows, at=utc_now()))
    out.data(
        {
            "pack": {"id": loaded.pack_id.id, "version": loaded.pack_id.version, "sha256": loaded.pack_id.sha256},
            "examples": sum(len(rule.examples) for rule in loaded.rules),
            "prompts": len(rows),
            "confusion": {a.value: {b.value: now.count(a, b) for b in _VERDICTS} for a in _VERDICTS},
            "compared_with": {"id": earlier.pack_id.id, "version": earlier.pack_id.version},
            "changes": [{"id": name, "before": old.value, "now": new.value} for name, old, new in changes],
        }
    )
    out.say("{id} {version}: every example holds.", id=loaded.pack_id.id, version=loaded.pack_id.version)
    _print_confusion(out, now)
    out.say(
        "{count} of {total} decided differently from {id} {version}.",
        count=len(changes),
        total=len(rows),
        id=earlier.pack_id.id,
        version=earlier.pack_id.version,
    )
    for name, old, new in changes[:50]:
        out.say("  {name}: {old} -> {new}", name=name, old=old.value, new=new.value)
    return 0


def sign(pack: Pack, home: HomeDir = None, as_json: Json = False, lang: Lang = "en", quiet: Quiet = False) -> int:
    """Sign a pack with the publisher's pack key, which the first signature makes.

    Example: platemark policy sign strict.yaml
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    loaded = load_pack(pack)
    signature = sign_pack(loaded.pack_id, pack_signing_key(require_home(home).keys))
    target = pack.with_name(pack.name + SIGNATURE_SUFFIX)
    try:
        target.write_bytes(signature.to_bytes())
    except OSError as error:
        raise RequestError(
            f"{target} cannot be written ({error.strerror}).", fix="Check the folder's rights."
        ) from error
    out.data({"pack": loaded.pack_id.id, "version": loaded.pack_id.version, "signature": str(target)})
    out.say("Signed {id} {version}: {path}", id=loaded.pack_id.id, version=loaded.pack_id.version, path=target)
    return 0


def install(
    pack: Pack,
    installer: Annotated[str, typer.Option("--as", help="Who puts it in force, by name.")] = "",
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Put a signed pack in force in this home. A refused one leaves the pack in force as it is.

    Example: platemark policy install strict.yaml --as editor
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    opened = require_home(home)
    done = install_pack(opened, pack, installer=installer)
    out.data({"pack": done.pack_id.id, "version": done.pack_id.version, "sha256": done.pack_id.sha256})
    out.say("In force: {id} {version}.", id=done.pack_id.id, version=done.pack_id.version)
    return 0


def explain(
    decision: Annotated[Path, typer.Argument(help="A file with a decision's JSON, or - for standard input.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Say in plain words what a decision means: each finding, what it stands on, and who may let it pass.

    Example: platemark policy explain decision.json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    try:
        content = (
            typer.get_text_stream("stdin").read() if str(decision) == "-" else decision.read_text(encoding="utf-8")
        )
        record = json.loads(content)
    except (OSError, ValueError) as error:
        raise RequestError("Expected a decision as JSON.", fix="Save the output of: policy check … --json") from error
    lines = explain_record(record, language=lang)
    out.data({"explanation": list(lines)})
    for line in lines:
        out.say("{line}", line=line)
    return 0


def replay(
    decision: Annotated[str, typer.Argument(help="The decision_id of a decision about a prompt.")],
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Make a logged decision again from the log alone, and say whether it comes out byte for byte.

    Exits with 5 where it does not; the fields that differ are named.

    Example: platemark policy replay 0199e2a4-…
    """
    out, opened = output(as_json=as_json, lang=lang, quiet=quiet), require_home(home)
    with opened.open_ledger() as ledger:
        result = replay_decision(opened, ledger, decision)
    out.data(result.to_json())
    if result.is_same:
        out.say("The decision comes out again, byte for byte.")
        return 0
    out.say("The decision comes out differently: {fields}.", fields=", ".join(result.differing))
    return 5


def _in_force(home: Path | None) -> RulePack:
    found = find_home(home)
    return load_pack(None) if found is None else open_home(found).policy_pack()


def _print_confusion(out: Output, trial: Trial) -> None:
    rows = [(expected.value, *(trial.count(expected, decided) for decided in _VERDICTS)) for expected in _VERDICTS]
    out.table(("should be", *(verdict.value for verdict in _VERDICTS)), rows)
