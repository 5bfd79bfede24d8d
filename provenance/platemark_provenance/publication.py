"""What a manifest says about publication: that a clip is a draft, or who approved it under which profiles.

One rule: an approver stands here under a pseudonym of the publisher's; a name goes where it can be redacted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import SigningError
from platemark_provenance.manifest_parts import PUBLICATION_LABEL, Json, assertion

Publication = Literal["draft", "published"]
MOST_PROFILES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """An approval as the manifest states it.

    Args:
        at: when, aware.
        approver: the pseudonym of who approved.
        profiles: the compliance profiles that passed, as (id, version).
        name: the approver's name, only where asked for; empty otherwise.
    """

    at: datetime
    approver: str
    profiles: tuple[tuple[str, int], ...] = ()
    name: str = ""


def draft_statement() -> Json:
    """Say that a clip is a draft."""
    return assertion(PUBLICATION_LABEL, {"status": "draft"})


def approval_statement(approval: ApprovalFacts) -> Json:
    """Say that a clip was approved for publication.

    Raises:
        SigningError: the pseudonym or a profile's name has a form it cannot have, the time has no zone, or there are
            too many profiles.
    """
    names = (approval.approver, *(name for name, _ in approval.profiles))
    if len(approval.profiles) > MOST_PROFILES or not all(_NAME.fullmatch(name) for name in names):
        raise SigningError("An approver's pseudonym and up to 32 profiles have plain names; one here has not.")
    if approval.at.tzinfo is None:
        raise SigningError("The time of an approval must carry its time zone; it has none.")
    profiles: list[JsonValue] = [{"id": name, "version": version} for name, version in approval.profiles]
    at = approval.at.astimezone(UTC).isoformat(timespec="seconds")
    data: Json = {"status": "published", "at": at, "approver": approval.approver, "profiles": profiles}
    return assertion(PUBLICATION_LABEL, data)


def read_publication(statements: Sequence[Mapping[str, object]]) -> Publication | None:
    """Read the status back. Whatever is not exactly one clear approval is a draft, and no statement is None.

    Args:
        statements: the contents of all assertions of this label.
    """
    if not statements:
        return None
    said = statements[0] if len(statements) == 1 else {}
    approver = said.get("approver")
    named = isinstance(approver, str) and _NAME.fullmatch(approver) is not None
    return "published" if said.get("status") == "published" and named else "draft"
