"""Changing who witnesses a home's log.

One rule: the list and its event are changed together. Where the event cannot be written, the list is put back.
"""

from collections.abc import Callable
from typing import TypeAlias

from platemark.errors import RequestError, VerificationError
from platemark.homes.home import Home
from platemark.homes.witness_roster import WitnessEntry, panel_of, read_roster, write_roster
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.cosignature import Cosigner
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.witness.client import check_address

Roster: TypeAlias = tuple[WitnessEntry, ...]
"""The witnesses of a home, in order."""


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
    entry = WitnessEntry(name, url.rstrip("/"), key.strip())

    def added(before: Roster) -> tuple[WitnessEntry, Roster]:
        if any(each.name == name for each in before):
            fix = f"First: platemark audit witness remove {name}"
            raise RequestError(f"There is a witness {name} already.", fix=fix)
        panel_of((*before, entry), home.config.witnesses)
        return entry, (*before, entry)

    return _change(home, "add", added, actor=actor)


def remove_witness(home: Home, name: str, *, actor: str | None = None) -> WitnessEntry:
    """Ask a witness no longer. What it signed is kept.

    Raises:
        RequestError: there is none of that name.
        LedgerError: the change cannot be written down, so it was not made.
    """

    def removed(before: Roster) -> tuple[WitnessEntry, Roster]:
        entry = next((each for each in before if each.name == name), None)
        if entry is None:
            raise RequestError(f"There is no witness {name[:80]}.", fix="List them: platemark audit witness list")
        return entry, tuple(each for each in before if each != entry)

    return _change(home, "remove", removed, actor=actor)


def _change(
    home: Home, how: str, changed: Callable[[Roster], tuple[WitnessEntry, Roster]], *, actor: str | None
) -> WitnessEntry:
    """Change the list and write that down; whatever fails, the list is as it was.

    The list is read while the log is locked: of two that change it at once, each sees what the other did.
    """
    with home.open_ledger() as ledger:
        before: Roster | None = None
        done = False
        try:
            with ledger.atomic():
                found = read_roster(home.path)
                entry, after = changed(found)
                facts: dict[str, JsonValue] = {"how": how, "witness": entry.name, "url": entry.url, "key": entry.key}
                ledger.append(NewEvent(EventType.WITNESS_CHANGED, actor=actor, facts=facts))
                before = found
                write_roster(home.path, after)
            done = True
        finally:
            if before is not None and not done:
                write_roster(home.path, before)
    return entry
