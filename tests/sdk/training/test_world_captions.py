"""Captions in both languages."""

import pytest

from platemark.training.world.attributes import FAMILIES, SLOT_VALUES, Attributes, combinations
from platemark.training.world.captions import ENGLISH, KOREAN, KOREAN_VALUES, english_caption, korean_caption

NAMES = [family.name for family in FAMILIES]


@pytest.mark.parametrize("name", NAMES)
def test_no_two_combinations_share_an_english_caption(name: str) -> None:
    captions = [english_caption(attributes) for attributes in combinations(name)]

    assert len(set(captions)) == len(captions)


@pytest.mark.parametrize("name", NAMES)
def test_no_two_combinations_share_a_korean_caption(name: str) -> None:
    captions = [korean_caption(attributes) for attributes in combinations(name)]

    assert len(set(captions)) == len(captions)


@pytest.mark.parametrize("name", NAMES)
def test_korean_captions_are_korean_throughout(name: str) -> None:
    letters = {letter for attributes in combinations(name) for letter in korean_caption(attributes)}

    assert not [letter for letter in letters if "a" <= letter.lower() <= "z"]


def test_every_scene_has_a_sentence_in_both_languages() -> None:
    assert set(ENGLISH) == set(KOREAN) == set(SLOT_VALUES["scene"])


@pytest.mark.parametrize("slot", ["shape", "colour", "motion", "time", "amount", "pattern"])
def test_every_value_has_a_korean_word(slot: str) -> None:
    assert set(KOREAN_VALUES[slot]) == set(SLOT_VALUES[slot])


@pytest.mark.parametrize(
    ("attributes", "english", "korean"),
    [
        (
            Attributes("shape", shape="circle", colour="red", background="blue", motion="moving left"),
            "a red circle moving left on a blue background",
            "파란 배경에서 왼쪽으로 움직이는 빨간 원",
        ),
        (
            Attributes("city rain", time="night", amount="light"),
            "light rain falling over a city at night",
            "밤 도시에 내리는 약한 비",
        ),
        (
            Attributes("countdown", colour="white", background="black", amount="three"),
            "a countdown from three in white on a black background",
            "검은색 배경에 흰색 숫자로 셋부터 세는 카운트다운",
        ),
        (
            Attributes("voxels", colour="green", time="day", motion="turning left"),
            "turning left over green block hills at day",
            "낮에 초록색 블록 언덕 위를 왼쪽으로 도는 장면",
        ),
        (
            Attributes("bar chart", colour="red", background="white", motion="rising", amount="three"),
            "a chart of three red bars rising on a white background",
            "흰색 배경에서 올라가는 빨간 막대 세 개의 차트",
        ),
    ],
)
def test_one_set_of_attributes_is_said_in_both_languages(attributes: Attributes, english: str, korean: str) -> None:
    assert (english_caption(attributes), korean_caption(attributes)) == (english, korean)
