"""A log that grows in memory, for those who watch logs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.checkpoint import Checkpoint, sign_checkpoint, verifier_key
from platemark_provenance.ledger.merkle import leaf_hash, root_of_complete
from platemark_provenance.witness.request import AddCheckpoint

ORIGIN = "news.example/log"
NAME = "witness.example/w1"
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)


@dataclass
class SmallLog:
    """A log whose events are numbers after a word, so that another word is another history."""

    word: str = "event"
    origin: str = ORIGIN
    key: Ed25519PrivateKey = field(default=LOG_KEY)

    def node(self, level: int, index: int) -> bytes:
        span = range(index << level, (index + 1) << level)
        return root_of_complete([leaf_hash(f"{self.word}-{i}".encode()) for i in span])

    def note(self, size: int) -> bytes:
        return sign_checkpoint(Checkpoint(self.origin, size, merkle.tree_root(size, self.node)), self.key)

    def prove(self, old: int, new: int) -> tuple[bytes, ...]:
        return merkle.consistency_proof(old, new, self.node) if 0 < old < new else ()

    def request(self, old: int, new: int) -> bytes:
        return AddCheckpoint(old, self.prove(old, new), self.note(new)).to_bytes()

    @property
    def verifier_key(self) -> str:
        return verifier_key(self.origin, self.key.public_key())
