"""Changing who witnesses a home's log.

One rule: the list and its event are changed together. Where the event cannot be written, the list is put back.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from platemark.errors import RequestError, VerificationError
from platemark.homes.home import Home
from platemark.homes.witness_roster import WitnessEntry, panel_of, read_roster, write_roster
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.cosignature import Cosigner
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.witness.client import check_address


def add_witness(home: Home, url: str, key: str, *, actor: str | None = None) -> WitnessEntry:
    """Ask a witness from now on. It is not asked yet, so it need not run.

    Args:
        home: whose log.
        url: the prefix of the witness's addresses.
        key: its verifier key, from whoever runs it.
        actor: who wants it, for the ledger.

    Raises:
        RequestError: the key or the address is none, or there is a witness of that name already.
        LedgerError: the change cannot be written down, so it was not made.
    """
    try:
        name = Cosigner.parse(key).name
        check_address(url)
    except VerificationError as error:
        raise RequestError(error.message, fix=error.fix) from error
    entries = read_roster(home.path)
    if any(each.name == name for each in entries):
        raise RequestError(f"There is a witness {name} already.", fix=f"First: platemark audit witness remove {name}")
    entry = WitnessEntry(name, url.rstrip("/"), key.strip())
    panel_of((*entries, entry), home.config.witnesses)
    with _change(home, entries, "add", entry, actor=actor):
        write_roster(home.path, (*entries, entry))
    return entry


def remove_witness(home: Home, name: str, *, actor: str | None = None) -> WitnessEntry:
    """Ask a witness no longer. What it signed is kept.

    Raises:
        RequestError: there is none of that name.
        LedgerError: the change cannot be written down, so it was not made.
    """
    entries = read_roster(home.path)
    entry = next((each for each in entries if each.name == name), None)
    if entry is None:
        raise RequestError(f"There is no witness {name[:80]}.", fix="List them: platemark audit witness list")
    with _change(home, entries, "remove", entry, actor=actor):
        write_roster(home.path, tuple(each for each in entries if each != entry))
    return entry


@contextmanager
def _change(
    home: Home, before: tuple[WitnessEntry, ...], how: str, entry: WitnessEntry, *, actor: str | None
) -> Iterator[None]:
    """Write down a change that happens in the block; whatever fails, the list is as it was."""
    done = False
    with home.open_ledger() as ledger:
        try:
            with ledger.atomic():
                yield
                facts: dict[str, JsonValue] = {"how": how, "witness": entry.name, "url": entry.url, "key": entry.key}
                ledger.append(NewEvent(EventType.WITNESS_CHANGED, actor=actor, facts=facts))
            done = True
        finally:
            if not done:
                write_roster(home.path, before)
