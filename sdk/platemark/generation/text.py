"""From a prompt in English or Korean to a scene that the embedded model can show.

One rule: nothing is dropped in silence. A word is understood, or it is in the list of words that were ignored; what the
prompt left open and the grammar chose is listed too. Pure functions; no model.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

from platemark.errors import RequestError
from platemark.generation.lexicon import (
    ENGLISH,
    KOREAN,
    LISTING_PARTICLES,
    MAX_VERB_ENDING,
    NOT_ENDING,
    PARTICLES,
    SOURCE_PARTICLES,
    WEATHER_VERB,
    Meaning,
    Role,
)
from platemark.generation.scenes import NUMBERS, SCENE_RULES, SKY_COLOUR_TIMES, Scene, SlotValues

MAX_REPORTED_WORD = 40
"""Characters of an ignored word that are reported."""
CAN_SHOW = (
    "a circle, square or triangle that moves, or passes behind a column; clouds in a sky; a sea; a bar or line chart "
    "that rises or falls; a turning globe; a city in rain or snow; a map with a route; a waving flag; a countdown; a "
    "cube seen from all sides; a flight over hills of blocks"
)
_LATIN = "a-zß-öø-ɏ"
# A number keeps what is written onto it: "4k", "3개", "2.5" and "5%" are words of their own, not numbers of bars.
_WORD = re.compile(
    rf"[{_LATIN}][{_LATIN}\d]*(?:[-'][{_LATIN}\d]+)*|[가-힣]+|\d[\d{_LATIN}가-힣]*(?:[.,]\d+)*(?:\s?%)?|[^\W\d_]+"
)
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"))
_WEATHER_NOUN = "|".join(word for word, meanings in KOREAN.items() if any(m.role is Role.WEATHER for m in meanings))
# What Koreans write together: weather and its verb, either with a particle or a denial between them; a denied verb.
_WRITTEN_TOGETHER = (
    re.compile(rf"((?:{_WEATHER_NOUN})[이가은는도]?)(안)?({WEATHER_VERB})"),
    re.compile(rf"(안)({WEATHER_VERB})"),
    re.compile(r"([가-힣]{1,6}지)(않[가-힣]{0,4})"),
)
_WEATHER_VERB = re.compile(WEATHER_VERB)
_OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}
_RANK = ("globe", "chart", "circle", "square", "triangle", "sea", "sky")
"""Of several scenes in one prompt the first in this list is shown; a city comes before all."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a prompt was read as.

    Attributes:
        values: for the model; every slot that the scene has is filled.
        understood: what the prompt said, by aspect.
        assumed: what was chosen for it, by aspect.
        ignored_words: in the order of the prompt, each once.
    """

    values: SlotValues
    understood: dict[str, str]
    assumed: dict[str, str]
    ignored_words: tuple[str, ...]


@dataclass(slots=True)
class _Word:
    """A word while the grammar works on it; `used` once some rule has acted on it, `counts` for a number of bars."""

    text: str
    meanings: tuple[Meaning, ...]
    ending: str = ""
    counts: bool = False
    used: bool = False
    unwanted: Role | None = None

    def says(self, role: Role) -> str | None:
        """Give the value this word has in a role, or none."""
        return next((meaning.value for meaning in self.meanings if meaning.role is role), None)


def understand(prompt: str) -> Understanding:
    """Read a prompt.

    Raises:
        RequestError: no word of it names a scene that the model can show.
    """
    words = [_look_up(text) for text in split_words(prompt)]
    _settle_numbers(words)
    _settle_shades(words)
    _drop_negated(words)
    name = _choose_scene(words)
    if name is None:
        raise RequestError(
            f"Nothing in the prompt names a scene that the embedded model can show. It can show: {CAN_SHOW}.",
            fix="For example 'city lights at night, light rain', or 'a red circle moving right on a white background'.",
        )
    _refuse_dry_city(words, name)
    scene = SCENE_RULES[name]
    asked = _read_values(words, name, scene)
    values, assumed = fill(asked, scene)
    if name.startswith("city"):
        assumed |= _assumed_of_city(words, name)
    understood = {key: value for key, value in _filled_slots(asked) if value is not None}
    ignored = dict.fromkeys(word.text[:MAX_REPORTED_WORD] for word in words if not word.used)
    return Understanding(values, understood | {"scene": scene.shown}, assumed, tuple(ignored))


def read_negative(prompt: str, *, scene_name: str) -> tuple[SlotValues, tuple[str, ...]]:
    """Read what shall not be seen in a scene.

    Args:
        prompt: words for things, colours, motions, times and amounts to stay away from.
        scene_name: the scene that is shown.

    Returns:
        The values to stay away from, open where none was named; and the words that name nothing the scene could show.
    """
    words = [_look_up(text) for text in split_words(prompt)]
    _settle_numbers(words)
    _settle_shades(words)
    named = _choose_scene(words)
    values = _read_values(words, scene_name, SCENE_RULES[scene_name])
    if named is not None:
        _mark_scene_words(words, named)
    ignored = dict.fromkeys(word.text[:MAX_REPORTED_WORD] for word in words if not word.used)
    return replace(values, scene=named), tuple(ignored)


def split_words(prompt: str) -> tuple[str, ...]:
    """Split a prompt into lower-case words and numbers, in composed Unicode; punctuation falls away.

    What is joined by a hyphen, or written together as Koreans do, is one word if the grammar knows it as one.
    """
    plain = unicodedata.normalize("NFKC", prompt).lower().translate(_APOSTROPHES)
    return tuple(part for word in _WORD.findall(plain) for part in _parts(word))


def _parts(word: str) -> tuple[str, ...]:
    if "-" in word and not _look_up(word).meanings:
        return tuple(word.split("-"))
    if _is_korean(word) and not _look_up(word).meanings:
        together = next((match for pattern in _WRITTEN_TOGETHER if (match := pattern.fullmatch(word))), None)
        return (word,) if together is None else tuple(part for part in together.groups() if part)
    return (word,)


def _is_korean(word: str) -> bool:
    return "가" <= word[-1] <= "힣"


def _look_up(text: str) -> _Word:
    if _is_korean(text):
        known, ending = _look_up_korean(text)
    elif text.endswith(NOT_ENDING):
        known, ending = ENGLISH["not"], ""
    else:
        known, ending = ENGLISH.get(text) or ENGLISH.get(text.removesuffix("'s"), ()), ""
    empty = any(meaning.role is Role.EMPTY for meaning in known)
    return _Word(text, known, ending=ending, used=empty)


def _look_up_korean(text: str) -> tuple[tuple[Meaning, ...], str]:
    """Find the longest stem whose ending is a particle (nouns) or of any form (verbs)."""
    for length in range(len(text), 0, -1):
        stem, ending = text[:length], text[length:]
        if stem in KOREAN and (not ending or ending in PARTICLES):
            return KOREAN[stem], ending
        if f"{stem}~" in KOREAN and len(ending) <= MAX_VERB_ENDING:
            return KOREAN[f"{stem}~"], ending
    return (), ""


def _settle_numbers(words: list[_Word]) -> None:
    """Let a number count only beside the bars it counts, with nothing but what describes them in between."""
    for forward in (words, words[::-1]):
        beside = False
        for word in reversed(forward):
            word.counts |= beside and word.says(Role.NUMBER) is not None
            beside = word.says(Role.COUNTED) is not None or (beside and _describes(word))


def _describes(word: _Word) -> bool:
    roles = {meaning.role for meaning in word.meanings}
    return word.text.startswith("개") or bool(roles & {Role.COLOUR, Role.SHADE, Role.AMOUNT, Role.ACT, Role.NUMBER})


def _settle_shades(words: list[_Word]) -> None:
    """Decide what "light" and "dark" say: before a colour a shade, which cannot be shown, else an amount or night."""
    for index, word in enumerate(words):
        shade = word.says(Role.SHADE)
        if shade is None:
            continue
        before_colour = index + 1 < len(words) and words[index + 1].says(Role.COLOUR) is not None
        if before_colour or not shade:
            word.meanings = ()
        else:
            word.meanings = (Meaning(Role.AMOUNT, shade) if shade == "little" else Meaning(Role.TIME, shade),)


def _drop_negated(words: list[_Word]) -> None:
    """Take away the meaning of what the prompt does not want, so that it is reported and not shown."""
    for index, word in enumerate(words):
        if word.says(Role.NOT_BEFORE) is not None:
            _drop_after(words[index + 1 :])
        elif word.says(Role.NOT) == "verb":
            _drop_around(words[:index], words[index + 1 :])
        elif word.says(Role.NOT) is not None:
            _drop_before(words[:index])


def _drop_after(words: list[_Word]) -> None:
    """Drop the next word that says something; "or" goes on to another, and an amount to the weather it belongs to."""
    wanted, amount = False, False
    for word in words:
        if word.says(Role.NOT_BEFORE) is not None:
            return
        if word.text == "or":
            wanted = False
        elif not word.used:
            if wanted and not (amount and word.says(Role.WEATHER) is not None):
                return
            wanted, amount = True, word.says(Role.AMOUNT) is not None
            _drop(word)


def _drop_before(words: list[_Word]) -> None:
    """Drop the last word that says something, the weather that a denied verb is about, and what is listed with it."""
    dropped, verb = False, False
    for word in reversed(words):
        if word.used:
            continue
        is_subject = verb and word.says(Role.WEATHER) is not None
        if dropped and not is_subject and word.ending not in LISTING_PARTICLES:
            return
        dropped, verb = True, word.says(Role.ACT) is not None
        _drop(word)


def _drop_around(before: list[_Word], after: list[_Word]) -> None:
    """Drop what a verb does that is denied before it, and the weather it is about; the same word is also "inside"."""
    verb = after[0] if after else None
    if verb is None:
        return
    subject = next((word for word in reversed(before) if not word.used), None)
    if _WEATHER_VERB.fullmatch(verb.text) and subject is not None and subject.says(Role.WEATHER) is not None:
        _drop_before(before)
    if verb.says(Role.ACT) is not None:
        _drop(verb)


def _drop(word: _Word) -> None:
    if word.says(Role.WEATHER) is not None:
        word.unwanted = Role.WEATHER
    word.meanings = ()


def _choose_scene(words: list[_Word]) -> str | None:
    """Pick the scene to show; weather alone means a city, the only place the model has weather."""
    named = [scene for word in words if (scene := word.says(Role.SCENE)) is not None]
    if not named and all(word.meanings for word in words):
        # "Waves at night" is a sea, but a president who waves is not: such a word counts only among known words.
        named = [scene for word in words if (scene := word.says(Role.WEAK_SCENE)) is not None]
    weather = next((value for word in words if (value := word.says(Role.WEATHER)) is not None), None)
    if "city" in named or (weather is not None and not named):
        return f"city {weather or 'rain'}"
    return next((name for name in _RANK if name in named), None)


def _refuse_dry_city(words: list[_Word], name: str) -> None:
    unwanted = any(word.unwanted is Role.WEATHER for word in words)
    if name.startswith("city") and unwanted and all(word.says(Role.WEATHER) is None for word in words):
        raise RequestError(
            "The embedded model shows a city only in rain or in snow, and the prompt wants none.",
            fix="Ask for the other weather, or for another scene.",
        )


def _assumed_of_city(words: list[_Word], name: str) -> dict[str, str]:
    assumed = {}
    if all(word.says(Role.WEATHER) is None for word in words):
        assumed["weather"] = name.removeprefix("city ")
    if all(word.says(Role.SCENE) != "city" for word in words):
        assumed["place"] = "a city"
    return assumed


def _read_values(words: list[_Word], name: str, scene: Scene) -> SlotValues:
    """Collect what the words say about the chosen scene, marking each word that is acted on."""
    _mark_scene_words(words, name)
    values = SlotValues(scene=name)
    values = _read_colours(words, name, scene, values)
    values = replace(values, motion=_read_motion(words, scene))
    if scene.times:
        values = replace(
            values, time=_read_first(words, Role.TIME, {"day": "day", "sunset": "sunset", "night": "night"})
        )
    amounts = {key: value for key, value in (("little", scene.little), ("much", scene.much)) if value is not None}
    if scene.numbers:
        return replace(
            values, amount=_read_first([word for word in words if word.counts], Role.NUMBER, {n: n for n in NUMBERS})
        )
    values = replace(values, amount=_read_first(words, Role.AMOUNT, amounts))
    return _sky_colour(words, values) if name == "sky" else values


def _mark_scene_words(words: list[_Word], name: str) -> None:
    place, _, weather = name.partition(" ")
    # A sea and a city are shown under a sky, and a globe is water and land: these words are not ignored.
    shown = {place} | {"sea": {"sky"}, "city": {"sky"}, "globe": {"sea"}}.get(place, set())
    for word in words:
        if len(word.meanings) == 1 or not (word.says(Role.TIME) or word.says(Role.AMOUNT)):
            word.used |= bool({word.says(role) for role in (Role.SCENE, Role.WEAK_SCENE)} & shown)
            word.used |= word.says(Role.DETAIL) == place
            word.used |= word.says(Role.WEATHER) is not None and word.says(Role.WEATHER) == weather
        if word.says(Role.LAND) is not None:
            word.used |= place == "globe"


def _read_first(words: list[_Word], role: Role, known: dict[str, str]) -> str | None:
    """Take the first word's value in a role; later words count as understood only if they say the same."""
    chosen: str | None = None
    for word in words:
        value = known.get(word.says(role) or "")
        if value is None:
            continue
        chosen = chosen or value
        word.used |= value == chosen
    return chosen


def _read_motion(words: list[_Word], scene: Scene) -> str | None:
    way, way_words = _read_way(words)
    candidates: list[tuple[str, list[_Word]]] = []
    acts = [word for word in words if word.says(Role.ACT) is not None]
    for act in acts:
        said = act.says(Role.ACT) or ""
        repeated = (said, way) in (("rise", "up"), ("fall", "down"))
        candidates.append((f"{said} {way}", [act, *way_words]))
        candidates.append((said, [act, *way_words] if repeated else [act]))
    candidates.append((f"move {way}", way_words))
    for said, because in candidates:
        if said in scene.motions:
            motion = scene.motions[said]
            same = (act for act in acts if scene.motions.get(act.says(Role.ACT) or "") == motion)
            for word in (*because, *same):
                word.used = True
            return motion or None
    return None


def _read_way(words: list[_Word]) -> tuple[str | None, list[_Word]]:
    """Find where something goes: the first direction it goes to, else the opposite of where it comes from."""
    to: str | None = None
    source: str | None = None
    because: list[_Word] = []
    previous = ""
    for word in words:
        way = word.says(Role.WAY)
        if way is not None:
            because.append(word)
            if word.ending in SOURCE_PARTICLES or previous == Role.FROM:
                source = source or way
            else:
                to = to or way
        if word.says(Role.FROM) is not None:
            because.append(word)
            previous = Role.FROM
        elif word.says(Role.EMPTY) is None:
            previous = ""
    if to is None and source is None:
        return None, []
    return to or _OPPOSITE[source or ""], because


def _read_colours(words: list[_Word], name: str, scene: Scene, values: SlotValues) -> SlotValues:
    """Give each colour to the background, the land or the subject, by the words that stand beside it."""
    for word, place in _colour_places(words, name):
        colour = word.says(Role.COLOUR) or ""
        if place == "background" and scene.backgrounds and values.background is None:
            values, word.used = replace(values, background=colour), True
        elif place == "land" and colour in scene.second_colours and values.second_colour is None:
            values, word.used = replace(values, second_colour=colour), True
        elif place == "subject" and colour in scene.colours and values.colour in (None, colour):
            values, word.used = replace(values, colour=colour), True
        elif place == "subject" and colour in scene.second_colours and values.second_colour is None:
            values, word.used = replace(values, second_colour=colour), True
    for word in words:
        # Words that only say where a colour belongs are understood if the scene has such a place.
        if word.says(Role.BEHIND) is not None or word.says(Role.ON) is not None:
            word.used |= scene.backgrounds or word.says(Role.ON) is not None
    return _tell_apart(words, values)


def _tell_apart(words: list[_Word], values: SlotValues) -> SlotValues:
    """Give up a colour that would make a thing vanish into another: the model never learned such a clip."""
    if values.second_colour is not None and values.second_colour == values.colour:
        values = replace(values, second_colour=None)
    if values.background is not None and values.background in (values.colour, values.second_colour):
        for word in words:
            word.used &= word.says(Role.BEHIND) is None
        values = replace(values, background=None)
    return values


def _colour_places(words: list[_Word], name: str) -> Iterator[tuple[_Word, str]]:
    content = [word for word in words if word.says(Role.EMPTY) is None]
    for index, word in enumerate(content):
        if word.says(Role.COLOUR) is None:
            continue
        before = content[index - 1] if index > 0 else None
        after = content[index + 1] if index + 1 < len(content) else None
        yield word, _colour_place(before, after, globe=name == "globe", names_background=_claimed(content, index))


def _colour_place(before: _Word | None, after: _Word | None, *, globe: bool, names_background: bool) -> str:
    if after is not None and after.says(Role.BEHIND) is not None:
        return "background"
    if after is not None and after.says(Role.LAND) is not None:
        return "land"
    if globe and after is not None and after.says(Role.SCENE) == "sea":
        return "subject"
    if before is not None and before.says(Role.BEHIND) is not None and not names_background:
        return "background"
    if before is not None and before.says(Role.ON) is not None and (after is None or after.says(Role.SCENE) is None):
        return "background"
    return "subject"


def _claimed(content: list[_Word], index: int) -> bool:
    """Say whether the background word before a colour already has a colour of its own before it."""
    return index >= 2 and content[index - 2].says(Role.COLOUR) is not None


def _sky_colour(words: list[_Word], values: SlotValues) -> SlotValues:
    """Accept the colour that a sky has anyway at its time of day, or take the time from it."""
    for word in words:
        time = SKY_COLOUR_TIMES.get(word.says(Role.COLOUR) or "")
        if time is not None and values.time in (None, time):
            values, word.used = replace(values, time=time), True
    return values


def named_colours(words: Sequence[str]) -> list[tuple[str, str]]:
    """Give the words that name a colour, as they are reported, each with its colour."""
    looked_up = ((word, _look_up(word).says(Role.COLOUR)) for word in words)
    return [(word[:MAX_REPORTED_WORD], colour) for word, colour in looked_up if colour is not None]


def content_words(words: Sequence[str]) -> list[str]:
    """Give the words that the rules do not know to say nothing."""
    return [word for word in words if _look_up(word).says(Role.EMPTY) is None]


def denies(words: Sequence[str]) -> bool:
    """Say whether a word takes another one's meaning away: "no", "without", "없는"."""
    return any(word.says(role) is not None for word in map(_look_up, words) for role in (Role.NOT, Role.NOT_BEFORE))


def fill(asked: SlotValues, scene: Scene) -> tuple[SlotValues, dict[str, str]]:
    """Fill what was left open with the scene's own choice, keeping colours apart.

    Returns:
        The full values, and those that were chosen here.
    """
    taken = {asked.colour, asked.second_colour, asked.background}
    values, assumed = asked, {}
    for slot, choice in _filled_slots(scene.defaults):
        if choice is None or getattr(values, slot) is not None:
            continue
        if slot in ("colour", "second_colour", "background") and choice in taken:
            allowed = scene.behind if slot == "background" else scene.second_colours or scene.colours
            choice = next(colour for colour in ("white", "black", *allowed) if _free(colour, slot, scene, taken))
        values = replace(values, **{slot: choice})
        taken.add(choice)
        assumed[slot] = choice
    return values, assumed


def _free(colour: str, slot: str, scene: Scene, taken: set[str | None]) -> bool:
    allowed = {"colour": scene.colours, "second_colour": scene.second_colours}.get(slot, scene.behind)
    return colour not in taken and colour in allowed


def _filled_slots(values: SlotValues) -> Iterator[tuple[str, str | None]]:
    return ((slot.name, getattr(values, slot.name)) for slot in fields(values))
