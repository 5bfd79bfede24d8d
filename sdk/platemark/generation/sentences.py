"""The one sentence for each scene that only the reader finds, in English and Korean, and its way back.

One rule: what `say` writes, `recognise` reads back to the same values, letter by letter; no model is asked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache

from platemark.generation.scenes import SLOT_VALUES, SlotValues

_PLACE = "on a {background} background"
_ENGLISH: Mapping[str, str] = {
    "line chart": f"a {{colour}} line chart {{motion}} {_PLACE}",
    "map": "a map with a {colour} route {motion} over {second_colour} land and {background} water",
    "flag": "a {colour} flag with {second_colour} {pattern} waving against a {background} sky",
    "countdown": f"a countdown from {{amount}} in {{colour}} {_PLACE}",
    "occluder": f"a {{colour}} {{shape}} {{motion}} behind a {{second_colour}} column {_PLACE}",
    "cube": f"a {{colour}} cube seen by a camera {{motion}} {_PLACE}",
    "voxels": "{motion} over {colour} block hills at {time}",
}
_KOREAN: Mapping[str, str] = {
    "line chart": "{background} 배경에서 {motion} {colour} 선 그래프",
    "map": "{background} 물과 {second_colour} 땅 위에서 {motion} {colour} 경로가 있는 지도",
    "flag": "{background} 하늘에 펄럭이는 {second_colour} {pattern} 무늬의 {colour} 깃발",
    "countdown": "{background} 배경에 {colour} 숫자로 {amount}부터 세는 카운트다운",
    "occluder": "{background} 배경에서 {second_colour} 기둥 뒤로 {motion} {colour} {shape}",
    "cube": "{background} 배경에서 {motion} 카메라로 본 {colour} 정육면체",
    "voxels": "{time}에 {colour} 블록 언덕 위를 {motion} 장면",
}
_COLOURS = ("빨간", "초록색", "파란", "노란", "주황색", "보라색", "흰색", "검은색", "청록색", "분홍색")
_KOREAN_VALUES: Mapping[str, tuple[str, ...]] = {
    "shape": ("원", "사각형", "삼각형"),
    "colour": _COLOURS,
    "second_colour": _COLOURS,
    "background": _COLOURS,
    "motion": (
        "왼쪽으로 움직이는",
        "오른쪽으로 움직이는",
        "위로 움직이는",
        "아래로 움직이는",
        "튀는",
        "커지는",
        "작아지는",
        "빙글빙글 도는",
        "올라가는",
        "내려가는",
        "왼쪽으로 흐르는",
        "오른쪽으로 흐르는",
        "왼쪽으로 회전하는",
        "오른쪽으로 회전하는",
        "왼쪽으로 도는",
        "오른쪽으로 도는",
        "앞으로 나는",
        "왼쪽으로 선회하는",
        "오른쪽으로 선회하는",
        "뛰어오르는",
        "자유롭게 나는",
    ),
    "time": ("낮", "해질녘", "밤"),
    "amount": ("적은", "많은", "잔잔한", "거친", "약한", "강한", "둘", "셋", "넷", "다섯"),
    "pattern": ("세로 띠", "가로 띠", "십자", "동그라미"),
}


_NAMES: Mapping[str, re.Pattern[str]] = {
    scene: re.compile(f"(?:{english})s?|(?:{korean})[가-힣]*")
    for scene, english, korean in (
        ("line chart", "line|curve|linechart|trendline|line-chart|line-graph", "선그래프|꺾은선|곡선|추세선|선"),
        ("map", "map|route|itinerary", "지도|경로|노선"),
        ("flag", "flag|banner|pennant", "깃발|국기|기가|현수막"),
        ("countdown", "countdown|count-down|counting|counts", "카운트다운|초읽기|숫자"),
        ("occluder", "column|pillar|post|behind", "기둥|뒤"),
        ("cube", "cube|dice|die", "정육면체|큐브|주사위"),
        ("voxels", "voxel|flight|flying|fly|flie|hill|terrain|landscape|block", "블록|복셀|언덕|비행|지형"),
    )
}
"""Words that must stand in a prompt before the trained reader may find one of these scenes in it."""


def named_scenes(words: Sequence[str]) -> tuple[str, ...]:
    """Name the scenes beyond the rules' own that words speak of, in the order of `LEARNED_SCENES`."""
    return tuple(scene for scene, names in _NAMES.items() if any(names.fullmatch(word) for word in words))


def say(values: SlotValues, *, language: str) -> str:
    """Say a scene that the grammar has no words for, in `en` or `ko`.

    Args:
        values: a full set for one of `LEARNED_SCENES`.
        language: of the sentence.

    Raises:
        KeyError: the scene is one of the grammar's own.
    """
    sentences, words = _tables(language)
    chosen = {
        slot: words[slot][SLOT_VALUES[slot].index(value)]
        for slot, value in asdict(values).items()
        if value is not None and slot != "scene"
    }
    return sentences[values.scene or ""].format(**chosen)


def recognise(prompt: str) -> SlotValues | None:
    """Read a sentence that `say` wrote; none if it is another one."""
    plain = " ".join(prompt.lower().split())
    for language in ("en", "ko"):
        for scene, pattern in _patterns(language).items():
            match = pattern.fullmatch(plain)
            if match is not None:
                _, words = _tables(language)
                found = {slot: SLOT_VALUES[slot][words[slot].index(word)] for slot, word in match.groupdict().items()}
                return SlotValues(scene=scene, **found)
    return None


def _tables(language: str) -> tuple[Mapping[str, str], Mapping[str, tuple[str, ...]]]:
    return (_KOREAN, _KOREAN_VALUES) if language == "ko" else (_ENGLISH, SLOT_VALUES)


@lru_cache(maxsize=2)
def _patterns(language: str) -> Mapping[str, re.Pattern[str]]:
    sentences, words = _tables(language)
    return {
        scene: re.compile(
            re.sub(r"{(\w+)}", lambda match: f"(?P<{match[1]}>{'|'.join(map(re.escape, words[match[1]]))})", sentence)
        )
        for scene, sentence in sentences.items()
    }
