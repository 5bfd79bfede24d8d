"""The watermark's secrets, derived from one master secret so that none of them can stand in for another.

One rule: nothing here is ever printed, logged or written; the representation of a key shows its epoch only.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from platemark_provenance.errors import KeyUnavailable, WatermarkError
from platemark_provenance.watermark.payload import ID_BYTES, WatermarkId

MASTER_BYTES: Final = 32
_LABEL: Final = b"org.platemark.watermark.1"
_LAST_EPOCH: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class WatermarkKeys:
    """Hold one epoch's keys: where the carriers lie, who may issue an id, and how ids are drawn.

    Each key is 32 bytes and never shown by `repr`.
    """

    epoch: int
    carriers: bytes = field(repr=False)
    mac: bytes = field(repr=False)
    ids: bytes = field(repr=False)
    fingerprint: bytes = field(repr=False)


def derive_keys(master: bytes, *, epoch: int = 1) -> WatermarkKeys:
    """Derive the four working keys of an epoch from the publisher's master secret.

    Args:
        master: 32 secret bytes.
        epoch: the number a publisher raises when it rotates its keys; earlier epochs stay derivable, so
            that old clips can still be read.

    Raises:
        KeyUnavailable: the master secret is not 32 bytes, or the epoch is not in 1..2**32-1.

    Source:
        HKDF-SHA256, RFC 5869; one `info` string for each purpose.
    """
    if len(master) != MASTER_BYTES:
        raise KeyUnavailable(
            f"The watermark master secret must be {MASTER_BYTES} bytes, found {len(master)}.",
            fix="Restore the key file from a backup, or make a new home with `platemark init`.",
        )
    if not 1 <= epoch <= _LAST_EPOCH:
        raise KeyUnavailable(
            f"A watermark key epoch must lie in 1..{_LAST_EPOCH}, got {epoch}.",
            fix="Correct the epoch in the configuration.",
        )
    return WatermarkKeys(
        epoch=epoch,
        carriers=_expand(master, b"carriers", epoch),
        mac=_expand(master, b"mac", epoch),
        ids=_expand(master, b"ids", epoch),
        fingerprint=_expand(master, b"fingerprint", epoch),
    )


def derive_mark_id(keys: WatermarkKeys, request: bytes, *, attempt: int = 0) -> WatermarkId:
    """Draw the id of a clip from its request: the same request gives the same id, hence the same frames.

    Without the key the id cannot be told from a random number, so it says nothing about the request.

    Args:
        keys: the publisher's keys of the current epoch.
        request: the canonical bytes of the request.
        attempt: raised by one when the id drawn before is already taken by another request.

    Raises:
        WatermarkError: the attempt is negative or over 2**32-1.
    """
    if not 0 <= attempt <= _LAST_EPOCH:
        raise WatermarkError(f"The attempt at drawing an id must lie in 0..{_LAST_EPOCH}, got {attempt}.")
    message = _LABEL + b"/id" + attempt.to_bytes(4, "big") + hashlib.sha256(request).digest()
    return WatermarkId(hmac.digest(keys.ids, message, "sha256")[:ID_BYTES])


def derive_alternatives(keys: WatermarkKeys, request: bytes, *, count: int = 4095) -> tuple[WatermarkId, ...]:
    """Draw the further ids that may stand in for a clip's first one: attempts 1 to `count`.

    Args:
        keys: the publisher's keys of the current epoch.
        request: the canonical bytes of the request.
        count: how many; each doubling is worth about a tenth of a standard deviation.
    """
    return tuple(derive_mark_id(keys, request, attempt=attempt) for attempt in range(1, count + 1))


def _expand(master: bytes, purpose: bytes, epoch: int) -> bytes:
    info = _LABEL + b"/" + purpose + b"/" + epoch.to_bytes(4, "big")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)
