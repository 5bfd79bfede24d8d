"""Leaving signed tree heads where the owner of the log cannot change them.

One rule: before anything is left at a place, the log is held to what lies there already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from platemark.errors import LedgerError, PlatemarkError, VerificationError
from platemark_provenance.anchoring.place import Place
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.checkpoint import read_checkpoint
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Anchored:
    """What became of one place.

    Args:
        kind: of place.
        target: its name.
        size: of the tree whose head was left there; None where it was not.
        error: why not; None where it was.
    """

    kind: str
    target: str
    size: int | None
    error: PlatemarkError | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Give one object of `audit anchor --json`."""
        reason = None if self.error is None else self.error.message
        return {"kind": self.kind, "place": self.target, "size": self.size, "ok": self.error is None, "reason": reason}


def anchor(ledger: Ledger, places: Sequence[Place], *, actor: str | None) -> tuple[Anchored, ...]:
    """Leave the tree head as it is now at each place; one that fails does not keep the others from it.

    Args:
        ledger: the open ledger.
        places: where.
        actor: who asked, for the log.

    Raises:
        LedgerCorrupt, LedgerUnavailable: the tree cannot be signed.
    """
    now = ledger.checkpoint()
    signed = ledger.heads.newest() or now
    cosigned = ledger.attesting.cosign(signed).note
    head = read_checkpoint(signed)
    done = []
    for place in places:
        # A stamp is of the note as the ledger keeps it; copies carry cosignatures too.
        note = signed if place.kind == "timestamp" else cosigned
        try:
            lying = place.newest(origin=head.origin)
            if lying is not None:
                ledger.heads.check_begins_with(lying.note)
            evidence = place.keep(note, origin=head.origin, size=head.size)
        except (LedgerError, VerificationError) as error:
            done.append(Anchored(place.kind, place.target, None, error))
            continue
        ledger.anchors.keep(head.size, place.kind, place.target, evidence)
        facts: dict[str, JsonValue] = {"kind": place.kind, "place": place.target, "size": head.size}
        ledger.append(NewEvent(EventType.CHECKPOINT_ANCHORED, actor=actor, facts=facts))
        done.append(Anchored(place.kind, place.target, head.size))
    return tuple(done)
