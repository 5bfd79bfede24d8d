"""Prompts put into the model's own words, in English and Korean.

One rule: deterministic, and closed under reading: what is written here is read back as the same scene with nothing
assumed and nothing ignored. A rewritten prompt is a new prompt: it goes through policy again before it is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from platemark.errors import RequestError
from platemark.generation.prompts import understand
from platemark.generation.scenes import SlotValues
from platemark.generation.sentences import say
from platemark_provenance.digest import JsonValue

_MODELS = ("embedded",)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A prompt in the model's own words.

    Attributes:
        english: the whole scene in English.
        korean: the same scene in Korean.
        understood: what the prompt said, by aspect.
        added: what was chosen for it, by aspect.
        not_expressed: words of the prompt that are in neither sentence.
    """

    english: str
    korean: str
    understood: Mapping[str, str]
    added: Mapping[str, str]
    not_expressed: tuple[str, ...]

    def sentences(self) -> dict[str, str]:
        """Give the two sentences by the names under which they are screened."""
        return {"rewritten_en": self.english, "rewritten_ko": self.korean}

    def to_json(self) -> dict[str, JsonValue]:
        """Give all of it; every word of the sentences is the model's own."""
        return {
            "en": self.english,
            "ko": self.korean,
            "understood": dict(self.understood),
            "added": dict(self.added),
            "not_expressed": list(self.not_expressed),
        }


def rewrite_for(model: str, prompt: str) -> Rewriting:
    """Rewrite a prompt for a model.

    Raises:
        RequestError: the model has no grammar of its own, or nothing in the prompt names a scene that it can show.
    """
    if model not in _MODELS:
        raise RequestError(
            f"The model {model[:40]!r} takes prompts as they are; only {', '.join(_MODELS)} has words of its own.",
            fix="Leave --rewrite out.",
        )
    return rewrite(prompt)


def rewrite(prompt: str) -> Rewriting:
    """Rewrite a prompt so that it says all that will be shown and nothing else.

    Raises:
        RequestError: nothing in it names a scene that the model can show.
    """
    reading = understand(prompt)
    return Rewriting(
        english=in_english(reading.values),
        korean=in_korean(reading.values),
        understood=reading.understood,
        added=reading.assumed,
        not_expressed=reading.ignored_words,
    )


def in_english(values: SlotValues) -> str:
    """Say a scene in English.

    Args:
        values: a full set, as `understand` gives.
    """
    when = _ENGLISH_TIMES.get(values.time or "", "")
    match values.scene:
        case "sky":
            return f"{values.amount} clouds {values.motion} in a sky {when}"
        case "sea":
            return f"a {values.amount} {values.colour} sea {when}"
        case "city rain" | "city snow":
            return f"a city in {values.amount} {values.scene.removeprefix('city ')} {when}"
        case "chart":
            return (
                f"a chart of {values.amount} {values.colour} bars {values.motion} on a {values.background} background"
            )
        case "globe":
            return (
                f"a {values.colour} globe with {values.second_colour} land {values.motion} on a "
                f"{values.background} background"
            )
        case "circle" | "square" | "triangle":
            return f"a {values.colour} {values.scene} {values.motion} on a {values.background} background"
        case _:
            return say(values, language="en")


def in_korean(values: SlotValues) -> str:
    """Say a scene in Korean.

    Args:
        values: a full set, as `understand` gives.
    """
    when = _KOREAN_TIMES.get(values.time or "", "")
    amount = _KOREAN_AMOUNTS.get(values.amount or "", "")
    motion = _KOREAN_MOTIONS.get(values.motion or "", "")
    colour, second, ground = (
        _KOREAN_COLOURS.get(colour or "", "") for colour in (values.colour, values.second_colour, values.background)
    )
    match values.scene:
        case "sky":
            return f"{when} 하늘에서 {motion} {amount} 구름"
        case "sea":
            return f"{when}의 {amount} {colour} 바다"
        case "city rain":
            return f"{when}에 {amount} 비가 내리는 도시"
        case "city snow":
            return f"{when}에 {amount} 눈이 내리는 도시"
        case "chart":
            return f"{ground} 배경에서 {motion} {colour} 막대 {amount} 차트"
        case "globe":
            return f"{ground} 배경에서 {motion} {second} 육지가 있는 {colour} 지구"
        case "circle" | "square" | "triangle":
            return f"{ground} 배경에서 {motion} {colour} {_KOREAN_SHAPES[values.scene]}"
        case _:
            return say(values, language="ko")


_ENGLISH_TIMES: Mapping[str, str] = {"day": "in daylight", "sunset": "at sunset", "night": "at night"}
_KOREAN_TIMES: Mapping[str, str] = {"day": "낮", "sunset": "해질녘", "night": "밤"}
_KOREAN_SHAPES: Mapping[str, str] = {"circle": "원", "square": "사각형", "triangle": "삼각형"}
_KOREAN_AMOUNTS: Mapping[str, str] = {
    "few": "적은",
    "many": "많은",
    "calm": "잔잔한",
    "rough": "거친",
    "light": "약한",
    "heavy": "강한",
    "two": "두 개의",
    "three": "세 개의",
    "four": "네 개의",
    "five": "다섯 개의",
}
_KOREAN_COLOURS: Mapping[str, str] = {
    "red": "빨간색",
    "green": "초록색",
    "blue": "파란색",
    "yellow": "노란색",
    "orange": "주황색",
    "purple": "보라색",
    "white": "흰색",
    "black": "검은색",
    "cyan": "청록색",
    "pink": "분홍색",
}
_KOREAN_MOTIONS: Mapping[str, str] = {
    "moving left": "왼쪽으로 움직이는",
    "moving right": "오른쪽으로 움직이는",
    "moving up": "위쪽으로 움직이는",
    "moving down": "아래쪽으로 움직이는",
    "bouncing": "튀는",
    "growing": "커지는",
    "shrinking": "작아지는",
    "spinning": "회전하는",
    "rising": "올라가는",
    "falling": "내려가는",
    "drifting left": "왼쪽으로 움직이는",
    "drifting right": "오른쪽으로 움직이는",
    "rotating left": "왼쪽으로 회전하는",
    "rotating right": "오른쪽으로 회전하는",
}
