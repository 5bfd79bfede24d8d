"""China's `AIGC` statement into a clip and out of it again: as a tag of the container, and as XMP.

One rule: the picture and the sound are copied packet by packet; only what stands beside them changes.
"""

from dataclasses import dataclass
from pathlib import Path

from platemark.media.aigc import TAG, AigcStatement, read_statement, read_xmp, to_xmp
from platemark.media.video import read_tags, remux_with_tags
from platemark.media.xmp import append_packet, read_packet


@dataclass(frozen=True, slots=True)
class AigcFound:
    """What a clip's metadata say: as a tag and as XMP, None where there is no readable statement."""

    tag: AigcStatement | None = None
    xmp: AigcStatement | None = None


def write_aigc(path: Path, statement: AigcStatement, *, through: Path) -> None:
    """Write a statement into a clip that is not signed yet, as a tag and as XMP.

    Args:
        path: the clip; it is replaced in one step.
        statement: what is stated.
        through: a file in the same folder that the clip is written to on the way; gone afterwards.

    Raises:
        MediaError: the clip cannot be read.
        OutputError: it cannot be written; the clip is as it was.
    """
    try:
        remux_with_tags(path, through, {TAG: statement.to_text()})
        append_packet(through, to_xmp(statement))
        through.replace(path)
    finally:
        through.unlink(missing_ok=True)


def read_aigc(path: Path) -> AigcFound:
    """Read what a clip's metadata say.

    Raises:
        MediaError: the file is not a readable clip.
    """
    packet = read_packet(path)
    return AigcFound(read_statement(read_tags(path).get(TAG, "")), read_xmp(packet) if packet is not None else None)
