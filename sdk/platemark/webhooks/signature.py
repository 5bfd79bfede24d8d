"""Signatures of webhook messages, made and checked.

One rule: a message counts only with a signature that fits, a time that is near, and an id that was not seen before.

Source: Standard Webhooks specification 1.0, "Signature scheme" (symmetric, HMAC-SHA256) and "Verifying".
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from platemark.errors import VerificationError

TOLERANCE = timedelta(minutes=5)
"""How far a message's time may be from the receiver's clock."""
SECRET_PREFIX = "whsec_"  # noqa: S105  how a secret is written down, not one
MIN_SECRET_BYTES = 24
_VERSION = "v1"
MAX_HEADER_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it goes over the wire: its id, when it was sent (whole seconds), and the body's exact bytes."""

    id: str
    sent_at: datetime
    body: bytes

    def headers(self, secret: bytes) -> dict[str, str]:
        """Give the headers that go with the body.

        Args:
            secret: the key shared with the receiver.
        """
        return {
            "content-type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": str(int(self.sent_at.timestamp())),
            "webhook-signature": f"{_VERSION},{_tag(secret, self.id, int(self.sent_at.timestamp()), self.body)}",
        }


def verify_message(body: bytes, headers: Mapping[str, str], secret: bytes, *, now: datetime) -> Message:
    """Check a message that was received, as its receiver does.

    1. The three headers are there and have their form.
    2. The time is within five minutes of `now`.
    3. One of the signatures fits id, time and body.

    Whoever receives must also keep the ids of the last ten minutes and refuse one that comes again.

    Args:
        body: the exact bytes.
        headers: names in any case.
        secret: the shared key.
        now: aware.

    Returns:
        the message.

    Raises:
        VerificationError: one of them does not hold.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    message_id, stamp, given = (lower.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not message_id or not stamp.isdecimal() or len(stamp) > 12 or not 0 < len(given) <= MAX_HEADER_CHARACTERS:  # 1
        raise VerificationError("This message lacks the webhook-id, -timestamp or -signature header.")
    sent_at = datetime.fromtimestamp(int(stamp), UTC)
    if abs(now - sent_at) > TOLERANCE:  # 2
        raise VerificationError("This message is too old, or from the future; it may be a replay.")
    wanted = _tag(secret, message_id, int(stamp), body)
    tags = [each.partition(",")[2] for each in given.split(" ") if each.startswith(f"{_VERSION},")]
    # Every one is compared, so that the time taken says nothing about which fitted.
    if not any([hmac.compare_digest(tag.encode(), wanted.encode()) for tag in tags]):  # 3
        raise VerificationError("The signature does not fit this message.")
    return Message(message_id, sent_at, body)


def show_secret(secret: bytes) -> str:
    """Write a secret down as receivers expect it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode("ascii")


def read_secret(text: str) -> bytes:
    """Read a secret that was written down.

    Raises:
        VerificationError: it has another form, or is shorter than 24 bytes.
    """
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (ValueError, binascii.Error) as error:
        raise VerificationError("A webhook secret is whsec_ and base64.") from error
    if not text.startswith(SECRET_PREFIX) or len(secret) < MIN_SECRET_BYTES:
        raise VerificationError(f"A webhook secret is whsec_ and at least {MIN_SECRET_BYTES} bytes in base64.")
    return secret


def _tag(secret: bytes, message_id: str, stamp: int, body: bytes) -> str:
    signed = f"{message_id}.{stamp}.".encode() + body
    return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode("ascii")
