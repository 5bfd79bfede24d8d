"""Which witnesses a home asks: one small file.

One rule: a file that cannot be read is an error and never an empty list; who required witnesses must not lose them
unnoticed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from platemark.errors import HomeError, VerificationError
from platemark.log_settings import WitnessSettings
from platemark_provenance.digest import JsonValue
from platemark_provenance.durable import write_whole

# Loads an HTTP client, and few homes have witnesses.
if TYPE_CHECKING:
    from platemark_provenance.witness.panel import HttpPanel

ROSTER = "witnesses.json"
_LARGEST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class WitnessEntry:
    """A witness as it was added.

    Args:
        name: its own, such as "partner.example/w1".
        url: the prefix of its addresses.
        key: its verifier key, `name+id+key`.
    """

    name: str
    url: str
    key: str

    def to_json(self) -> dict[str, JsonValue]:
        """Give one entry of the file, and of `audit witness list --json`."""
        return {"name": self.name, "url": self.url, "key": self.key}


def read_roster(home: Path) -> tuple[WitnessEntry, ...]:
    """Give the witnesses of a home, in the order in which they were added.

    Raises:
        HomeError: the file cannot be read, or is not such a list.
    """
    path = home / ROSTER
    try:
        with path.open("rb") as file:
            entries = json.loads(file.read(_LARGEST_BYTES))
        return tuple(WitnessEntry(str(each["name"]), str(each["url"]), str(each["key"])) for each in entries)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HomeError(
            f"The list of witnesses in {path} cannot be read.", fix="Restore the file from your backup."
        ) from error


def write_roster(home: Path, entries: tuple[WitnessEntry, ...]) -> None:
    """Replace the list of witnesses.

    Raises:
        HomeError: the file cannot be written.
    """
    content = json.dumps([each.to_json() for each in entries], indent=1, ensure_ascii=False)
    try:
        write_whole(home / ROSTER, content.encode())
    except OSError as error:
        raise HomeError(
            f"The list of witnesses cannot be written: {error.strerror}.", fix="Give write permission on the home."
        ) from error


def read_panel(home: Path, settings: WitnessSettings) -> "HttpPanel | None":
    """Give the witnesses of a home, ready to be asked; None where it has none and requires none.

    Raises:
        HomeError: the list cannot be read, or an entry is no witness.
    """
    entries = read_roster(home)
    if not entries and settings.mode != "require":
        return None
    return panel_of(entries, settings)


def panel_of(entries: tuple[WitnessEntry, ...], settings: WitnessSettings) -> "HttpPanel":
    """Give witnesses ready to be asked.

    Raises:
        HomeError: an entry is no witness.
    """
    from platemark_provenance.ledger.cosignature import Cosigner
    from platemark_provenance.witness.client import Witness
    from platemark_provenance.witness.panel import HttpPanel

    try:
        witnesses = tuple(Witness(each.url, Cosigner.parse(each.key)) for each in entries)
    except VerificationError as error:
        raise HomeError(
            f"An entry in {ROSTER} is no witness. {error.message}", fix="Restore the file from your backup."
        ) from error
    return HttpPanel(witnesses, settings.at_least, settings.mode, settings.timeout_s)
