"""Choose the pieces of a prompt that the classifier reads.

One rule: a piece that was chosen is also chosen when more is written around it as sentences of its own, so that a
story before or after a prompt can add to its score and cannot take from it. It holds up to 24 sentences; a text of
more is read in equal windows, so that the time it takes stays bounded.
"""

import re
from collections.abc import Iterator

from platemark_policy.normalize import Normalized

MAX_PASSAGES = 16
"""The most pieces that are read; a longer text is read in longer pieces."""

_SENTENCE = re.compile(r"[^.!?;\n()\[\]\"“”]+")
_SHORTEST = 8
_MOST_SENTENCES = 24
_LONGEST = 320
_INTRODUCED = re.compile(r"[,:] ")


def passages(readings: tuple[Normalized, ...]) -> tuple[str, ...]:
    """Give the pieces of every reading, each once: the whole, its sentences, and what an introduction introduces.

    Args:
        readings: the plain spelling first, then what disguised letters may say.
    """
    pieces: dict[str, None] = {}
    for reading in readings:
        for piece in _pieces(reading.text):
            pieces.setdefault(piece)
    return tuple(pieces)


def _pieces(text: str) -> Iterator[str]:
    if not text:
        return
    room = max(_LONGEST, -(-len(text) // MAX_PASSAGES) + _SHORTEST)
    yield from _windows(text, room)
    sentences = [piece for match in _SENTENCE.finditer(text) if len(piece := match.group().strip(" ,:")) >= _SHORTEST]
    if len(sentences) > _MOST_SENTENCES:
        return
    for sentence in sentences:
        yield from _windows(sentence, room)
        introduced = _INTRODUCED.split(sentence, maxsplit=1)
        if len(introduced) > 1 and len(introduced[1]) >= 2 * _SHORTEST and len(sentence) <= _LONGEST:
            yield introduced[1]


def _windows(sentence: str, room: int) -> Iterator[str]:
    if len(sentence) <= room:
        yield sentence
        return
    words, piece = sentence.split(" "), ""
    for word in words:
        if piece and len(piece) + len(word) >= room:
            yield piece
            piece = ""
        piece = f"{piece} {word}".strip()[:room]
    if piece:
        yield piece
