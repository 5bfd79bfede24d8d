"""Whatever a rule finds in plain text it finds under every disguise a keyboard or a font makes easy.

The texts are the pack's own examples, so a new rule is tested here the moment it is written.
"""

import unicodedata
from collections.abc import Callable
from datetime import datetime

import pytest

from platemark_policy.decision import Decision
from platemark_policy.engine import Engine
from platemark_policy.pack import Example, Rule, RulePack

Disguise = Callable[[str], str]

_FIRST_MATHEMATICAL_BOLD, _FIRST_FULL_WIDTH = 0x1D41A, 0xFF01
_JAMO_BLOCKS = {
    0x1100: "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ",
    0x1161: "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ",
    0x11A8: "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ",
}
_LOOSE_LETTERS = {first + index: letter for first, row in _JAMO_BLOCKS.items() for index, letter in enumerate(row)}


def with_zero_width_characters(text: str) -> str:
    return "\u200b".join(text)


def in_full_width(text: str) -> str:
    return text.translate({code: code - 0x21 + _FIRST_FULL_WIDTH for code in range(0x21, 0x7F)})


def in_mathematical_bold(text: str) -> str:
    return text.lower().translate({ord("a") + index: _FIRST_MATHEMATICAL_BOLD + index for index in range(26)})


def with_cyrillic_vowels(text: str) -> str:
    return text.replace("a", "\u0430").replace("e", "\u0435").replace("o", "\u043e")


def in_loose_hangul(text: str) -> str:
    return unicodedata.normalize("NFD", text).translate(_LOOSE_LETTERS)


def with_accents(text: str) -> str:
    return "".join(f"{char}\u0301" if char.isascii() and char.isalpha() else char for char in text)


def in_capitals(text: str) -> str:
    return text.upper()


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def with_wide_gaps(text: str) -> str:
    return text.replace(" ", " \u2003\t ")


def with_a_controls_prefix(text: str) -> str:
    return f"\x00\ufeff{text}\x7f"


DISGUISES: list[Disguise] = [
    with_zero_width_characters,
    in_full_width,
    in_mathematical_bold,
    with_cyrillic_vowels,
    in_loose_hangul,
    with_accents,
    in_capitals,
    decomposed,
    with_wide_gaps,
    with_a_controls_prefix,
]


def matching_examples(pack: RulePack) -> list[tuple[Rule, Example]]:
    return [(rule, example) for rule in pack.rules for example in rule.examples if example.matches]


def harmless_examples(pack: RulePack) -> list[Example]:
    return [example for rule in pack.rules for example in rule.examples if not example.matches]


def decide(engine: Engine, example: Example, text: str) -> Decision:
    at: datetime = example.at
    return engine.screen_prompt(text, at=at, decision_id="d", metadata=dict(example.metadata))


def missed(engine: Engine, disguise: Disguise) -> list[str]:
    decisions = [
        (rule, example, decide(engine, example, disguise(example.text)))
        for rule, example in matching_examples(engine.pack)
    ]
    return [
        f"{rule.id}: {example.text}"
        for rule, example, decision in decisions
        if rule.id not in {finding.rule_id for finding in decision.findings}
    ]


@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_rule_sees_through_it(engine: Engine, disguise: Disguise) -> None:
    assert missed(engine, disguise) == []


@pytest.mark.parametrize(
    "disguise", [in_full_width, in_mathematical_bold, in_loose_hangul, in_capitals, with_wide_gaps]
)
def test_harmless_text_stays_harmless_in_another_font(engine: Engine, disguise: Disguise) -> None:
    examples = harmless_examples(engine.pack)

    plain = [decide(engine, example, example.text).verdict for example in examples]

    assert [decide(engine, example, disguise(example.text)).verdict for example in examples] == plain


@pytest.mark.parametrize("disguise", DISGUISES)
def test_findings_point_into_the_text_as_typed(engine: Engine, disguise: Disguise) -> None:
    texts = [(example, disguise(example.text)) for _, example in matching_examples(engine.pack)]

    spans = [
        (finding.span, len(text))
        for example, text in texts
        for finding in decide(engine, example, text).findings
        if finding.span is not None
    ]

    assert len(spans) > 0
    assert all(0 <= start < end <= length for (start, end), length in spans)


def test_a_disguised_finding_covers_the_same_words(engine: Engine) -> None:
    plain = "a calm bay where Godzilla sleeps"
    disguised = with_zero_width_characters(plain)
    example = Example(plain, (), datetime.fromisoformat("2026-01-01T00:00:00+00:00"), True, "here")

    (finding,) = decide(engine, example, disguised).findings

    assert finding.span is not None
    assert disguised[slice(*finding.span)].replace("\u200b", "") == "Godzilla"
