"""Reading a prompt with both readers: the grammar's rules first, and a small trained transformer behind them.

One rule: the rules win where they know the words; the trained reader names a scene only where they find none or where a
word of the prompt names one that they do not know, and fills only what they had to assume, only where it is sure. What
neither made anything of is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from platemark.errors import RequestError
from platemark.generation.reader import Reading, shipped_reader
from platemark.generation.scenes import (
    LEARNED_SCENES,
    NUMBERS,
    PATTERNS,
    SCENE_RULES,
    SHAPES,
    TIMES,
    Scene,
    SlotValues,
)
from platemark.generation.sentences import named_scenes, recognise
from platemark.generation.text import (
    MAX_REPORTED_WORD,
    Understanding,
    content_words,
    denies,
    fill,
    named_colours,
    split_words,
)
from platemark.generation.text import understand as understand_by_rules

SURE = 0.8
"""Probability below which the trained reader's answer counts as open."""
_EXPRESSED = 0.5


@dataclass(frozen=True, slots=True)
class _Learned:
    """What the trained reader made of a prompt: what it is sure of, and the words it could not use."""

    values: SlotValues
    ignored: tuple[str, ...]


def understand(prompt: str) -> Understanding:
    """Read a prompt in English or Korean.

    Raises:
        RequestError: nothing in it names a scene that the model can show.
    """
    known = recognise(prompt)
    if known is not None:
        return _understood(known, ())
    words = split_words(prompt)
    named = named_scenes(words)
    if named and not denies(words):
        return _understood_of(named, words)
    try:
        ruled = understand_by_rules(prompt)
    except RequestError:
        learned = _read(words)
        # A wish against something ("no rain") is grammar, which only the rules know: their refusal stands. So it does
        # where most words are strangers: the trained reader has never seen a prompt without a scene.
        if not _names_a_scene_of_the_rules(learned) or denies(words) or not _mostly_known(words, learned):
            raise
        return _understood(learned.values, _with_lost_colours(words, learned))
    return ruled if not ruled.ignored_words or denies(words) else _backed(ruled, _read(words))


def _understood_of(named: tuple[str, ...], words: tuple[str, ...]) -> Understanding:
    """Read a prompt with a word for a scene that the rules do not know: what the scene is, that word decides."""
    learned = _read(words)
    if learned.values.scene in named:
        learned = _with_pair_of_colours(words, learned)
        return _understood(learned.values, _with_lost_colours(words, learned))
    try:
        return understand_by_rules(" ".join(words))
    except RequestError:
        ignored = tuple(dict.fromkeys(word[:MAX_REPORTED_WORD] for word in content_words(words)))
        unused = tuple(word for word in ignored if named_scenes((word,)) != named[:1])
        bare = _with_pair_of_colours(words, _Learned(SlotValues(scene=named[0]), unused))
        return _understood(bare.values, bare.ignored)


def _names_a_scene_of_the_rules(learned: _Learned) -> bool:
    """Say whether the scene is one whose words the rules know; the others need a word of their own in the prompt."""
    return learned.values.scene is not None and learned.values.scene not in LEARNED_SCENES


def _mostly_known(words: tuple[str, ...], learned: _Learned) -> bool:
    content = [word[:MAX_REPORTED_WORD] for word in content_words(words)]
    return 2 * sum(word not in learned.ignored for word in content) > len(content)


def _read(words: tuple[str, ...]) -> _Learned:
    reading = shipped_reader().read(words)
    found = {slot: value if reading.sure[slot] >= SURE else None for slot, value in reading.values.items()}
    scene = _scene_of(found)
    if scene is None or not reading.expressed:
        return _Learned(SlotValues(), words)
    kept = {slot: found[slot] for slot in _slots(SlotValues()) if slot != "scene"}
    return _Learned(_allowed(SlotValues(scene=scene, **kept)), _unused(words, reading))


def _scene_of(found: Mapping[str, str | None]) -> str | None:
    """Give the grammar's name of a scene; none for scenes that these weights cannot show."""
    name = found["scene"]
    if name == "shape":
        return found["shape"]
    name = "chart" if name == "bar chart" else name
    return name if name in SCENE_RULES else None


def _unused(words: tuple[str, ...], reading: Reading) -> tuple[str, ...]:
    pairs = zip(words, reading.expressed, strict=True)
    return tuple(dict.fromkeys(word[:MAX_REPORTED_WORD] for word, known in pairs if known < _EXPRESSED))


def _allowed(values: SlotValues) -> SlotValues:
    """Leave open what the scene cannot take, and colours that would make one thing vanish into another."""
    choices = choices_of(SCENE_RULES[values.scene or ""])
    kept = {slot: value if value in choices[slot] else None for slot, value in _slots(values).items()}
    if kept["second_colour"] == kept["colour"]:
        kept["second_colour"] = None
    if kept["background"] in (kept["colour"], kept["second_colour"]):
        kept["background"] = None
    return SlotValues(**{**kept, "scene": values.scene})


def choices_of(scene: Scene) -> Mapping[str, tuple[str | None, ...]]:
    """List the values of each slot that a scene can take."""
    counted = NUMBERS if scene.numbers else tuple(amount for amount in (scene.little, scene.much) if amount)
    return {
        "scene": (scene.defaults.scene,),
        "shape": SHAPES if scene.defaults.shape else (),
        "colour": scene.colours,
        "second_colour": scene.second_colours,
        "background": scene.behind if scene.backgrounds else (),
        "motion": tuple(motion for motion in scene.motions.values() if motion),
        "time": TIMES if scene.times else (),
        "amount": scene.counts or counted,
        "pattern": PATTERNS if scene.defaults.pattern else (),
    }


def _understood(asked: SlotValues, ignored: tuple[str, ...]) -> Understanding:
    scene = SCENE_RULES[asked.scene or ""]
    values, assumed = fill(asked, scene)
    understood = {slot: value for slot, value in _slots(asked).items() if value is not None}
    return Understanding(values, understood | {"scene": scene.shown}, assumed, ignored)


def _with_lost_colours(words: tuple[str, ...], learned: _Learned) -> tuple[str, ...]:
    """Add the words for colours that are in no slot: the trained reader may have taken them for said."""
    shown = {learned.values.colour, learned.values.second_colour, learned.values.background}
    lost = [word for word, colour in named_colours(words) if colour not in shown]
    return tuple(dict.fromkeys((*learned.ignored, *lost)))


def _with_pair_of_colours(words: tuple[str, ...], learned: _Learned) -> _Learned:
    """Take two named colours of a two-coloured scene in their order, where the reader was not sure of the second."""
    values, named = learned.values, named_colours(words)
    wanted = dict.fromkeys(colour for _, colour in named)
    if len(wanted) != 2 or SCENE_RULES[values.scene or ""].defaults.second_colour is None:
        return learned
    if values.second_colour is not None or values.background in wanted or values.colour not in {None, *wanted}:
        return learned
    first, second = wanted
    paired = _allowed(replace(values, colour=first, second_colour=second))
    spoken = {word for word, _ in named}
    return _Learned(paired, tuple(word for word in learned.ignored if word not in spoken))


def _backed(ruled: Understanding, learned: _Learned) -> Understanding:
    """Fill what the rules only assumed, because some word was left over that may have said it."""
    if learned.values.scene != ruled.values.scene:
        return ruled
    filled = {
        slot: value
        for slot, value in _slots(learned.values).items()
        if slot in ruled.assumed and value is not None and slot != "scene"
    }
    values = replace(ruled.values, **filled)
    colours = [colour for colour in (values.colour, values.second_colour, values.background) if colour is not None]
    if not filled or len(set(colours)) < len(colours):
        return ruled
    return Understanding(
        values,
        ruled.understood | filled,
        {slot: value for slot, value in ruled.assumed.items() if slot not in filled},
        tuple(word for word in ruled.ignored_words if word in learned.ignored),
    )


def _slots(values: SlotValues) -> dict[str, str | None]:
    return {slot.name: getattr(values, slot.name) for slot in fields(values)}
