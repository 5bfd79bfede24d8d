"""Looking at a safetensors file without loading it: is it whole, and is it one at all?

One rule: the header alone is read, bounded, and believed only where every tensor lies inside the file.

Source: the format as huggingface/safetensors documents it: eight bytes of length, a JSON header, then the tensors.
"""

import json
import math
import struct
from pathlib import Path
from typing import TypeGuard

from platemark.errors import GenerationError

MAX_HEADER_BYTES = 32 * 2**20
"""The format allows 100 MB; the largest header of a published video model has under two."""
_PREFIX_BYTES = 8
_BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8}
_BITS |= {"U64": 64, "U32": 32, "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4}


def check_tensor_file(path: Path, *, name: str) -> int:
    """Refuse a file that is no safetensors file, or is cut short.

    Args:
        path: the file.
        name: what to call it in a message.

    Returns:
        The number of tensors in it.

    Raises:
        GenerationError: it cannot be read, its header is no header, or a tensor lies outside it.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            prefix = stream.read(_PREFIX_BYTES)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == _PREFIX_BYTES else 0
            if not 2 <= length <= min(MAX_HEADER_BYTES, size - _PREFIX_BYTES):
                raise _broken(name, f"its header would have {length:,} bytes, the file has {size:,}")
            header = stream.read(length)
    except OSError as error:
        raise GenerationError(f"{name} cannot be read ({error.strerror}).", fix="Copy the model again.") from error
    return _check_header(header, size - _PREFIX_BYTES - length, name)


def _check_header(header: bytes, content: int, name: str) -> int:
    try:
        table = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise _broken(name, "its header is not JSON") from error
    if not isinstance(table, dict):
        raise _broken(name, "its header is not a table")
    table.pop("__metadata__", None)
    ends = [_check_entry(entry, content, name) for entry in table.values()]
    if max(ends, default=0) != content:
        raise _broken(name, f"its tensors take {max(ends, default=0):,} bytes, and {content:,} are there")
    return len(ends)


def _check_entry(entry: object, content: int, name: str) -> int:
    """Check one tensor's place, and give where it ends."""
    if not isinstance(entry, dict):
        raise _broken(name, "a tensor's entry is not a table")
    kind, shape, place = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not (isinstance(kind, str) and _are_counts(shape) and _are_counts(place) and len(place) == 2):
        raise _broken(name, "a tensor's entry has no type, shape and place")
    start, end = place
    if not start <= end <= content:
        raise _broken(name, f"a tensor ends at byte {end:,} of {content:,}")
    if kind in _BITS and math.prod(shape) * _BITS[kind] != (end - start) * 8:
        raise _broken(name, "a tensor's place does not have the size of its shape")
    return end


def _are_counts(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)


def _broken(name: str, why: str) -> GenerationError:
    return GenerationError(
        f"{name} is not a whole safetensors file: {why}.", fix="Copy the model again; do not use this file."
    )
