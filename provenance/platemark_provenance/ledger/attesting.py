"""Getting a signed tree head confirmed by others, and keeping what they say beside it.

One rule: asking happens outside every transaction, and nothing that a witness does or does not do changes the log,
except that it is written down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from platemark_provenance.digest import JsonValue
from platemark_provenance.errors import LedgerUnavailable, VerificationError
from platemark_provenance.ledger.anchors import AnchorRows
from platemark_provenance.ledger.checkpoint import read_checkpoint
from platemark_provenance.ledger.cosignature import Cosignature, Cosigner, check_line
from platemark_provenance.ledger.event import Appended, EventType, NewEvent
from platemark_provenance.ledger.note import read_lines, split_note, with_lines

Prove = Callable[[int], tuple[bytes, ...]]


class WitnessesMissing(LedgerUnavailable):
    """Fewer witnesses confirmed the log than are required; nothing was published."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking one witness.

    Args:
        name: the witness.
        cosignature: where it gave one.
        reason: why not, as a clause for people; empty where it did.
        objects: whether it says that this log is not the one it has signed: an alarm, not a failure.
    """

    name: str
    cosignature: Cosignature | None
    reason: str
    objects: bool = False


class Panel(Protocol):
    """The witnesses of a log, however they are reached."""

    @property
    def cosigners(self) -> tuple[Cosigner, ...]:
        """Give the names and keys of all."""
        ...

    @property
    def at_least(self) -> int:
        """Give how many cosignatures are wanted."""
        ...

    @property
    def required(self) -> bool:
        """Say whether a clip waits for them."""
        ...

    def ask(self, names: Sequence[str], note: bytes, prove: Prove) -> tuple[Answer, ...]:
        """Ask some of them to cosign a checkpoint. Never raises for what a witness does."""
        ...


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint with what its witnesses said.

    Args:
        note: the signed note, with the cosignatures.
        answers: one for each witness.
    """

    note: bytes
    answers: tuple[Answer, ...]

    @property
    def cosignatures(self) -> tuple[Cosignature, ...]:
        """Give those that were given."""
        return tuple(answer.cosignature for answer in self.answers if answer.cosignature is not None)


@dataclass(frozen=True, slots=True)
class Attesting:
    """Asks the witnesses of one log.

    Args:
        panel: the witnesses; None for a log that has none.
        rows: where cosignatures are kept.
        append: writes down what went wrong.
        prove: gives the consistency proof between two sizes of the log.
    """

    panel: Panel | None
    rows: AnchorRows
    append: Callable[[NewEvent], Appended]
    prove: Callable[[int, int], tuple[bytes, ...]]

    @property
    def cosigners(self) -> tuple[Cosigner, ...]:
        """Give the witnesses; none for a log that has none."""
        return () if self.panel is None else self.panel.cosigners

    def ask(self, note: bytes) -> tuple[Answer, ...]:
        """Ask every witness for a checkpoint, whether it has signed it or not. Nothing is written down."""
        if self.panel is None:
            return ()
        size = read_checkpoint(note).size
        return self.panel.ask([each.name for each in self.cosigners], note, lambda old: self.prove(old, size))

    def cosign(self, note: bytes) -> Cosigned:
        """Give a checkpoint with the cosignatures of its witnesses; those that have signed it are not asked again.

        What goes wrong is an event, and no error.

        Args:
            note: a checkpoint that this ledger signed and keeps.
        """
        if self.panel is None or not self.panel.cosigners:
            return Cosigned(note, ())
        size = read_checkpoint(note).size
        known = self._kept(note, size)
        missing = [each.name for each in self.panel.cosigners if each.name not in known]
        answers = self.panel.ask(missing, note, lambda old: self.prove(old, size)) if missing else ()
        for answer in answers:
            self._write_down(answer, size)
        found = {**known, **{answer.name: answer for answer in answers}}
        ordered = tuple(found[each.name] for each in self.panel.cosigners if each.name in found)
        lines = [answer.cosignature.line for answer in ordered if answer.cosignature is not None]
        return Cosigned(with_lines(note, lines), ordered)

    def require(self, sign: Callable[[], bytes]) -> None:
        """Refuse to go on where witnesses are required and too few confirm the log as it is now.

        Args:
            sign: gives a checkpoint of the log as it is now.

        Raises:
            WitnessesMissing: they are, and do not; the message names each.
        """
        if self.panel is None or not self.panel.required:
            return
        cosigned = self.cosign(sign())
        given = len(cosigned.cosignatures)
        if given < self.panel.at_least:
            why = "; ".join(f"{answer.name}: {answer.reason}" for answer in cosigned.answers if answer.reason)
            raise WitnessesMissing(
                f"{self.panel.at_least} witnesses must confirm the log, and {given} did. {why or 'None was added'}.",
                fix='Add or mend witnesses (platemark audit witness list), or set [witnesses] mode = "best-effort".',
            )

    def _kept(self, note: bytes, size: int) -> dict[str, Answer]:
        """Give the cosignatures of this very checkpoint that are kept already and hold."""
        text, found = split_note(note).text, dict[str, Answer]()
        known = {each.name: each for each in self.cosigners}
        for kept in self.rows.of_size(size, "witness"):
            if kept.target in known:
                try:
                    cosignature = check_line(text, read_lines(kept.evidence)[0], known[kept.target])
                except VerificationError:
                    continue  # asked again; `audit verify` says that the kept one is wrong
                found[kept.target] = Answer(kept.target, cosignature, "")
        return found

    def _write_down(self, answer: Answer, size: int) -> None:
        if answer.cosignature is not None:
            self.rows.keep(size, "witness", answer.name, answer.cosignature.line.text().encode())
            return
        kind = EventType.WITNESS_REFUSED if answer.objects else EventType.WITNESS_FAILED
        facts: dict[str, JsonValue] = {"witness": answer.name, "size": size, "reason": answer.reason}
        self.append(NewEvent(kind, facts=facts))
