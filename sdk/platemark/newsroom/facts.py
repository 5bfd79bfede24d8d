"""What an export says about a clip, gathered once and read by every writer.

One rule: people stand in `names` and nowhere else, and it is None unless names were asked for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from platemark_provenance.correction import Correction
from platemark_provenance.withdrawal import Withdrawal

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""Source: IPTC NewsCodes, Digital Source Type."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """The published file: pixels, seconds, frames a second, bytes. A still has no duration and no frame rate."""

    name: str
    mime: str
    sha256: str
    size_bytes: int
    width: int
    height: int
    duration_s: float | None
    fps: float | None
    frames: int | None
    codec: str | None


@dataclass(frozen=True, slots=True)
class Names:
    """The people behind a clip, and what one of them wrote."""

    byline: str | None
    approvers: tuple[str, ...]
    prompt: str | None
    prompt_writer: str | None


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """Everything an export may say about one published clip or still.

    Args:
        clip_id: the clip, a UUID.
        kind: whether it moves.
        title: what the manifest calls it.
        publisher: the organisation that signed it.
        made_at: when the publisher says it was made, aware.
        published_at: when it was published, aware.
        changed_at: when something last happened to it: published, corrected or withdrawn; aware.
        source_type: the last part of its IPTC digital source type.
        ai_system: the model's name, None where the manifest names none.
        ai_system_version: the model's version.
        label: the words drawn into the picture.
        language: the label's language (BCP 47).
        watermark_alg: the invisible mark's algorithm.
        watermark_id: the mark, 16 hexadecimal digits.
        manifest_label: the C2PA manifest's label.
        rendition: the published file.
        withdrawn: when and why it was taken back, None where it was not.
        names: the people, None where nobody asked for names.
        corrections: what the publisher corrected since, oldest first.
    """

    clip_id: str
    kind: Literal["clip", "still"]
    title: str
    publisher: str
    made_at: datetime
    published_at: datetime
    changed_at: datetime
    source_type: str
    ai_system: str | None
    ai_system_version: str | None
    label: str
    language: str
    watermark_alg: str
    watermark_id: str
    manifest_label: str
    rendition: Rendition
    withdrawn: Withdrawal | None
    names: Names | None
    corrections: tuple[Correction, ...] = ()

    @property
    def uri(self) -> str:
        """Give the clip's identifier as a URI."""
        return f"urn:uuid:{self.clip_id}"

    @property
    def source_uri(self) -> str:
        """Give the digital source type as the vocabulary's URI."""
        return SOURCE_TYPES + self.source_type

    @property
    def version(self) -> str:
        """Count what was said of it: one more with each correction, and with the withdrawal."""
        return str(1 + len(self.corrections) + (self.withdrawn is not None))

    @property
    def note(self) -> str:
        """Say in one line what an editor must know before using the clip."""
        if self.withdrawn is None:
            corrected = "".join(f" CORRECTED {each.day}: {each.reason}" for each in self.corrections)
            return f"Made or changed by AI. Visible label: {self.label}. Keep the label when you use it.{corrected}"
        return f"WITHDRAWN {self.withdrawn.at:%Y-%m-%d}, do not use: {self.withdrawn.reason}"


def iso(moment: datetime) -> str:
    """Write a moment as ISO 8601 with its offset, to the second."""
    return moment.isoformat(timespec="seconds")
