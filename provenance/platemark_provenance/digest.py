"""Turn values and files into bytes and digests that come out the same on every machine.

One rule: what is hashed or signed is bytes made here; nobody hashes a Python object any other way.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NewType, TypeAlias

from platemark_provenance.errors import PlatemarkError, VerificationError

Sha256Hex = NewType("Sha256Hex", str)
"""A SHA-256 digest as 64 lower-case hexadecimal digits."""

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""What JSON can hold. Lists and tuples are arrays; any mapping with text keys is an object."""

LARGEST_INTEGER = 2**53 - 1
"""RFC 7493 section 2.2: readers that keep numbers as doubles are exact up to here. Larger ones go as text."""

DEEPEST_NESTING = 32
"""Far above anything written here, far below Python's recursion limit."""


def sha256_bytes(content: bytes) -> Sha256Hex:
    """Hash bytes that are already in memory."""
    return Sha256Hex(hashlib.sha256(content).hexdigest())


def sha256_file(path: Path) -> Sha256Hex:
    """Hash a file without holding it in memory.

    Raises:
        VerificationError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return Sha256Hex(hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        raise VerificationError(
            f"{path.name} should be a readable file: {error.strerror or error}.",
            fix="Check the path and its permissions.",
        ) from error


def canonical_json(value: JsonValue) -> bytes:
    """Write a value as JSON with one possible spelling: sorted keys, no spaces, UTF-8, no needless escapes.

    Floats are written with Python's shortest exact form; everything else is as the source says.

    Raises:
        PlatemarkError: the value has a float that is not finite, an integer beyond 53 bits, a key that is not
            text, text that is not valid Unicode, a type JSON lacks, or too many levels.

    Source: RFC 8785 sections 3.2.2.2 (strings) and 3.2.3 (keys sorted by UTF-16 code units).
    """
    # The encoder sorts keys by code point, which is the order asked for as long as they are ASCII. Looking at a value
    # is several times faster than copying it in order, and this is the larger part of writing an event.
    text = _SORTING.encode(value) if _is_ordinary(value, depth=0) else _PLAIN.encode(_prepare(value, depth=0))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _refusal("text with half of a surrogate pair") from error


_PLAIN = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SORTING = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def _is_ordinary(value: object, *, depth: int) -> bool:
    """Tell whether the encoder writes a value as it should be; where in doubt, say no."""
    if type(value) is str or value is None or type(value) is bool:
        return True
    if type(value) is int:
        return -LARGEST_INTEGER <= value <= LARGEST_INTEGER
    if type(value) is float:
        return math.isfinite(value)
    if depth >= DEEPEST_NESTING:
        return False
    if type(value) is dict:
        return all(map(_is_ascii_text, value)) and _are_ordinary(value.values(), depth=depth + 1)
    return (type(value) is list or type(value) is tuple) and _are_ordinary(value, depth=depth + 1)


def _is_ascii_text(key: object) -> bool:
    return type(key) is str and key.isascii()


def _are_ordinary(values: Iterable[object], *, depth: int) -> bool:
    for value in values:  # noqa: SIM110 (a generator would cost more than the looking)
        if type(value) is not str and not _is_ordinary(value, depth=depth):
            return False
    return True


def _prepare(value: object, *, depth: int) -> object:
    """Copy the value with its keys in order, refusing what has no single spelling."""
    if depth > DEEPEST_NESTING:
        raise _refusal(f"more than {DEEPEST_NESTING} levels")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise _refusal("an integer beyond 53 bits", fix="Write it as text.")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refusal("a number that is not finite")
        return float(value)
    if isinstance(value, list | tuple):
        return [_prepare(item, depth=depth + 1) for item in value]
    if isinstance(value, Mapping):
        return _prepare_object(value, depth=depth)
    raise _refusal(f"a {type(value).__name__}")


def _prepare_object(value: Mapping[object, object], *, depth: int) -> dict[str, object]:
    keys = [key for key in value if isinstance(key, str)]
    if len(keys) != len(value):
        raise _refusal("a key that is not text")
    # "surrogatepass" only so that sorting cannot fail; the final encoding refuses such keys.
    keys.sort(key=lambda key: key.encode("utf-16-be", "surrogatepass"))
    return {str(key): _prepare(value[key], depth=depth + 1) for key in keys}


def _refusal(found: str, *, fix: str = "Change the value before it is hashed.") -> PlatemarkError:
    return PlatemarkError(f"Canonical JSON needs a value with one spelling; found {found}.", fix=fix)
