"""Gather what an export says: from the published file and its manifest first, then from the ledger.

One rule: only a file that is, byte for byte, the one published is described; anything else is refused.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from platemark.desk.publication import require_published
from platemark.errors import RequestError, VerificationError
from platemark.homes.home import Home
from platemark.media.still import is_still, read_still
from platemark.media.video import read_video_facts
from platemark.newsroom.facts import ExportFacts, Names, Rendition
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.history import declared_source
from platemark_provenance.ledger.event import Event, EventType, SealedState
from platemark_provenance.ledger.registry import ClipRecord
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.manifest import GENERATION_LABEL, WATERMARK_ALGORITHM
from platemark_provenance.manifest_metadata import MAX_PROMPT_CHARACTERS
from platemark_provenance.plain_text import plain_text
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.verification import read_crjson, read_provenance

_APPROVALS = frozenset({EventType.REVIEW_SIGNED_OFF.value, "clip.approved"})


def gather_export(home: Home, ledger: Ledger, clip: str, *, with_names: bool = False) -> ExportFacts:
    """Gather what may be said about a published clip.

    Args:
        home: the home that published it.
        ledger: its open ledger.
        clip: the clip's identifier, or a file that is byte for byte the one published.
        with_names: also give the byline, the approvers, the prompt and who wrote it.

    Raises:
        RequestError: this home published no such clip, or its file is gone or changed.
        VerificationError: the file's manifest does not hold.
        PublicationRefused: the home has the publish gate on, and no second person approved the clip.
        LedgerError: the log cannot be read.
    """
    record, path = _find(ledger, clip)
    _may_leave(home, ledger, record)
    reading = read_provenance(path, home.trust_store())
    own = reading.own
    if reading.integrity != "intact" or own is None or own.label is None:
        raise VerificationError(
            f"The manifest of {path.name} should hold and name its label; it does not.", fix="Run: platemark verify"
        )
    model = _model(read_crjson(path, home.trust_store()))
    history = reading.history
    return ExportFacts(
        clip_id=record.clip_id,
        kind="still" if is_still(path) else "clip",
        title=(history.root.title if history else None) or f"platemark clip {record.clip_id}",
        publisher=reading.signer_name or home.config.publisher.organisation,
        made_at=reading.signed_at or record.published_at,
        published_at=record.published_at,
        changed_at=_changed_at(record),
        source_type=_source_type(reading),
        ai_system=_text(model.get("name")),
        ai_system_version=_text(model.get("version")),
        label=own.label.text,
        language=own.label.language,
        watermark_alg=WATERMARK_ALGORITHM,
        watermark_id=record.mark_id.hex(),
        manifest_label=record.manifest_label,
        rendition=_rendition(path, record.file_sha256),
        withdrawn=record.withdrawn,
        corrections=record.corrections,
        names=_names(ledger.trace(record.clip_id)) if with_names else None,
    )


def _changed_at(record: ClipRecord) -> datetime:
    said = [each.at for each in record.corrections] + ([record.withdrawn.at] if record.withdrawn else [])
    return max((record.published_at, *said))


def _may_leave(home: Home, ledger: Ledger, record: ClipRecord) -> None:
    """Refuse what must not leave this home: with the publish gate on, a clip that no second person approved.

    A withdrawn clip does leave: every format tells of its withdrawal, which is what others need to hear.
    """
    if record.withdrawn is None:
        require_published(home, ledger, record.clip_id)


def _find(ledger: Ledger, clip: str) -> tuple[ClipRecord, Path]:
    path = Path(clip)
    named = len(clip) < 4_096 and path.is_file()
    record = ledger.registry.record_for_file(sha256_file(path)) if named else ledger.registry.record(clip)
    if record is None:
        raise RequestError(
            f"This home published no clip {clip[:80]!r}.",
            fix="List them with: platemark audit query --type clip.published",
        )
    if not named:
        path = record.final_path
        if not path.is_file() or sha256_file(path) != record.file_sha256:
            raise RequestError(
                f"The file of clip {record.clip_id} is not at {path} as it was published.",
                fix="Name the file instead of the identifier: platemark export FILE --format …",
            )
    return record, path


def _rendition(path: Path, sha256: str) -> Rendition:
    size = path.stat().st_size
    if is_still(path):
        height, width = read_still(path).shape[:2]
        return Rendition(path.name, "image/png", sha256, size, width, height, None, None, None, None)
    seen = read_video_facts(path)
    fps = round(float(seen.fps), 3)
    length = round(seen.duration_s, 3)
    return Rendition(
        path.name, "video/mp4", sha256, size, seen.width, seen.height, length, fps, seen.frames, seen.codec
    )


def _source_type(reading: ProvenanceReading) -> str:
    said = declared_source(reading.history) if reading.history else None
    return said or "compositeWithTrainedAlgorithmicMedia"


def _model(crjson: str | None) -> Mapping[str, JsonValue]:
    """Find the model that our statement in the file's own manifest names; nothing where there is none."""
    report = json.loads(crjson) if crjson else {}
    manifests = report.get("manifests")
    assertions = manifests[0].get("assertions") if isinstance(manifests, list) and manifests else None
    said = assertions.get(GENERATION_LABEL) if isinstance(assertions, Mapping) else None
    model = said.get("model") if isinstance(said, Mapping) else None
    return model if isinstance(model, Mapping) else {}


def _names(events: Sequence[Event]) -> Names:
    asked = next((each for each in events if each.type == EventType.PROMPT_SUBMITTED.value), None)
    opened = asked is not None and asked.sealed_state is SealedState.OPENED
    sealed = asked.sealed if asked is not None and opened and asked.sealed else {}
    approvers = (each.actor_name for each in events if each.type in _APPROVALS and each.actor_name)
    return Names(
        byline=_text(sealed.get("byline")),
        approvers=tuple(dict.fromkeys(approvers)),
        prompt=_text(sealed.get("prompt")),
        prompt_writer=_text(sealed.get("actor")),
    )


def _text(value: JsonValue) -> str | None:
    # XML cannot hold control characters, and what people typed may.
    return plain_text(value, MAX_PROMPT_CHARACTERS) or None if isinstance(value, str) else None
