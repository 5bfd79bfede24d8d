"""What a camera is told, frame by frame, as people write it: `forward*8,left*4,jump`.

One rule: words to names and back. Which model can follow them is found out when a clip is planned.
"""

import itertools
import re
from collections.abc import Iterable, Sequence

from platemark.errors import RequestError

MOVES = {"forward": "forward", "left": "turn left", "right": "turn right", "jump": "jump", "stay": "none"}
"""What may be written, and the name that models know it by."""
MAX_MOVES = 3_600
"""A minute of sixty frames a second."""
_RUN = re.compile(r"([a-z]+)(?:\*(\d{1,4}))?")
_WRITTEN = {name: word for word, name in MOVES.items()}


def parse_moves(text: str) -> tuple[str, ...]:
    """Read moves written as `forward*8,left*4,jump`: one for each frame, `*8` for eight frames of it.

    Returns:
        the models' names, one for each frame.

    Raises:
        RequestError: the text has another form, names an unknown move, or is too long.
    """
    moves: list[str] = []
    for part in text.split(","):
        found = _RUN.fullmatch(part.strip().lower())
        if found is None or found[1] not in MOVES or found[2] == "0":
            raise RequestError(
                f"There is no move {part.strip()[:40]!r}.",
                fix=f"Write for example forward*8,left*4,jump; the moves are {', '.join(MOVES)}.",
            )
        moves += [MOVES[found[1]]] * int(found[2] or 1)
        if len(moves) > MAX_MOVES:
            raise RequestError(f"More than {MAX_MOVES:,} moves were given.", fix="Ask for a shorter clip.")
    return tuple(moves)


def check_moves(moves: Sequence[str]) -> tuple[str, ...]:
    """Take moves in models' names or as written, one for each frame, and give the models' names.

    Raises:
        RequestError: one is unknown, or there are too many.
    """
    return parse_moves(",".join(_WRITTEN.get(move, move) for move in moves))


def write_moves(moves: Iterable[str]) -> str:
    """Write moves down as people do; the inverse of `parse_moves`."""
    runs = ((_WRITTEN[name], len(list(run))) for name, run in itertools.groupby(moves))
    return ",".join(word if count == 1 else f"{word}*{count}" for word, count in runs)
