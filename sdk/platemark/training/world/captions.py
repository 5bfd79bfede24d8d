"""Captions in English and Korean, from the same attributes as the picture.

One rule: a caption names every attribute of its clip, so that no two sets of attributes share one. Pure functions.
"""

from collections.abc import Mapping
from dataclasses import asdict

from platemark.training.world.attributes import Attributes

_PLACE = "on a {background} background"
ENGLISH: Mapping[str, str] = {
    "shape": f"a {{colour}} {{shape}} {{motion}} {_PLACE}",
    "sky": "{amount} clouds {motion} in a {time} sky",
    "sea": "a {amount} {colour} sea with waves at {time}",
    "city rain": "{amount} rain falling over a city at {time}",
    "city snow": "{amount} snow falling over a city at {time}",
    "bar chart": f"a chart of {{amount}} {{colour}} bars {{motion}} {_PLACE}",
    "line chart": f"a {{colour}} line chart {{motion}} {_PLACE}",
    "globe": f"a {{colour}} globe with {{second_colour}} land {{motion}} {_PLACE}",
    "map": "a map with a {colour} route {motion} over {second_colour} land and {background} water",
    "flag": "a {colour} flag with {second_colour} {pattern} waving against a {background} sky",
    "countdown": f"a countdown from {{amount}} in {{colour}} {_PLACE}",
    "occluder": f"a {{colour}} {{shape}} {{motion}} behind a {{second_colour}} column {_PLACE}",
    "cube": f"a {{colour}} cube seen by a camera {{motion}} {_PLACE}",
    "voxels": "{motion} over {colour} block hills at {time}",
}
"""A sentence for each scene."""

KOREAN: Mapping[str, str] = {
    "shape": "{background} 배경에서 {motion} {colour} {shape}",
    "sky": "{time} 하늘에서 {motion} {amount} 구름",
    "sea": "{time}의 {amount} {colour} 바다와 파도",
    "city rain": "{time} 도시에 내리는 {amount} 비",
    "city snow": "{time} 도시에 내리는 {amount} 눈",
    "bar chart": "{background} 배경에서 {motion} {colour} 막대 {amount} 개의 차트",
    "line chart": "{background} 배경에서 {motion} {colour} 선 그래프",
    "globe": "{background} 배경에서 {motion} {second_colour} 육지가 있는 {colour} 지구본",
    "map": "{background} 물과 {second_colour} 땅 위에서 {motion} {colour} 경로가 있는 지도",
    "flag": "{background} 하늘에 펄럭이는 {second_colour} {pattern} 무늬의 {colour} 깃발",
    "countdown": "{background} 배경에 {colour} 숫자로 {amount}부터 세는 카운트다운",
    "occluder": "{background} 배경에서 {second_colour} 기둥 뒤로 {motion} {colour} {shape}",
    "cube": "{background} 배경에서 {motion} 카메라로 본 {colour} 정육면체",
    "voxels": "{time}에 {colour} 블록 언덕 위를 {motion} 장면",
}
"""The same sentences, in the order that Korean speaks."""

KOREAN_VALUES: Mapping[str, Mapping[str, str]] = {
    "shape": {"circle": "원", "square": "사각형", "triangle": "삼각형"},
    "colour": {
        "red": "빨간",
        "green": "초록색",
        "blue": "파란",
        "yellow": "노란",
        "orange": "주황색",
        "purple": "보라색",
        "white": "흰색",
        "black": "검은색",
        "cyan": "청록색",
        "pink": "분홍색",
    },
    "motion": {
        "moving left": "왼쪽으로 움직이는",
        "moving right": "오른쪽으로 움직이는",
        "moving up": "위로 움직이는",
        "moving down": "아래로 움직이는",
        "bouncing": "튀는",
        "growing": "커지는",
        "shrinking": "작아지는",
        "spinning": "빙글빙글 도는",
        "rising": "올라가는",
        "falling": "내려가는",
        "drifting left": "왼쪽으로 흐르는",
        "drifting right": "오른쪽으로 흐르는",
        "rotating left": "왼쪽으로 도는",
        "rotating right": "오른쪽으로 도는",
        "orbiting left": "왼쪽으로 도는",
        "orbiting right": "오른쪽으로 도는",
        "flying forward": "앞으로 나는",
        "turning left": "왼쪽으로 도는",
        "turning right": "오른쪽으로 도는",
        "jumping": "뛰어오르는",
        "flying freely": "자유롭게 나는",
    },
    "time": {"day": "낮", "sunset": "해질녘", "night": "밤"},
    "amount": {
        "few": "적은",
        "many": "많은",
        "calm": "잔잔한",
        "rough": "거친",
        "light": "약한",
        "heavy": "강한",
        "two": "두",
        "three": "세",
        "four": "네",
        "five": "다섯",
    },
    "pattern": {
        "vertical bands": "세로 띠",
        "horizontal bands": "가로 띠",
        "cross": "십자",
        "disc": "동그라미",
    },
}
"""How Korean says each value before a noun; colours of every slot share one table."""

_KOREAN_COUNTS = {"three": "셋", "four": "넷", "five": "다섯"}


def english_caption(attributes: Attributes) -> str:
    """Say in English what a clip shows."""
    return ENGLISH[attributes.scene].format(**_said(attributes))


def korean_caption(attributes: Attributes) -> str:
    """Say in Korean what a clip shows."""
    words = {
        slot: KOREAN_VALUES["colour" if slot in ("second_colour", "background") else slot][value]
        for slot, value in _said(attributes).items()
        if slot != "scene"
    }
    if attributes.scene == "countdown" and attributes.amount is not None:
        words["amount"] = _KOREAN_COUNTS[attributes.amount]  # a number that stands alone has another form
    return KOREAN[attributes.scene].format(**words)


def _said(attributes: Attributes) -> dict[str, str]:
    return {slot: value for slot, value in asdict(attributes).items() if value is not None}
