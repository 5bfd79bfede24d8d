"""Time-stamps that could not be had when a clip was signed: what waits for one, and adding it later.

One rule: the published file is left as it is. The stamp goes into a copy beside it, since receipts name the file by its
hash; every attempt is an event in the ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platemark._version import __version__
from platemark.errors import RequestError
from platemark.homes.home import Home
from platemark_provenance.digest import JsonValue, sha256_file
from platemark_provenance.errors import SigningError, VerificationError
from platemark_provenance.ledger.event import EventType, NewEvent
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.resigning import Resigner, add_time_stamp
from platemark_provenance.signing import SignedAsset
from platemark_provenance.stamp_queue import StampQueue, WaitingStamp
from platemark_provenance.timestamps import TimeStampPolicy

STAMPS = "stamps"
"""The folder of a home that lists what waits."""

Outcome = Literal["added", "failed", "gone", "waits"]


@dataclass(frozen=True, slots=True)
class Stamped:
    """What came of one waiting file.

    `added`: `copy` has the stamp. `failed`: the authority gave none, and is asked again at `waiting.not_before`.
    `gone`: the file is missing or another one by now, and no longer waits. `waits`: it is not time to ask again.
    """

    waiting: WaitingStamp
    outcome: Outcome
    copy: Path | None = None
    reason: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object of `platemark timestamps --json`."""
        waiting = self.waiting
        return {
            "path": str(waiting.path),
            "clip_id": waiting.clip_id or None,
            "outcome": self.outcome,
            "copy": None if self.copy is None else str(self.copy),
            "reason": self.reason,
            "since": waiting.since.isoformat(),
            "attempts": waiting.attempts,
            "not_before": None if waiting.not_before is None else waiting.not_before.isoformat(),
        }


def queue_of(home: Home) -> StampQueue:
    """Give the list of what waits in a home."""
    return StampQueue(home.path / STAMPS)


def let_wait(home: Home, ledger: Ledger, signed: SignedAsset, *, clip_id: str, final: Path) -> None:
    """Write down that a clip was signed without the time-stamp that was wanted; does nothing where it has one.

    Args:
        home: where it is written down.
        ledger: of that home, open.
        signed: the clip as it was signed.
        clip_id: which it is.
        final: where it will be published.

    Raises:
        SigningError: it cannot be written down.
    """
    if home.config.signing.timestamp != "best-effort" or signed.timestamp == "trusted":
        return
    facts: dict[str, JsonValue] = {"label": signed.label, "authority": home.time_stamp_policy().host}
    ledger.append(NewEvent(type=EventType.TIME_STAMP_WAITING, clip=clip_id, facts=facts))
    waiting = WaitingStamp(final, signed.sha256, signed.label, home.clock(), clip_id=clip_id)
    queue_of(home).add(waiting)


def add_waiting(home: Home, *, every: bool = False) -> Iterator[Stamped]:
    """Ask the authority for the stamps that wait, the longest first, and tell what came of each.

    Args:
        home: whose clips.
        every: ask for those too whose next attempt lies ahead.

    Raises:
        RequestError: the home names no authority.
        KeyUnavailable: the signing key cannot be used.
        LedgerError: an attempt cannot be written down.
        SigningError: the list of what waits cannot be read.
    """
    url = home.config.signing.tsa_url
    if not url:
        raise RequestError(
            "This home names no time-stamp authority.", fix="Set tsa_url under [signing] in platemark.toml."
        )
    queue, policy = queue_of(home), TimeStampPolicy("require", url)
    with home.open_ledger() as ledger:
        for waiting in queue.waiting():
            if not every and not waiting.is_due(home.clock()):
                yield Stamped(waiting, "waits")
                continue
            yield _attempt(home, ledger, queue, waiting, policy)


def stamped_name(path: Path) -> Path:
    """Give the name of the copy that gets the stamp: `clip.mp4` becomes `clip.stamped.mp4`."""
    return path.with_name(f"{path.stem}.stamped{path.suffix}")


def _attempt(home: Home, ledger: Ledger, queue: StampQueue, waiting: WaitingStamp, policy: TimeStampPolicy) -> Stamped:
    copy = stamped_name(waiting.path)
    gone = _why_gone(waiting)
    if gone is not None:
        _record(ledger, EventType.TIME_STAMP_FAILED, waiting, {"reason": gone, "final": True})
        queue.done(waiting)
        return Stamped(waiting, "gone", reason=gone)
    try:
        resigner = Resigner(home.claim_signer(), home.trust_store(), __version__)
        asset = add_time_stamp(waiting.path, copy, resigner=resigner, policy=policy)
    except SigningError as error:
        later = waiting.after_failure(home.clock())
        facts: dict[str, JsonValue] = {"reason": error.message[:200], "attempts": later.attempts, "final": False}
        _record(ledger, EventType.TIME_STAMP_FAILED, waiting, facts)
        queue.add(later)
        return Stamped(later, "failed", reason=error.message)
    added: dict[str, JsonValue] = {"label": asset.label, "sha256": asset.sha256, "of_sha256": waiting.sha256}
    _record(ledger, EventType.TIME_STAMP_ADDED, waiting, {**added, "authority": policy.host})
    queue.done(waiting)
    return Stamped(waiting, "added", copy=copy)


def _why_gone(waiting: WaitingStamp) -> str | None:
    try:
        digest = sha256_file(waiting.path)
    except VerificationError:
        return "the file is no longer there"
    return None if digest == waiting.sha256 else "another file is there now"


def _record(ledger: Ledger, kind: EventType, waiting: WaitingStamp, facts: dict[str, JsonValue]) -> None:
    ledger.append(NewEvent(type=kind, clip=waiting.clip_id or None, facts=facts))
