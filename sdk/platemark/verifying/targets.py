"""Which files there are to examine: all media of a folder, or a stream from another program.

One rule: nothing is left out in silence. What is not examined is counted, and a folder that cannot be read is named.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platemark.errors import OutputError, RequestError

STREAM = Path("-")
"""The name that stands for standard input."""
MAX_STREAM_BYTES = 8 * 1024**3
"""An hour of broadcast HD; a stream that goes on is cut off with an error, not with a full disk."""
_CHUNK = 1 << 20

_STILLS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".heic", ".heif", ".tif", ".tiff", ".dng"})
_CLIPS = frozenset({".mp4", ".m4v", ".mov", ".qt", ".3gp", ".avi", ".mkv", ".webm", ".mxf"})
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"styp", b"moof")
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\x1a\x45\xdf\xa3", b"GIF8", b"II*\x00", b"MM\x00*")


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder holds.

    Args:
        media: files that are called or begin like pictures or videos, in order of path.
        others: how many other files there are; hidden ones, links to folders, pipes and devices count here.
        unreadable: folders and files that could not be looked at.
    """

    media: tuple[Path, ...]
    others: int
    unreadable: tuple[Path, ...]


def find_media(folder: Path) -> Found:
    """Look through a folder and all below it. Links to folders are not followed."""
    media: list[Path] = []
    unreadable: list[Path] = []
    others = 0

    def note(error: OSError) -> None:
        """Remember what could not be looked into."""
        unreadable.append(Path(str(error.filename)))

    for place, folders, names in os.walk(folder, onerror=note):
        folders.sort()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        others += len(links)
        for name in names:
            path = Path(place) / name
            looked = _is_media(path)
            if looked is None:
                unreadable.append(path)
            elif looked:
                media.append(path)
            else:
                others += 1
    return Found(tuple(sorted(media)), others, tuple(unreadable))


@contextmanager
def kept_stream(stream: IO[bytes], *, limit: int = MAX_STREAM_BYTES) -> Iterator[Path]:
    """Keep a stream in a file of its own, for its owner only, until the block ends.

    Raises:
        RequestError: it is a terminal, or longer than the limit.
        OutputError: there is no room for it.
    """
    if stream.isatty():
        raise RequestError(
            "A stream was expected on standard input; a keyboard is there.", fix="platemark verify - < FILE"
        )
    with tempfile.TemporaryDirectory(prefix="platemark-") as folder:
        path = Path(folder) / "stream"
        try:
            with path.open("xb") as file:
                _copy(stream, file, limit=limit)
        except OSError as error:
            raise OutputError(
                f"The stream could not be kept in {folder} ({error.strerror}).", fix="Make room there, or set TMPDIR."
            ) from error
        yield path


def _copy(stream: IO[bytes], file: IO[bytes], *, limit: int) -> None:
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise RequestError(f"The stream is longer than {limit:,} bytes.", fix="Save it to a file and name that.")
        file.write(chunk)


def _is_media(path: Path) -> bool | None:
    """Say whether a file is to be examined; None where that cannot be told."""
    try:
        if path.name.startswith(".") or not stat.S_ISREG(path.stat().st_mode):
            return False
        if path.suffix.lower() in _STILLS | _CLIPS:
            return True
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return None
    return head[4:8] in _BOXES or head.startswith(_STARTS) or (head[:4] == b"RIFF" and head[8:] in (b"WEBP", b"AVI "))
