"""Count what lies in an MP4 or QuickTime file outside its signature: padding boxes that hold something.

One rule: only counts. C2PA leaves `free` and `skip` boxes out of the content hash, so anybody can fill them; players
ignore them, and people should know.

Source: C2PA 2.2, section 9.2.4 (default exclusions of the BMFF hash).
"""

import os
from typing import IO

_PADDING = (b"free", b"skip")
_MAX_BOXES = 10_000
_PIECE = 1 << 20


def count_unsigned_bytes(file: IO[bytes]) -> int:
    """Count the bytes of top-level padding boxes that are not all zero; 0 for a file that is not made of boxes.

    Raises:
        OSError: the file cannot be read.
    """
    end = file.seek(0, os.SEEK_END)
    at = found = 0
    for _ in range(_MAX_BOXES):
        file.seek(at)
        head = file.read(16)
        size, header = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - at
        if len(head) < 8 or size < header or at + size > end:
            return found
        if head[4:8] in _PADDING and _holds_something(file, at + header, size - header):
            found += size - header
        at += size
    return found


def _holds_something(file: IO[bytes], start: int, size: int) -> bool:
    file.seek(start)
    while size > 0:
        piece = file.read(min(size, _PIECE))
        if not piece or any(piece):
            return bool(piece)
        size -= len(piece)
    return False
