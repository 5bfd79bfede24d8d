"""An event says what it is in bytes that are checked before they are written and after they are read."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_provenance.digest import JsonValue, canonical_json
from platemark_provenance.errors import LedgerCorrupt, LedgerRequestError
from platemark_provenance.ledger.event import (
    LARGEST_BODY_BYTES,
    LONGEST_FIELD,
    Columns,
    Event,
    EventType,
    NewEvent,
    SealedState,
    Stamp,
    decode_body,
    derive_columns,
    encode_body,
    facts_of,
    from_microseconds,
    sealed_digest,
    to_microseconds,
)

EVENT_ID = "019dd6c0-0000-7000-8000-000000000001"
STAMP = Stamp(EVENT_ID, 1_773_489_600_000_000, actor=None, sealed_sha256=None)
names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=LONGEST_FIELD)


def test_the_bytes_of_an_event_are_canonical_and_leave_out_what_is_not_set() -> None:
    body = encode_body(NewEvent(EventType.CLIP_PUBLISHED, clip="clip-a", facts={"b": 1, "a": "é"}), STAMP)

    assert body.decode() == (
        '{"clip":"clip-a","facts":{"a":"é","b":1},"id":"019dd6c0-0000-7000-8000-000000000001",'
        '"ts":1773489600000000,"type":"clip.published","v":1}'
    )


def test_every_field_of_an_event_comes_back_from_its_bytes() -> None:
    new = NewEvent(
        EventType.POLICY_DECIDED,
        clip="clip-a",
        actor="jw.kim",
        desk="weather",
        decision="block",
        model="embedded-1",
        facts={"rules": ["a", "b"]},
    )
    stamp = Stamp(EVENT_ID, 5, actor="p-aaaaaaaaaaaaaaaa", sealed_sha256="ab" * 32)

    decoded = decode_body(encode_body(new, stamp))

    assert derive_columns(decoded) == Columns(
        EVENT_ID, 5, "policy.decided", "clip-a", "p-aaaaaaaaaaaaaaaa", "weather", "block", "embedded-1"
    )
    assert facts_of(decoded) == {"rules": ["a", "b"]}
    assert sealed_digest(decoded) == "ab" * 32


@given(clip=names, desk=names, model=names, ts_us=st.integers(0, 2**52))
def test_any_text_survives_the_way_through_bytes(clip: str, desk: str, model: str, ts_us: int) -> None:
    new = NewEvent(EventType.OUTPUT_INTENDED, clip=clip, desk=desk, model=model)
    stamp = Stamp(EVENT_ID, ts_us, actor=None, sealed_sha256=None)

    columns = derive_columns(decode_body(encode_body(new, stamp)))

    assert (columns.clip, columns.desk, columns.model, columns.ts_us) == (clip, desk, model, ts_us)


def test_the_name_of_an_actor_never_gets_into_the_bytes() -> None:
    new = NewEvent(EventType.PROMPT_SUBMITTED, actor="jw.kim", sealed={"prompt": "a secret plan"})

    body = encode_body(new, Stamp(EVENT_ID, 1, actor="p-aaaaaaaaaaaaaaaa", sealed_sha256="00" * 32))

    assert b"jw.kim" not in body
    assert b"secret" not in body


@pytest.mark.parametrize("name", ["clip", "actor", "desk", "decision", "model"])
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("", "1 to 200 characters"),
        ("x" * (LONGEST_FIELD + 1), "1 to 200 characters"),
        ("a\x00b", "control characters"),
        ("a\nb", "control characters"),
        ("a\x85b", "control characters"),
        ("a\ud800b", "control characters"),
        (7, "must be text"),
    ],
)
def test_a_field_that_is_no_short_plain_text_is_refused(name: str, value: Any, complaint: str) -> None:
    fields = {name: value}

    with pytest.raises(LedgerRequestError, match=complaint):
        NewEvent(EventType.CLIP_VERIFIED, **fields)


def test_a_kind_of_event_that_does_not_exist_is_refused() -> None:
    unknown: Any = "clip.exploded"

    with pytest.raises(LedgerRequestError, match="known types"):
        NewEvent(unknown)


@pytest.mark.parametrize("fact", ["prompt", "negative_prompt", "byline"])
def test_facts_that_should_be_sealed_are_refused_by_name(fact: str) -> None:
    with pytest.raises(LedgerRequestError, match=f"{fact} should be sealed"):
        NewEvent(EventType.PROMPT_SUBMITTED, facts={fact: "Kim Ji-woo"})


@pytest.mark.parametrize(
    "event_id", ["", "1", "019DD6C0-0000-7000-8000-000000000001", "019dd6c000007000800000000000001f"]
)
def test_an_event_id_must_be_a_uuid_in_its_usual_form(event_id: str) -> None:
    with pytest.raises(LedgerRequestError, match="UUID"):
        NewEvent(EventType.CLIP_VERIFIED, event_id=event_id)


def test_a_usage_error_ends_a_command_with_exit_code_2() -> None:
    assert LedgerRequestError.exit_code == 2


def _event_of(size: int) -> NewEvent:
    empty = len(encode_body(NewEvent(EventType.CLIP_VERIFIED, facts={"t": ""}), STAMP))
    return NewEvent(EventType.CLIP_VERIFIED, facts={"t": "x" * (size - empty)})


def test_an_event_of_the_largest_size_is_written() -> None:
    assert len(encode_body(_event_of(LARGEST_BODY_BYTES), STAMP)) == LARGEST_BODY_BYTES


def test_an_event_one_byte_larger_is_refused_with_its_size() -> None:
    with pytest.raises(LedgerRequestError, match="this one would have 65536"):
        encode_body(_event_of(LARGEST_BODY_BYTES + 1), STAMP)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"v":2}',
        b'{"v":"1"}',
        b"[" * 100_000,
    ],
)
def test_bytes_that_are_no_event_are_corrupt(body: bytes) -> None:
    with pytest.raises(LedgerCorrupt):
        decode_body(body)


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": 5},
        {"ts": None},
        {"ts": "5"},
        {"ts": 5.5},
        {"type": None},
        {"type": ["clip.published"]},
        {"clip": 5},
        {"actor": {}},
        {"desk": []},
        {"decision": True},
        {"model": 1.5},
    ],
)
def test_a_field_of_the_wrong_type_is_corrupt(change: dict[str, JsonValue]) -> None:
    decoded = {**decode_body(encode_body(NewEvent(EventType.CLIP_VERIFIED, clip="a"), STAMP)), **change}

    with pytest.raises(LedgerCorrupt):
        derive_columns(decoded)


@pytest.mark.parametrize("sealed", [None, "x", {}, {"sha256": 5}, []])
def test_a_body_without_a_proper_sealed_digest_has_none(sealed: JsonValue) -> None:
    assert sealed_digest({"sealed": sealed}) is None


@pytest.mark.parametrize("facts", [None, "x", 5, []])
def test_a_body_without_proper_facts_has_none(facts: JsonValue) -> None:
    assert facts_of({"facts": facts}) == {}


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_as_microseconds(moment: datetime) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    seoul = datetime(2026, 3, 14, 21, 0, tzinfo=timezone(timedelta(hours=9)))

    assert to_microseconds(seoul) == to_microseconds(datetime(2026, 3, 14, 12, 0, tzinfo=UTC))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(LedgerRequestError, match="zone"):
        to_microseconds(datetime(2026, 3, 14))


def test_a_stored_time_beyond_the_calendar_is_corrupt() -> None:
    with pytest.raises(LedgerCorrupt, match="out of range"):
        from_microseconds(2**62)


def test_an_event_as_json_has_every_field_but_the_raw_bytes() -> None:
    moment = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
    event = Event(
        3,
        EVENT_ID,
        moment,
        "clip.published",
        "a",
        None,
        None,
        "weather",
        None,
        None,
        {"x": 1},
        SealedState.KEPT,
        None,
        b"",
    )

    shown = event.to_json()

    assert json.loads(canonical_json(shown)) == {
        "seq": 3,
        "event_id": EVENT_ID,
        "at": "2026-03-14T12:00:00.000000+00:00",
        "type": "clip.published",
        "clip": "a",
        "actor": None,
        "actor_name": None,
        "desk": "weather",
        "decision": None,
        "model": None,
        "facts": {"x": 1},
        "sealed_state": "kept",
        "sealed": None,
    }


def test_no_two_kinds_of_event_share_a_name_and_all_are_noun_and_verb() -> None:
    kinds = [kind.value for kind in EventType]

    assert len(kinds) == len(set(kinds)) == len(EventType.__members__)
    assert all(kind.count(".") == 1 and kind == kind.lower() for kind in kinds)
