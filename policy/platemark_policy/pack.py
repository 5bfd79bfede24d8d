"""What a rule pack is once it has been read: rules, word lists, and the pack's own examples.

One rule: values and pure functions; reading files is in `rules`, reading YAML in `pack_parser`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from platemark_policy.classifier import load_classifier
from platemark_policy.conditions import Condition, Reading, asks_classifier, excused_spans, read_prompt
from platemark_policy.decision import Finding, PackId, Reason, Verdict
from platemark_policy.lexicon import Lexicon
from platemark_policy.normalize import Normalized


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt that a rule must match, or must not.

    Args:
        text: the prompt.
        metadata: facts about the request.
        at: the clock it is judged by.
        matches: what the rule has to say.
        place: where it stands in the pack.
    """

    text: str
    metadata: tuple[tuple[str, str], ...]
    at: datetime
    matches: bool
    place: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a pack.

    Args:
        id: such as `R02.1`: the standard's number, then the case.
        category: a short word to count by.
        action: what a match asks for; never `allow`.
        overridable: whether an editor may let a match pass.
        when: what has to hold.
        unless: exceptions; they take back only the words they cover.
        reason: why, in both languages.
        source: the standard and clause it stands on.
        examples: checked whenever the pack is loaded.
        consent: the scope of a person's consent that takes a match at their name away; empty where none does.
    """

    id: str
    category: str
    action: Verdict
    overridable: bool
    when: Condition
    unless: tuple[Condition, ...]
    reason: Reason
    source: str
    examples: tuple[Example, ...]
    consent: str = ""

    def judge(self, reading: Reading) -> Finding | None:
        """Give what this rule objects to in a prompt, None when nothing; the span is the first place."""
        agreed = reading.consented.get(self.consent, frozenset())
        spans = self.when.evidence(reading, excused_spans(reading, self.unless) | agreed)
        if spans is None:
            return None
        return Finding(
            rule_id=self.id,
            category=self.category,
            action=self.action,
            span=min(spans, default=None),
            stage="prompt",
            reason=self.reason,
            overridable=self.overridable,
            layer="classifier" if asks_classifier(self.when) else "rules",
        )


@dataclass(frozen=True, slots=True)
class ListReview:
    """When a list of names was last read by a person, and by when it has to be again.

    Args:
        name: the list.
        reviewed: the day it was read.
        review_by: the last day it counts as fresh.
    """

    name: str
    reviewed: date
    review_by: date


@dataclass(frozen=True, slots=True)
class RulePack:
    """A pack that passed every check.

    Args:
        pack_id: name, version and hash over every file.
        rules: in the order of the file, which does not matter to any decision.
        lexicon: every word list, ready to search.
        reviews: the lists that age.
        valid: the first and last instant it may be used, None where it does not end.
        is_permissive: whether it says of itself that it is for tests only.
        is_unsigned: whether it was loaded where a signature is expected, and has none.
    """

    pack_id: PackId
    rules: tuple[Rule, ...]
    lexicon: Lexicon
    reviews: tuple[ListReview, ...]
    valid: tuple[datetime, datetime] | None = None
    is_permissive: bool = False
    is_unsigned: bool = False

    @property
    def asks_classifier(self) -> bool:
        """Tell whether any rule needs a score."""
        return any(asks_classifier(rule.when) for rule in self.rules)

    def overdue(self, today: date) -> tuple[str, ...]:
        """Give the names of the lists that a person should have read again by now."""
        return tuple(review.name for review in self.reviews if review.review_by < today)

    def failing_examples(self) -> tuple[str, ...]:
        """Give the place of every example its rule gets wrong; a loaded pack has none."""
        return tuple(
            f"{example.place} ({rule.id})"
            for rule in self.rules
            for example in rule.examples
            if (rule.judge(self._read(example)) is not None) != example.matches
        )

    def _read(self, example: Example) -> Reading:
        metadata: Mapping[str, str] = dict(example.metadata)
        return read_prompt(example.text, self.lexicon, metadata=metadata, at=example.at, levels=_levels)


def _levels(readings: tuple[Normalized, ...]) -> Mapping[str, int]:
    return load_classifier().levels(readings)


@dataclass(frozen=True, slots=True)
class PackFiles:
    """The bytes of a pack: its main file, then the others by name.

    Args:
        names: file names.
        contents: their bytes, in the same order.
    """

    names: tuple[str, ...]
    contents: tuple[bytes, ...]

    def sha256(self) -> str:
        """Give the hex digest over every name and every byte, each with its length."""
        digest = hashlib.sha256()
        for name, content in zip(self.names, self.contents, strict=True):
            for part in (name.encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()
