"""Try a pack on its own examples and on labelled prompts, and compare it with another version of itself.

One rule: counts and ids only; the prompts of a corpus never appear in what is reported.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from platemark_policy.decision import Verdict
from platemark_policy.engine import Engine
from platemark_policy.pack import RulePack

_KEY = b"only used to try a pack; no input is kept"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A prompt and what should be decided about it.

    Args:
        id: how the report names it.
        text: the prompt.
        expected: the verdict it should get.
    """

    id: str
    text: str
    expected: Verdict


@dataclass(frozen=True, slots=True)
class Trial:
    """What a pack decided about every prompt of a corpus.

    Args:
        verdicts: id to verdict, in order.
        confusion: (expected, decided) to how many.
    """

    verdicts: tuple[tuple[str, Verdict], ...]
    confusion: tuple[tuple[tuple[Verdict, Verdict], int], ...]

    def count(self, expected: Verdict, decided: Verdict) -> int:
        """Give how many prompts that should get one verdict got another."""
        return dict(self.confusion).get((expected, decided), 0)

    def changes(self, before: "Trial") -> tuple[tuple[str, Verdict, Verdict], ...]:
        """Give the id, the verdict before and the verdict now of every prompt decided differently."""
        earlier = dict(before.verdicts)
        return tuple((name, earlier[name], now) for name, now in self.verdicts if earlier.get(name, now) != now)


def try_pack(pack: RulePack, corpus: Iterable[Labelled], *, at: datetime) -> Trial:
    """Decide about every prompt of a corpus with one pack."""
    engine = Engine(pack, input_key=_KEY)
    verdicts: list[tuple[str, Verdict]] = []
    confusion: Counter[tuple[Verdict, Verdict]] = Counter()
    for row in corpus:
        verdict = engine.screen_prompt(row.text, at=at, decision_id=row.id).verdict
        verdicts.append((row.id, verdict))
        confusion[(row.expected, verdict)] += 1
    return Trial(tuple(verdicts), tuple(sorted(confusion.items())))


def own_examples(pack: RulePack) -> Sequence[Labelled]:
    """Give a pack's examples as a corpus: what its rules must match, by the severest rule that has the text."""
    expected: dict[str, Verdict] = {}
    for rule in pack.rules:
        for example in rule.examples:
            asked = rule.action if example.matches else Verdict.ALLOW
            expected[example.text] = max(expected.get(example.text, asked), asked, key=lambda verdict: verdict.severity)
    return [Labelled(f"example {number}", text, verdict) for number, (text, verdict) in enumerate(expected.items(), 1)]
