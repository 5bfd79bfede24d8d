"""Who may act at the desk: by which name, from which account of the operating system, and to do what.

One rule: with nobody listed, names are taken as they are given; with anybody listed, everybody else is refused.
"""

import unicodedata
from typing import Literal

from platemark.config import Approver, DeskSettings
from platemark.errors import FailedCheck, PublicationRefused
from platemark.homes.home import Home
from platemark.i18n import mark

Act = Literal["publish", "correct", "withdraw"]
_HEADINGS: dict[Act, str] = {
    "publish": mark("Not published:"),
    "correct": mark("Not corrected:"),
    "withdraw": mark("Not withdrawn:"),
}


def folded(name: str) -> str:
    """Give a name as people are told apart by it: without case, spaces, or ways to compose a letter."""
    bare = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    return unicodedata.normalize("NFKC", bare)  # taking a space out can bring a letter and its accent together


def refusal(settings: DeskSettings, act: Act, name: str, account: str) -> FailedCheck | None:
    """Say why somebody may not do something; None where they may.

    Args:
        settings: who is listed.
        act: what they want to do.
        name: as they give it; empty where they give none.
        account: of the operating system, that the program runs under.
    """
    if not settings.approvers:
        return None
    found = [each for each in settings.approvers if folded(each.name) == folded(name)]
    if not found:
        return _failed(mark("That name is not on this home's list of approvers."), name[:80])
    if not any(act in each.may for each in found):
        return _failed(mark("That person may not do this here."), f"{name[:80]}: {act}")
    if not any(act in each.may and _from(each, account) for each in found):
        return _failed(mark("That name may not be used from this account of the operating system."), account)
    return None


def require_allowed(home: Home, act: Act, name: str, account: str) -> None:
    """Refuse somebody who may not do something here.

    Raises:
        PublicationRefused: they may not.
    """
    failed = refusal(home.config.desk, act, name, account)
    if failed is not None:
        raise PublicationRefused((failed,), heading=_HEADINGS[act])


def _from(approver: Approver, account: str) -> bool:
    return not approver.os_users or account in approver.os_users


def _failed(message: str, detail: str) -> FailedCheck:
    return FailedCheck(6, "approver", message, mark("They are listed in [[desk.approvers]]."), detail)
