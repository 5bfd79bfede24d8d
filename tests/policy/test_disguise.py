"""Disguised words are read, and reading them never replaces the plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.disguise import reveal
from platemark_policy.normalize import normalize


def readings(text: str) -> list[str]:
    return [reading.text for reading in reveal(normalize(text))]


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        pytest.param("p1rate sh1p", "pirate ship", id="one for i"),
        pytest.param("b1ue ga1axy", "blue galaxy", id="one for l"),
        pytest.param("r0b0t", "robot", id="zero"),
        pytest.param("c@stle", "castle", id="at sign"),
        pytest.param("gr€en tr33", "green tree", id="euro and three"),
        pytest.param("$un", "sun", id="dollar"),
        pytest.param("s u n s e t", "sunset", id="spaced letters"),
        pytest.param("s.u.n.s.e.t", "sunset", id="dotted letters"),
        pytest.param("s-u-n_s-e-t", "sunset", id="dashed letters"),
        pytest.param("c a l m  s e a", "calm sea", id="wider gaps between words"),
        pytest.param("바1다", "바다", id="digit between syllables"),
        pytest.param("바.다", "바다", id="dot between syllables"),
        pytest.param("푸*른바~다", "푸른바다", id="marks between syllables"),
        pytest.param("바 다 를", "바다를", id="spaced syllables"),
        pytest.param("고1래1가 바1다1에", "고래가 바다에", id="digits between all syllables"),
    ],
)
def test_a_disguise_is_read(text: str, reading: str) -> None:
    assert reading in readings(text)


@pytest.mark.parametrize(
    "text",
    [
        "4K 3D 60fps chart 2026-11-22",
        "the 1st, 2nd, 3rd and 90s",
        "1080p at 35mm, 24fps, 5G",
        "mp4 h264 g20 covid19",
        "what a view!",
        "a 10-year plan for 2030",
        "밤의 도시 불빛",
        "4K로 찍은 60fps 영상",
        "2026년 11월 22일",
        "",
    ],
)
def test_ordinary_text_hides_nothing(text: str) -> None:
    assert readings(text) == []


@pytest.mark.parametrize(
    ("text", "reading", "original"),
    [
        pytest.param("a r0b0t walks", "robot", "r0b0t", id="digits"),
        pytest.param("the s u n rises", "sun", "s u n", id="gaps"),
        pytest.param("푸른 바1다 위", "바다", "바1다", id="infix"),
    ],
)
def test_spans_of_a_reading_lead_back_to_the_original(text: str, reading: str, original: str) -> None:
    revealed = reveal(normalize(text))[0]
    start = revealed.text.index(reading)

    first, last = revealed.original_span(start, start + len(reading))

    assert text[first:last] == original


def test_a_long_run_of_letters_is_marked_as_several_words() -> None:
    revealed = reveal(normalize("see a c a l m b l u e s e a now"))[0]
    ((start, end),) = revealed.joined

    assert revealed.text[start:end] == "acalmbluesea"


def test_one_spaced_out_word_is_read_as_one_word() -> None:
    assert reveal(normalize("T H E R A P Y"))[0].joined == ()


@given(st.text(max_size=80))
def test_any_text_can_be_revealed(text: str) -> None:
    for_text = reveal(normalize(text))

    assert len(for_text) <= 2
    assert all(len(reading.text) == len(reading.offsets) == len(reading.ends) for reading in for_text)
    assert all(0 <= start <= end <= len(reading.text) for reading in for_text for start, end in reading.joined)


@given(st.text(alphabet="abcdefgh .,", max_size=60))
def test_readings_only_ever_get_shorter(text: str) -> None:
    plain = normalize(text)

    assert all(len(reading.text) <= len(plain.text) for reading in reveal(plain))
