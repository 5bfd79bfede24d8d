"""Keep names and prompts apart from the log: encryption of the sealed part and pseudonyms for people.

One rule: what goes into a leaf is a digest or a keyed pseudonym; what can be read by anyone is never
personal.
"""

import base64
import hmac
import json
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from platemark_provenance.digest import JsonValue, Sha256Hex, canonical_json, sha256_bytes
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError

PAYLOAD_KEY_BYTES = 32
LARGEST_SEALED_BYTES = 65_535
PSEUDONYM_PREFIX = "p-"

_NONCE_BYTES = 12
_PSEUDONYM_BYTES = 10
"""80 bits of HMAC: 16 base32 characters, no two of a newsroom's people alike."""

_MOST_REMEMBERED = 4_096
"""People; a newsroom has fewer, and each of them appends often."""


@dataclass(frozen=True, slots=True)
class SealedPayload:
    """An encrypted sealed part.

    Args:
        nonce: 12 random bytes.
        ciphertext: with its 16-byte tag.
    """

    nonce: bytes
    ciphertext: bytes

    @property
    def sha256(self) -> Sha256Hex:
        """The digest that stands in the leaf; it covers the nonce and the ciphertext."""
        return sha256_bytes(self.nonce + self.ciphertext)


class Sealer:
    """Seal and open payloads, and make pseudonyms, with keys derived from one payload key.

    Args:
        payload_key: 32 secret bytes.
        random_bytes: where nonces come from.
    """

    def __init__(self, payload_key: bytes, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        if len(payload_key) != PAYLOAD_KEY_BYTES:
            raise LedgerRequestError(f"The payload key has {PAYLOAD_KEY_BYTES} bytes; got {len(payload_key)}.")
        self._payload_key = _derive(payload_key, b"org.platemark sealed payload 1")
        self.wrapping_key = _derive(payload_key, b"org.platemark subject key wrapping 1")
        """32 bytes that wrap the keys of subjects, where no key store does."""
        self._pseudonym_key = _derive(payload_key, b"org.platemark actor pseudonym 1")
        self._random_bytes = random_bytes
        self._pseudonyms: dict[str, str] = {}

    def seal(self, event_id: str, content: Mapping[str, JsonValue]) -> SealedPayload:
        """Encrypt the sealed part of one event as programs did before subjects had keys.

        Raises:
            LedgerRequestError: it is too long.
        """
        return seal_with(self._payload_key, event_id, content, random_bytes=self._random_bytes)

    def open(self, event_id: str, payload: SealedPayload) -> Mapping[str, JsonValue]:
        """Decrypt the sealed part of one event that was sealed before subjects had keys.

        Raises:
            LedgerCorrupt: it was sealed with another key or for another event, or was changed.
        """
        return open_with(self._payload_key, event_id, payload)

    def pseudonym(self, identity: str) -> str:
        """Give the stable pseudonym of a person; without the key it says nothing about who that is."""
        known = self._pseudonyms.get(identity)
        if known is not None:
            return known
        spelled = unicodedata.normalize("NFC", identity).encode()
        tag = hmac.digest(self._pseudonym_key, spelled, "sha256")[:_PSEUDONYM_BYTES]
        made = PSEUDONYM_PREFIX + base64.b32encode(tag).decode().lower()
        if len(self._pseudonyms) < _MOST_REMEMBERED:
            self._pseudonyms[identity] = made
        return made


def seal_with(
    key: bytes,
    name: str,
    content: Mapping[str, JsonValue],
    *,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> SealedPayload:
    """Encrypt content with a key, bound to the name of what it belongs to, such as an event's id.

    Raises:
        LedgerRequestError: it is too long.

    Source: NIST SP 800-38D, AES-256-GCM with a random 96-bit nonce.
    """
    plaintext = canonical_json(content)
    if len(plaintext) > LARGEST_SEALED_BYTES:
        raise LedgerRequestError(
            f"A sealed part has at most {LARGEST_SEALED_BYTES} bytes; this one has {len(plaintext)}."
        )
    nonce = random_bytes(_NONCE_BYTES)
    return SealedPayload(nonce, AESGCM(key).encrypt(nonce, plaintext, name.encode()))


def open_with(key: bytes, name: str, payload: SealedPayload) -> Mapping[str, JsonValue]:
    """Decrypt what `seal_with` encrypted with the same key for the same name.

    Raises:
        LedgerCorrupt: it was sealed with another key or for another name, or was changed.
    """
    try:
        plaintext = AESGCM(key).decrypt(payload.nonce, payload.ciphertext, name.encode())
    except (InvalidTag, ValueError) as error:
        raise LedgerCorrupt(
            f"The sealed part of event {name} does not open with this payload key.",
            fix="Use the payload key it was written with.",
        ) from error
    content = json.loads(plaintext)
    if not isinstance(content, dict):
        raise LedgerCorrupt(f"The sealed part of event {name} should be a JSON object.")
    return content


def _derive(key: bytes, purpose: bytes) -> bytes:
    """Source: RFC 5869; one key a purpose, so that none is used with two algorithms."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)
