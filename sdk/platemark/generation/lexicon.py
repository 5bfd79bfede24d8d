"""The words the embedded model's grammar knows, in English and Korean, and what each one means.

One rule: a word stands here only if the model can act on it, or if leaving it out changes nothing (articles, "video").
All other words are reported back to the caller. Data only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What kind of thing a word says."""

    SCENE = "scene"
    WEAK_SCENE = "weak scene"
    WEATHER = "weather"
    COLOUR = "colour"
    SHADE = "shade"
    TIME = "time"
    WAY = "way"
    ACT = "act"
    AMOUNT = "amount"
    NUMBER = "number"
    COUNTED = "counted"
    BEHIND = "behind"
    LAND = "land"
    DETAIL = "detail"
    ON = "on"
    FROM = "from"
    NOT = "not"
    NOT_BEFORE = "not before"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a word says."""

    role: Role
    value: str = ""


def _table(rows: Mapping[str, str]) -> dict[str, tuple[Meaning, ...]]:
    table: dict[str, tuple[Meaning, ...]] = {}
    for meaning, words in rows.items():
        parsed = []
        for part in meaning.split(" + "):
            role, _, value = part.partition(":")
            parsed.append(Meaning(Role(role), value))
        for word in words.split():
            table[word] = tuple(parsed)
    return table


ENGLISH: Mapping[str, tuple[Meaning, ...]] = _table(
    {
        "scene:circle": "circle circles ball balls disc discs disk disks dot dots",
        "scene:square": "square squares box boxes rectangle",
        "weak scene:square": "block blocks",
        "scene:triangle": "triangle triangles",
        "scene:sky": "sky skies cloud clouds cloudscape heavens",
        "amount:much + scene:sky": "cloudy overcast",
        "scene:sea": "sea seas ocean oceans seascape",
        "weak scene:sea": "wave waves water surf swell",
        "scene:chart": "chart charts graph graphs histogram barchart",
        "scene:chart + counted": "bars",
        "weak scene:chart + counted": "bar column columns",
        "scene:globe": "globe globes planet planets earth",
        "scene:city": ("city cities town skyline cityscape downtown buildings building skyscrapers skyscraper urban"),
        "detail:city": "lights windows lit",
        "detail:sea": "horizon",
        "weather:rain": "rain rains raining rainfall rainy raindrops",
        "amount:little + weather:rain": "drizzle drizzling drizzly showers shower",
        "amount:much + weather:rain": "downpour rainstorm pouring",
        "weather:snow": "snow snows snowing snowfall snowy snowflakes",
        "amount:little + weather:snow": "flurry flurries",
        "amount:much + weather:snow": "blizzard snowstorm",
        "colour:red": "red crimson scarlet",
        "colour:green": "green emerald",
        "colour:blue": "blue navy",
        "colour:yellow": "yellow golden gold",
        "colour:orange": "orange",
        "colour:purple": "purple violet",
        "colour:white": "white",
        "colour:black": "black",
        "colour:cyan": "cyan turquoise teal aqua",
        "colour:pink": "pink rose",
        "shade": "pale deep bright",
        "shade:night": "dark",
        "shade:little": "light",
        "time:day": "day daytime daylight noon midday morning afternoon sunny",
        "time:sunset": "sunset sundown dusk dawn sunrise twilight evening",
        "time:night": "night nighttime midnight nocturnal nights night-time",
        "way:left": "left leftward leftwards",
        "way:right": "right rightward rightwards",
        "way:up": "up upward upwards",
        "way:down": "down downward downwards",
        "act:move": (
            "move moves moving drift drifts drifting slide slides sliding float floats floating "
            "glide glides gliding travel travels travelling traveling go goes going pass passes "
            "passing cross crosses crossing roll rolls rolling"
        ),
        "act:bounce": "bounce bounces bouncing",
        "act:grow": "grow grows growing expand expands expanding enlarging",
        "act:shrink": "shrink shrinks shrinking contracting",
        "act:spin": "spin spins spinning whirling",
        "act:rotate": "rotate rotates rotating turn turns turning revolving",
        "act:rise": "rise rises rising climb climbs climbing increase increases increasing ascending",
        "act:fall": (
            "fall falls falling drop drops dropping sink sinks decrease decreases decreasing "
            "decline declines declining descending"
        ),
        "amount:little": "few calm gentle sparse quiet still slight scattered clear",
        "amount:much": "many heavy rough strong stormy thick dense hard lots choppy torrential",
        "number:two": "two 2",
        "number:three": "three 3",
        "number:four": "four 4",
        "number:five": "five 5",
        "behind": "background backgrounds backdrop canvas",
        "land": "land lands continent continents landmass landmasses",
        "on": "on against",
        "from": "from",
        "not before": "no without not never neither nor isnt arent doesnt dont",
        "empty": (
            "a an the any of with at in and or is are to over under by it its this that there some one "
            "single very please video videos clip clips footage scene scenes shot show shows "
            "showing make generate create as into across toward towards while during for view"
        ),
    }
)
"""A word in lower case, and all that it says."""

KOREAN: Mapping[str, tuple[Meaning, ...]] = _table(
    {
        "scene:circle": "원 동그라미 공 원반 원형",
        "scene:square": "사각형 네모 정사각형 상자 직사각형",
        "scene:triangle": "삼각형 세모",
        "scene:sky": "하늘 구름",
        "time:night + scene:sky": "밤하늘",
        "amount:little + time:day + scene:sky": "맑은~",
        "amount:much + scene:sky": "먹구름 흐린~",
        "scene:sea": "바다 바닷물 파도 해양 대양 물결 바닷가",
        "time:night + scene:sea": "밤바다",
        "scene:chart": "차트 그래프 막대그래프 도표 막대차트",
        "scene:chart + counted": "막대",
        "scene:globe": "지구 지구본 행성 지구의",
        "scene:city": "도시 도심 시내 빌딩 건물 고층빌딩 스카이라인 시가지",
        "time:night + scene:city": "야경 밤거리",
        "detail:city": "불빛 조명 창문 불",
        "detail:sea": "수평선",
        "weather:rain": "비 빗속 빗줄기 빗방울 우천",
        "amount:little + weather:rain": "가랑비 이슬비 보슬비 부슬비",
        "amount:much + weather:rain": "폭우 장대비 소나기 호우",
        "weather:snow": "눈 눈송이 눈발",
        "amount:little + weather:snow": "가랑눈",
        "amount:much + weather:snow": "폭설 함박눈 대설 눈보라",
        "colour:red": "빨간 빨강 빨간색 붉은 붉은색 적색 빨강색",
        "colour:green": "초록 초록색 녹색 초록빛",
        "colour:blue": "파란 파랑 파란색 푸른 푸른색 청색 남색 파랑색",
        "colour:yellow": "노란 노랑 노란색 황색 노랑색 금색",
        "colour:orange": "주황 주황색 오렌지색",
        "colour:purple": "보라 보라색 자주색",
        "colour:white": "흰 흰색 하얀 하얀색 백색 하양",
        "colour:black": "검은 검은색 검정 검정색 까만 까만색 흑색",
        "colour:cyan": "하늘색 청록 청록색 옥색",
        "colour:pink": "분홍 분홍색 핑크 핑크색",
        "shade": "연한 진한 밝은 짙은",
        "shade:night": "어두운",
        "time:day": "낮 대낮 한낮 아침 오후 정오",
        "time:sunset": "석양 노을 일몰 해질녘 저녁 황혼 일출 새벽 해돋이 저녁노을",
        "time:night": "밤 한밤 한밤중 야간 심야 밤중",
        "way:left": "왼쪽 좌측 왼편",
        "way:right": "오른쪽 우측 오른편",
        "way:up": "위쪽 위로",
        "way:down": "아래 아래쪽 아래로",
        "act:move": "움직~ 이동~ 떠가~ 떠간~ 떠다니~ 흐르~ 흐른~ 흘러~ 지나가~ 지나간~ 굴러~ 미끄러~",
        "act:bounce": "튀~ 튄~ 튕~ 통통",
        "act:grow": "커지~ 커진~ 커져~ 커지는 확대~ 늘어나~ 늘어난~",
        "act:shrink": "작아지~ 작아진~ 작아져~ 줄어드~ 줄어든~ 줄어들~ 축소~",
        "act:spin": "빙글빙글 빙빙",
        "act:rotate": "도는 돈다 돌고 돌아가~ 회전~ 자전~",
        "act:rise": "올라가~ 올라간~ 오르~ 오른다 상승~ 증가~ 솟~",
        "act:fall": "내려가~ 내려간~ 내려오~ 떨어지~ 떨어진~ 떨어져~ 하락~ 감소~ 내리~ 내린~",
        "amount:little": "잔잔~ 고요~ 약한~ 약하게 가벼운~ 적은~ 조금 살짝 조용~",
        "amount:much": "많은~ 많이 거친~ 거센~ 강한~ 강하게 세찬~ 심한~ 가득~ 높은~",
        "number:two": "두 둘 2개 두개",
        "number:three": "세 셋 3개 세개",
        "number:four": "네 넷 4개 네개",
        "number:five": "다섯 5개 다섯개",
        "behind": "배경 바탕",
        "land": "육지 대륙 땅",
        "not": "없는 없이 없다 말고 아닌 않~ 그친~ 그치~",
        "not:verb": "안",
        "empty": (
            "개 한 하나 그리고 영상 동영상 비디오 클립 장면 모습 화면 있는 있다 있고 위 위에 속 "
            "속에 앞 쪽 점 몇 오는 온다 오고 보여줘 보여주는 만들어줘 만들어 주세요 함께 배경으로 "
            "오지 올 날 뜬 떠 떠있는 보이는 색 색의 채 치는 친다 되는 하는 한다 가는 간다"
        ),
    }
)
"""A word's stem and all that it says; a stem that ends in `~` takes any verb ending, the others only particles."""

_PARTICLES = (
    "이 가 은 는 을 를 의 에 에서 에게 로 으로 와 과 도 만 들 들이 들은 들을 들의 이고 이며 인 "
    "이다 하고 랑 나 이나 부터 까지 에는 에도 에서는 으로부터 로부터 에서부터 처럼 위 위에 위로 위의 속 "
    "속에 속의 빛 빛의 색 색의 형 모양 모양의 모양이 개 개의 개가 개로 중 마다"
)
PARTICLES = frozenset(_PARTICLES.split())
"""What may follow a Korean noun without changing what it says here."""
SOURCE_PARTICLES = frozenset({"에서", "부터", "에서부터", "으로부터", "로부터"})
"""After a direction these mean that something comes from there."""
LISTING_PARTICLES = frozenset({"도", "나", "이나", "와", "과", "랑", "하고"})
"""After a noun these mean that the next noun belongs with it."""
WEATHER_VERB = r"(?:오(?:는|고|지|며|면|던)|온다|온|올|내리[가-힣]{0,3}|내린[가-힣]{0,2})"
"""A pattern of what weather does in Korean; "오" alone begins many other words."""
NOT_ENDING = "n't"
"""What an English verb ends in when it is denied."""
MAX_VERB_ENDING = 5
"""Syllables; longer endings are other words."""
