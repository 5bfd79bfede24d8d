"""The grammar reads the wordings a newsroom would use, in both languages alike, and owns up to what it leaves out."""

import string
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.clip import MAX_PROMPT_CHARACTERS
from platemark.errors import RequestError
from platemark.generation.lexicon import ENGLISH, KOREAN, MAX_VERB_ENDING, PARTICLES, Role
from platemark.generation.scenes import COLOURS, LEARNED_SCENES, SCENE_RULES, SCENES, SLOT_VALUES, SlotValues
from platemark.generation.text import MAX_REPORTED_WORD, Understanding, split_words, understand

KOREAN_COLOURS = {
    "red": "빨간",
    "green": "초록색",
    "blue": "파란",
    "yellow": "노란",
    "orange": "주황색",
    "purple": "보라색",
    "white": "흰",
    "black": "검은",
    "cyan": "청록색",
    "pink": "분홍색",
}
KOREAN_SHAPES = {"circle": "원", "square": "사각형", "triangle": "삼각형"}


def values_of(prompt: str) -> SlotValues:
    return understand(prompt).values


def said(reading: Understanding) -> dict[str, str]:
    """What the prompt itself said, without what was chosen for it."""
    return reading.understood


# -- one scene, several wordings ---------------------------------------------------------------------------------------

SAME_SCENE = [
    pytest.param(
        "light rain over a city at night",
        [
            "A city at night in light rain.",
            "night, city, drizzle",
            "City lights at night; gentle rain",
            "nighttime skyline with light rainfall",
            "Light rain is falling over the buildings at night",
            "a downtown with lit windows, midnight, light showers",
        ],
        id="light rain",
    ),
    pytest.param(
        "heavy snow over a city by day",
        [
            "a blizzard over the town at noon",
            "daytime: thick snow in a city",
            "snowstorm, urban skyline, morning",
            "heavy snowfall on city buildings in the afternoon",
        ],
        id="heavy snow",
    ),
    pytest.param(
        "a rough green sea at sunset",
        [
            "green ocean, stormy, at dusk",
            "Sunset over rough green seas",
            "choppy green water and waves on the ocean at twilight",
            "a green seascape with heavy surf in the evening",
        ],
        id="rough sea",
    ),
    pytest.param(
        "many clouds drifting left in a sky by day",
        [
            "a cloudy sky at noon, clouds drifting to the left",
            "an overcast daytime sky that drifts leftwards",
            "lots of clouds gliding left across the sky, daylight",
            "many clouds from the right, sky, afternoon",
        ],
        id="many clouds",
    ),
    pytest.param(
        "three red bars rising on a white background",
        [
            "a chart with 3 red bars that rise on white",
            "bar graph: three bars, red, growing, white backdrop",
            "a histogram of three red bars climbing against a white background",
            "red bar chart going up, three bars, background white",
        ],
        id="rising bars",
    ),
    pytest.param(
        "a yellow square moving left on a black background",
        [
            "a yellow box slides to the left on black",
            "on a black background a yellow square travels left",
            "a yellow box moving from right to left against a black backdrop",
            "yellow square, black background, drifting leftwards",
        ],
        id="square moving left",
    ),
    pytest.param(
        "a pink triangle spinning on a cyan background",
        ["a rotating pink triangle on turquoise", "pink triangle that turns, teal backdrop"],
        id="spinning triangle",
    ),
    pytest.param(
        "a blue globe with green land turning left on a black background",
        [
            "planet earth with blue seas and green continents rotating left on black",
            "a blue globe spinning to the left, green land, black background",
        ],
        id="globe",
    ),
    pytest.param(
        "약한 비가 내리는 밤의 도시",
        [
            "밤, 도시, 이슬비",
            "가랑비 내리는 도시의 야경",
            "한밤중 시내에 보슬비가 내린다",
            "도심의 밤거리에 조용히 내리는 비",
        ],
        id="약한 비",
    ),
    pytest.param(
        "거친 파란 바다, 저녁",
        ["저녁노을 지는 거센 푸른 바다", "노을 속 파도가 거친 파란색 바다", "해질녘의 거친 푸른 바다"],
        id="거친 바다",
    ),
    pytest.param(
        "흰 배경에서 올라가는 초록 막대 세 개",
        ["초록색 막대 3개가 흰색 배경 위에서 올라간다", "세 개의 녹색 막대가 상승하는 그래프, 배경은 흰색"],
        id="막대",
    ),
    pytest.param(
        "검은 배경에서 왼쪽으로 움직이는 노란 사각형",
        [
            "노란색 네모가 검정 배경 위를 왼쪽으로 이동한다",
            "검은색 바탕, 오른쪽에서 왼쪽으로 미끄러지는 노란 상자",
            "왼편으로 지나가는 노란 정사각형, 까만 배경",
        ],
        id="사각형",
    ),
]


@pytest.mark.parametrize(("plain", "others"), SAME_SCENE)
def test_free_wordings_of_a_scene_are_the_same_scene(plain: str, others: list[str]) -> None:
    expected = values_of(plain)

    assert {other: values_of(other) for other in others} == dict.fromkeys(others, expected)


TWINS = [
    ("a red circle", "빨간 원"),
    ("a growing purple triangle", "커지는 보라색 삼각형"),
    ("a shrinking orange box on a white background", "흰 배경에서 작아지는 주황색 상자"),
    ("a bouncing green ball", "통통 튀는 초록 공"),
    ("a black square spins on a yellow background", "노란 배경에서 회전하는 검은 사각형"),
    ("a cyan circle moving down", "아래로 움직이는 청록색 원"),
    ("a pink box moving up on black", "검은 배경에서 위쪽으로 이동하는 분홍색 상자"),
    ("a ball rolling from left to right", "왼쪽에서 오른쪽으로 굴러가는 공"),
    ("a few clouds in the sky at noon", "한낮 하늘에 적은 구름"),
    ("a clear sky by day", "맑은 낮 하늘"),
    ("the night sky", "밤하늘"),
    ("an overcast sky", "흐린 하늘"),
    ("clouds drifting right at sunrise", "일출 하늘에서 오른쪽으로 흐르는 구름"),
    ("a calm sea at night", "잔잔한 밤바다"),
    ("a rough purple sea", "거친 보라색 바다"),
    ("the sea at dawn", "새벽 바다"),
    ("five blue bars falling", "내려가는 파란 막대 다섯 개"),
    ("a declining graph with two bars", "막대 두 개가 감소하는 그래프"),
    ("an increasing chart on a black background", "검은 배경에서 증가하는 차트"),
    ("four pink bars", "분홍색 막대 네 개"),
    ("a globe turning right", "오른쪽으로 도는 지구본"),
    ("an orange planet with purple land", "보라색 육지가 있는 주황색 행성"),
    ("a city in a downpour in the evening", "저녁 도시에 내리는 장대비"),
    ("a town in a snowstorm at night", "눈보라 치는 도시의 밤"),
    ("a city in light snow at noon", "정오의 도시에 내리는 가랑눈"),
    ("rainy city in the morning", "비 내리는 아침의 도시"),
    ("rain", "비"),
    ("snow at night", "밤에 내리는 눈"),
]


@pytest.mark.parametrize(("english", "korean"), TWINS, ids=[english for english, _ in TWINS])
def test_twins_in_two_languages_say_and_leave_open_the_same(english: str, korean: str) -> None:
    first, second = understand(english), understand(korean)

    assert said(first) == said(second)
    assert first.assumed == second.assumed
    assert (first.ignored_words, second.ignored_words) == ((), ())


@settings(max_examples=80, deadline=None)
@given(
    shape=st.sampled_from(list(KOREAN_SHAPES)),
    colour=st.sampled_from(COLOURS),
    background=st.sampled_from(COLOURS),
    way=st.sampled_from([("left", "왼쪽"), ("right", "오른쪽"), ("up", "위쪽"), ("down", "아래쪽")]),
)
def test_every_shape_in_every_colours_is_the_same_in_both_languages(
    shape: str, colour: str, background: str, way: tuple[str, str]
) -> None:
    english = f"a {colour} {shape} moving {way[0]} on a {background} background"
    korean = (
        f"{KOREAN_COLOURS[background]} 배경에서 {way[1]}으로 움직이는 {KOREAN_COLOURS[colour]} {KOREAN_SHAPES[shape]}"
    )

    assert understand(english).values == understand(korean).values
    assert understand(english).values.colour == colour
    assert understand(english).values.motion == f"moving {way[0]}"


@settings(max_examples=60, deadline=None)
@given(
    number=st.sampled_from([("two", "두"), ("three", "세"), ("four", "네"), ("five", "다섯")]),
    colour=st.sampled_from(COLOURS),
    act=st.sampled_from([("rising", "올라가는", "rising"), ("falling", "떨어지는", "falling")]),
)
def test_every_chart_is_the_same_in_both_languages(
    number: tuple[str, str], colour: str, act: tuple[str, str, str]
) -> None:
    english = understand(f"{number[0]} {colour} bars {act[0]}")
    korean = understand(f"{act[1]} {KOREAN_COLOURS[colour]} 막대 {number[1]} 개")

    assert english.values == korean.values
    assert (english.values.amount, english.values.colour, english.values.motion) == (number[0], colour, act[2])


# -- languages mixed, letters, marks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mixed", "plain"),
    [
        ("도시 at night with 폭설", "heavy snow over a city at night"),
        ("밤의 skyline, heavy rain", "heavy rain over a city at night"),
        ("빨간 circle moving 왼쪽", "a red circle moving left"),
        ("a 파란 globe with 초록 land", "a blue globe with green land"),
        ("three 막대 rising, 빨간색", "three red bars rising"),
        ("sunset 바다, calm", "a calm sea at sunset"),
    ],
)
def test_a_prompt_may_mix_its_languages(mixed: str, plain: str) -> None:
    assert understand(mixed) == understand(plain)


PROMPTS = [english for english, _ in TWINS]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("change", [str.upper, str.title, str.swapcase], ids=["upper", "title", "swapped"])
def test_capitals_change_nothing(prompt: str, change: Callable[[str], str]) -> None:
    assert understand(change(prompt)) == understand(prompt)


@pytest.mark.parametrize("prompt", [*PROMPTS[::4], *[korean for _, korean in TWINS[::4]]])
@pytest.mark.parametrize(
    "mark", [", ", ". ", " - ", "\n", "\t", " … ", "! ", " / ", "  ", "\u3000", "、", " (", " “", "; "]
)
def test_marks_between_words_change_nothing(prompt: str, mark: str) -> None:
    assert understand(prompt.replace(" ", mark)) == understand(prompt)


@pytest.mark.parametrize("quoted", ["'{}'", '"{}"', "“{}”", "«{}»", "「{}」", "*{}*", "#{}", "{}!!!", "🙂 {} 🙂"])
def test_quotes_and_pictures_around_a_prompt_change_nothing(quoted: str) -> None:
    prompt = "a red ball rolling left"

    assert understand(quoted.format(prompt)) == understand(prompt)


@pytest.mark.parametrize("apostrophe", ["'", "\u2019", "\u02bc", "\uff07"])
def test_any_apostrophe_of_a_keyboard_or_a_word_processor_is_read(apostrophe: str) -> None:
    reading = understand(f"the ocean{apostrophe}s waves at night")

    assert (reading.values.scene, reading.ignored_words) == ("sea", ())


@pytest.mark.parametrize(
    ("joined", "apart"),
    [
        ("a bar-chart rising", "a bar chart rising"),
        ("a white-on-blue square", "a white on blue square"),
        ("a left-moving red ball", "a left moving red ball"),
    ],
)
def test_words_joined_by_a_hyphen_are_read_one_by_one(joined: str, apart: str) -> None:
    assert values_of(joined) == values_of(apart)


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "amount"),
    [
        ("2 bars", "two"),
        ("5 bars rising", "five"),
        ("막대 3개", "three"),
        ("막대 네개", "four"),
        ("Two (2) bars", "two"),
    ],
)
def test_a_number_of_bars_is_read(prompt: str, amount: str) -> None:
    assert understand(prompt).understood["amount"] == amount


@pytest.mark.parametrize(
    "prompt",
    ["a bar chart of 2024", "a bar chart of 1 bar", "a chart with 12 bars", "a chart with 6 bars", "막대 열 개 그래프"],
)
def test_a_number_the_chart_does_not_have_is_listed_and_not_rounded(prompt: str) -> None:
    reading = understand(prompt)

    assert "amount" not in reading.understood
    assert reading.assumed["amount"] == "four"
    assert len(reading.ignored_words) > 0


@pytest.mark.parametrize(
    ("prompt", "left_out"),
    [
        pytest.param("a 3D bar chart rising", "3d", id="3D"),
        pytest.param("a 4K bar chart rising", "4k", id="4K"),
        pytest.param("a 5G bar chart rising", "5g", id="5G"),
    ],
)
def test_a_number_inside_a_word_is_no_number_of_bars(prompt: str, left_out: str) -> None:
    reading = understand(prompt)

    assert "amount" not in reading.understood
    assert reading.ignored_words == (left_out,)


@pytest.mark.parametrize("prompt", ["bar chart of exports up 5%", "수출이 5% 늘어나는 막대그래프"])
def test_a_percentage_is_no_number_of_bars(prompt: str) -> None:
    assert "amount" not in understand(prompt).understood


@pytest.mark.parametrize("prompt", ["five clouds in the sky", "two circles", "three cities in the rain"])
def test_what_cannot_be_counted_is_not_said_to_be(prompt: str) -> None:
    assert "amount" not in understand(prompt).understood


# -- what the prompt does not want ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "unwanted"),
    [
        ("a sky with no clouds", "clouds"),
        ("a red ball, not a square", "square"),
        ("a calm sea without a horizon", "horizon"),
        ("구름 없는 하늘", "구름"),
        ("바다 말고 하늘", "바다"),
        ("수평선이 없는 바다", "수평선이"),
    ],
)
def test_what_is_not_wanted_is_listed(prompt: str, unwanted: str) -> None:
    assert unwanted in understand(prompt).ignored_words


@pytest.mark.parametrize(
    "prompt",
    [
        "a city at night, no rain or snow",
        "a city with no rain and no snow",
        "a city at night without any rain",
        "never any rain in the city",
        "a city with neither rain nor snow",
        "a city where it isn't raining",
        "비도 눈도 없는 도시",
        "비가 오지 않는 도시의 밤",
        "비 안 오는 도시",
        "비나 눈이 없는 도시",
    ],
)
def test_weather_that_the_prompt_rules_out_is_never_shown(prompt: str) -> None:
    with pytest.raises(RequestError, match="only in rain or in snow"):
        understand(prompt)


def test_weather_that_is_ruled_out_gives_way_to_the_other() -> None:
    assert understand("a city with snow, no rain").values.scene == "city snow"
    assert understand("비 말고 눈이 내리는 도시").values.scene == "city snow"


@pytest.mark.parametrize(
    ("together", "apart"),
    [
        ("눈오는 도시의 밤", "눈 오는 도시의 밤"),
        ("비내리는 도시", "비 내리는 도시"),
        ("눈내리는 도시", "눈 내리는 도시"),
    ],
)
def test_weather_and_its_verb_may_be_written_together_as_koreans_do(together: str, apart: str) -> None:
    assert understand(together).values == understand(apart).values


# -- what was left out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "ignored"),
    [
        ("zebra apple zebra sea APPLE mango", ("zebra", "apple", "mango")),
        ("대통령, 바다, 국회, 대통령", ("대통령", "국회")),
        ("sea of 2024, 서울, naïve 2024", ("2024", "서울", "naïve")),
        ("Москва 東京 the sea", ("москва", "東京")),
        ("a red ball and a blue ball", ("blue",)),
        ("heavy rain then light rain over a city", ("then", "light")),
        ("the sea by day, then at night", ("then", "night")),
        ("a chart rising and falling", ("falling",)),
        ("the sea rising", ("rising",)),
        ("a purple sky", ("purple",)),
    ],
)
def test_words_left_out_are_listed_once_in_the_order_of_the_prompt(prompt: str, ignored: tuple[str, ...]) -> None:
    assert understand(prompt).ignored_words == ignored


@settings(max_examples=120, deadline=None)
@given(st.lists(st.text(alphabet=string.ascii_lowercase, min_size=9, max_size=14), min_size=1, max_size=12))
def test_made_up_words_are_all_listed_once_and_in_order(words: list[str]) -> None:
    unknown = [f"zq{word}" for word in words]

    reading = understand(" ".join([*unknown, "sea", *reversed(unknown)]))

    assert reading.ignored_words == tuple(dict.fromkeys(unknown))


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(ENGLISH)), max_size=10), st.lists(st.sampled_from(PROMPTS), min_size=1, max_size=2)
)
def test_what_is_listed_stands_in_the_prompt_in_that_order(words: list[str], prompts: list[str]) -> None:
    prompt = " ".join([*words, *prompts, "the sea in the rain with snow"])

    ignored = understand(prompt).ignored_words

    places = [split_words(prompt).index(word) for word in ignored if len(word) < MAX_REPORTED_WORD]
    assert len(set(ignored)) == len(ignored)
    assert len(places) == len(ignored)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PROMPTS + [korean for _, korean in TWINS]))
def test_what_was_said_and_what_was_chosen_are_told_apart(prompt: str) -> None:
    reading = understand(prompt)

    filled = {slot for slot in SLOT_VALUES if getattr(reading.values, slot) is not None} - {"scene"}
    said_slots, chosen = set(reading.understood) - {"scene"}, set(reading.assumed) & set(SLOT_VALUES)
    assert said_slots | chosen == filled
    assert said_slots & chosen == set()


@pytest.mark.parametrize("name", [name for name in SCENES if name not in LEARNED_SCENES])
def test_what_the_grammar_chooses_alone_is_what_the_scene_is_made_with(name: str) -> None:
    words = {"city rain": "rain", "city snow": "snow"}.get(name, name)

    assert understand(words).values == SCENE_RULES[name].defaults


# -- any text ----------------------------------------------------------------------------------------------------------


def reading_or_refusal(prompt: str) -> Understanding | RequestError:
    try:
        return understand(prompt)
    except RequestError as refusal:
        return refusal


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_the_grammar_raise_anything_else_than_a_refusal(prompt: str) -> None:
    first, second = reading_or_refusal(prompt), reading_or_refusal(prompt)

    assert type(first) is type(second)
    assert isinstance(first, RequestError) or first == second


WORDS = sorted({word.rstrip("~") for word in (*ENGLISH, *KOREAN)})


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_no_words_of_the_lexicon_together_break_the_grammar(words: list[str]) -> None:
    result = reading_or_refusal(" ".join(words))

    assert isinstance(result, RequestError) or result.values.scene in SCENES


@settings(max_examples=120, deadline=None)
@given(
    # "떠" is the stem of a verb, which takes endings and no particles.
    st.sampled_from(sorted(word for word in KOREAN if "~" not in word and word != "떠")),
    st.sampled_from(sorted(PARTICLES)),
)
def test_a_particle_never_makes_a_known_noun_unknown(noun: str, particle: str) -> None:
    alone, followed = understand(f"{noun} 차트"), understand(f"{noun}{particle} 차트")

    assert (noun in alone.ignored_words) or (f"{noun}{particle}" not in followed.ignored_words)


def test_a_verb_may_be_inflected_but_only_within_reason() -> None:
    ending = "가" * MAX_VERB_ENDING

    assert understand(f"바다 그래프 상승{ending}").ignored_words == ("바다",)
    assert understand(f"바다 그래프 상승{ending}가").ignored_words == ("바다", f"상승{ending}가")


def test_no_word_of_either_lexicon_says_the_same_role_twice() -> None:
    doubled = [
        word
        for word, meanings in (*ENGLISH.items(), *KOREAN.items())
        if len({meaning.role for meaning in meanings}) != len(meanings)
    ]

    assert doubled == []


def test_no_word_that_means_something_is_also_left_out_of_the_report() -> None:
    mixed = [
        word
        for word, meanings in (*ENGLISH.items(), *KOREAN.items())
        if Role.EMPTY in {meaning.role for meaning in meanings} and len(meanings) > 1
    ]

    assert mixed == []


def test_the_longest_prompt_is_read_whole() -> None:
    filler = "zq" * 10 + " "
    prompt = (filler * 400)[: MAX_PROMPT_CHARACTERS - 20] + " a calm sea at night"

    reading = understand(prompt)

    assert (reading.values.scene, reading.values.time, reading.values.amount) == ("sea", "night", "calm")


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("가" * (MAX_PROMPT_CHARACTERS - 3) + " 바다", id="one long Korean word"),
        pytest.param("a" * (MAX_PROMPT_CHARACTERS - 4) + " sea", id="one long English word"),
        pytest.param("9" * (MAX_PROMPT_CHARACTERS - 4) + " sea", id="one long number"),
        pytest.param("바다 " * (MAX_PROMPT_CHARACTERS // 3), id="one word again and again"),
        pytest.param("move left " * (MAX_PROMPT_CHARACTERS // 10 - 1) + "sea", id="one motion again and again"),
        pytest.param("no " * (MAX_PROMPT_CHARACTERS // 3 - 2) + "a sea", id="no, no, no"),
    ],
)
@pytest.mark.timeout(5)
def test_a_prompt_made_to_be_slow_is_read_in_no_time(prompt: str) -> None:
    result = reading_or_refusal(prompt)

    assert isinstance(result, RequestError) or all(len(word) <= MAX_REPORTED_WORD for word in result.ignored_words)


def test_a_refusal_never_repeats_the_prompt() -> None:
    refusal = reading_or_refusal("the secret wedding of somebody known")

    assert isinstance(refusal, RequestError)
    assert "wedding" not in f"{refusal.message} {refusal.fix}"
