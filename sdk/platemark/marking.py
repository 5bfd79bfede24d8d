"""The invisible mark alone, on a clip or a still that is already there.

One rule: an id is registered as issued before the marked copy appears, so that no mark is out there unknown.
"""

import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uuid_utils

from platemark.clip import check_name
from platemark.errors import OutputError
from platemark.homes.home import Home
from platemark.homes.mark_keys import open_epochs
from platemark.making.outputs import OutputPaths, check_output_name, create_part, move_into_place
from platemark.media.destination import refuse_same_file
from platemark.media.luma import luma_of, with_luma
from platemark.media.still import is_still, read_still, write_still
from platemark.media.video import (
    EncodeSettings,
    combine,
    map_luma,
    read_frames_yuv420,
    read_video_facts,
    write_video,
)
from platemark.media.yuv import turned
from platemark.verifying.observation import STILL_FPS, Search, observe
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.fingerprint import ContentSampler, Fingerprint
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.recipients import FACT as RECIPIENT
from platemark_provenance.ledger.recipients import recipients_of
from platemark_provenance.recipient import Recipient
from platemark_provenance.watermark.detect import Detection
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.keys import WatermarkKeys, derive_alternatives, derive_mark_id
from platemark_provenance.watermark.payload import WatermarkId, parse_mark_id
from platemark_provenance.watermark.profile import ALGORITHM

STILL_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, slots=True)
class MarkOptions:
    """What a caller decides: the id as 16 hexadecimal digits, whether OUT may exist, and who the copy is for.

    Without an id one is drawn: at random, or where there is a recipient from the file and the recipient, so that the
    same copy for the same person always has the same.
    """

    mark: str | None = None
    overwrite: bool = False
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class MarkedFile:
    """A marked copy: where it lies, and its mark as 16 hexadecimal digits."""

    path: Path
    mark_id: str

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that `watermark embed --json` prints."""
        return {"path": str(self.path), "alg": ALGORITHM, "id": self.mark_id}


def embed_file(home: Home, source: Path, destination: Path, *, options: MarkOptions) -> MarkedFile:
    """Write a marked copy of a clip or a still, and register its id as issued.

    Video is encoded again as H.264 in MP4; sound is copied packet by packet.

    Raises:
        WatermarkError: the id is not 16 hexadecimal digits, or the picture is too small.
        RequestError: IN and OUT are one file, or the recipient's name holds characters that nobody can see.
        MediaError: IN is not readable media.
        OutputError: OUT exists or cannot be written.
        LedgerError: the id cannot be registered; nothing was written.
    """
    check_name("recipient", options.recipient)
    chosen = None if options.mark is None else parse_mark_id(options.mark)
    refuse_same_file(source, destination)
    if destination.exists() and not options.overwrite:
        raise OutputError(f"{destination} exists already.", fix="Choose another name, or pass --overwrite.")
    picture = is_still(source)
    if not picture:
        read_video_facts(source)  # what is no clip either is said to be that, whatever OUT is called
    check_output_name(destination, endings=STILL_ENDINGS if picture else (".mp4",))
    clip_id = str(uuid_utils.uuid7())
    paths = OutputPaths(destination.absolute(), job_id=clip_id)
    keys = home.watermark_keys()
    with home.open_ledger() as ledger, ExitStack() as on_failure:
        digest = sha256_file(source)
        copy = _Copy(digest, ledger.pseudonym(options.recipient) if options.recipient else "")
        embedder = copy.embedder(keys, chosen)
        work = _Marking(source, paths, embedder)
        write = work.write_still if picture else work.write_clip
        on_failure.callback(paths.remove_parts)
        create_part(paths.rendered)
        finished, fingerprint = write()
        mark_id = embedder.mark_id
        with ledger.atomic():
            ledger.registry.reserve_mark(mark_id, clip_id, request_sha256=digest)
            ledger.registry.bind_mark(clip_id, fingerprint=fingerprint.to_bytes())
            ledger.append(copy.event(clip_id, mark_id, options.recipient))
        move_into_place(finished, paths.final, overwrite=options.overwrite)
    return MarkedFile(destination, mark_id.hex())


def detect_file(home: Home, path: Path) -> Detection:
    """Look for the home's marks in a clip or a still.

    Raises:
        MediaError: the file is not readable media.
        LedgerError: the issued ids cannot be read.
    """
    with home.open_ledger() as ledger:
        newest, *earlier = open_epochs(home, ledger)
    return observe(path, Search(newest.keys, newest.issued, earlier=tuple(earlier))).detection


@dataclass(frozen=True, slots=True)
class TracedFile:
    """What was found in a file: the mark, and the people whose copies it was made from."""

    detection: Detection
    recipients: tuple[Recipient, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that `watermark detect --json` prints."""
        return {**self.detection.to_json(), "recipients": [each.to_json() for each in self.recipients]}


def trace_file(home: Home, path: Path) -> TracedFile:
    """Look for the home's marks in a clip or a still, and for whom the copies were made that carry them.

    Raises:
        MediaError: the file is not readable media.
        LedgerError: the ledger cannot be read.
    """
    found = detect_file(home, path)
    if found.id is None:
        return TracedFile(found, ())
    with home.open_ledger() as ledger:
        return TracedFile(found, recipients_of(ledger, (found.id, *found.others)))


@dataclass(frozen=True, slots=True)
class _Copy:
    """What is marked, by its digest, and who for, by pseudonym; empty for nobody in particular."""

    digest: str
    recipient: str

    def embedder(self, keys: WatermarkKeys, chosen: WatermarkId | None) -> Embedder:
        """Give what writes the id that was chosen, or else draws one: for a recipient always the same."""
        if chosen is not None:
            return Embedder(keys, chosen)
        if self.recipient:
            return Embedder(keys, derive_mark_id(keys, f"{self.digest}\x00{self.recipient}".encode()))
        drawn = WatermarkId(secrets.token_bytes(8))
        return Embedder(keys, drawn, alternatives=derive_alternatives(keys, drawn))

    def event(self, clip_id: str, mark_id: WatermarkId, name: str) -> NewEvent:
        """Give what the log is told: a pseudonym for everybody, the name sealed."""
        facts: dict[str, JsonValue] = {"alg": ALGORITHM, "id": mark_id.hex(), "alone": True}
        if not self.recipient:
            return NewEvent(type=EventType.WATERMARK_EMBEDDED, clip=clip_id, facts=facts)
        facts |= {RECIPIENT: self.recipient, "source_sha256": self.digest}
        return NewEvent(type=EventType.WATERMARK_EMBEDDED, clip=clip_id, facts=facts, sealed={RECIPIENT: name})


@dataclass(frozen=True, slots=True)
class _Marking:
    """One copy being marked. Both ways give the finished part and the content's fingerprint."""

    source: Path
    paths: OutputPaths
    embedder: Embedder

    def write_still(self) -> tuple[Path, Fingerprint]:
        """Mark a picture; colours keep their shade."""
        sampler = ContentSampler(fps=STILL_FPS)
        picture = read_still(self.source)
        luma = luma_of(picture)
        (marked,) = self.embedder.mark([luma])
        sampler.feed(marked)
        write_still(with_luma(picture, luma, marked), self.paths.rendered)
        return self.paths.rendered, sampler.fingerprint()

    def write_clip(self) -> tuple[Path, Fingerprint]:
        """Mark a clip frame by frame, upright as a player shows it, and give it its sound back."""
        facts = read_video_facts(self.source)
        sampler = ContentSampler(fps=float(facts.fps))
        upright = (turned(frame, facts.rotation_deg) for frame in read_frames_yuv420(self.source))
        frames = sampler.watch(map_luma(upright, self.embedder.mark), luma=lambda frame: frame.y)
        write_video(frames, self.paths.rendered, settings=EncodeSettings(fps=facts.fps))
        if not facts.has_audio:
            return self.paths.rendered, sampler.fingerprint()
        combine(self.paths.rendered, self.source, self.paths.signed)
        return self.paths.signed, sampler.fingerprint()
