"""A witness in a folder that knows a small log, and the same witness behind a real server."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_log import NAME, NOON, WITNESS_KEY, SmallLog

from platemark_provenance.witness.book import WitnessBook, open_book
from platemark_provenance.witness.server import WitnessServer


@pytest.fixture
def log() -> SmallLog:
    """The log that the witness knows."""
    return SmallLog()


@pytest.fixture
def open_again(tmp_path: Path) -> Callable[[], WitnessBook]:
    """Give the witness as it is after a restart: only what is on the disk."""
    return lambda: WitnessBook(tmp_path, NAME, WITNESS_KEY, lambda: NOON)


@pytest.fixture
def book(tmp_path: Path, log: SmallLog) -> Iterator[WitnessBook]:
    """A witness that knows the log and has signed nothing."""
    with open_book(tmp_path, NAME, WITNESS_KEY, clock=lambda: NOON) as opened:
        opened.add_log(log.verifier_key)
        yield opened


@pytest.fixture
def server(book: WitnessBook) -> Iterator[WitnessServer]:
    """The witness, listening on the loopback address."""
    with WitnessServer(book, host="127.0.0.1", port=0) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()
