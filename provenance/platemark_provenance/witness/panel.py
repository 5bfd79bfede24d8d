"""The witnesses that one log asks, and what it wants of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger.attesting import Answer
from platemark_provenance.ledger.cosignature import Cosigner
from platemark_provenance.witness.client import Prove, Witness, ask_witness

MOST_WITNESSES = 16
"""They are asked one after another, and readers of a note need not take more signatures than 16."""

WitnessMode = Literal["best-effort", "require"]


@dataclass(frozen=True, slots=True)
class HttpPanel:
    """Witnesses that are reached over HTTP; see `attesting.Panel`.

    Args:
        witnesses: who is asked, in order.
        at_least: how many cosignatures are wanted.
        mode: "require" holds a clip back that has fewer; "best-effort" only writes down what went wrong.
        timeout_s: for each step of each witness's answer.

    Raises:
        LedgerRequestError: there are too many, or two have one name.
    """

    witnesses: tuple[Witness, ...]
    at_least: int = 1
    mode: WitnessMode = "best-effort"
    timeout_s: float = 2.0

    def __post_init__(self) -> None:
        names = {witness.cosigner.name for witness in self.witnesses}
        if len(self.witnesses) > MOST_WITNESSES or len(names) != len(self.witnesses):
            raise LedgerRequestError(f"A log has at most {MOST_WITNESSES} witnesses, each with a name of its own.")

    @property
    def cosigners(self) -> tuple[Cosigner, ...]:
        """Give the names and keys of all."""
        return tuple(witness.cosigner for witness in self.witnesses)

    @property
    def required(self) -> bool:
        """Say whether a clip waits for them."""
        return self.mode == "require"

    def ask(self, names: Sequence[str], note: bytes, prove: Prove) -> tuple[Answer, ...]:
        """Ask some of them, one after another."""
        return tuple(
            ask_witness(witness, note, prove, timeout_s=self.timeout_s)
            for witness in self.witnesses
            if witness.cosigner.name in names
        )
