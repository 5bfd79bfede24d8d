"""Changing the key that signs a home's log.

One rule: a key signs nothing before the log itself has named it. Whatever is killed, running it again finishes it.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from platemark.errors import KeyUnavailable
from platemark.homes.home import Home
from platemark.homes.key_folder import LEDGER_KEY, LEDGER_NEXT, LEDGER_PUBLIC, SUCCESSION, exchange, read_succession
from platemark_provenance.digest import JsonValue, sha256_bytes
from platemark_provenance.keys import load_ledger_signing_key, read_private_file, write_private_file
from platemark_provenance.ledger.succession import MOST_LINKS
from platemark_provenance.new_keys import new_ledger_key


@dataclass(frozen=True, slots=True)
class LogKeyChanged:
    """A change of the log's key that has happened.

    Args:
        old: the key before, as `name+id+key`.
        new: the key now.
        retired: the folder with what was replaced.
    """

    old: str
    new: str
    retired: str

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object of `keys rotate --ledger --json`."""
        return {"old_key": self.old, "new_key": self.new, "retired": self.retired}


def rotate_ledger_key(home: Home, *, actor: str | None = None) -> LogKeyChanged:
    """Make a new key for the log and put it in force.

    1. The new key is written beside the old one; one that waits from an interrupted change is used again.
    2. The log names it, under a checkpoint that both keys sign.
    3. Both halves and the proof of 2 take the place of the old ones in one step; the old ones are kept.

    Args:
        home: whose log.
        actor: who asked, for the ledger.

    Raises:
        KeyUnavailable: a key cannot be read or written.
        LedgerError: the log cannot be written or signed; the old key is in force.
        VerificationError: the proof of an earlier change was damaged.
    """
    before = read_succession(home.keys)
    if len(before.links) >= MOST_LINKS:
        raise KeyUnavailable(
            f"The log's key was replaced {MOST_LINKS} times, which is the most.",
            fix="Begin a new home with its own log.",
        )
    waiting = home.keys / LEDGER_NEXT
    if waiting.exists() and read_private_file(waiting) == read_private_file(home.keys / LEDGER_KEY):
        waiting.unlink()  # only the tidying up was interrupted
    if not waiting.exists():
        write_private_file(waiting, new_ledger_key().private_pem)  # 1
    key = load_ledger_signing_key(waiting)
    with home.open_ledger() as ledger:
        link = ledger.announce_key(key, actor=actor)  # 2
    files = {
        LEDGER_KEY: read_private_file(waiting),
        LEDGER_PUBLIC: public_pem(key.public_key()),
        SUCCESSION: before.followed_by(link).to_bytes(),
    }
    name = f"{home.clock():%Y%m%dT%H%M%SZ}-ledger-{sha256_bytes(link.old.key)[:12]}"
    retired = exchange(home.keys, files, retire_as=name, record=lambda: None)  # 3
    try:
        waiting.unlink()
    except OSError as error:
        raise KeyUnavailable(f"{waiting} could not be removed: {error.strerror}.", fix="Remove it.") from error
    return LogKeyChanged(link.old.text(), link.new.text(), str(retired))


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Write a public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
