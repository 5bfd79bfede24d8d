"""Prompts by the thousand: attributes in, a sentence out, with what it says and what in it cannot be shown.

One rule: a prompt is a pure function of (seed, number); only slots that its words name are in its answer.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from platemark.training.wording import wording
from platemark.training.world.attributes import FAMILIES, Attributes
from platemark.training.world.captions import english_caption, korean_caption
from platemark.training.world.holdout import split_family

_SLOT = re.compile(r"{(\w+)}")
_COLOURS = ("colour", "second_colour", "background")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and its answer.

    Attributes:
        words: in order.
        expressed: for each word whether the slots say it, or it says nothing.
        slots: the numbers of the values that the words name; 0 where they name none.
        language: `en` or `ko`.
    """

    words: tuple[str, ...]
    expressed: tuple[bool, ...]
    slots: tuple[int, ...]
    language: str


def make_prompt(seed: int, number: int) -> Prompt:
    """Make a prompt of the training part of the world: half of them Korean, one in twelve the world's own caption."""
    dice = random.Random(f"platemark.prompt.1:{seed}:{number}")  # noqa: S311  # to be repeated, not to be secret
    family = dice.choice(FAMILIES)
    attributes = dice.choice(split_family(family.name).train)
    language = dice.choice(("en", "ko"))
    if dice.random() < 1 / 12:
        caption = (english_caption if language == "en" else korean_caption)(attributes)
        return _prompt([(caption, True)], attributes.indices(), language)
    parts, named = _Sentence(dice, attributes, language).parts()
    said = {slot: value for slot, value in asdict(attributes).items() if slot in named or slot == "scene"}
    return _prompt(_around(parts, dice, language), Attributes(**said).indices(), language)


def split_plain(text: str) -> tuple[str, ...]:
    """Split a training prompt as prompts are split when they are read."""
    return tuple(re.findall(r"[a-z]+(?:[-'][a-z\d]+)*|[가-힣]+|\d[\da-z가-힣]*", text.lower()))


class _Sentence:
    """One sentence in the making: the phrases and which slots they name."""

    def __init__(self, dice: random.Random, attributes: Attributes, language: str) -> None:
        self._dice = dice
        self._said: Mapping[str, str | None] = asdict(attributes)
        self._language = language
        self._named: set[str] = set()

    def parts(self) -> tuple[list[tuple[str, bool]], set[str]]:
        """Give the phrases in order, and the slots they name."""
        scene = self._said["scene"] or ""
        head = self._fill(self._dice.choice(wording().heads[self._language][scene]))
        tails = [tail for tail in (self._motion(), self._background(scene), self._time()) if tail]
        self._dice.shuffle(tails)
        if self._language == "ko":
            ordered = [*tails, head] if self._dice.random() < 0.8 else [head, *tails]
        else:
            ordered = [head, *tails] if self._dice.random() < 0.8 else [*tails[:1], head, *tails[1:]]
        comma = ", " if self._dice.random() < 0.2 else " "
        return [(comma.join(ordered), True)], self._named

    def _motion(self) -> str | None:
        motion = self._said["motion"]
        if motion is None or self._dice.random() < 0.15:
            return None
        self._named.add("motion")
        return self._dice.choice(wording().motions[self._language][motion])

    def _background(self, scene: str) -> str | None:
        if self._said["background"] is None or "background" in self._named or self._dice.random() < 0.2:
            return None
        table = wording().backgrounds[self._language]
        return self._fill(self._dice.choice(table.get(scene, table[""])))

    def _time(self) -> str | None:
        time = self._said["time"]
        if time is None or self._dice.random() < 0.15:
            return None
        self._named.add("time")
        word = self._dice.choice(wording().values[self._language]["time"][time])
        return word if self._language == "en" else word + self._dice.choice(("에", "", "의", " 시간에"))

    def _fill(self, phrase: str) -> str:
        """Put words for values into a phrase; a slot that this clip does not have leaves nothing."""
        return " ".join(_SLOT.sub(lambda match: self._word(match[1]), phrase).split())

    def _word(self, slot: str) -> str:
        value = self._said[slot]
        if value is None:
            return ""
        # Sometimes a slot goes unsaid even where a phrase has room for it.
        if slot in ("colour", "amount") and self._dice.random() < 0.12:
            return ""
        self._named.add(slot)
        table = wording().colours[self._language] if slot in _COLOURS else wording().values[self._language][slot]
        return self._dice.choice(table[value])


def _around(parts: list[tuple[str, bool]], dice: random.Random, language: str) -> list[tuple[str, bool]]:
    """Put words that say nothing, and words that cannot be shown, before and after."""
    around = list(parts)
    if dice.random() < 0.3:
        around.insert(0, (dice.choice(wording().openings[language]), True))
    if dice.random() < 0.35:
        stranger = (dice.choice(wording().strangers[language]), False)
        around.insert(dice.randrange(len(around) + 1), stranger)
    if dice.random() < 0.3:
        around.append((dice.choice(wording().closings[language]), True))
    return around


def _prompt(parts: list[tuple[str, bool]], slots: tuple[int, ...], language: str) -> Prompt:
    words: list[str] = []
    expressed: list[bool] = []
    for text, known in parts:
        own = split_plain(text)
        words += own
        expressed += [known] * len(own)
    return Prompt(tuple(words), tuple(expressed), slots, language)
