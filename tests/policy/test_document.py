"""Pack files are read as located text, and everything clever about YAML is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.document import MAX_FILE_BYTES, Entry, read_document
from platemark_policy.errors import RulePackError


def read(text: str) -> Entry:
    return read_document(text.encode(), name="tiny.yaml")


def test_maps_lists_and_text_are_read() -> None:
    fields = read("name: sea\nterms: [one, two]\n").fields(("name", "terms"))

    assert (fields["name"].text(), fields["terms"].texts()) == ("sea", ("one", "two"))


@pytest.mark.parametrize("scalar", ["no", "1", "1.50", "2026-11-22", "null", "~x", "'true'"])
def test_text_is_never_anything_else(scalar: str) -> None:
    assert read(f"key: {scalar}").fields(("key",))["key"].text() == scalar.strip("'")


def test_values_know_their_line() -> None:
    entry = read("a: 1\nb:\n  - x\n  - y\n").fields(("a", "b"))["b"].items()[1]

    assert entry.place == "tiny.yaml, line 4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: &x 1\nb: *x\n", "anchors and aliases", id="alias"),
        pytest.param("a: &x 1\n", "anchors and aliases", id="anchor alone"),
        pytest.param("a: *x\n", "YAML|aliases", id="alias of nothing"),
        pytest.param("a: !!python/object/apply:os.system [ls]\n", "tags are not allowed", id="object tag"),
        pytest.param("a: !!int 3\n", "tags are not allowed", id="plain tag"),
        pytest.param("a: 1\na: 2\n", "'a' appears twice", id="duplicate key"),
        pytest.param("a: 1\n---\nb: 2\n", "exactly one YAML document", id="two documents"),
        pytest.param("", "exactly one YAML document", id="no document"),
        pytest.param("a: [1\n", "not readable as YAML", id="broken"),
        pytest.param("a: \x01\n", "not readable as YAML", id="control character"),
        pytest.param("[" * 14 + "x" + "]" * 14, "nested 12 deep", id="too deep"),
        pytest.param("[" * 5000, "YAML|nested", id="absurdly deep"),
        pytest.param("[" + "x," * 40_001 + "]", "at most 20000 values", id="too many values"),
        pytest.param("? [a]\n: 1\n", "expected a text", id="list as a key"),
        pytest.param("? ''\n: 1\n", "expected a text", id="empty key"),
    ],
)
def test_clever_yaml_is_refused(text: str, message: str) -> None:
    with pytest.raises(RulePackError, match=message):
        read(text)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(RulePackError, match=f"at most {MAX_FILE_BYTES} bytes"):
        read_document(b"#" * (MAX_FILE_BYTES + 1), name="tiny.yaml")


def test_a_file_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(RulePackError, match="UnicodeDecodeError"):
        read_document(b"a: \xff\xfe", name="tiny.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[a]", "expected a text", id="list for text"),
        pytest.param("{a: b}", "expected a text", id="map for text"),
        pytest.param("'  '", "expected a text", id="blank"),
    ],
)
def test_text_has_to_be_text(text: str, message: str) -> None:
    with pytest.raises(RulePackError, match=message):
        read(text).text()


@pytest.mark.parametrize("text", ["a", "{a: b}", "[]"])
def test_a_list_has_to_be_a_list_with_members(text: str) -> None:
    with pytest.raises(RulePackError, match="expected a list"):
        read(text).items()


@pytest.mark.parametrize("text", ["a", "[a]"])
def test_a_map_has_to_be_a_map(text: str) -> None:
    with pytest.raises(RulePackError, match="expected a map"):
        read(text).mapping()


def test_a_list_of_texts_holds_only_texts() -> None:
    with pytest.raises(RulePackError, match="expected a text"):
        read("[a, [b]]").texts()


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RulePackError, match=r"line 2: unknown key 'reasn'.*Did you mean 'reason'"):
        read("id: x\nreasn: y\n").fields(("id", "reason"))


def test_a_missing_key_is_named() -> None:
    with pytest.raises(RulePackError, match="missing reason, source"):
        read("id: x\n").fields(("id", "source", "reason"))


def test_an_optional_key_may_be_missing() -> None:
    assert set(read("id: x\n").fields(("id",), ("source",))) == {"id"}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_our_words(content: bytes) -> None:
    try:
        entry = read_document(content, name="x")
    except RulePackError as refusal:
        entry = Entry("refused", refusal.message)

    assert entry.place
