"""OCSF API Activity, one object a line, for the tools that a security desk reads logs with.

One rule: only fields of the class; what OCSF has no field for stands under `unmapped`.
Source: Open Cybersecurity Schema Framework 1.3.0, class 6003 "API Activity".
"""

import json
from typing import IO

from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Event, to_microseconds
from platemark_provenance.ledger.exports.writing import ExportSource

SCHEMA_VERSION = "1.3.0"
CATEGORY, CLASS = 6, 6003

_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES = {
    _CREATE: ("home.created", "prompt.submitted", "review.requested", "generation.started", "generation.finished",
              "output.intended", "label.drawn", "watermark.embedded", "manifest.signed", "clip.published",
              "clip.drafted", "model.registered", "key.created", "access.granted", "legal_hold.set"),
    _READ: ("clip.verified", "softbinding.resolved", "audit.queried", "audit.exported", "policy.decided"),
    _UPDATE: ("policy.changed", "review.signed_off", "key.rotated", "checkpoint.anchored", "schema.migrated",
              "legal_hold.released", "clip.withdrawn", "clip.corrected", "clip.approved"),
    _DELETE: ("key.revoked", "subject.erased", "retention.pruned", "generation.abandoned",
              "publication.abandoned"),
}  # fmt: skip
_NAMES = {_CREATE: "Create", _READ: "Read", _UPDATE: "Update", _DELETE: "Delete", _OTHER: "Other"}
_ACTIVITY_OF = {kind: activity for activity, kinds in _ACTIVITIES.items() for kind in kinds}
_FAILED = frozenset({"generation.failed", "generation.abandoned", "publication.abandoned", "access.denied"})
_INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3
_SEVERITY = {"access.denied": _MEDIUM, "clock.regressed": _MEDIUM, "key.revoked": _MEDIUM, "subject.erased": _LOW}


class OcsfWriter:
    """Write one API Activity a line.

    Args:
        file: where to.
        source: names the product and the log.
    """

    def __init__(self, file: IO[bytes], source: ExportSource) -> None:
        self._file = file
        self._source = source

    def add(self, event: Event) -> None:
        """Write one event."""
        line = json.dumps(api_activity(event, self._source), ensure_ascii=False)
        self._file.write(line.encode() + b"\n")

    def finish(self) -> None:
        """Write nothing more: the last line has ended."""


def api_activity(event: Event, source: ExportSource) -> dict[str, JsonValue]:
    """Give an event as an OCSF API Activity object; times are milliseconds since 1970, as OCSF has them."""
    activity = _ACTIVITY_OF.get(event.type, _OTHER)
    failed = event.type in _FAILED or event.decision == "block"
    found: dict[str, JsonValue] = {
        "activity_id": activity,
        "activity_name": _NAMES[activity],
        "category_uid": CATEGORY,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "API Activity",
        "type_uid": CLASS * 100 + activity,
        "type_name": f"API Activity: {_NAMES[activity]}",
        "time": to_microseconds(event.at) // 1000,
        "severity_id": _SEVERITY.get(event.type, _INFORMATIONAL),
        "status_id": 2 if failed else 1,
        "message": event.type,
        "metadata": _metadata(event, source),
        "actor": {"user": {"uid": event.actor, "type_id": 1}} if event.actor else {"app_name": "platemark"},
        "api": {"operation": event.type, "service": {"name": "platemark"}},
        "src_endpoint": {"svc_name": "platemark", "name": event.desk or source.origin},
        "unmapped": {"decision": event.decision, "facts": event.facts, "sealed": event.sealed_state.value},
    }
    if activity == _OTHER:
        found["activity_name"] = event.type
    resources: list[JsonValue] = [
        {"uid": uid, "type": kind} for kind, uid in (("clip", event.clip), ("model", event.model)) if uid
    ]
    if resources:
        found["resources"] = resources
    return found


def _metadata(event: Event, source: ExportSource) -> dict[str, JsonValue]:
    return {
        "version": SCHEMA_VERSION,
        "uid": event.event_id,
        "sequence": event.seq,
        "event_code": event.type,
        "log_name": source.origin,
        "log_provider": "platemark",
        "original_time": event.at.isoformat(timespec="microseconds"),
        "product": {"name": "platemark", "vendor_name": "platemark", "version": source.version},
    }
