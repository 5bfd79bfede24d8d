"""Ways of saying things: what the reader learns prompts from, in English and Korean.

One rule: the phrases are data, in `wording.json`. Each says nothing but the slots named in its braces; what it says
beside them is what every clip of its scene shows anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter

FILE = Path(__file__).with_name("wording.json")
_Phrases = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Wording:
    """Phrases, each by language (`en`, `ko`) first.

    Attributes:
        heads: for the subject of each scene; a sentence begins or, in Korean, ends with one.
        colours: words for each colour.
        values: words for each value of the slots `shape`, `time`, `amount` and `pattern`.
        motions: for each motion.
        backgrounds: for what is behind the subject, by scene; the empty name is for scenes not listed.
        openings: words before a request that say nothing of its picture.
        closings: such words after it.
        strangers: words that no clip of this world can express.
    """

    heads: Mapping[str, _Phrases]
    colours: Mapping[str, _Phrases]
    values: Mapping[str, Mapping[str, _Phrases]]
    motions: Mapping[str, _Phrases]
    backgrounds: Mapping[str, _Phrases]
    openings: _Phrases
    closings: _Phrases
    strangers: _Phrases


@lru_cache(maxsize=1)
def wording() -> Wording:
    """Read the phrases."""
    return TypeAdapter(Wording).validate_json(FILE.read_bytes())
