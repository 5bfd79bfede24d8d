"""Changing whom a home trusts: lists of roots are added, replaced and removed, and the ledger says by whom and when.

One rule: a list and its event are changed together. Where the event cannot be written, the list is put back as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platemark.errors import HomeError
from platemark.homes.home import Home
from platemark_provenance.digest import JsonValue
from platemark_provenance.durable import sync_directory, write_whole
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.trust_lists import (
    TRUST_FOLDER,
    Imported,
    NewList,
    TrustList,
    add_list,
    import_list,
    remove_list,
)


def add(home: Home, pem: bytes, facts: NewList, *, actor: str | None = None) -> TrustList:
    """Store certificates as a new list.

    Args:
        home: whose trust.
        pem: certificates of authorities.
        facts: the list's name, kind and day.
        actor: who asked, for the ledger.

    Raises:
        VerificationError: the certificates or the name are refused, or there is a list of that name already.
        LedgerError: the change cannot be written down, so it was not made.
    """
    with _change(home, facts.name) as ledger:
        stored = add_list(home.path / TRUST_FOLDER, pem, facts=facts)
        _record(ledger, "add", {**stored.facts.to_json()}, actor=actor)
    return stored


def replace(home: Home, pem: bytes, facts: NewList, *, actor: str | None = None) -> Imported:
    """Store a list, in place of the one that had its name, and say what changed.

    Raises:
        VerificationError: the certificates are refused, or the list of that name is of another kind or newer.
        LedgerError: the change cannot be written down, so it was not made.
    """
    with _change(home, facts.name) as ledger:
        done = import_list(home.path / TRUST_FOLDER, pem, facts=facts)
        counted = {"roots_added": len(done.added), "roots_removed": len(done.removed)}
        _record(ledger, "import", {**done.stored.facts.to_json(), **counted}, actor=actor)
    return done


def remove(home: Home, name: str, *, actor: str | None = None) -> None:
    """Delete a list; a damaged one too.

    Raises:
        VerificationError: there is no list of that name.
        LedgerError: the change cannot be written down, so it was not made.
    """
    with _change(home, name) as ledger:
        remove_list(home.path / TRUST_FOLDER, name)
        _record(ledger, "remove", {"name": name}, actor=actor)


def _record(ledger: Ledger, how: str, facts: dict[str, JsonValue], *, actor: str | None) -> None:
    ledger.append(NewEvent(type=EventType.TRUST_CHANGED, actor=actor, facts={"how": how, **facts}))


@contextmanager
def _change(home: Home, name: str) -> Iterator[Ledger]:
    """Open the ledger for one change of a list; whatever fails, the list is as it was."""
    folder = home.path / TRUST_FOLDER
    path = next((each for each in folder.glob("*.pem") if each.name == f"{name}.pem"), None)
    before = None if path is None else _read(path)
    with home.open_ledger() as ledger:
        done = False
        try:
            with ledger.atomic():
                yield ledger
            done = True
        finally:
            if not done:
                _put_back(folder, name, before)


def _put_back(folder: Path, name: str, before: bytes | None) -> None:
    present = {each.name: each for each in folder.glob("*.pem")}.get(f"{name}.pem")
    if before is not None:
        write_whole(folder / f"{name}.pem", before)
    elif present is not None:
        present.unlink()
        sync_directory(folder)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HomeError(f"The trust list {path} cannot be read ({error.strerror}).") from error
