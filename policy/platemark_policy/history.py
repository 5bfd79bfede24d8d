"""What a person was refused before, and what that means for what they ask now.

One rule: facts in, findings out, and nothing of a prompt is kept: a refusal is remembered by its hour, its categories
and a keyed sketch that tells only whether two texts are alike. A finding here asks for an editor; it never lets
anything pass.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from platemark_policy.decision import Finding, Reason, Verdict
from platemark_policy.normalize import normalize

SKETCH_BITS = 128
"""How long a sketch is."""

ALIKE_BITS = 36
"""Sketches that differ in at most so many bits are of texts that say nearly the same (measured: docs/policy.md)."""

RATE_WINDOW = timedelta(hours=1)
RETRY_WINDOW = timedelta(hours=24)
MOST_REMEMBERED = 200
"""At most so many refusals are looked at, the newest."""

_RETRIES_BEFORE_REVIEW = 2
_MOST_CHARS = 4_000
_LATIN_GROUP, _HANGUL_GROUPS = 3, (1, 2)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One earlier refusal of the same person.

    Args:
        at: when, aware.
        categories: what was objected to.
        sketch: of the text, as hexadecimal digits; empty where there is none.
    """

    at: datetime
    categories: frozenset[str]
    sketch: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many refusals within an hour are usual.

    Args:
        refusals: of one person; from so many on, everything they ask waits.
        of_category: of one person in one category; from so many on, a finding of that category waits at the least.
    """

    refusals: int = 30
    of_category: int = 10


@dataclass(frozen=True, slots=True)
class History:
    """What is known about who asks.

    Args:
        refusals: earlier ones, in any order.
        limits: what is usual here.
    """

    refusals: tuple[Refusal, ...] = ()
    limits: Limits = Limits()

    def retries(self, sketch: str, *, at: datetime) -> int:
        """Count the refusals of the last day that were about nearly the same text."""
        return sum(
            at - RETRY_WINDOW <= each.at <= at and are_alike(each.sketch, sketch) for each in self.refusals if sketch
        )


_TOO_MANY = Reason(
    en="Many requests of this person were refused within the last hour, so an editor decides about the next ones.",
    ko="최근 한 시간 동안 이 사람의 요청이 여러 번 거부되어 다음 요청은 편집자가 결정합니다.",
)
_TOO_MANY_OF_ONE_KIND = Reason(
    en="Requests of this kind were refused many times within the last hour, so an editor decides about this one.",
    ko="최근 한 시간 동안 같은 종류의 요청이 여러 번 거부되어 편집자가 결정합니다.",
)
_RETRIED = Reason(
    en="Nearly the same text was refused more than once within a day, so an editor decides about this wording.",
    ko="거의 같은 글이 하루 사이에 두 번 이상 거부되어 이 표현은 편집자가 결정합니다.",
)


def judge_history(history: History, sketch: str, found: Iterable[Finding], *, at: datetime) -> tuple[Finding, ...]:
    """Give what earlier refusals ask for.

    Args:
        history: of the person who asks.
        sketch: of the text at hand.
        found: what the other layers found in it.
        at: the request's clock, aware.
    """
    recent = [each for each in history.refusals if at - RATE_WINDOW <= each.at <= at]
    return tuple(_findings(history, recent, sketch, {each.category for each in found}, at))


def _findings(
    history: History, recent: list[Refusal], sketch: str, categories: set[str], at: datetime
) -> Iterator[Finding]:
    if len(recent) >= history.limits.refusals:
        yield _finding("L01", "rate_limit", _TOO_MANY)
    if any(sum(name in each.categories for each in recent) >= history.limits.of_category for name in categories):
        yield _finding("L02", "rate_limit", _TOO_MANY_OF_ONE_KIND)
    if history.retries(sketch, at=at) >= _RETRIES_BEFORE_REVIEW:
        yield _finding("L03", "retry", _RETRIED)


def _finding(rule_id: str, category: str, reason: Reason) -> Finding:
    return Finding(rule_id, category, Verdict.REVIEW, None, "prompt", reason, True, "history")


def sketch_text(text: str, key: bytes) -> str:
    """Give a keyed similarity hash of a text: 128 bits as hexadecimal digits, empty for a text without words.

    Texts that share most of their letter groups share most bits. Without the key a sketch can neither be read nor
    made, so a log of sketches does not give prompts away.

    Args:
        text: as it was given.
        key: secret.

    Source: Charikar 2002, Similarity Estimation Techniques from Rounding Algorithms (random hyperplanes).
    """
    groups = _letter_groups(normalize(text[:_MOST_CHARS]).text)
    if not groups:
        return ""
    drawn = b"".join(
        hashlib.blake2b(group.encode("utf-8", "replace"), key=key[:64], digest_size=SKETCH_BITS // 8).digest()
        for group in sorted(groups)
    )
    bits = np.unpackbits(np.frombuffer(drawn, dtype=np.uint8)).reshape(len(groups), SKETCH_BITS)
    return np.packbits(2 * bits.sum(axis=0, dtype=np.int64) > len(groups)).tobytes().hex()


def are_alike(one: str, other: str) -> bool:
    """Tell whether two sketches are of nearly the same text; what is no sketch is like nothing."""
    if len(one) != SKETCH_BITS // 4 or len(other) != SKETCH_BITS // 4:
        return False
    try:
        return (int(one, 16) ^ int(other, 16)).bit_count() <= ALIKE_BITS
    except ValueError:
        return False


def _letter_groups(text: str) -> frozenset[str]:
    """Give the letter groups of a text: three Latin letters each, one and two Hangul syllables."""
    joined = "".join(char for char in text if char.isalnum())
    sizes = (_LATIN_GROUP,) if joined.isascii() else _HANGUL_GROUPS
    return frozenset(joined[start : start + size] for size in sizes for start in range(len(joined) - size + 1))
