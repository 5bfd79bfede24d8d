"""What nobody here can read goes to a person, however much readable text stands around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.decision import Verdict
from platemark_policy.language import find_direction_control, find_unreadable, has_words, judge_text, too_long


@pytest.mark.parametrize(
    "text",
    [
        "city lights at night, light rain",
        "밤의 도시 불빛, 약한 비",
        "4K 드론 chart",
        "café in Zürich",
        "Los Angeles to Las Vegas via San Jose",
        "β waves and α rays",
        "сity lights",
        "美 증시와 中 경제",
        "女 배구 대표팀",
        "① first ② second",
        "Ｃｉｔｙ",
        "ㅋㅋㅋ 바다",
        "the café del mar",
        "sunset 🌅",
    ],
)
def test_english_and_korean_are_readable(text: str) -> None:
    assert find_unreadable(text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("город ночью", "город", id="Cyrillic"),
        pytest.param("ѕех", "ѕех", id="Cyrillic letters that all look Latin"),
        pytest.param("مدينة", "مدينة", id="Arabic"),
        pytest.param("夜の街", "夜の街", id="Japanese"),
        pytest.param("杀人 scene", "杀人", id="Chinese beside English"),
        pytest.param("शहर", "शहर", id="Devanagari"),
        pytest.param("αβγ", "αβγ", id="a Greek word"),
        pytest.param("cityгород", "cityгород", id="a word of two scripts that is no disguise"),
        pytest.param("une rue avec des fleurs dans la nuit", "une", id="French"),
        pytest.param("eine Straße mit Blumen und nicht mehr", "eine", id="German"),
        pytest.param("una calle con flores para todos que miran", "una", id="Spanish"),
    ],
)
def test_a_foreign_word_is_pointed_at(text: str, word: str) -> None:
    span = find_unreadable(text)

    assert span is not None
    assert text[slice(*span)] == word


@given(st.text(alphabet="abcdefghij ,", max_size=300))
def test_readable_text_around_does_not_hide_a_foreign_word(around: str) -> None:
    assert find_unreadable(f"{around} город {around}") is not None


@pytest.mark.parametrize("text", ["2026-11-22", "🌅🌊", "...", "", "\x00", "١٢٣", "город"])
def test_text_without_own_letters_has_no_words(text: str) -> None:
    assert not has_words(text)


@pytest.mark.parametrize("text", ["a", "가", "ㄱ", "4K", "Ａ"])
def test_one_own_letter_is_a_word(text: str) -> None:
    assert has_words(text)


@pytest.mark.parametrize("control", ["\u202e", "\u202a", "\u2066", "\u2069"])
def test_direction_controls_are_found(control: str) -> None:
    assert find_direction_control(f"sea{control}view") == (3, 4)


def test_ordinary_text_has_no_direction_control() -> None:
    assert find_direction_control("sea view \u200b 바다") is None


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("a calm sea", []),
        ("город", ["N01"]),
        ("sea город", ["N01"]),
        ("", ["N01"]),
        ("sea \u202e view", ["N02"]),
        ("город \u202e", ["N02", "N01"]),
    ],
)
def test_unreadable_text_waits_for_an_editor(text: str, rules: list[str]) -> None:
    findings = list(judge_text(text))

    assert [finding.rule_id for finding in findings] == rules
    assert all(finding.action is Verdict.REVIEW and finding.layer == "normaliser" for finding in findings)


def test_a_text_that_is_too_long_is_blocked_for_everyone() -> None:
    finding = too_long("x" * 12, limit=10)

    assert (finding.rule_id, finding.action, finding.span, finding.overridable) == (
        "N03",
        Verdict.BLOCK,
        (10, 12),
        False,
    )
