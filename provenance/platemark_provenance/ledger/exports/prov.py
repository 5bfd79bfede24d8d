"""W3C PROV-JSON: events are activities, clips and models entities, people agents.

One rule: one JSON document written in sections, each kept on disk until the end, so that a million events take no more
memory than one.
Source: W3C Member Submission "The PROV-JSON Serialization", 2013; PROV-DM for the relations.
"""

import json
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from shutil import copyfileobj
from typing import IO

from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Event
from platemark_provenance.ledger.exports.writing import ExportSource

NAMESPACE = "https://platemark.org/ns/prov#"
SECTIONS = (
    "entity", "activity", "agent", "wasGeneratedBy", "used", "wasInvalidatedBy", "wasAssociatedWith",
    "wasAttributedTo",
)  # fmt: skip
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_MAKES = "clip.published"
_ENDS = "clip.withdrawn"


class ProvWriter:
    """Write one PROV-JSON document.

    Args:
        file: where to.
        source: names the log.
    """

    def __init__(self, file: IO[bytes], source: ExportSource) -> None:
        self._file = file
        self._source = source
        self._sections: dict[str, IO[bytes]] = {}
        self._filled: set[str] = set()
        with ExitStack() as stack:
            for name in SECTIONS:
                self._sections[name] = stack.enter_context(tempfile.TemporaryFile())
            # A temporary database on disk: which clips, models and people were written, however many they are.
            self._seen = sqlite3.connect("")
            stack.callback(self._seen.close)
            self._open = stack.pop_all()
        self._seen.execute("CREATE TABLE seen (name TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, event: Event) -> None:
        """Put one event and what it relates to into the sections."""
        activity = f"pm:event-{event.seq}"
        when = event.at.isoformat(timespec="microseconds")
        self._put("activity", activity, _activity(event, when))
        if event.clip is not None:
            self._relate_clip(event, activity, _qualified("clip", event.clip))
        if event.model is not None:
            model = _qualified("model", event.model)
            self._once("entity", model, {"prov:type": _name("pm:Model"), "prov:label": event.model})
            self._put("used", f"_:u{event.seq}m", {"prov:activity": activity, "prov:entity": model})
        if event.actor is not None:
            agent = _qualified("person", event.actor)
            self._once("agent", agent, {"prov:type": _name("prov:Person"), "prov:label": event.actor})
            values: dict[str, JsonValue] = {"prov:activity": activity, "prov:agent": agent}
            self._put("wasAssociatedWith", f"_:a{event.seq}", values)

    def finish(self) -> None:
        """Join the sections into one document."""
        with self._open:
            prefix = {"pm": NAMESPACE, "prov": "http://www.w3.org/ns/prov#", "xsd": "http://www.w3.org/2001/XMLSchema#"}
            self._file.write(b'{"prefix": ' + json.dumps(prefix).encode())
            for name in SECTIONS:
                if name in self._filled:
                    section = self._sections[name]
                    section.seek(0)
                    self._file.write(f',\n"{name}": {{'.encode())
                    copyfileobj(section, self._file)
                    self._file.write(b"}")
            self._file.write(b"}\n")

    def _relate_clip(self, event: Event, activity: str, clip: str) -> None:
        self._once("entity", clip, {"prov:type": _name("pm:Clip"), "pm:log": self._source.origin})
        relation = {"prov:activity": activity, "prov:entity": clip}
        if event.type == _MAKES and self._is_new(f"made {clip}"):
            self._put("wasGeneratedBy", f"_:g{event.seq}", relation)
            if event.actor is not None:
                attributed: dict[str, JsonValue] = {
                    "prov:entity": clip,
                    "prov:agent": _qualified("person", event.actor),
                }
                self._put("wasAttributedTo", f"_:t{event.seq}", attributed)
        elif event.type == _ENDS and self._is_new(f"ended {clip}"):
            self._put("wasInvalidatedBy", f"_:i{event.seq}", relation)
        else:
            self._put("used", f"_:u{event.seq}", relation)

    def _once(self, section: str, name: str, value: Mapping[str, JsonValue]) -> None:
        if self._is_new(name):
            self._put(section, name, value)

    def _is_new(self, name: str) -> bool:
        return self._seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (name,)).rowcount == 1

    def _put(self, section: str, name: str, value: Mapping[str, JsonValue]) -> None:
        start = ",\n" if section in self._filled else "\n"
        self._filled.add(section)
        line = f"{start}{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        self._sections[section].write(line.encode())


def _activity(event: Event, when: str) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {
        "prov:startTime": when,
        "prov:endTime": when,
        "prov:type": _name("pm:Event"),
        "pm:kind": event.type,
        "pm:seq": event.seq,
        "pm:event_id": event.event_id,
    }
    optional = {"pm:desk": event.desk, "pm:decision": event.decision}
    return value | {name: text for name, text in optional.items() if text is not None}


def _name(qualified: str) -> dict[str, JsonValue]:
    return {"$": qualified, "type": "prov:QUALIFIED_NAME"}


def _qualified(kind: str, text: str) -> str:
    """Spell any text as the local part of a name: letters and digits stay, every other byte is written as _XX."""
    spelled = "".join(chr(b) if chr(b) in _PLAIN else f"_{b:02X}" for b in text.encode())
    return f"pm:{kind}-{spelled}"
