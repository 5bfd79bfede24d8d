"""Receipts: proof, checked offline with the public key alone, that an event is in the log.

One rule: pure functions. A receipt is never believed before its event, path and signature fit together.

Source: C2SP tlog-proof (c2sp.org). The `extra` line carries the event's bytes; it needs no trust, because the
proof starts from their hash.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.checkpoint import Checkpoint, Verifiers, decode_base64, open_checkpoint

HEADER = "c2sp.org/tlog-proof@v1"
LARGEST_RECEIPT_BYTES = 262_144
"""An event of 64 KiB in base64, a proof, a checkpoint with many cosignatures."""

_INDEX = re.compile(r"index (0|[1-9]\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves.

    Args:
        checkpoint: the signed tree head that the event is under.
        index: the event's place in the log, its `seq`.
        event: the event's bytes.
    """

    checkpoint: Checkpoint
    index: int
    event: bytes


def format_receipt(event: bytes, index: int, proof: Sequence[bytes], checkpoint_note: bytes) -> bytes:
    """Write a receipt.

    Args:
        event: the bytes of the event.
        index: its place in the log.
        proof: hashes from the leaf's sibling to the root's child.
        checkpoint_note: the signed checkpoint of the tree that the proof leads to.
    """
    lines = [HEADER, f"extra {base64.b64encode(event).decode()}", f"index {index}"]
    lines += [base64.b64encode(item).decode() for item in proof]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint_note


def verify_receipt(
    receipt: bytes, event: bytes | None, verifiers: Verifiers, *, origin: str | None = None
) -> VerifiedReceipt:
    """Check a receipt and give what it proves.

    Checks: 1 the form, 2 the checkpoint's signature by a key of this log, 3 the event is the one handed in, 4 the path
    from the event's hash leads to the signed root. Not checked: that the log showed everyone the same tree;
    that takes witnesses.

    Args:
        receipt: the content of a `.tlog-proof` file.
        event: the bytes that the receipt should be about; None takes those that it carries.
        verifiers: the log's key, or all that it has had.
        origin: the log's name; None takes any name that this key signed for.

    Raises:
        VerificationError: one of the checks failed.
    """
    index, carried, proof, note = _parse(receipt)  # 1
    checkpoint = open_checkpoint(note, verifiers, origin=origin)  # 2
    content = carried if event is None else event  # 3
    if content is None:
        raise VerificationError("The receipt does not carry its event.", fix="Hand in the event's bytes too.")
    if carried is not None and carried != content:
        raise VerificationError("The receipt is about another event than the one handed in.")
    root = merkle.root_from_inclusion(merkle.leaf_hash(content), index, checkpoint.size, proof)  # 4
    if root != checkpoint.root:
        raise VerificationError("The receipt's proof does not lead to the signed root.")
    return VerifiedReceipt(checkpoint, index, content)


def _parse(receipt: bytes) -> tuple[int, bytes | None, list[bytes], bytes]:
    if len(receipt) > LARGEST_RECEIPT_BYTES:
        raise VerificationError(f"A receipt has at most {LARGEST_RECEIPT_BYTES} bytes; this one has {len(receipt)}.")
    head, blank, note = receipt.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise VerificationError("A receipt should be plain text and is not.") from error
    if not blank or lines.pop(0) != HEADER:
        raise VerificationError(f"A receipt should begin with {HEADER}.")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), what="extra line of the receipt")
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None or len(lines) > merkle.LONGEST_PROOF:
        raise VerificationError("A receipt should name the event's index and list its proof.")
    return int(match[1]), extra, [decode_base64(line, what="proof") for line in lines], note
