"""Turn the C2PA library's reports on a file into our axes.

One rule: pure functions. Intact and trusted need positive proof; what is not understood counts against the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from platemark_provenance.axes import (
    AiUse,
    IdentityTrust,
    IngredientFault,
    Ingredients,
    Integrity,
    ManifestState,
    SignerTrust,
    TimestampTrust,
)
from platemark_provenance.history import MANIFEST_IN_URL, History, read_history, read_moment
from platemark_provenance.ingredients import IngredientFinding, find_faults, read_ai_use
from platemark_provenance.own_assertions import (
    OwnAssertions,
    SoftBinding,
    read_own_assertions,
    read_soft_bindings,
)
from platemark_provenance.plain_text import plain_text
from platemark_provenance.report_json import Status, Statuses, Store, actions, mapping, sequence, text

FETCH_FAILED = "platemark.manifest.fetch-failed."
"""How the code begins that says why a manifest that somebody asked for was not got from its server."""

_SIGNED = "claimSignature.validated"
_CONTENT_HASHES = ("dataHash", "bmffHash", "boxesHash", "collectionHash", "multiAssetHash")
_CONTENT_MATCHES = {f"assertion.{name}.match" for name in _CONTENT_HASHES}
_CONTENT_MISMATCHES = {f"assertion.{name}.mismatch" for name in _CONTENT_HASHES}
_REVOKED = {"signingCredential.revoked", "signingCredential.ocsp.revoked"}
_REVOCATION_UNKNOWN = {"signingCredential.ocsp.unknown", "signingCredential.ocsp.inaccessible"}
_OTHER_AXES = ("signingCredential.", "timeStamp.", "cawg.", "ingredient.")


@dataclass(frozen=True, slots=True)
class ProvenanceReading:
    """What a file's manifest says and how far it holds.

    `codes` are the raw C2PA status codes that are not successes, and our own (`platemark.…`).
    `failed_manifest` is the label of the manifest, the file's own or an ingredient's, in which the first
    failure lies. `signer_name` is what the certificate says, shown only where its signature holds;
    `signed_at` is the time-stamp, or else the time the signer claims. `ingredient_fault` says how an
    ingredient failed: its manifest does not hold now (`tampered`), the signer itself recorded that it did not
    (`recorded`), or its signer is not trusted here. `media_recognised` is false where not even the kind of
    file could be told. `on_legacy_list`: only a list that is no longer kept up vouches for the signer. `history`
    is what the file was made from and what was done to it. `unsigned_bytes` counts padding that is not
    empty and that no signature covers. `remote_url` is where the file says that its manifest lies, where that was not
    fetched: the words of whoever made the file. `fetched_from` is the server that the manifest came from.
    """

    path: Path
    state: ManifestState
    integrity: Integrity = "unknown"
    signer: SignerTrust = "not_checked"
    timestamp: TimestampTrust = "none"
    identity: IdentityTrust = "none"
    ingredients: Ingredients = "none"
    ai: AiUse = "unknown"
    signer_name: str | None = None
    generator: str | None = None
    signed_at: datetime | None = None
    codes: tuple[str, ...] = ()
    failed_manifest: str | None = None
    active_label: str | None = None
    soft_bindings: tuple[SoftBinding, ...] = ()
    own: OwnAssertions | None = None
    ingredient_fault: IngredientFault | None = None
    media_recognised: bool = True
    on_legacy_list: bool = False
    history: History | None = None
    unsigned_bytes: int = 0
    remote_url: str | None = None
    fetched_from: str | None = None


@dataclass(frozen=True, slots=True)
class Reports:
    """The library's reports on one file, one for each question (see `TrustStore`).

    `time` and `identity` are None where the manifest has no time-stamp or identity to judge. `leaf_expired`:
    the signing certificate's own end date has passed. `content_at_hand` is false for a manifest store read by
    itself, where a content hash that does not match says nothing.
    """

    signer: Store
    time: Store | None
    identity: Store | None
    leaf_expired: bool
    content_at_hand: bool = True


def interpret(path: Path, reports: Reports) -> ProvenanceReading:
    """Judge a file by the reports on it.

    1. Integrity: the claim's signature holds, a hash of the content matches, and nothing that is hashed fails.
    2. Signer, time-stamp and identity, each from the report that was made for it alone.
    3. Ingredients: those that fail now, and those the signer recorded as failed (the library calls these trusted).
    4. A library verdict of "Invalid" that none of these explains is not overruled: integrity is then unknown.
    """
    store = reports.signer
    active, statuses = store.active, store.active_statuses()
    assertions = sequence(active.get("assertions"))
    certificate = mapping(active.get("signature_info"))
    faults = find_faults(store)  # 3
    integrity = _integrity(reports, statuses, faults)  # 1, 4
    signer = _signer(reports, statuses)  # 2
    history = read_history(store, own_codes=_own_failures(reports, statuses))
    believable = integrity == "intact" or (not reports.content_at_hand and integrity == "unknown")
    return ProvenanceReading(
        path=path,
        state="present",
        integrity=integrity,
        signer=signer,
        timestamp=_timestamp(reports, statuses),
        identity=_identity(reports, statuses),
        ingredients="failed" if faults else "ok" if sequence(active.get("ingredients")) else "none",
        ai=read_ai_use(store) if believable and signer != "not_checked" else "unknown",
        signer_name=None if signer == "not_checked" else history.root.signer,
        generator=history.root.generator,
        signed_at=_signed_at(text(certificate.get("time")), assertions),
        codes=_codes(statuses, faults),
        failed_manifest=_failed_manifest(statuses, faults),
        active_label=store.active_label,
        soft_bindings=read_soft_bindings(assertions),
        own=read_own_assertions(assertions),
        ingredient_fault=faults[0].fault if faults else None,
        history=history,
    )


def has_time_stamp(store: Store) -> bool:
    """Tell whether anything is said about a time-stamp of the active manifest."""
    return any(code.startswith("timeStamp.") for code in store.active_statuses().everything())


def has_identity(store: Store) -> bool:
    """Tell whether the active manifest declares a CAWG identity or anything is said about one."""
    return _declares_identity(store) or any(code.startswith("cawg.") for code in store.active_statuses().everything())


def _integrity(reports: Reports, statuses: Statuses, faults: Sequence[IngredientFinding]) -> Integrity:
    excused = set() if reports.content_at_hand else _CONTENT_MISMATCHES
    if any(not code.startswith(_OTHER_AXES) for code in statuses.failed() - excused):
        return "tampered"
    if _SIGNED not in statuses.succeeded() or not statuses.succeeded() & _CONTENT_MATCHES:
        return "unknown"
    explained = bool(statuses.failed()) or bool(faults)
    return "intact" if reports.signer.state in ("Valid", "Trusted") or explained else "unknown"


def _signer(reports: Reports, statuses: Statuses) -> SignerTrust:
    failed = statuses.failed()
    if _SIGNED not in statuses.succeeded():
        return "not_checked"
    if failed & _REVOKED:
        return "revoked"
    if "signingCredential.expired" in failed:
        return "expired"
    refused = any(code.startswith("signingCredential.") for code in failed - _REVOCATION_UNKNOWN)
    if refused or "signingCredential.trusted" not in statuses.succeeded():
        return "untrusted"
    if reports.leaf_expired and _timestamp(reports, statuses) != "trusted":
        return "legacy_trusted" if _is_old_claim(reports) and has_time_stamp(reports.signer) else "expired"
    return "revocation_unknown" if statuses.everything() & _REVOCATION_UNKNOWN else "trusted"


def _timestamp(reports: Reports, statuses: Statuses) -> TimestampTrust:
    if not has_time_stamp(reports.signer):
        return "none"
    if reports.time is None or reports.time.active_label != reports.signer.active_label:
        return "untrusted"
    # For version 1 claims the library calls any time-stamp authority trusted (measured with c2pa-rs 0.91.3).
    trusted = "timeStamp.trusted" in reports.time.active_statuses().succeeded() and not _is_old_claim(reports)
    return "trusted" if trusted else "untrusted"


def _is_old_claim(reports: Reports) -> bool:
    return reports.signer.active.get("claim_version") != 2


def _identity(reports: Reports, statuses: Statuses) -> IdentityTrust:
    if reports.identity is None:
        return "none"
    asked = reports.identity.active_statuses()
    failed = {code for code in asked.failed() | statuses.failed() if code.startswith("cawg.")}
    # The signer's read knows no identity anchor, so being untrusted there says nothing.
    if any(not code.endswith(".untrusted") for code in failed):
        return "invalid"
    named = {code for code in asked.succeeded() if code.startswith("cawg.")}
    if not named:
        return "invalid"
    doubted = any(code.startswith("cawg.") for code in asked.failed())
    return "trusted" if not doubted and any(code.endswith(".trusted") for code in named) else "untrusted"


def _declares_identity(store: Store) -> bool:
    assertions = sequence(store.active.get("assertions"))
    return any(str(mapping(each).get("label")).startswith("cawg.identity") for each in assertions)


def _signed_at(stamped: str | None, assertions: Sequence[object]) -> datetime | None:
    claimed = text(next((action.get("when") for action in actions(assertions)), None))
    return read_moment(stamped) or read_moment(claimed)


def _own_failures(reports: Reports, statuses: Statuses) -> tuple[str, ...]:
    excused = set() if reports.content_at_hand else _CONTENT_MISMATCHES
    failed = (each.code for each in statuses.failure if each.code not in excused)
    return tuple(plain_text(each, 120) for each in failed if not each.startswith("ingredient."))


def _codes(statuses: Statuses, faults: Sequence[IngredientFinding]) -> tuple[str, ...]:
    ordered = (*statuses.failure, *(each.status for each in faults), *statuses.informational)
    return tuple(dict.fromkeys(plain_text(each.code, 120) for each in ordered))


def _failed_manifest(statuses: Statuses, faults: Sequence[IngredientFinding]) -> str | None:
    own = [each for each in statuses.failure if not each.code.startswith("ingredient.")]
    broken = [each for each in own if not each.code.startswith(_OTHER_AXES)]
    ordered: list[Status] = [*broken, *(fault.status for fault in faults), *own]
    matches = (MANIFEST_IN_URL.search(each.url) for each in ordered)
    return next((plain_text(match[1], 256) for match in matches if match is not None), None)
