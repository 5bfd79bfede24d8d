"""The one question every way out of a home asks where the publish gate is on: did two people publish this clip?

One rule: the log answers. A row, a flag or the word of a manifest is not enough.
"""

from platemark.errors import FailedCheck, PublicationRefused
from platemark.homes.home import Home
from platemark.i18n import mark
from platemark_provenance.approval import publication
from platemark_provenance.ledger.registry import ClipRecord
from platemark_provenance.ledger.store import Ledger

CHECK_APPROVED = "approved"


def is_published(ledger: Ledger, clip_id: str) -> bool:
    """Say whether a second person approved a clip and the approved file was published.

    Raises:
        LedgerError: the log cannot be read.
    """
    return publication(ledger.trace(clip_id)) is not None


def require_published(home: Home, ledger: Ledger, clip_id: str) -> None:
    """Refuse to let a clip out of a home that has the publish gate on, unless it was published. Call this first.

    Does nothing where the gate is off.

    Raises:
        PublicationRefused: the clip is unknown, a draft, withdrawn, or was not approved by a second person.
        LedgerError: the log cannot be read.
    """
    if not home.config.publish.gate:
        return
    record: ClipRecord | None = ledger.registry.record(clip_id)
    if record is not None and record.withdrawn is not None:
        raise PublicationRefused((withdrawn_check(record.withdrawn.reason),))
    if record is None or not is_published(ledger, clip_id):
        raise PublicationRefused(
            (
                FailedCheck(
                    1,
                    CHECK_APPROVED,
                    mark(
                        "This home publishes nothing that a second person has not approved, and nobody approved this."
                    ),
                    mark("Have it approved first: platemark publish CLIP --approver NAME --reason …"),
                    clip_id[:80],
                ),
            )
        )


def withdrawn_check(reason: str) -> FailedCheck:
    """Give the check that a withdrawn clip fails."""
    return FailedCheck(
        2, "withdrawn", mark("The clip was withdrawn."), mark("Make another clip; a withdrawal stands."), reason
    )
