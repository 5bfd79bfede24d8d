"""Evidence about a clip: frames that show its label, and the bundle that holds them with the log's proofs.

One rule: frames come from the published file only while it is, byte for byte, the one that was signed.
"""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from platemark.errors import MediaError, VerificationError
from platemark.export_file import private_file
from platemark.media.video import read_frames_rgb, read_video_facts
from platemark.media.yuv import RGB
from platemark_provenance.digest import JsonValue, sha256_bytes, sha256_file
from platemark_provenance.ledger.evidence.building import BundleRequest, build_bundle
from platemark_provenance.ledger.registry import ClipRecord
from platemark_provenance.ledger.store import Ledger

MOST_FRAMES_READ = 3_600
"""A minute at 60 a second, the longest clip that is made here."""


@dataclass(frozen=True, slots=True)
class WrittenBundle:
    """A bundle on the disk.

    Args:
        clip_id: the clip.
        path: the file.
        sha256: of the file.
        size_bytes: its length.
        frames: how many label frames it holds; 0 where the clip's file was gone or changed.
    """

    clip_id: str
    path: Path
    sha256: str
    size_bytes: int
    frames: int

    def to_json(self) -> dict[str, JsonValue]:
        """Give the JSON object of `audit bundle`."""
        return {
            "clip_id": self.clip_id,
            "path": str(self.path),
            "sha256": self.sha256,
            "bytes": self.size_bytes,
            "frames": self.frames,
        }


def write_bundle(ledger: Ledger, clip_id: str, out: Path, *, reader: str) -> WrittenBundle:
    """Write the evidence about a clip into one file; it is there whole or not at all.

    Raises:
        LedgerRequestError: the clip was not published here.
        OutputError: the file cannot be written there.
        LedgerError: see `build_bundle`.
    """
    record = ledger.registry.record(clip_id)
    frames = () if record is None else label_frames(record)
    with private_file(out) as file:
        content = build_bundle(ledger, BundleRequest(clip_id, reader, frames))
        file.write(content)
    return WrittenBundle(clip_id, out, sha256_bytes(content), len(content), len(frames))


def label_frames(record: ClipRecord) -> tuple[bytes, ...]:
    """Give pictures (PNG) of a published clip's first, middle and last frame; none where the file is not as signed."""
    try:
        if sha256_file(record.final_path) != record.file_sha256:
            return ()
        last = (read_video_facts(record.final_path).frames or 1) - 1
        wanted = {0, last // 2, last}
        frames = read_frames_rgb(record.final_path, max_frames=MOST_FRAMES_READ)
        return tuple(_png(frame) for index, frame in enumerate(frames) if index in wanted)
    except (MediaError, VerificationError):
        return ()


def _png(frame: RGB) -> bytes:
    picture = io.BytesIO()
    Image.fromarray(frame).save(picture, "PNG", optimize=True)
    return picture.getvalue()
