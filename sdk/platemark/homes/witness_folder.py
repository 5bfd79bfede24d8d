"""The folder of a witness that we run for others: its name, its key, and what it remembers.

One rule: a witness's name and key are made once; a folder that lost one of them is refused, never completed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from platemark.errors import HomeError, RequestError, VerificationError
from platemark_provenance.durable import write_whole
from platemark_provenance.keys import load_ledger_signing_key, write_private_file
from platemark_provenance.ledger.note import is_key_name
from platemark_provenance.new_keys import new_ledger_key
from platemark_provenance.witness.book import WitnessBook, open_book

NAME_FILE = "witness.name"
KEY_FILE = "witness.key"
_LONGEST_NAME_BYTES = 1_024


@contextmanager
def open_witness(folder: Path, *, name: str = "", clock: Callable[[], datetime]) -> Iterator[WitnessBook]:
    """Open a witness's folder, alone; make it where there is none.

    Args:
        folder: its files; nobody else may read the key.
        name: of a new witness, such as "partner.example/w1"; the one it has where left out.
        clock: gives the time now, aware.

    Raises:
        RequestError: a new witness has no name, or an old one another.
        HomeError: the folder cannot be made, or lost a part.
        KeyUnavailable: its key cannot be read.
        LedgerUnavailable: another program serves it.
    """
    try:
        if not (folder / NAME_FILE).exists():
            _make(folder, name)
        with (folder / NAME_FILE).open("rb") as file:
            stored = file.read(_LONGEST_NAME_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HomeError(
            f"A witness's folder cannot be made or read in {folder}.", fix="Name a folder that you may write to."
        ) from error
    if name not in ("", stored) or not is_key_name(stored):
        raise RequestError(
            f"The witness in {folder} is called {stored[:80]}.", fix="A witness keeps its name; leave out --name."
        )
    key = load_ledger_signing_key(folder / KEY_FILE)
    with open_book(folder, stored, key, clock=clock) as book:
        yield book


def add_logs(book: WitnessBook, keys: Sequence[str]) -> None:
    """Serve logs from now on, by their keys.

    Raises:
        RequestError: one is no key of a log, or there are too many.
        LedgerError: what is remembered cannot be read or written.
    """
    for key in keys:
        try:
            book.add_log(key)
        except VerificationError as error:
            raise RequestError(error.message, fix=error.fix) from error


def _make(folder: Path, name: str) -> None:
    if not is_key_name(name):
        raise RequestError(
            "A new witness needs a name without spaces and plus signs.", fix="Such as: --name partner.example/w1"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise HomeError(f"{folder} holds other things and no witness.", fix="Name a new or an empty folder.")
    write_private_file(folder / KEY_FILE, new_ledger_key().private_pem)
    # Last: a folder that has a name is complete.
    write_whole(folder / NAME_FILE, f"{name}\n".encode())
