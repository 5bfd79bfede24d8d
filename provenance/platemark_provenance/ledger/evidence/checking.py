"""Check an evidence bundle with nothing but the bundle and, better, the publisher's public key.

One rule: the answer is "trusted" only for a key that came another way than in the bundle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from platemark_provenance.correction import Correction, read_correction
from platemark_provenance.digest import JsonValue, sha256_bytes
from platemark_provenance.errors import LedgerCorrupt, VerificationError
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.checkpoint import Checkpoint, LogKey, LogKeys, open_checkpoint
from platemark_provenance.ledger.event import (
    ISSUED,
    EventType,
    decode_body,
    derive_columns,
    facts_of,
    from_microseconds,
)
from platemark_provenance.ledger.evidence import bundle
from platemark_provenance.ledger.evidence.building import COMMAND, page, page_data
from platemark_provenance.ledger.evidence.content import ProvenEvent, read_events_json
from platemark_provenance.ledger.receipt import verify_receipt
from platemark_provenance.ledger.succession import Succession, follow

LARGEST_KEY_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class CheckedEvent:
    """An event that the log is proven to hold.

    Args:
        seq: its place.
        at: when, by the log's own clock.
        type: what happened.
        decision: the outcome of a decision, None where it is none.
        facts: its open facts.
    """

    seq: int
    at: datetime
    type: str
    decision: str | None
    facts: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What a bundle proves; there is a report only where every check passed.

    Args:
        clip_id: the clip.
        checkpoint: the signed head that the proofs lead to.
        key_sha256: of the public key (SubjectPublicKeyInfo, DER) that signed it.
        key_was_given: whether that key came another way than in the bundle.
        file_sha256: the published file's digest, as the log has it.
        manifest_sha256: of the manifest in the bundle.
        is_withdrawn: whether the clip was withdrawn when the bundle was made.
        corrections: what had been corrected by then, oldest first.
        page_is_ours: whether `verify.html` is the page that this version writes.
        events: oldest first.
    """

    clip_id: str
    checkpoint: Checkpoint
    key_sha256: str
    key_was_given: bool
    file_sha256: str
    manifest_sha256: str
    is_withdrawn: bool
    corrections: tuple[Correction, ...]
    page_is_ours: bool
    events: tuple[CheckedEvent, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `audit verify-bundle`."""
        return {
            "ok": True,
            "clip_id": self.clip_id,
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "key": {"sha256": self.key_sha256, "trusted": self.key_was_given},
            "file_sha256": self.file_sha256,
            "manifest_sha256": self.manifest_sha256,
            "withdrawn": self.is_withdrawn,
            "corrections": [each.to_json() for each in self.corrections],
            "page": "ours" if self.page_is_ours else "other_version",
            "events": [
                {"seq": event.seq, "at": event.at.isoformat(), "type": event.type, "decision": event.decision}
                for event in self.events
            ],
        }


def check_bundle(
    path: Path, public_key: Ed25519PublicKey | None = None, *, succession: Succession | None = None
) -> BundleReport:
    """Check everything in a bundle.

    Checks: 1 bounds and names; 2 the key, which is the one given where one is; 3 the checkpoint's signature; 4 each
    event is in the signed tree; 5 the events are of one clip, in order; 6 the receipt; 7 every other file has the
    digest that the newest bundle event names, and none is missing or more; 8 the manifest is the one that was signed;
    9 the page's data is made of these files. Not checked: the C2PA signature inside the manifest (`platemark verify`
    does), the times, that no event of the clip was left out.

    Args:
        path: the ZIP file.
        public_key: a key of the log, from the publisher; None takes the one in the bundle.
        succession: how the log's keys followed one another, where the bundle is older than the key given; one that the
            bundle carries leads from an older key to its own.

    Raises:
        VerificationError: one of them failed; the message says which.
    """
    files = bundle.unpack(path)  # 1
    carried = read_key(files[bundle.KEY])
    keys = _keys(files, carried, public_key, succession)  # 2
    checkpoint = open_checkpoint(files[bundle.CHECKPOINT], keys)  # 3
    clip_id, proven = read_events_json(files[bundle.EVENTS])
    for event in proven:
        _check_proof(event, checkpoint)  # 4
    events = tuple(_checked(event, clip_id) for event in proven)
    if any(a.seq >= b.seq for a, b in pairwise(events)):  # 5
        raise VerificationError("The events of the bundle are not in the order of the log.")
    _check_receipt(files, proven, keys)  # 6
    _check_named_files(files, events)  # 7
    signed = _last(events, EventType.MANIFEST_SIGNED)
    if signed.facts.get("manifest_sha256") != sha256_bytes(files[bundle.MANIFEST]):  # 8
        raise VerificationError("The manifest in the bundle is not the one that the log says was signed.")
    if page_data({name: content for name, content in files.items()}) != files[bundle.PAGE_DATA]:  # 9
        raise VerificationError(f"{bundle.PAGE_DATA} does not hold the other files of the bundle.")
    return BundleReport(
        clip_id=clip_id,
        checkpoint=checkpoint,
        key_sha256=sha256_bytes(carried.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
        key_was_given=public_key is not None,
        file_sha256=str(signed.facts.get("sha256")),
        manifest_sha256=sha256_bytes(files[bundle.MANIFEST]),
        is_withdrawn=any(event.type == EventType.CLIP_WITHDRAWN for event in events),
        corrections=tuple(
            read_correction(event.facts, event.at) for event in events if event.type == EventType.CLIP_CORRECTED
        ),
        page_is_ours=files[bundle.PAGE] == page(),
        events=events,
    )


def _keys(
    files: Mapping[str, bytes],
    carried: Ed25519PublicKey,
    given: Ed25519PublicKey | None,
    succession: Succession | None,
) -> LogKeys:
    """Give the keys that the bundle may be signed with.

    Raises:
        VerificationError: the bundle's key is not the one given, and no succession leads from one to the other.
    """
    if given is None or _raw(given) == _raw(carried):
        return LogKeys((LogKey(carried),))
    if succession is None and bundle.SUCCESSION in files:
        succession = Succession.parse(files[bundle.SUCCESSION])
    if succession is not None:
        keys = follow(given, succession)
        if _raw(carried) in [_raw(each.public_key) for each in keys.keys]:
            return keys
    raise VerificationError(
        "The bundle is signed with another key than the one given.",
        fix="Ask the publisher for the key, and for ledger.succession.json.",
    )


def read_key(pem: bytes) -> Ed25519PublicKey:
    """Read a log's public key.

    Raises:
        VerificationError: it is not an Ed25519 public key in PEM.
    """
    try:
        key: Any = load_pem_public_key(pem) if len(pem) <= LARGEST_KEY_BYTES else None
    except (ValueError, TypeError) as error:
        raise VerificationError("The log's public key should be PEM and is not.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise VerificationError("The log's public key should be an Ed25519 key in PEM.")
    return key


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes_raw()


def _check_proof(event: ProvenEvent, checkpoint: Checkpoint) -> None:
    leaf = merkle.leaf_hash(event.body)
    if merkle.root_from_inclusion(leaf, event.seq, checkpoint.size, event.proof) != checkpoint.root:
        raise VerificationError(f"Event {event.seq} of the bundle is not in the signed log.")


def _checked(event: ProvenEvent, clip_id: str) -> CheckedEvent:
    try:
        decoded = decode_body(event.body)
        columns = derive_columns(decoded)
        at = from_microseconds(columns.ts_us)
    except LedgerCorrupt as error:
        raise VerificationError(f"Event {event.seq} of the bundle cannot be read. {error.message}") from error
    if columns.clip != clip_id:
        raise VerificationError(f"Event {event.seq} of the bundle is about another clip.")
    return CheckedEvent(event.seq, at, columns.type, columns.decision, facts_of(decoded))


def _check_receipt(files: Mapping[str, bytes], proven: tuple[ProvenEvent, ...], keys: LogKeys) -> None:
    receipt = verify_receipt(files[bundle.RECEIPT], None, keys)
    match = next((event for event in proven if event.seq == receipt.index), None)
    if match is None or match.body != receipt.event:
        raise VerificationError("The receipt in the bundle is about another event.")
    if derive_columns(decode_body(match.body)).type not in ISSUED:
        raise VerificationError("The receipt in the bundle is not about the clip's publication.")


def _check_named_files(files: Mapping[str, bytes], events: tuple[CheckedEvent, ...]) -> None:
    bundles = [event for event in events if event.facts.get("command") == COMMAND]
    named = bundles[-1].facts.get("files") if bundles else None
    if not isinstance(named, Mapping):
        raise VerificationError("No event of the bundle says which files belong to it.")
    proofs = {bundle.EVENTS, bundle.CHECKPOINT, bundle.RECEIPT, bundle.KEY, bundle.SUCCESSION, bundle.PAGE_DATA}
    others = {name: sha256_bytes(content) for name, content in files.items() if name not in proofs}
    if others != dict(named):
        names = sorted(name for name in others.keys() | named.keys() if others.get(name) != named.get(name))
        raise VerificationError(f"These files of the bundle are not those the log names: {', '.join(names)[:200]}.")


def _last(events: tuple[CheckedEvent, ...], kind: EventType) -> CheckedEvent:
    found = [event for event in events if event.type == kind]
    if not found:
        raise VerificationError(f"The bundle has no event {kind}.")
    return found[-1]
