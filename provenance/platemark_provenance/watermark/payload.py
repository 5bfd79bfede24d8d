"""What the mark says: a 64-bit id, a 40-bit MAC that only the publisher can make, and the code that protects both.

One rule: pure functions of bytes and numbers; whether a mark counts as found is decided here and nowhere else
by comparing MACs, never by looking at signal strength.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NewType

import numpy as np
from numpy.typing import NDArray

from platemark_provenance.errors import WatermarkError

WatermarkId = NewType("WatermarkId", bytes)
"""The eight bytes that a mark carries and that a publisher's registry maps to a clip."""

Bits = NDArray[np.uint8]

ID_BYTES: Final = 8
MAC_BYTES: Final = 5
_CONSTRAINT: Final = 9
_STATES: Final = 1 << (_CONSTRAINT - 1)
_TAIL_BITS: Final = _CONSTRAINT - 1
_GENERATORS: Final = (0o557, 0o663, 0o711)
"""Rate 1/3, constraint length 9, free distance 18. Source: 3GPP TS 25.212, section 4.2.3.1."""
PAYLOAD_BITS: Final = 8 * (ID_BYTES + MAC_BYTES)
CODED_BITS: Final = len(_GENERATORS) * (PAYLOAD_BITS + _TAIL_BITS)


@dataclass(frozen=True, slots=True)
class _Trellis:
    """Hold the two ways into each state: where they come from and which three signs they send."""

    before: NDArray[np.intp]  # (2, states)
    signs: NDArray[np.float64]  # (2, states, 3); +1 for a coded 0


def parse_mark_id(text: str) -> WatermarkId:
    """Read an id from its sixteen hexadecimal digits.

    Raises:
        WatermarkError: the text is not exactly sixteen hexadecimal digits.
    """
    digits = text.strip().lower()
    if len(digits) != 2 * ID_BYTES or not set(digits) <= set("0123456789abcdef"):
        raise WatermarkError(
            f"A watermark id is {2 * ID_BYTES} hexadecimal digits, got {text[:40]!r}.",
            fix="Copy the id from the clip's record, or leave it out to have one drawn.",
        )
    return WatermarkId(bytes.fromhex(digits))


def check_mark_id(mark_id: WatermarkId) -> None:
    """Refuse an id of the wrong length.

    Raises:
        WatermarkError: the id is not eight bytes.
    """
    if len(mark_id) != ID_BYTES:
        raise WatermarkError(
            f"A watermark id is {ID_BYTES} bytes, got {len(mark_id)}.",
            fix="Draw the id with `derive_mark_id`.",
        )


def compute_mac(mac_key: bytes, mark_id: WatermarkId, family: str) -> bytes:
    """Compute the 40 bits that prove an id was issued by the holder of the key, for this profile."""
    message = b"platemark/watermark/mac\x00" + family.encode() + b"\x00" + mark_id
    return hmac.digest(mac_key, message, "sha256")[:MAC_BYTES]


def encode_payload(mac_key: bytes, mark_id: WatermarkId, family: str) -> Bits:
    """Encode an id and its MAC into coded bits, shape (336,), values 0 and 1.

    Raises:
        WatermarkError: the id is not eight bytes.
    """
    return np.asarray(encode_payloads(mac_key, [mark_id], family)[0])


def encode_payloads(mac_key: bytes, mark_ids: Sequence[WatermarkId], family: str) -> Bits:
    """Encode many ids at once; row i is the codeword of id i, shape (ids, 336).

    Raises:
        WatermarkError: an id is not eight bytes.
    """
    return encode_rows(seal_payloads(mac_key, mark_ids, family))


def encode_rows(payloads: Bits) -> Bits:
    """Encode payloads that have their MACs already: (ids, 13) bytes into (ids, 336) bits."""
    return _convolve(np.unpackbits(payloads, axis=1))


def seal_payloads(mac_key: bytes, mark_ids: Sequence[WatermarkId], family: str) -> Bits:
    """Put each id and its MAC side by side: rows of 13 bytes, shape (ids, 13).

    Raises:
        WatermarkError: an id is not eight bytes.
    """
    for mark_id in mark_ids:
        check_mark_id(mark_id)
    joined = b"".join(mark_id + compute_mac(mac_key, mark_id, family) for mark_id in mark_ids)
    return np.frombuffer(joined, np.uint8).reshape(len(mark_ids), PAYLOAD_BITS // 8)


def make_window_signs() -> NDArray[np.float32]:
    """Give what four payload bits, and the eight before them, send: shape (4096, 12), +1 for a coded 0.

    Row w is of the twelve bits of w, the oldest first. A codeword's score is a sum over its 28 such windows, so that
    payloads can be scored without being encoded.
    """
    bits = np.unpackbits(np.arange(1 << 12, dtype=">u2").view(np.uint8).reshape(-1, 2), axis=1)[:, 4:]
    sent = _convolve(bits).reshape(len(bits), -1, len(_GENERATORS))[:, _CONSTRAINT - 1 : 12]
    return np.asarray(1.0 - 2.0 * sent.reshape(len(bits), -1), np.float32)


def open_payload(mac_key: bytes, soft_bits: NDArray[np.float64], family: str) -> WatermarkId | None:
    """Decode soft bits and give the id, if and only if the MAC that came with it is ours.

    On a picture without our mark the chance of an id is 2**-40 for each call.

    Args:
        mac_key: the publisher's MAC key.
        soft_bits: (336,) evidence for each coded bit; positive means 0, the size means how sure.
        family: of the profile that the mark is read under.
    """
    payload = np.packbits(_decode(soft_bits)).tobytes()
    mark_id = WatermarkId(payload[:ID_BYTES])
    expected = compute_mac(mac_key, mark_id, family)
    return mark_id if hmac.compare_digest(expected, payload[ID_BYTES:]) else None


def _convolve(payload: Bits) -> Bits:
    """Encode rows of payload bits (n, bits), each followed by the tail that brings the encoder back to 0."""
    bits = np.pad(payload, ((0, 0), (_CONSTRAINT - 1, _TAIL_BITS)))
    length = payload.shape[1] + _TAIL_BITS
    coded = np.zeros((payload.shape[0], length, len(_GENERATORS)), np.uint8)
    for column, generator in enumerate(_GENERATORS):
        for delay in range(_CONSTRAINT):
            if generator >> delay & 1:
                start = _CONSTRAINT - 1 - delay
                coded[:, :, column] ^= bits[:, start : start + length]
    return coded.reshape(payload.shape[0], -1)


def _build_trellis() -> _Trellis:
    states = np.arange(_STATES)
    before = np.stack([states >> 1, (states >> 1) | (_STATES >> 1)])
    register = (before << 1) | (states & 1)
    parity = np.stack([np.bitwise_count(register & generator) & 1 for generator in _GENERATORS], axis=-1)
    return _Trellis(before=before.astype(np.intp), signs=np.asarray(1.0 - 2.0 * parity, np.float64))


_TRELLIS: Final = _build_trellis()


def _decode(soft_bits: NDArray[np.float64]) -> Bits:
    """Find the most likely payload bits (Viterbi 1967), all 256 states in one step of numpy.

    Source: A. Viterbi, "Error bounds for convolutional codes", IEEE Trans. Inf. Theory 13(2), section IV.
    """
    steps = np.asarray(soft_bits, np.float64).reshape(-1, len(_GENERATORS))
    metric = np.full(_STATES, -np.inf)
    metric[0] = 0.0
    came_from = np.zeros((len(steps), _STATES), bool)
    for time, evidence in enumerate(steps):
        first, second = metric[_TRELLIS.before] + _TRELLIS.signs @ evidence
        came_from[time] = second > first
        metric = np.maximum(first, second)
    state = 0  # the tail bits end every codeword here
    decoded = np.zeros(len(steps), np.uint8)
    for time in range(len(steps) - 1, -1, -1):
        decoded[time] = state & 1
        state = int(_TRELLIS.before[int(came_from[time, state]), state])
    return decoded[:-_TAIL_BITS]
