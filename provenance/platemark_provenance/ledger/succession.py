"""How one key of a log followed another, so that whoever knows one of them can check what each has signed.

One rule: pure functions. A key follows another only by an event of the log itself, under a checkpoint that both signed:
the old key names its successor, and the new one shows that it is there.

Source: C2SP signed-note, "Signatures" (several keys may sign one note); the form of the file is ours.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerCorrupt, VerificationError
from platemark_provenance.ledger.checkpoint import LogKey, LogKeys, open_checkpoint
from platemark_provenance.ledger.event import EventType, decode_body, derive_columns, facts_of
from platemark_provenance.ledger.note import ED25519, VerifierKey, parse_verifier_key
from platemark_provenance.ledger.receipt import LARGEST_RECEIPT_BYTES, VerifiedReceipt, verify_receipt

FORMAT = "org.platemark.key-succession/1"
PURPOSE = "ledger"
MOST_LINKS = 64
LARGEST_SUCCESSION_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class KeyLink:
    """One key that follows another.

    Args:
        old: the key that was replaced.
        new: the one that follows it.
        receipt: proves the event that says so, under a checkpoint of both keys.
    """

    old: VerifierKey
    new: VerifierKey
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Succession:
    """All keys of a log, from the first on.

    Args:
        links: each begins with the key that the one before ends with.
    """

    links: tuple[KeyLink, ...] = ()

    def to_bytes(self) -> bytes:
        """Spell it as a file that may be given to anybody."""
        links = [
            {"old": each.old.text(), "new": each.new.text(), "receipt": each.receipt.decode()} for each in self.links
        ]
        return (json.dumps({"format": FORMAT, "links": links}, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def parse(cls, content: bytes) -> "Succession":
        """Read it. Nothing is checked but the form; `follow` does the rest.

        Raises:
            VerificationError: it is too long, or not of this form.
        """
        if len(content) > LARGEST_SUCCESSION_BYTES:
            raise VerificationError(f"A succession of keys has at most {LARGEST_SUCCESSION_BYTES} bytes.")
        try:
            decoded = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise VerificationError("A succession of keys should be JSON and is not.") from error
        links = decoded.get("links") if isinstance(decoded, dict) and decoded.get("format") == FORMAT else None
        if not isinstance(links, list) or len(links) > MOST_LINKS:
            raise VerificationError(f"A succession of keys should be of the form {FORMAT}.")
        return cls(tuple(_read_link(each) for each in links))

    def followed_by(self, link: KeyLink) -> "Succession":
        """Give the succession with one key more."""
        return Succession((*self.links, link))


ONE_KEY = Succession()
"""Of a log that has had one key only."""


def announcement(old: VerifierKey, new: VerifierKey) -> dict[str, JsonValue]:
    """Give the facts of the event that names a successor."""
    return {"purpose": PURPOSE, "how": "rotate", "alg": "ed25519", "old_key": old.text(), "new_key": new.text()}


def is_announced(facts: Mapping[str, JsonValue], old: VerifierKey) -> bool:
    """Say whether the facts of a `key.rotated` event name a successor of a log's key."""
    return facts.get("purpose") == PURPOSE and facts.get("old_key") == old.text()


def follow(known: Ed25519PublicKey, succession: Succession) -> LogKeys:
    """Give every key of a log to somebody who knows one of them.

    Checks for each link: 1 it begins with the key that the one before ended with; 2 both keys are of one log, and both
    signed the checkpoint; 3 the event under it names both. Then: 4 the known key is one of them.

    A key that was replaced counts up to the size of the checkpoint that replaced it. Who stole it can still name
    another successor to those who know nothing newer: give new keys out by another way too.

    Raises:
        VerificationError: one of them failed.
    """
    wrong = "The succession of the log's keys does not hold"
    keys: list[LogKey] = []
    for at, link in enumerate(succession.links):
        if at and link.old != succession.links[at - 1].new:  # 1
            raise VerificationError(f"{wrong}: link {at} begins with another key than the one before ended with.")
        proven = _check_link(link, f"{wrong}: link {at}")  # 2 and 3
        keys.append(LogKey(_public(link.old), until=proven.checkpoint.size))
    keys.append(LogKey(_public(succession.links[-1].new) if succession.links else known))
    if known.public_bytes_raw() not in [each.public_key.public_bytes_raw() for each in keys]:  # 4
        raise VerificationError(f"{wrong}: the key that is known is none of them.", fix="Ask the publisher.")
    return LogKeys(tuple(keys))


def leading_to(key: Ed25519PublicKey, succession: Succession) -> LogKeys:
    """Give every key of a log to the one who signs it now.

    Raises:
        VerificationError: as `follow`, or this is not the last of them.
    """
    keys = follow(key, succession)
    if keys.keys[-1].public_key.public_bytes_raw() != key.public_bytes_raw():
        raise VerificationError(
            "The key that signs the log was replaced by another one.", fix="Restore the keys from your backup."
        )
    return keys


def _check_link(link: KeyLink, wrong: str) -> VerifiedReceipt:
    try:
        proven = verify_receipt(link.receipt, None, _public(link.old), origin=link.old.name)
        open_checkpoint(link.receipt.partition(b"\n\n")[2], _public(link.new), origin=link.old.name)
        decoded = decode_body(proven.event)
        kind, facts = derive_columns(decoded).type, facts_of(decoded)
    except (VerificationError, LedgerCorrupt) as error:
        raise VerificationError(f"{wrong}: {error.message}") from error
    named = is_announced(facts, link.old) and facts.get("new_key") == link.new.text()
    if kind != EventType.KEY_ROTATED or not named or link.old.name != link.new.name:
        raise VerificationError(f"{wrong}: its event does not name these keys.")
    return proven


def _read_link(value: object) -> KeyLink:
    if isinstance(value, dict):
        old, new, receipt = value.get("old"), value.get("new"), value.get("receipt")
        if isinstance(old, str) and isinstance(new, str) and isinstance(receipt, str):
            if len(receipt) > LARGEST_RECEIPT_BYTES or not _is_text(receipt):
                raise VerificationError("A receipt in a succession of keys is too long, or no text.")
            keys = parse_verifier_key(old), parse_verifier_key(new)
            if all(key.kind == ED25519 for key in keys):
                return KeyLink(*keys, receipt.encode())
    raise VerificationError("Each link of a succession of keys names two keys of a log and carries a receipt.")


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _public(key: VerifierKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(key.key)
