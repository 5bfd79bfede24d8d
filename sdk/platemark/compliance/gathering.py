"""Gather the evidence on one file: its verdict, its manifest, its pixels and what the home remembers.

One rule: each fact is looked for where it ought to be found by somebody else too: in the file first, the ledger second.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from platemark.compliance.evidence import Claims, Evidence, Records
from platemark.errors import LedgerError
from platemark.homes.account import ACCOUNT_FACT
from platemark.homes.home import Home
from platemark.media.label_reading import STANDARD_WORDINGS, LabelPresence, LabelReader
from platemark.media.stating import AigcFound, read_aigc
from platemark.media.still import is_still, read_still
from platemark.media.video import Luma, read_video_facts
from platemark.verifying.observation import luma_frames
from platemark.verifying.verifier import Verifier
from platemark_provenance.digest import sha256_file
from platemark_provenance.history import History, declared_source
from platemark_provenance.ledger.event import SealedState
from platemark_provenance.ledger.registry import ClipRecord
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_crjson, read_stored_manifest

_STILL_FPS = 1.0
_CAPTION_SUFFIXES = (".vtt", ".srt", ".ttml")
_SHORTEST_NAME = 3
"""Characters below which a name is found by chance in anything."""


def gather(home: Home, path: Path) -> Evidence:
    """Gather everything that clauses ask about a file.

    Args:
        home: whose trust lists, marks and ledger are used.
        path: a clip or still.

    Raises:
        VerificationError: there is no such file.
        MediaError: nobody can see a picture in it.
        HomeError: the home cannot be used.
        LedgerError: its ledger cannot be used.
    """
    readers: list[LabelReader] = []

    def _watch(reading: ProvenanceReading) -> Callable[[Luma], object]:
        """Look for the label in the frames that the verifier decodes, so that nobody decodes them twice."""
        readers.append(LabelReader(_wordings(reading, None)))
        return readers[0].feed

    with Verifier.open(home.path) as verifier:
        examined = verifier.look_into(path, onlooker=_watch)
    report, reading, trust = examined.report, examined.reading, home.trust_store()
    still = is_still(path)
    with home.open_ledger() as ledger:
        clip_id = report.recovered_from or (reading.own.clip_id if reading.own else None)
        record = ledger.registry.record(clip_id) if clip_id else None
        stored = read_stored_manifest(record.manifest, trust) if record else None
        records = _records(ledger, record, _manifest_text(path, trust)) if record else Records()
    label = _label(path, readers, _wordings(reading, stored))
    picture = read_still(path) if still else None
    facts = None if still else read_video_facts(path)
    return Evidence(
        path=path,
        sha256=str(sha256_file(path)),
        kind="still" if still else "clip",
        width=picture.shape[1] if picture is not None else facts.width if facts else 0,
        height=picture.shape[0] if picture is not None else facts.height if facts else 0,
        fps=float(facts.fps) if facts else _STILL_FPS,
        frames=label.frames,
        has_audio=facts.has_audio if facts else False,
        has_captions=any(path.with_suffix(suffix).is_file() for suffix in _CAPTION_SUFFIXES),
        report=report,
        claims=_claims(reading),
        label=label,
        aigc=AigcFound() if still else read_aigc(path),
        records=records,
    )


def _claims(reading: ProvenanceReading) -> Claims:
    """Take what the manifest says; nothing where it does not hold, for then nobody says it."""
    if reading.state != "present" or reading.integrity != "intact":
        return Claims()
    own, history = reading.own, reading.history
    ingredients = history.root.ingredients if history else ()
    return Claims(
        provider=reading.signer_name,
        system=reading.generator,
        made_at=_made_at(history) or reading.signed_at,
        unique_id=(own.clip_id if own else None) or reading.active_label,
        digital_source=declared_source(history) if history else None,
        ingredients=len(ingredients),
        ingredients_with_manifest=sum(each.state not in ("unsigned", "missing") for each in ingredients),
        label_text=own.label.text if own and own.label else None,
        declared_watermark=own.watermark_id if own else None,
    )


def _made_at(history: History | None) -> datetime | None:
    return next((step.at for step in history.timeline if step.at), None) if history else None


def _wordings(reading: ProvenanceReading, stored: ProvenanceReading | None) -> tuple[str, ...]:
    """Give the wordings to look for: those that manifests promise, then the standard ones."""
    owns = [each.own for each in (reading, stored) if each is not None]
    promised = [own.label.text for own in owns if own and own.label]
    return tuple(dict.fromkeys((*promised, *STANDARD_WORDINGS)))


def _label(path: Path, readers: Sequence[LabelReader], wordings: tuple[str, ...]) -> LabelPresence:
    """Take what was seen on the way; look again where nothing was decoded, or a record promises another wording."""
    if readers and (readers[0].presence.sighting is not None or set(wordings) <= set(readers[0].wordings)):
        return readers[0].presence
    reader = LabelReader(wordings)
    for frame in luma_frames(path):
        reader.feed(frame)
    return reader.presence


def _records(ledger: Ledger, record: ClipRecord, manifest: str) -> Records:
    names: list[str] = []
    try:
        events = ledger.trace(record.clip_id)
    except LedgerError:
        return Records(fingerprint=bool(record.fingerprint))
    for event in events:
        if event.sealed_state is SealedState.OPENED and event.sealed is not None:
            said = (
                value for name, value in event.sealed.items() if name != ACCOUNT_FACT
            )  # of the machine, not a person
            names += [each for each in said if isinstance(each, str) and len(each) >= _SHORTEST_NAME]
    exposed = any(name in manifest for name in names) if names else None
    return Records(fingerprint=bool(record.fingerprint), logged=bool(events), names_exposed=exposed)


def _manifest_text(path: Path, trust: TrustStore) -> str:
    """Give the manifest as text, without the part that may hold names."""
    text = read_crjson(path, trust)
    if text is None:
        return ""
    return json.dumps(_without_metadata(json.loads(text)), ensure_ascii=False)


def _without_metadata(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_metadata(each) for key, each in value.items() if not str(key).startswith("cawg.metadata")}
    if isinstance(value, list):
        return [_without_metadata(each) for each in value]
    return value
