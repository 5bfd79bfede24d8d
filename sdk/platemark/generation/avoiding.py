"""What a negative prompt does: it steers the sampler away, and changes what the grammar chose on its own.

One rule: what the prompt itself asks for is never taken away; asking for a thing and against it is an error.
"""

from dataclasses import dataclass, fields, replace

from platemark.errors import RequestError
from platemark.generation.prompts import choices_of
from platemark.generation.scenes import SCENE_RULES, Scene, SlotValues
from platemark.generation.text import Understanding, read_negative


@dataclass(frozen=True, slots=True)
class Avoidance:
    """A prompt read together with a negative prompt.

    Attributes:
        reading: of the prompt, with other choices where the negative prompt was against the usual ones.
        unwanted: what guidance moves away from; open slots are not moved away from.
        ignored_words: of the negative prompt, those that name nothing this scene could show.
    """

    reading: Understanding
    unwanted: SlotValues
    ignored_words: tuple[str, ...]


def avoid(reading: Understanding, negative_prompt: str) -> Avoidance:
    """Read a negative prompt against a prompt that was understood.

    Raises:
        RequestError: it is against what the prompt asks for, or leaves no choice.
    """
    if not negative_prompt:
        return Avoidance(reading, SlotValues(), ())
    name = reading.values.scene or ""
    unwanted, ignored = read_negative(negative_prompt, scene_name=name)
    if unwanted.scene == name and unwanted != SlotValues(scene=name):
        unwanted = replace(unwanted, scene=None)  # "five bars" is against the five, not against the chart
    values, assumed = reading.values, dict(reading.assumed)
    for slot in (each.name for each in fields(unwanted)):
        value = getattr(unwanted, slot)
        if value is None or value != getattr(values, slot):
            continue
        if slot not in assumed:
            raise RequestError(
                f"The prompt asks for {value!r} and the negative prompt is against it.", fix="Leave it out of one."
            )
        other = _another(values, slot, SCENE_RULES[name])
        values, assumed[slot] = replace(values, **{slot: other}), other
    return Avoidance(replace(reading, values=values, assumed=assumed), unwanted, ignored)


def _another(values: SlotValues, slot: str, scene: Scene) -> str:
    taken = {getattr(values, slot), values.colour, values.second_colour, values.background}
    choices = choices_of(scene)[slot]
    for choice in choices:
        if choice and choice not in taken:
            return choice
    raise RequestError(f"The negative prompt leaves no {slot.replace('_', ' ')} to show.", fix="Allow another one.")
