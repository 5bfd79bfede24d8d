"""Holding the log to those outside who remember it.

One rule: whoever cannot be asked confirms nothing, and whoever remembers another log is an alarm; the two are never
mixed up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from platemark_provenance.anchoring.place import AnchorUnavailable, Place, Stamped
from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerCorrupt, VerificationError
from platemark_provenance.ledger.attesting import Answer
from platemark_provenance.ledger.checkpoint import read_checkpoint
from platemark_provenance.ledger.cosignature import Cosigner, check_line
from platemark_provenance.ledger.note import read_lines, split_note
from platemark_provenance.ledger.store import Ledger

State = Literal["confirmed", "kept", "unknown", "objects", "wrong"]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What one of them says.

    Args:
        kind: "witness", or the kind of an anchor.
        target: who, or where.
        state: "confirmed" now, "kept" from before and whole, "unknown" where nobody could be asked, "objects" where
            another log is remembered, "wrong" where what was kept is not what was given.
        size: of the tree that is confirmed.
        at: when, by their clock.
        reason: why it is not confirmed, as a clause for people.
    """

    kind: str
    target: str
    state: State
    size: int | None = None
    at: datetime | None = None
    reason: str = ""

    @property
    def is_alarm(self) -> bool:
        """Say whether the log is not the one that was confirmed."""
        return self.state in ("objects", "wrong")

    def to_json(self) -> dict[str, JsonValue]:
        """Give one entry of `audit verify --json`."""
        at = None if self.at is None else self.at.isoformat()
        return {"name": self.target, "kind": self.kind, "state": self.state, "size": self.size, "at": at,
                "reason": self.reason or None}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outside:
    """What all of them say.

    Args:
        found: one for each.
        wanted: how many witnesses should confirm the log; 0 where it has none.
    """

    found: tuple[Confirmation, ...] = ()
    wanted: int = 0

    @property
    def ok(self) -> bool:
        """Say whether nobody remembers another log."""
        return not any(each.is_alarm for each in self.found)

    @property
    def given(self) -> int:
        """Count the witnesses that confirm the log."""
        return sum(each.kind == "witness" and each.state in ("confirmed", "kept") for each in self.found)

    def to_json(self) -> dict[str, JsonValue]:
        """Give the fields that `audit verify --json` has besides the report's."""
        witnesses: list[JsonValue] = [each.to_json() for each in self.found if each.kind == "witness"]
        anchors: list[JsonValue] = [each.to_json() for each in self.found if each.kind != "witness"]
        return {"witnesses": witnesses, "witnesses_wanted": self.wanted, "anchors": anchors}


NOT_ASKED = Outside()


def confirm(ledger: Ledger, places: Sequence[Place] = (), *, offline: bool = False) -> Outside:
    """Check what witnesses gave before, ask them about the newest signed tree head now, and read anchors back.

    Args:
        ledger: the open ledger, found whole.
        places: where anchors lie.
        offline: ask nobody over a network; directories are read.

    Raises:
        LedgerUnavailable: the database cannot be read.
    """
    anchors = tuple(check_anchor(ledger, each) for each in places if not (offline and each.kind == "s3"))
    panel = ledger.attesting.panel
    if panel is None:
        return Outside(anchors)
    kept = {each.name: _kept(ledger, each) for each in panel.cosigners}
    # A log that has signed nothing may be one that was put back to before it did.
    note = b"" if offline else ledger.heads.newest() or (b"" if ledger.is_read_only else ledger.checkpoint())
    asked = {answer.name: answer for answer in ledger.attesting.ask(note)} if note else {}
    size = read_checkpoint(note).size if note else 0
    found = tuple(_joined(kept[each.name], asked.get(each.name), size) for each in panel.cosigners)
    return Outside((*found, *anchors), panel.at_least)


def check_anchor(ledger: Ledger, place: Place) -> Confirmation:
    """Hold the log to the newest copy at a place, or to the newest time-stamp of an authority."""
    last = ledger.anchors.newest(place.kind, place.target)
    made = partial(Confirmation, place.kind, place.target)
    try:
        if isinstance(place, Stamped):
            if last is None:
                return made("unknown", reason="it has stamped nothing yet")
            return made("kept", last.size, place.check(last.evidence, last.note))
        found = place.newest(origin=ledger.head().origin)
        if found is None:
            reason = "the copies that were left there are gone" if last else "there is no copy of this log yet"
            return made("wrong" if last else "unknown", reason=reason)
        return made("confirmed", ledger.heads.check_begins_with(found.note).size)
    except AnchorUnavailable as error:
        return made("unknown", reason=error.message)
    except LedgerCorrupt as error:
        return made("objects", reason=error.message)
    except VerificationError as error:
        return made("wrong", reason=error.message)


def _joined(kept: Confirmation, answer: Answer | None, size: int) -> Confirmation:
    if kept.is_alarm or answer is None:
        return kept
    if answer.cosignature is not None:
        return Confirmation("witness", answer.name, "confirmed", size, answer.cosignature.at)
    return Confirmation("witness", answer.name, "objects" if answer.objects else "unknown", reason=answer.reason)


def _kept(ledger: Ledger, cosigner: Cosigner) -> Confirmation:
    """Check the newest cosignature that a witness gave against the checkpoint it was given for."""
    newest = ledger.anchors.newest("witness", cosigner.name)
    if newest is None:
        return Confirmation("witness", cosigner.name, "unknown", reason="it has confirmed nothing yet")
    try:
        (line,) = read_lines(newest.evidence)
        given = check_line(split_note(newest.note).text, line, cosigner)
    except (VerificationError, ValueError):
        reason = "the cosignature that is kept is not one of this witness for this log"
        return Confirmation("witness", cosigner.name, "wrong", newest.size, reason=reason)
    return Confirmation("witness", cosigner.name, "kept", newest.size, given.at)
