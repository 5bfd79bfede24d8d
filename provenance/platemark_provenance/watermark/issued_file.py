"""The index of issued ids as a file, so that a million of them need neither be read from the ledger nor held in memory.

One rule: the file is a copy of what the ledger says and is worth nothing by itself; whatever is wrong with it, it is
made again. It holds MACs, so it is private like a key, and a code of its own shows whether anybody touched it.
"""

import hmac
import logging
import mmap
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from platemark_provenance.errors import WatermarkError
from platemark_provenance.watermark.issued import IssuedIds, Payloads
from platemark_provenance.watermark.keys import WatermarkKeys
from platemark_provenance.watermark.payload import ID_BYTES, PAYLOAD_BITS, WatermarkId, seal_payloads
from platemark_provenance.watermark.profile import BROADCAST_3

log = logging.getLogger(__name__)

_MAGIC: Final = b"PMIX"
_VERSION: Final = 1
_HEADER: Final = struct.Struct(">4sBxxxIQ44s")
"""Magic, version, epoch, ids, and where in the ledger's life the copy was taken."""
_CODE_BYTES: Final = 32
_ROW: Final = PAYLOAD_BITS // 8
_LABEL: Final = b"platemark/watermark/index\x00"
_STAMP_BYTES: Final = 44


@dataclass(frozen=True, slots=True)
class IssuedSource:
    """What the ledger can say of issued ids: quickly whether anything changed, and at length what they are.

    Attributes:
        stamp: at most 44 bytes that differ whenever the ids do.
        read: gives all ids in the order of issue, each once.
    """

    stamp: bytes
    read: Callable[[], Sequence[WatermarkId]]


def open_issued(path: Path, keys: WatermarkKeys, source: IssuedSource) -> IssuedIds:
    """Map the index from its file, which is made or made again where it is missing, old or damaged.

    A damaged file is said to be one in the program's log. Where the file cannot be written, the index is held in
    memory instead: finding a mark does not depend on a full disk.

    Args:
        path: of the file; its folder exists.
        keys: of the epoch that the index is for.
        source: the ledger.

    Raises:
        WatermarkError: the source's stamp is too long.
    """
    if len(source.stamp) > _STAMP_BYTES:
        raise WatermarkError(f"The stamp of an index has at most {_STAMP_BYTES} bytes, got {len(source.stamp)}.")
    known: Payloads | None = None
    try:
        stamp, known = _map(path, keys)
        if stamp == source.stamp.ljust(_STAMP_BYTES, b"\x00"):
            return IssuedIds(known)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        log.warning("The index of issued marks %s was damaged (%s); it is made again from the ledger.", path, error)
    payloads = _bring_up_to_date(known, keys, source.read())
    try:
        _write(path, keys, source.stamp, payloads)
    except OSError as error:
        log.warning("The index of issued marks %s cannot be written (%s); it is held in memory.", path, error.strerror)
    return IssuedIds(payloads)


def _map(path: Path, keys: WatermarkKeys) -> tuple[bytes, Payloads]:
    """Map a file, trusting nothing in it before its code was checked. Gives its stamp and its rows."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _HEADER.size + _CODE_BYTES:
            raise ValueError(f"it has {size} bytes")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    magic, version, epoch, count, stamp = _HEADER.unpack_from(mapped)
    if (magic, version, epoch) != (_MAGIC, _VERSION, keys.epoch):
        raise ValueError(f"it says {magic!r}, version {version}, epoch {epoch}")
    start = _HEADER.size + _CODE_BYTES
    if size != start + count * _ROW:
        raise ValueError(f"{count} ids take {start + count * _ROW} bytes, and it has {size}")
    code = mapped[_HEADER.size : start]
    if not hmac.compare_digest(code, _authenticate(keys, mapped[: _HEADER.size], memoryview(mapped)[start:])):
        raise ValueError("its content was changed")
    return stamp, np.frombuffer(mapped, np.uint8, offset=start).reshape(count, _ROW)


def _bring_up_to_date(known: Payloads | None, keys: WatermarkKeys, mark_ids: Sequence[WatermarkId]) -> Payloads:
    """Give the payloads of all ids; MACs that are known already are not computed again where ids were only added."""
    ids = np.frombuffer(b"".join(mark_ids), np.uint8).reshape(len(mark_ids), ID_BYTES)
    count = 0 if known is None else len(known)
    if known is None or count > len(ids) or not np.array_equal(known[:, :ID_BYTES], ids[:count]):
        return seal_payloads(keys.mac, mark_ids, BROADCAST_3.family)
    return np.concatenate([known, seal_payloads(keys.mac, mark_ids[count:], BROADCAST_3.family)])


def _write(path: Path, keys: WatermarkKeys, stamp: bytes, payloads: Payloads) -> None:
    header = _HEADER.pack(_MAGIC, _VERSION, keys.epoch, len(payloads), stamp)
    rows = np.ascontiguousarray(payloads).tobytes()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:  # not flushed to the disk: what a power cut leaves is made again
            file.write(header + _authenticate(keys, header, rows))
            file.write(rows)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _authenticate(keys: WatermarkKeys, header: bytes, rows: bytes | memoryview) -> bytes:
    code = hmac.new(keys.mac, _LABEL + header, "sha256")
    code.update(rows)
    return code.digest()
