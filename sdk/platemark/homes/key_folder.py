"""The folder of a home's keys: what lies in it, and how one set of keys is exchanged for another in a single step.

One rule: at any moment, whatever is killed, the folder holds one whole set or says how to finish the next one. Every
file that an exchange replaces is kept under `retired/`, so that clips signed with it stay explained and trusted.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from platemark_provenance.durable import sync_directory, write_whole
from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.keys import read_private_file, write_private_file
from platemark_provenance.ledger.succession import LARGEST_SUCCESSION_BYTES, Succession
from platemark_provenance.new_keys import new_ledger_key, new_secret
from platemark_provenance.pki import DevelopmentPki, create_development_pki

KEYS = "keys"
ROOT_CERTIFICATE = "root.pem"
ROOT_KEY = "root.key"
INTERMEDIATE_CERTIFICATE = "intermediate.pem"
INTERMEDIATE_KEY = "intermediate.key"
SIGNING_CHAIN = "signing.chain.pem"
SIGNING_KEY = "signing.key"
LEDGER_KEY = "ledger.key"
LEDGER_PUBLIC = "ledger.pub.pem"
LEDGER_NEXT = "ledger.next.key"
"""The log's next key, from when it is made until it is in force."""
SUCCESSION = "ledger.succession.json"
"""How one key of the log followed another; for everybody to read."""
WATERMARK_SECRET = "watermark.key"  # noqa: S105  a file name
WATERMARK_EPOCH = "watermark.epoch"
"""The number of the epoch that marks are made in; no secret. Without it the first is in force."""
WEBHOOK_SECRET = "webhook.key"  # noqa: S105  a file name
PAYLOAD_SECRET = "payload.key"  # noqa: S105  a file name
PENDING_KEY = "pending.key"
"""The key of a certificate that was asked for and has not come yet."""
RETIRED = "retired"
INCOMING = "incoming"
"""A complete new set on its way into the folder. Its appearance is the moment an exchange counts as done."""


def make_keys(home: Path, *, organisation: str, country: str, alg: str, now: datetime) -> None:
    """Make all keys of a new home in a side directory and move it into place at once; do nothing if they exist.

    Raises:
        OSError: the directory cannot be written.
        KeyUnavailable: a key file cannot be written.
        SigningError: the names cannot stand in a certificate, or the algorithm is none for development keys.
    """
    if (home / KEYS).exists():
        return
    pki = create_development_pki(organisation, now=now, country=country, alg=alg)
    ledger_key = new_ledger_key()
    partial = home / f"{KEYS}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    files = authority_files(pki) | {
        LEDGER_KEY: ledger_key.private_pem,
        LEDGER_PUBLIC: ledger_key.public_pem,
        WATERMARK_SECRET: new_secret(),
        PAYLOAD_SECRET: new_secret(),
    }
    _write_all(partial, files)
    partial.rename(home / KEYS)
    sync_directory(home)


def authority_files(pki: DevelopmentPki) -> dict[str, bytes]:
    """Give the files of a development authority and its first leaf, by name."""
    return {
        ROOT_CERTIFICATE: pki.root_pem,
        ROOT_KEY: pki.root_key_pem,
        INTERMEDIATE_CERTIFICATE: pki.intermediate_pem,
        INTERMEDIATE_KEY: pki.intermediate_key_pem,
        SIGNING_CHAIN: pki.leaf_chain_pem,
        SIGNING_KEY: pki.leaf_key_pem,
    }


def exchange(folder: Path, new: Mapping[str, bytes], *, retire_as: str, record: Callable[[], None]) -> Path:
    """Replace files of the key folder by new ones, all of them or none.

    1. One exchange at a time; one that was interrupted is finished first.
    2. Copies of what will be replaced are kept in a folder of their own.
    3. The new set is written in full beside the old one.
    4. The change is recorded. Where that fails, nothing has changed.
    5. One rename makes the new set count; only then are the files moved to their names.

    Args:
        folder: the key folder.
        new: contents by file name; names that end in `.key` become private files.
        retire_as: the name of the folder under `retired/`.
        record: writes the change down, and raises where it cannot.

    Returns:
        The folder of what was replaced.

    Raises:
        KeyUnavailable: the folder cannot be written; the old set is in force.
    """
    try:
        with _locked(folder, fcntl.LOCK_EX), ExitStack() as undo:  # 1
            _finish(folder)
            retired = _retire(folder, new, retire_as, undo)  # 2
            partial = folder / f"{INCOMING}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            undo.callback(shutil.rmtree, partial, ignore_errors=True)
            partial.mkdir(mode=0o700)
            _write_all(partial, new)  # 3
            sync_directory(partial)
            record()  # 4
            partial.rename(folder / INCOMING)  # 5
            undo.pop_all()
            sync_directory(folder)
            _finish(folder)
    except OSError as error:
        raise KeyUnavailable(
            f"The keys in {folder} could not be exchanged: {error.strerror}.",
            fix="Check that there is room and that you may write there, then see: platemark keys status",
        ) from error
    return retired


def finish_exchange(folder: Path) -> None:
    """Finish an exchange that was interrupted after it counted. Does nothing where there is none.

    Raises:
        KeyUnavailable: the folder cannot be written.
    """
    if not (folder / INCOMING).is_dir():
        return
    try:
        with _locked(folder, fcntl.LOCK_EX):
            _finish(folder)
    except OSError as error:
        raise KeyUnavailable(
            f"An exchange of keys in {folder} was interrupted and cannot be finished: {error.strerror}.",
            fix="Make the folder writable for its owner and try again.",
        ) from error


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Keep the folder as it is for a while: key and certificate are read as one set.

    Raises:
        KeyUnavailable: the folder cannot be locked.
    """
    finish_exchange(folder)
    with ExitStack() as held:
        try:
            held.enter_context(_locked(folder, fcntl.LOCK_SH))
        except OSError as error:
            raise KeyUnavailable(f"The key folder {folder} cannot be locked: {error.strerror}.") from error
        yield


def retired_sets(folder: Path) -> tuple[Path, ...]:
    """Give the folders of what was replaced, newest first."""
    kept = folder / RETIRED
    return tuple(sorted((each for each in kept.iterdir() if each.is_dir()), reverse=True)) if kept.is_dir() else ()


def own_roots(folder: Path) -> tuple[Path, ...]:
    """Give the root in force and every one it replaced: what was signed under those is still ours."""
    replaced = (each / ROOT_CERTIFICATE for each in retired_sets(folder))
    return (folder / ROOT_CERTIFICATE, *(path for path in replaced if path.exists()))


def read_succession(folder: Path) -> Succession:
    """Give how the log's keys followed one another; empty where there was one only.

    Raises:
        KeyUnavailable: the file cannot be read.
        VerificationError: it was damaged.
    """
    try:
        with (folder / SUCCESSION).open("rb") as file:
            return Succession.parse(file.read(LARGEST_SUCCESSION_BYTES + 1))
    except FileNotFoundError:
        return Succession()
    except OSError as error:
        raise KeyUnavailable(f"The succession of keys in {folder} cannot be read: {error.strerror}.") from error


def pending_key(folder: Path) -> bytes | None:
    """Give the key that waits for its certificate (PEM), or `None`.

    Raises:
        KeyUnavailable: it is there and cannot be read, or is open to others.
    """
    path = folder / PENDING_KEY
    if not path.exists():
        return None
    key = read_private_file(path)
    if (folder / SIGNING_KEY).exists() and read_private_file(folder / SIGNING_KEY) == key:
        path.unlink()  # its certificate came, and only the tidying up was interrupted
        return None
    return key


def _retire(folder: Path, new: Mapping[str, bytes], name: str, undo: ExitStack) -> Path:
    kept = folder / RETIRED / name
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    kept.mkdir(mode=0o700)
    undo.callback(shutil.rmtree, kept, ignore_errors=True)
    old = {each: folder / each for each in (*new, SIGNING_CHAIN) if (folder / each).exists()}
    _write_all(kept, {each: _read(path) for each, path in old.items()})
    sync_directory(kept)
    sync_directory(kept.parent)
    return kept


def _read(path: Path) -> bytes:
    return read_private_file(path) if path.suffix == ".key" else path.read_bytes()


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        write = write_private_file if name.endswith(".key") else write_whole
        write(folder / name, content)


def _finish(folder: Path) -> None:
    incoming = folder / INCOMING
    if not incoming.is_dir():
        return
    for path in sorted(incoming.iterdir()):
        path.replace(folder / path.name)
    sync_directory(folder)
    incoming.rmdir()
    sync_directory(folder)


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[None]:
    """Hold a lock on the directory itself: nothing is created, and it ends with the process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing alone leaves it with a worker that was forked meanwhile
        os.close(descriptor)
