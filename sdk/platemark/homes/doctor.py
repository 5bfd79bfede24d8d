"""Examining a home and this installation part by part.

One rule: every part gets a line, a part that cannot be examined is red, and each red line says how to mend it.
"""

import contextlib
import importlib.util
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platemark._version import __version__
from platemark.errors import PlatemarkError
from platemark.generation.backend import available_generators, check_weights
from platemark.homes.guarding import guards_for
from platemark.homes.home import Home, open_home
from platemark.homes.mark_keys import newest_epoch
from platemark_policy.nudity import can_look
from platemark_provenance.certificate_lint import days_left, lint_certificate
from platemark_provenance.certificate_path import leads_to
from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerError

MIN_FREE_BYTES = 1_000_000_000
EXPIRY_WARNING_DAYS = 30
RESTORE_KEYS = "Restore the keys from your backup."


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, what was found, and what to do where it is not well."""

    check: str
    ok: bool
    found: str
    fix: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """Give one entry of `doctor --json`."""
        return {"check": self.check, "ok": self.ok, "found": self.found, "fix": self.fix}


def examine(home: Path | None) -> tuple[Finding, ...]:
    """Examine the installation, and the home where there is one.

    Args:
        home: the home's directory, or `None` where none was found.
    """
    findings = [
        Finding("platemark", True, f"{__version__} on Python {platform.python_version()}"),
        _extra("torch", "generate"),
        _extra("moviepy", "generate"),
        _attempt("model weights", _weights, "Install platemark again."),
    ]
    if home is None:
        return (*findings, Finding("home", False, "none was found", "Make one with: platemark init"))
    try:
        opened = open_home(home)
    except PlatemarkError as error:
        return (*findings, Finding("home", False, error.message, error.fix))
    return (*findings, Finding("home", True, str(home)), *_examine_home(opened))


def _examine_home(home: Home) -> tuple[Finding, ...]:
    checks: tuple[tuple[str, Callable[[], str], str], ...] = (
        ("claim-signing key", lambda: home.claim_signer().alg, RESTORE_KEYS),
        ("watermark secret", lambda: _mark_epoch(home), RESTORE_KEYS),
        ("trusted roots", lambda: str(len(home.trust_store().manifest_anchors)), "Correct [trust] anchors."),
        ("rule pack", lambda: _pack(home), "Correct the pack, or leave [policy] pack empty."),
        ("pictures", lambda: _pictures(home), "Run: pip install 'platemark[screening]'"),
        ("guard", lambda: _guard(home), "Correct [policy] guard, or leave it empty."),
        ("ledger", lambda: _ledger(home), "Restore the ledger from your backup; do not edit it."),
    )
    return (*(_attempt(*check) for check in checks), *_certificate(home), _room(home.path))


def _attempt(check: str, look: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(check, True, look())
    except PlatemarkError as error:
        return Finding(check, False, error.message, error.fix or fix)


def _extra(module: str, extra: str) -> Finding:
    """Say whether an optional part is there; a desk that only verifies is well without it."""
    found = importlib.util.find_spec(module) is not None
    return Finding(
        module, True, "installed" if found else f"not installed; to make clips: pip install 'platemark[{extra}]'"
    )


def _weights() -> str:
    return ", ".join(f"{info.name} {info.version}" for info in available_generators() if check_weights(info.name))


def _pack(home: Home) -> str:
    pack = home.policy_pack()
    overdue = pack.overdue(home.clock().date())
    aged = f"; lists that a person should read again: {', '.join(overdue)}" if overdue else ""
    return f"{pack.pack_id.id} {pack.pack_id.version}{aged}"


def _pictures(home: Home) -> str:
    if can_look():
        return "looked at for nudity"
    if home.config.policy.pictures == "required":
        raise PlatemarkError("nobody can look at them, so nothing is published")
    return "not looked at; to have them looked at: pip install 'platemark[screening]'"


def _guard(home: Home) -> str:
    return "a second opinion is asked" if guards_for(home.config.policy, home.path) else "none"


def _mark_epoch(home: Home) -> str:
    now = home.watermark_keys().epoch
    newest = now
    with contextlib.suppress(LedgerError), home.open_ledger() as ledger:  # what is wrong with it has a line of its own
        newest = newest_epoch(home, ledger)
    if now < newest:
        raise PlatemarkError(
            f"marks are made in epoch {now}, and the ledger has started epoch {newest}",
            fix=f"Write {newest} into {home.watermark_epoch_path}, or rotate again: platemark keys rotate --watermark",
        )
    return f"epoch {now}"


def _ledger(home: Home) -> str:
    with home.open_ledger() as ledger:
        report = ledger.verify()
    if not report.ok:
        raise PlatemarkError(f"event {report.first_bad_seq}: {report.reason}", fix="Run: platemark audit verify")
    return f"{report.size} events, whole"


def _certificate(home: Home) -> tuple[Finding, ...]:
    try:
        chain = home.signing_chain()
    except PlatemarkError as error:
        return (Finding("certificate", False, error.message, error.fix or RESTORE_KEYS),)
    try:
        issued = leads_to(chain, home.trust_store().manifest_anchors)
    except PlatemarkError:
        issued = True  # that the roots cannot be read has a red line of its own
    broken = tuple(
        Finding(f"certificate {f.rule}", f.severity != "error", f.message, f.fix or RESTORE_KEYS)
        for f in lint_certificate(chain, now=home.clock())
    )
    left = days_left(chain, now=home.clock())
    return (
        *broken,
        Finding("certificate expiry", left >= EXPIRY_WARNING_DAYS, f"{left} days left", "Run: platemark keys rotate"),
        Finding(
            "certificate root", issued, "trusted here" if issued else "not issued by a root trusted here", RESTORE_KEYS
        ),
    )


def _room(path: Path) -> Finding:
    free = shutil.disk_usage(path).free
    return Finding(
        "free space",
        free >= MIN_FREE_BYTES,
        f"{free / 1e9:.1f} GB",
        "" if free >= MIN_FREE_BYTES else "Free some space.",
    )
