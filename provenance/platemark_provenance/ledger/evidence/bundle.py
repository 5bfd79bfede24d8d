"""The form of an evidence bundle: a ZIP file without compression, the same content always the same bytes.

One rule: a bundle from a stranger is bounded before it is read, and nothing in it is ever written to a disk. Without
compression there are no bombs, and names that are not on the list are refused, so there are no paths to follow.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from platemark_provenance.errors import VerificationError

FORMAT = "org.platemark.evidence/1"
LARGEST_BUNDLE_BYTES = 64 * 1024 * 1024
MOST_FILES = 32

README = "README.txt"
PAGE = "verify.html"
PAGE_DATA = "evidence.js"
EVENTS = "events.json"
CHECKPOINT = "checkpoint.txt"
RECEIPT = "receipt.tlog-proof"
KEY = "ledger-key.pem"
MANIFEST = "manifest.c2pa"
SUCCESSION = "key-succession.json"
"""Only where the log has had another key before."""
FRAME = re.compile(r"label/frame-[1-9]\.png", re.ASCII)

ALWAYS = frozenset({README, PAGE, PAGE_DATA, EVENTS, CHECKPOINT, RECEIPT, KEY, MANIFEST})
"""Every bundle has these; label frames may be added."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date that a ZIP file can hold; the time that counts stands in the log."""
_UNIX = 3
_READABLE = 0o100644 << 16


def pack(files: Mapping[str, bytes]) -> bytes:
    """Write files into a bundle: sorted by name, uncompressed, without times."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            archive.writestr(entry, files[name])
    return packed.getvalue()


def unpack(path: Path) -> dict[str, bytes]:
    """Read a bundle into memory.

    Checks, before a byte of content is read: 1 the file's size; 2 it is a ZIP; 3 how many files; 4 every name is one
    that bundles have, once; 5 no compression, no encryption; 6 sizes as declared, and no more in all than the file.

    Raises:
        VerificationError: one of them failed, or the file cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_BUNDLE_BYTES:  # 1
            raise VerificationError(f"A bundle has at most {LARGEST_BUNDLE_BYTES} bytes; {path.name} has {size}.")
        with zipfile.ZipFile(path) as archive:  # 2
            entries = archive.infolist()
            _check_entries(entries, size)  # 3 to 6
            return {entry.filename: archive.read(entry) for entry in entries}
    except OSError as error:
        raise VerificationError(f"{path.name} cannot be read ({error.strerror or error}).") from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError) as error:
        raise VerificationError(f"{path.name} should be an evidence bundle and is not a whole ZIP file.") from error


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MOST_FILES:  # 3
        raise VerificationError(f"A bundle has at most {MOST_FILES} files; this one has {len(entries)}.")
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        if (name not in ALWAYS and name != SUCCESSION and not FRAME.fullmatch(name)) or name in seen:  # 4
            raise VerificationError(f"A bundle has no file named {name[:80]!r}, or not twice.")
        seen.add(name)
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 0x1:  # 5
            raise VerificationError(f"Files in a bundle are neither compressed nor encrypted; {name} is.")
        if entry.file_size != entry.compress_size:  # 6
            raise VerificationError(f"The size of {name} in the bundle is not what it says.")
    if sum(entry.file_size for entry in entries) > size:  # 6
        raise VerificationError("The files in the bundle are larger than the bundle.")
    if missing := sorted(ALWAYS - seen):
        raise VerificationError(f"The bundle lacks {', '.join(missing)}.")
