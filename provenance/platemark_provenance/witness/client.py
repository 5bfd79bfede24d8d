"""Asking witnesses for their cosignatures.

One rule: what a witness answers is bounded and checked, and nothing that it does stops anything here: the answer says
what became of the question.

Source: C2SP tlog-witness, "add-checkpoint".
"""

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from platemark_provenance.cut_off import cut_off
from platemark_provenance.errors import VerificationError
from platemark_provenance.ledger.attesting import Answer
from platemark_provenance.ledger.checkpoint import read_checkpoint
from platemark_provenance.ledger.cosignature import Cosigner, check_line
from platemark_provenance.ledger.note import LARGEST_NOTE_BYTES, read_lines, split_note
from platemark_provenance.web_address import is_web_address
from platemark_provenance.witness.request import PATH, AddCheckpoint, parse_size

Prove = Callable[[int], tuple[bytes, ...]]
"""Gives the proof that the tree of some size is the beginning of the new one."""

_WHOLE_TRY = 4
"""How many times the limit for a step a whole try may take."""
_MOST_TRIES = 3
"""The first guess at the size, the size that the witness names, and once more where somebody else was quicker."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness that is asked.

    Args:
        url: the prefix of its addresses, http or https.
        cosigner: its name and key.
    """

    url: str
    cosigner: Cosigner

    def __post_init__(self) -> None:
        check_address(self.url)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came back over HTTP."""

    status: int
    body: bytes


def check_address(url: str) -> None:
    """Refuse what is no plain http or https address.

    Raises:
        VerificationError: it is none, or holds a name, a password, a question or a blank.
    """
    if not is_web_address(url) or urlsplit(url).query:
        raise VerificationError(
            "A witness has an http or https address without a password in it.", fix="Such as https://witness.example"
        )


def ask_witness(witness: Witness, note: bytes, prove: Prove, *, timeout_s: float) -> Answer:
    """Ask one witness to cosign a checkpoint.

    Args:
        witness: who is asked.
        note: the checkpoint, signed by its log.
        prove: gives consistency proofs up to it.
        timeout_s: for each step of each try; a try as a whole gets four times that.
    """
    size, old = read_checkpoint(note).size, read_checkpoint(note).size
    for _ in range(_MOST_TRIES):
        try:
            proof = prove(old) if 0 < old < size else ()
            heard = _post(witness.url, AddCheckpoint(old, proof, note).to_bytes(), timeout_s=timeout_s)
            if heard.status == 200:
                return _cosigned(witness, note, heard.body)
            if heard.status != 409:
                return _refused(witness, heard)
            old = parse_size(heard.body)
        except ssl.SSLError:
            return _failed(witness, "no secure connection could be made to it")
        except TimeoutError:
            return _failed(witness, f"it did not answer within {timeout_s:g} seconds")
        except (OSError, http.client.HTTPException) as error:
            return _failed(witness, f"it could not be reached ({type(error).__name__})")
        except VerificationError as error:
            return _failed(witness, f"its answer makes no sense: {error.message}")
        if old > size:
            reason = f"it has signed a tree of {old} events, and this log's has {size}"
            return Answer(witness.cosigner.name, None, reason, objects=True)
    return _failed(witness, "it named another size each time")


def _cosigned(witness: Witness, note: bytes, body: bytes) -> Answer:
    """Take the one line of this witness out of its answer; lines of unknown keys are ignored."""
    known = witness.cosigner
    wanted = (known.name, known.verifier_key.key_id)
    lines = [line for line in read_lines(body) if (line.name, line.key_id) == wanted]
    if not lines:
        return _failed(witness, "it signed with another key than the one it was added with")
    return Answer(known.name, check_line(split_note(note).text, lines[0], known), "")


def _refused(witness: Witness, heard: _Heard) -> Answer:
    if heard.status == 422:
        reason = "it has signed another history: this log is no continuation of it"
        return Answer(witness.cosigner.name, None, reason, objects=True)
    known = {403: "it does not know this log's key", 404: "it does not know this log"}
    return _failed(witness, known.get(heard.status, f"it answered with HTTP status {heard.status}"))


def _failed(witness: Witness, reason: str) -> Answer:
    return Answer(witness.cosigner.name, None, reason)


def _post(url: str, content: bytes, *, timeout_s: float) -> _Heard:
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=timeout_s)
    try:
        path = address.path.rstrip("/") + PATH
        connection.connect()
        with cut_off(connection.sock, after_s=timeout_s * _WHOLE_TRY):
            connection.request("POST", path, content, {"Content-Type": "text/plain; charset=utf-8"})
            response = connection.getresponse()
            body = response.read(LARGEST_NOTE_BYTES + 1)
    finally:
        connection.close()
    if len(body) > LARGEST_NOTE_BYTES:
        raise VerificationError("it is too long.")
    return _Heard(response.status, body)
