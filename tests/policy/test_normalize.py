"""Normalised text has one plain spelling and knows the way back to the original."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from platemark_policy.confusables import LOOK_ALIKES, NEWS_HANJA
from platemark_policy.normalize import Normalized, normalize


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("City Lights", "city lights", id="case"),
        pytest.param("Ｃｉｔｙ　ｌｉｇｈｔｓ", "city lights", id="full width"),
        pytest.param("ci\u200bty\u200d li\ufeffghts\u00ad", "city lights", id="zero width"),
        pytest.param("ci\x00ty", "city", id="nul"),
        pytest.param("ci\u202ety\u2066", "city", id="direction controls"),
        pytest.param("city\u3164lights\u115f", "citylights", id="Hangul fillers"),
        pytest.param("  city \t\n  lights  ", "city lights", id="white space"),
        pytest.param("city\u2003lights\u2028now", "city lights now", id="Unicode spaces"),
        pytest.param("сitу", "city", id="Cyrillic look-alikes"),
        pytest.param("lιghτs", "lights", id="Greek look-alikes"),
        pytest.param("ᴄɪᴛʏ", "city", id="small capitals"),
        pytest.param("𝓬𝓲𝓽𝔂", "city", id="mathematical letters"),
        pytest.param("🅒🅘🅣🅨", "city", id="circled letters"),
        pytest.param("ⓒⓘⓣⓨ", "city", id="enclosed letters"),
        pytest.param("cafe\u0301 naïve", "cafe naive", id="accents"),
        pytest.param("c\u0334\u0335i\u0301\u0302ty", "city", id="stacked marks"),
        pytest.param("ﬁre", "fire", id="ligature"),
        pytest.param("Straße", "strasse", id="sharp s"),
        pytest.param("ㅂㅏㄷㅏ", "바다", id="loose Hangul"),
        pytest.param("ㅂ\u200bㅏㄷ\u200bㅏ", "바다", id="loose Hangul with invisible characters"),
        pytest.param("바\u200b다", "바다", id="Hangul with invisible characters"),
        pytest.param("\u1107\u1161\u1103\u1161", "바다", id="decomposed Hangul"),
        pytest.param("美 증시", "미국 증시", id="headline Hanja"),
        pytest.param("４Ｋ", "4k", id="full-width digits"),
        pytest.param("", "", id="nothing"),
        pytest.param(" \u200b ", "", id="nothing to see"),
    ],
)
def test_text_is_folded(text: str, plain: str) -> None:
    assert normalize(text).text == plain


@pytest.mark.parametrize(
    "text",
    [
        "4k 3d 60fps chart 2026-11-22",
        "a red circle moving right on a white background",
        "흰 배경에서 오른쪽으로 움직이는 빨간 원",
        "제1회 행사, 5월 18일",
        "ㅋㅋㅋ",
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert normalize(text).text == text


@pytest.mark.parametrize(
    ("text", "plain", "original"),
    [
        pytest.param("a Sea view", "sea", "Sea", id="nothing to fold"),
        pytest.param("a s\u200bea view", "sea", "s\u200bea", id="an invisible character inside"),
        pytest.param("  a   sea", "sea", "sea", id="after white space"),
        pytest.param("é ﬁre", "fire", "ﬁre", id="a ligature"),
        pytest.param("푸른 ㅂㅏㄷㅏ!", "바다", "ㅂㅏㄷㅏ", id="loose Hangul"),
        pytest.param("푸른 \u1107\u1161다", "바다", "\u1107\u1161다", id="half decomposed Hangul"),
        pytest.param("한 美 증시", "미국", "美", id="Hanja"),
        pytest.param("cafe\u0301 sea", "cafe", "cafe\u0301", id="an accent of its own"),
    ],
)
def test_spans_lead_back_to_the_original(text: str, plain: str, original: str) -> None:
    normalized = normalize(text)
    start = normalized.text.index(plain)

    first, last = normalized.original_span(start, start + len(plain))

    assert text[first:last] == original


@pytest.mark.parametrize(("start", "end"), [(0, 0), (2, 1), (-1, 2), (0, 4)])
def test_a_span_outside_the_text_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="Expected a span"):
        normalize("sea").original_span(start, end)


@given(st.text(max_size=60))
@example("\ud800")
@example("İ")
@example("\u0301a")
def test_any_text_normalises_with_ordered_places(text: str) -> None:
    normalized = normalize(text)

    assert len(normalized.text) == len(normalized.offsets) == len(normalized.ends)
    assert list(normalized.offsets) == sorted(normalized.offsets)
    assert all(0 <= start < end <= len(text) for start, end in zip(normalized.offsets, normalized.ends, strict=True))


@given(st.text(max_size=60))
def test_normalised_text_has_single_spaces_inside_only(text: str) -> None:
    plain = normalize(text).text

    assert "  " not in plain
    assert plain == plain.strip(" ")


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_the_quick_way_for_ascii_agrees_with_the_long_way(text: str) -> None:
    quick, long = normalize(text), normalize(text + " 끝")

    assert long.text == f"{quick.text} 끝".strip()
    assert long.offsets[: len(quick.text)] == quick.offsets


@given(st.text(max_size=30), st.text(max_size=30))
def test_text_after_a_full_stop_changes_nothing_before_it(first: str, second: str) -> None:
    assert normalize(f"{first}. {second}").text.startswith(normalize(f"{first}.").text)


def test_normalised_values_compare_by_content() -> None:
    assert normalize("sea") == Normalized("sea", (0, 1, 2), (1, 2, 3))


@pytest.mark.parametrize("table", [LOOK_ALIKES, NEWS_HANJA])
def test_tables_map_single_characters_to_plain_ones(table: dict[str, str]) -> None:
    assert all(len(char) == 1 for char in table)
    assert all(normalize(plain).text == plain for plain in table.values())
