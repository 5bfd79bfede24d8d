"""Canonical JSON has one spelling for each value, and digests are of exactly the bytes given."""

import hashlib
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.digest import (
    DEEPEST_NESTING,
    LARGEST_INTEGER,
    JsonValue,
    canonical_json,
    sha256_bytes,
    sha256_file,
)
from platemark_provenance.errors import PlatemarkError, VerificationError

texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_canonical_json_reads_back_as_the_same_value(value: JsonValue) -> None:
    written = canonical_json(value)

    assert json.loads(written) == value


@given(json_values)
def test_writing_what_was_read_gives_the_same_bytes(value: JsonValue) -> None:
    written = canonical_json(value)

    assert canonical_json(json.loads(written)) == written


@given(st.dictionaries(texts, st.integers(0, 9), min_size=2, max_size=6))
def test_the_order_in_which_keys_were_added_does_not_show(value: dict[str, int]) -> None:
    backwards = dict(reversed(value.items()))

    assert canonical_json(value) == canonical_json(backwards)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"null"),
        (True, b"true"),
        (0, b"0"),
        (-LARGEST_INTEGER, b"-9007199254740991"),
        (0.5, b"0.5"),
        ([], b"[]"),
        ({}, b"{}"),
        ((1, "a"), b'[1,"a"]'),
        ({"b": 1, "a": {"d": [1, 2], "c": None}}, b'{"a":{"c":null,"d":[1,2]},"b":1}'),
        ("서울의 밤", '"서울의 밤"'.encode()),
        ('a "quote" \\ and\n\t\x00\x1f\x7f', b'"a \\"quote\\" \\\\ and\\n\\t\\u0000\\u001f\x7f"'),
        ("</script>\u2028", '"</script>\u2028"'.encode()),
    ],
)
def test_values_are_written_without_spaces_or_needless_escapes(value: JsonValue, written: bytes) -> None:
    assert canonical_json(value) == written


def test_keys_are_sorted_as_rfc_8785_section_3_2_3_shows() -> None:
    keys = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }

    order = list(json.loads(canonical_json(keys)))

    assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (math.nan, "not finite"),
        (math.inf, "not finite"),
        (-math.inf, "not finite"),
        ([1, {"a": math.nan}], "not finite"),
        (LARGEST_INTEGER + 1, "beyond 53 bits"),
        (-LARGEST_INTEGER - 1, "beyond 53 bits"),
        ({"seed": 2**63 - 1}, "beyond 53 bits"),
        ("\ud800", "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ({1: "a"}, "not text"),
        ({None: "a"}, "not text"),
        (b"bytes", "a bytes"),
        ({"when": object()}, "a object"),
        ({1, 2}, "a set"),
    ],
)
def test_a_value_without_one_spelling_is_refused(value: JsonValue, complaint: str) -> None:
    with pytest.raises(PlatemarkError, match=complaint):
        canonical_json(value)


def test_an_integer_that_is_too_large_is_refused_with_the_way_out() -> None:
    with pytest.raises(PlatemarkError) as caught:
        canonical_json({"seed": 2**60})

    assert caught.value.fix == "Write it as text."


def _nested(levels: int) -> JsonValue:
    value: JsonValue = 0
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_up_to_the_bound_is_written() -> None:
    assert canonical_json(_nested(DEEPEST_NESTING)) == b"[" * DEEPEST_NESTING + b"0" + b"]" * DEEPEST_NESTING


def test_nesting_beyond_the_bound_is_refused_and_not_a_crash() -> None:
    with pytest.raises(PlatemarkError, match="levels"):
        canonical_json(_nested(100_000))


def test_a_boolean_is_not_written_as_a_number() -> None:
    assert canonical_json([True, 1, False, 0]) == b"[true,1,false,0]"


@given(st.binary())
def test_the_digest_of_bytes_is_their_sha_256_in_lower_case(content: bytes) -> None:
    assert sha256_bytes(content) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_145, 1_000_003])
def test_a_file_is_hashed_as_a_whole(tmp_path: Path, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    file = tmp_path / "clip.mp4"
    file.write_bytes(content[:size])

    assert sha256_file(file) == hashlib.sha256(content[:size]).hexdigest()


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match=r"gone\.mp4"):
        sha256_file(tmp_path / "gone.mp4")


def test_a_directory_is_not_hashed(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="readable file"):
        sha256_file(tmp_path)
