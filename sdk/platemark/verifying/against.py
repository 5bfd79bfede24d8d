"""Holding the log to something that was kept elsewhere: a checkpoint, or a receipt.

One rule: what was kept is checked with the log's own key first; a file that nobody signed proves nothing either way.
"""

from pathlib import Path

from platemark.errors import RequestError, VerificationError
from platemark_provenance.ledger.audit import LedgerReport
from platemark_provenance.ledger.query import Filter
from platemark_provenance.ledger.receipt import HEADER, LARGEST_RECEIPT_BYTES, verify_receipt
from platemark_provenance.ledger.store import Ledger


def check_ledger(ledger: Ledger, *, against: Path | None = None, since: Path | None = None) -> LedgerReport:
    """Check the log, and that it contains what was kept.

    Args:
        ledger: the open ledger.
        against: a checkpoint (signed note), a receipt (`.tlog-proof`), or the folder of a copy as tiles; the last is
            compared as a whole.
        since: a checkpoint or receipt of an earlier check; only what came after it is read.

    Raises:
        RequestError: a file cannot be read, or is neither.
        VerificationError: it was not signed by this log.
        LedgerUnavailable: the database cannot be read.
    """
    begin = None if since is None else _note_of(_read(since))
    if against is None:
        return ledger.verify(since=begin)
    if against.is_dir():
        return ledger.verify_copy(against)
    content = _read(against)
    if not _is_receipt(content):
        return ledger.verify(against=content, since=begin)
    proven = verify_receipt(content, None, ledger.log_keys)
    report = ledger.verify(against=_note_of(content), since=begin)
    if report.ok and _stored_body(ledger, proven.index) != proven.event:
        reason = f"Event {proven.index} is not the one that {against.name} proves."
        return LedgerReport(False, report.size, report.root, report.checkpoint, proven.index, "body", reason)
    return report


def _is_receipt(content: bytes) -> bool:
    return content.startswith(HEADER.encode())


def _note_of(content: bytes) -> bytes:
    """Give the signed note of a receipt, or the note itself."""
    return content.partition(b"\n\n")[2] if _is_receipt(content) else content


def _stored_body(ledger: Ledger, seq: int) -> bytes | None:
    after = str(seq - 1) if seq else None
    page = ledger.page(Filter(order="oldest"), after=after, limit=1)
    return page.events[0].body if page.events and page.events[0].seq == seq else None


def _read(kept: Path) -> bytes:
    try:
        with kept.open("rb") as file:
            content = file.read(LARGEST_RECEIPT_BYTES + 1)
    except OSError as error:
        raise RequestError(
            f"{kept} cannot be read ({error.strerror}).", fix="Name a checkpoint or a receipt."
        ) from error
    if not content or len(content) > LARGEST_RECEIPT_BYTES:
        raise VerificationError(f"{kept.name} should be a checkpoint or a receipt and is neither.")
    return content
