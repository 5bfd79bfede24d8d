"""`platemark policy`: screen text without making anything."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
import uuid_utils

from platemark.cli import policy_packs, policy_records
from platemark.cli.options import HomeDir, Json, Lang, Quiet, output
from platemark.cli.output import Output
from platemark.cli.policy_rows import read_rows
from platemark.clip import check_prompt
from platemark.errors import RequestError
from platemark.homes.home import find_home, open_home, utc_now
from platemark_policy.decision import Decision, Verdict
from platemark_policy.engine import Engine
from platemark_policy.rules import load_pack
from platemark_provenance.digest import JsonValue

app = typer.Typer(help="Screen text against the rule pack in force.", no_args_is_help=True)

EXIT_CODES = {Verdict.ALLOW: 0, Verdict.BLOCK: 3, Verdict.REVIEW: 8}


app.command("test")(policy_packs.test)
app.command("sign")(policy_packs.sign)
app.command("install")(policy_packs.install)
app.command("explain")(policy_packs.explain)
app.command("replay")(policy_packs.replay)
app.add_typer(policy_records.consent, name="consent")
app.add_typer(policy_records.rights, name="rights")


@app.callback()
def group() -> None:
    """Screen text against the rule pack in force."""


@app.command("check")
def check(
    text: Annotated[str | None, typer.Argument(help="The text to screen.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="JSON lines with a text (or prompt) and an id.")] = None,
    home: HomeDir = None,
    as_json: Json = False,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> int:
    """Say what the policy decides about a text, and why. Nothing is made and nothing is logged.

    Example: platemark policy check "a calm blue sea at sunset" --json
    """
    out = output(as_json=as_json, lang=lang, quiet=quiet)
    if (text is None) == (file is None):
        raise RequestError("Give either a text or --file.", fix='For example: platemark policy check "a calm sea"')
    engine = _engine(home)
    if text is not None:
        check_prompt(text)
        decision, row = _decide(engine, text)
        out.data(row)
        _print(out, decision)
        return EXIT_CODES[decision.verdict]
    for given, words in read_rows(file or Path()):
        _, row = _decide(engine, words)
        kept = {key: given[key] for key in ("id", "text") if key in given}
        sys.stdout.write(json.dumps(kept | row, ensure_ascii=False) + "\n")
    return 0


def _engine(home: Path | None) -> Engine:
    """Open the home's engine; without a home, the newsroom pack with a key that lives for this one call."""
    found = find_home(home)
    if found is not None:
        return open_home(found).policy_engine()
    return Engine(load_pack(None), input_key=uuid_utils.uuid4().bytes * 2)


def _decide(engine: Engine, text: str) -> tuple[Decision, dict[str, JsonValue]]:
    start = time.perf_counter()
    decision = engine.screen_prompt(text, at=utc_now(), decision_id=str(uuid_utils.uuid7()))
    return decision, decision.to_json() | {"latency_ms": round((time.perf_counter() - start) * 1000, 3)}


def _print(out: Output, decision: Decision) -> None:
    out.say("{verdict}", verdict=decision.verdict.value)
    for finding in decision.findings:
        out.say(
            "  {rule} ({category}): {reason}",
            rule=finding.rule_id,
            category=finding.category,
            reason=finding.reason.ko if out.language == "ko" else finding.reason.en,
        )
