"""A real witness on the loopback address, for logs that are to be witnessed."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.ledger.cosignature import Cosigner
from platemark_provenance.witness.book import open_book
from platemark_provenance.witness.client import Witness
from platemark_provenance.witness.server import WitnessServer

MOMENT = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Running:
    """A witness that runs: its address and its key line."""

    url: str
    key: str
    server: WitnessServer

    @property
    def asked(self) -> Witness:
        """The witness, as a log knows it."""
        return Witness(self.url, Cosigner.parse(self.key))


@contextlib.contextmanager
def run_witness(folder: Path, *log_keys: str, name: str = "partner.example/w1") -> Iterator[Running]:
    """Run a witness for some logs; the same folder gives the same witness again."""
    folder.mkdir(exist_ok=True)
    key = Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32)[:32])
    with open_book(folder, name, key, clock=lambda: MOMENT) as book:
        for each in log_keys:
            book.add_log(each)
        with WitnessServer(book, host="127.0.0.1", port=0) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            yield Running(server.url, book.cosigner.verifier_key.text(), server)
            server.shutdown()
            thread.join()
