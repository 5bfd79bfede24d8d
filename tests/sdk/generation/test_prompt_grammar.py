"""Prompts in English and Korean become scenes, and nothing of them is dropped in silence."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.generation.lexicon import ENGLISH, KOREAN, Role
from platemark.generation.scenes import SCENE_RULES, SCENES, SLOT_VALUES, SlotValues
from platemark.generation.text import MAX_REPORTED_WORD, split_words, understand


def test_the_readme_prompt_is_a_city_in_light_rain_at_night() -> None:
    reading = understand("city lights at night, light rain")

    assert reading.values == SlotValues(scene="city rain", time="night", amount="light")
    assert reading.understood == {"scene": "a city in rain", "time": "night", "amount": "light"}
    assert reading.assumed == {}
    assert reading.ignored_words == ()


@pytest.mark.parametrize(
    ("prompt", "values"),
    [
        (
            "a red circle moving right on a white background",
            SlotValues(scene="circle", colour="red", background="white", motion="moving right"),
        ),
        (
            "A BLUE square GROWING on a Yellow background!",
            SlotValues(scene="square", colour="blue", background="yellow", motion="growing"),
        ),
        (
            "a green triangle spins against a black backdrop",
            SlotValues(scene="triangle", colour="green", background="black", motion="spinning"),
        ),
        (
            "white ball falling on red",
            SlotValues(scene="circle", colour="white", background="red", motion="moving down"),
        ),
        (
            "a purple box bounces, background orange",
            SlotValues(scene="square", colour="purple", background="orange", motion="bouncing"),
        ),
        (
            "four red bars rising on a white background",
            SlotValues(scene="chart", colour="red", background="white", motion="rising", amount="four"),
        ),
        (
            "bar chart with 5 orange bars, falling, on a purple background",
            SlotValues(scene="chart", colour="orange", background="purple", motion="falling", amount="five"),
        ),
        (
            "a blue globe with green land rotating left on a black background",
            SlotValues(scene="globe", colour="blue", second_colour="green", background="black", motion="rotating left"),
        ),
        (
            "planet earth with cyan oceans and orange continents turning on a pink background",
            SlotValues(
                scene="globe", colour="cyan", second_colour="orange", background="pink", motion="rotating right"
            ),
        ),
        (
            "many clouds drifting left in a night sky",
            SlotValues(scene="sky", motion="drifting left", time="night", amount="many"),
        ),
        (
            "few clouds drift to the right at sunset",
            SlotValues(scene="sky", motion="drifting right", time="sunset", amount="few"),
        ),
        ("a stormy green sea at night", SlotValues(scene="sea", colour="green", time="night", amount="rough")),
        ("calm purple ocean by day", SlotValues(scene="sea", colour="purple", time="day", amount="calm")),
        ("heavy snow over downtown at dusk", SlotValues(scene="city snow", time="sunset", amount="heavy")),
        ("a skyline in a downpour at noon", SlotValues(scene="city rain", time="day", amount="heavy")),
    ],
)
def test_an_english_prompt_is_read(prompt: str, values: SlotValues) -> None:
    reading = understand(prompt)

    assert reading.values == values


@pytest.mark.parametrize(
    ("prompt", "values"),
    [
        ("도시의 밤, 약한 비", SlotValues(scene="city rain", time="night", amount="light")),
        ("폭설이 내리는 도시의 야경", SlotValues(scene="city snow", time="night", amount="heavy")),
        ("눈 오는 도시, 저녁, 함박눈", SlotValues(scene="city snow", time="sunset", amount="heavy")),
        ("낮에 가랑비가 내리는 시내", SlotValues(scene="city rain", time="day", amount="light")),
        (
            "흰 배경에서 오른쪽으로 움직이는 빨간 원",
            SlotValues(scene="circle", colour="red", background="white", motion="moving right"),
        ),
        (
            "노란 바탕 위에 커지는 파란 사각형",
            SlotValues(scene="square", colour="blue", background="yellow", motion="growing"),
        ),
        (
            "검은 바탕에서 회전하는 초록 삼각형",
            SlotValues(scene="triangle", colour="green", background="black", motion="spinning"),
        ),
        (
            "보라색 공이 주황색 배경에서 통통 튄다",
            SlotValues(scene="circle", colour="purple", background="orange", motion="bouncing"),
        ),
        (
            "빨간 막대 네 개가 올라가는 차트, 배경은 흰색",
            SlotValues(scene="chart", colour="red", background="white", motion="rising", amount="four"),
        ),
        (
            "파란 막대 2개가 내려가는 그래프, 노란 배경",
            SlotValues(scene="chart", colour="blue", background="yellow", motion="falling", amount="two"),
        ),
        (
            "초록 대륙이 있는 파란 지구본이 검은 배경에서 왼쪽으로 회전한다",
            SlotValues(scene="globe", colour="blue", second_colour="green", background="black", motion="rotating left"),
        ),
        (
            "밤하늘에 많은 구름이 왼쪽으로 흐른다",
            SlotValues(scene="sky", motion="drifting left", time="night", amount="many"),
        ),
        ("석양의 잔잔한 파란 바다", SlotValues(scene="sea", colour="blue", time="sunset", amount="calm")),
        ("거친 초록색 바다, 밤", SlotValues(scene="sea", colour="green", time="night", amount="rough")),
    ],
)
def test_a_korean_prompt_is_read(prompt: str, values: SlotValues) -> None:
    reading = understand(prompt)

    assert reading.values == values
    assert reading.ignored_words == ()


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("light rain over a city at night", "밤 도시에 약한 비"),
        ("a red circle moving left on a white background", "흰 배경에서 왼쪽으로 움직이는 빨간 원"),
        ("a rough sea at sunset", "노을 지는 거친 바다"),
        ("three green bars falling on a pink background", "분홍 배경, 내려가는 초록 막대 세 개"),
    ],
)
def test_the_same_prompt_in_both_languages_is_the_same_scene(english: str, korean: str) -> None:
    assert understand(english).values == understand(korean).values


def test_decomposed_hangul_is_read_like_composed() -> None:
    prompt = "밤 도시에 약한 비"

    assert understand(unicodedata.normalize("NFD", prompt)) == understand(prompt)


def test_full_width_letters_are_read_like_plain_ones() -> None:
    assert understand("ｓｅａ ａｔ ｎｉｇｈｔ").values == understand("sea at night").values


@pytest.mark.parametrize(
    ("prompt", "ignored"),
    [
        ("a red circle and a president", ("president",)),
        ("the calm sea slowly dancing", ("slowly", "dancing")),
        ("a red sea at night", ("red",)),
        ("seven bars rising", ("seven",)),
        ("a spinning circle", ("spinning",)),
        ("a light blue square", ("light",)),
        ("a dark green triangle", ("dark",)),
        ("a circle and a square", ("square",)),
        ("the sea, the sea, in Busan in Busan", ("busan",)),
        ("눈 내리는 서울 도시", ("서울",)),
        ("대통령이 있는 도시의 비", ("대통령이",)),
        ("the sea at night 2024", ("2024",)),
        ("ночь the sea", ("ночь",)),
        ("many circles", ("many",)),
    ],
)
def test_words_that_will_not_be_seen_are_listed(prompt: str, ignored: tuple[str, ...]) -> None:
    assert understand(prompt).ignored_words == ignored


@pytest.mark.parametrize(
    ("prompt", "ignored"),
    [
        ("a sea without waves", ("without", "waves")),
        ("no clouds, a calm sea", ("no", "clouds")),
        ("비 없는 바다", ("비", "없는")),
    ],
)
def test_what_the_prompt_does_not_want_is_not_shown_but_listed(prompt: str, ignored: tuple[str, ...]) -> None:
    reading = understand(prompt)

    assert reading.values.scene == "sea"
    assert reading.ignored_words == ignored


@pytest.mark.parametrize("prompt", ["a city at night without rain", "비 없는 도시의 밤"])
def test_a_city_without_weather_is_refused_because_the_model_has_none(prompt: str) -> None:
    with pytest.raises(RequestError, match="only in rain or in snow") as refusal:
        understand(prompt)

    assert prompt not in str(refusal.value)


@pytest.mark.parametrize(
    "prompt",
    [
        "a president speaks",
        "대통령이 연설하는 모습",
        "공원",
        "red and blue",
        "left",
        "!!!",
        "🙂",
        "seven waves",
        "1234",
    ],
)
def test_a_prompt_that_names_no_scene_is_refused_in_plain_words(prompt: str) -> None:
    with pytest.raises(RequestError) as refusal:
        understand(prompt)

    assert "a city in rain or snow" in refusal.value.message
    assert "city lights at night" in refusal.value.fix
    assert prompt not in str(refusal.value)


def test_a_verb_that_looks_like_a_scene_does_not_make_one() -> None:
    with pytest.raises(RequestError):
        understand("a president waves at a crowd")


def test_the_same_word_names_a_scene_among_words_that_are_known() -> None:
    assert understand("waves at night").values.scene == "sea"


@pytest.mark.parametrize(
    ("prompt", "assumed"),
    [
        ("a circle", {"colour": "blue", "background": "white", "motion": "moving right"}),
        ("the sky", {"motion": "drifting right", "time": "day", "amount": "few"}),
        ("the sea", {"colour": "blue", "time": "day", "amount": "calm"}),
        ("a chart", {"colour": "blue", "background": "white", "motion": "rising", "amount": "four"}),
        ("rain", {"time": "night", "amount": "light", "place": "a city"}),
        ("a city", {"time": "night", "amount": "light", "weather": "rain"}),
        (
            "a globe",
            {"colour": "blue", "second_colour": "green", "background": "black", "motion": "rotating right"},
        ),
    ],
)
def test_what_the_prompt_leaves_open_is_chosen_and_said(prompt: str, assumed: dict[str, str]) -> None:
    assert understand(prompt).assumed == assumed


@pytest.mark.parametrize(
    ("prompt", "background"),
    [
        ("a white circle", "black"),
        ("white bars rising", "black"),
        ("a black globe", "white"),
        ("a blue circle", "white"),
    ],
)
def test_a_chosen_background_differs_from_the_thing_before_it(prompt: str, background: str) -> None:
    reading = understand(prompt)

    assert reading.assumed["background"] == background
    assert reading.values.background != reading.values.colour


def test_a_thing_in_the_colour_of_its_background_gets_another_one_and_says_so() -> None:
    reading = understand("a green circle on a green background")

    assert reading.values.background == "white"
    assert reading.ignored_words == ("background",)


def test_a_green_globe_gets_land_of_another_colour() -> None:
    reading = understand("a green globe")

    assert reading.values.colour == "green"
    assert reading.values.second_colour not in (None, "green")


def test_two_colours_of_a_globe_are_water_and_land() -> None:
    values = understand("a purple and orange globe").values

    assert (values.colour, values.second_colour) == ("purple", "orange")


@pytest.mark.parametrize(
    ("prompt", "motion"),
    [
        ("a ball rolling from left to right", "moving right"),
        ("a ball moving from the right", "moving left"),
        ("오른쪽에서 왼쪽으로 굴러가는 공", "moving left"),
        ("왼쪽에서 굴러가는 공", "moving right"),
        ("a square moving upwards", "moving up"),
        ("a square, left", "moving left"),
        ("a square spinning", "spinning"),
        ("a triangle turning", "spinning"),
        ("a circle shrinks", "shrinking"),
    ],
)
def test_the_way_a_thing_goes_is_read(prompt: str, motion: str) -> None:
    assert understand(prompt).values.motion == motion


@pytest.mark.parametrize(
    ("prompt", "time"),
    [
        ("a clear blue sky", "day"),
        ("an orange sky", "sunset"),
        ("a black sky", "night"),
        ("a pink sky at sunset", "sunset"),
    ],
)
def test_the_colour_of_a_sky_is_that_of_its_time(prompt: str, time: str) -> None:
    reading = understand(prompt)

    assert reading.values.time == time
    assert reading.ignored_words == ()


def test_a_colour_that_a_sky_does_not_have_then_is_listed() -> None:
    assert understand("a pink sky at night").ignored_words == ("pink",)


@pytest.mark.parametrize(
    ("prompt", "scene"),
    [
        ("clouds over a rough sea", "sea"),
        ("a red ball over the sea", "circle"),
        ("snow over a city by the sea", "city snow"),
        ("a globe in the sky", "globe"),
    ],
)
def test_of_several_scenes_one_is_shown(prompt: str, scene: str) -> None:
    assert understand(prompt).values.scene == scene


def test_a_very_long_word_is_reported_short() -> None:
    reading = understand("the sea " + "x" * 500)

    assert reading.ignored_words == ("x" * MAX_REPORTED_WORD,)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_any_text_after_a_scene_is_read_without_failing(text: str) -> None:
    reading = understand("a sea. " + text + " .")

    # "sea" itself is left over where the text names a stronger scene, as "bars" does.
    assert set(reading.ignored_words) <= {"sea", *(word[:MAX_REPORTED_WORD] for word in split_words(text))}


WANTED = sorted(
    word
    for word, meanings in [*ENGLISH.items(), *KOREAN.items()]
    if "~" not in word and not {meaning.role for meaning in meanings} & {Role.NOT, Role.NOT_BEFORE}
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WANTED), max_size=12))
def test_any_words_of_the_lexicon_beside_a_scene_give_a_full_scene(words: list[str]) -> None:
    reading = understand(" ".join([*words, "sea"]))

    values, defaults = reading.values, SCENE_RULES[reading.values.scene or ""].defaults
    open_slots = [slot for slot in SLOT_VALUES if getattr(values, slot) is None and getattr(defaults, slot) is not None]
    assert open_slots == []
    assert values.background is None or values.background not in (values.colour, values.second_colour)
    assert values.second_colour is None or values.second_colour != values.colour


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="가나다라비눈도시밤 의에서는", max_size=40))
def test_any_hangul_beside_a_scene_is_read(text: str) -> None:
    assert understand(f"{text} 바다").values.scene in SCENES


def test_no_word_of_the_lexicon_has_an_upper_case_letter() -> None:
    assert [word for word in (*ENGLISH, *KOREAN) if word != word.lower()] == []


def test_every_scene_of_the_lexicon_is_one_the_model_has() -> None:
    named = {
        meaning.value
        for meanings in (*ENGLISH.values(), *KOREAN.values())
        for meaning in meanings
        if meaning.role.value in ("scene", "weak scene")
    }

    assert named == {"circle", "square", "triangle", "sky", "sea", "chart", "globe", "city"}
