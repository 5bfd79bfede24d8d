"""Read JSON lines of prompts for the policy commands.

One rule: a line that cannot be read is named by its number; its text is never repeated.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from platemark.errors import RequestError
from platemark_policy.decision import Verdict
from platemark_policy.pack_trial import Labelled
from platemark_provenance.digest import JsonValue

MAX_LINE_BYTES = 1_048_576


def read_rows(path: Path) -> Iterator[tuple[dict[str, JsonValue], str]]:
    """Give each line's object and its text, in order.

    Raises:
        RequestError: the file cannot be read, or a line is not an object with a text.
    """
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE_BYTES), b""), start=1):
                if line.strip():
                    yield _row(path, number, line)
    except OSError as error:
        raise RequestError(f"{path} cannot be read ({error.strerror}).", fix="Name a file of JSON lines.") from error


def labelled_rows(path: Path) -> Sequence[Labelled]:
    """Give the prompts of a corpus with the verdict each should get.

    Raises:
        RequestError: the file cannot be read, or a line has no text or no label of ours.
    """
    found: list[Labelled] = []
    for number, (row, text) in enumerate(read_rows(path), start=1):
        label = row.get("label", row.get("verdict"))
        if label not in set(Verdict):
            raise RequestError(
                f"Prompt {number} of {path} has no label.", fix='Each line has "label": allow, review or block.'
            )
        found.append(Labelled(str(row.get("id", number)), text, Verdict(str(label))))
    return found


def _row(path: Path, number: int, line: bytes) -> tuple[dict[str, JsonValue], str]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"Line {number} of {path} is not JSON.", fix="Each line is one JSON object.") from error
    text = row.get("text", row.get("prompt")) if isinstance(row, dict) else None
    if not isinstance(text, str) or text.encode("utf-8", "replace").decode() != text:
        raise RequestError(f"Line {number} of {path} has no text.", fix='Each line is like {"id": "1", "text": "…"}.')
    return row, text
