"""Make an evidence bundle: everything the log has about a clip, with proofs that need neither the log nor its keys.

One rule: nothing in a bundle stands on its own word. The files that are no proof themselves (manifest, frames, page)
are named by their digests in an event of the log, appended for this bundle and proven like the rest.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from platemark_provenance.digest import sha256_bytes
from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.event import ISSUED, EventType, NewEvent
from platemark_provenance.ledger.evidence import bundle
from platemark_provenance.ledger.evidence.content import ProvenEvent, write_events_json
from platemark_provenance.ledger.evidence.readme import README_TEXT
from platemark_provenance.ledger.receipt import format_receipt
from platemark_provenance.ledger.store import Ledger

COMMAND = "bundle"
"""What the event that names a bundle's files calls itself."""
MOST_FRAMES = 9


@dataclass(frozen=True, slots=True)
class BundleRequest:
    """Which clip, for whom, with which pictures.

    Args:
        clip_id: the clip; it was published.
        reader: who asks; the log keeps a pseudonym.
        frames: pictures (PNG) that show the visible label, in order; at most nine.
    """

    clip_id: str
    reader: str = ""
    frames: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if len(self.frames) > MOST_FRAMES:
            raise LedgerRequestError(f"A bundle has at most {MOST_FRAMES} label frames; got {len(self.frames)}.")


def build_bundle(ledger: Ledger, request: BundleRequest) -> bytes:
    """Give the bundle as bytes. That it was made stands in the log, and in the bundle.

    Raises:
        LedgerRequestError: the clip was not published, or the bundle would be too large.
        LedgerCorrupt, LedgerUnavailable: see `Ledger.checkpoint`.
    """
    record = ledger.registry.record(request.clip_id)
    if record is None:
        raise LedgerRequestError(f"The clip {request.clip_id[:80]} was not published, so there is no evidence for it.")
    parts = {bundle.MANIFEST: record.manifest, bundle.README: README_TEXT.encode(), bundle.PAGE: page()}
    parts |= {f"label/frame-{number}.png": frame for number, frame in enumerate(request.frames, start=1)}
    named = {name: sha256_bytes(content) for name, content in parts.items()}
    ledger.append(
        NewEvent(
            EventType.AUDIT_EXPORTED,
            clip=request.clip_id,
            actor=request.reader or None,
            facts={"command": COMMAND, "asked": {"clip": request.clip_id, "form": bundle.FORMAT}, "files": named},
        )
    )
    parts |= _proofs(ledger, request.clip_id)
    parts |= {bundle.SUCCESSION: ledger.succession.to_bytes()} if ledger.succession.links else {}
    parts[bundle.PAGE_DATA] = page_data(parts)
    packed = bundle.pack(parts)
    if len(packed) > bundle.LARGEST_BUNDLE_BYTES:
        raise LedgerRequestError(f"A bundle has at most {bundle.LARGEST_BUNDLE_BYTES} bytes; use fewer label frames.")
    return packed


def page() -> bytes:
    """Give the page that checks a bundle in a browser."""
    return files("platemark_provenance.ledger.evidence").joinpath(bundle.PAGE).read_bytes()


def page_data(parts: Mapping[str, bytes]) -> bytes:
    """Give the script that hands the bundle's files to the page: a page opened from a disk may not read files."""
    content = {name: base64.b64encode(parts[name]).decode() for name in sorted(parts) if name != bundle.PAGE_DATA}
    return f"window.EVIDENCE = {json.dumps(content, indent=0)};\n".encode()


def _proofs(ledger: Ledger, clip_id: str) -> dict[str, bytes]:
    """Give the clip's events with proofs to one signed checkpoint, the receipt, and the key that checks them."""
    events = tuple(ledger.query(clip=clip_id, order="oldest"))
    found = ledger.prove([event.seq for event in events])
    proven = [ProvenEvent(event.seq, event.body, proof) for event, proof in zip(events, found.proofs, strict=True)]
    published = max(event.seq for event in events if event.type in ISSUED)
    receipt = next(event for event in proven if event.seq == published)
    return {
        bundle.EVENTS: write_events_json(clip_id, proven),
        bundle.CHECKPOINT: found.checkpoint,
        bundle.RECEIPT: format_receipt(receipt.body, receipt.seq, receipt.proof, found.checkpoint),
        bundle.KEY: ledger.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }
