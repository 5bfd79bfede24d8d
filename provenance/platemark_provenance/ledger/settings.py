"""What a ledger is opened with.

One rule: values only; nothing is read or opened here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import uuid_utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.ledger.attesting import Panel
from platemark_provenance.ledger.checkpoint import check_origin
from platemark_provenance.ledger.subject_keys import KeyWrapper
from platemark_provenance.ledger.succession import ONE_KEY, Succession


def _new_event_id() -> str:
    return str(uuid_utils.uuid7())


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """What a ledger is opened with.

    Args:
        origin: the log's name in checkpoints and receipts, such as "news.example/provenance"; never changed
            later.
        signing_key: signs tree heads.
        payload_key: 32 secret bytes that sealed parts and pseudonyms depend on.
        clock: gives the time now, aware.
        state_path: a file outside the database's backups that keeps the highest signed tree head.
        busy_timeout_s: how long to wait for another process that writes.
        new_event_id: gives a new UUID as text.
        wrapper: the key that wraps the keys of subjects; made from the payload key where it is left out.
        keeps_words: keep words of prompts in the clear, so that they can be searched.
        panel: the witnesses that confirm tree heads; None for a log that has none.
        succession: how the log came to `signing_key`, where it had another before.
        read_only: only read; nothing can be appended, signed or erased.
    """

    origin: str
    signing_key: Ed25519PrivateKey = field(repr=False)
    payload_key: bytes = field(repr=False)
    clock: Callable[[], datetime]
    state_path: Path
    busy_timeout_s: float = 30.0
    new_event_id: Callable[[], str] = _new_event_id
    wrapper: KeyWrapper | None = field(default=None, repr=False)
    keeps_words: bool = False
    panel: Panel | None = field(default=None, repr=False)
    succession: Succession = ONE_KEY
    read_only: bool = False

    def __post_init__(self) -> None:
        check_origin(self.origin)
